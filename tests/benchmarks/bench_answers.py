"""Milliseconds that reading a 16 KB text takes, here and in another checkout. Run by hand from the root:

python -m tests.benchmarks.bench_answers [OTHER_CHECKOUT] [ROUNDS]

Each checkout reads in a process of its own. A round reads every text three times, and the processes take turns at each
text, so a busy spell slows both, and only one round of a text. The time of a text is the least of all; caches are
emptied before each reading, since no two completions are alike.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from pathlib import Path

SIZE, ROUNDS, MARGIN = 16384, 15, 1.05
FAST = 0.3  # ms; at less, a ratio says little

WORKER = """
import gc, json, sys, time
from swift_plugins.fakexplain.answer import parse_answer
modules = [module for name, module in sys.modules.items() if "fakexplain" in name]
caches = {each for module in modules for each in vars(module).values() if hasattr(each, "cache_clear")}
gc.disable()
for line in sys.stdin:
    text, took = json.loads(line), []
    for _ in range(3):
        for cache in caches:
            cache.cache_clear()
        start = time.process_time()
        parse_answer(text, strict=True, variant="full")
        took.append(time.process_time() - start)
    print(min(took), flush=True)
    gc.collect()
"""

SENTENCE = """
    the hand has six fingers and a seam that runs from its wrist into the sleeve while light on the wall comes from
    two sides at once which no lamp in this room explains so letters of the sign melt into one another near an edge
"""
WORDS = SENTENCE.split()
SENTENCES = {
    "English": "The seam of the left sleeve runs into the hand, and its shadow falls to the wrong side. ",
    "English with numbers": "In 2023 some 14 of 28 models drew 6 fingers, or 7.5% of 1,200 hands (see 3.2). ",
    "reasoning": "Wait, let me look again: is the clock real? No, hmm, its numerals are not (quite) legible... ",
    "verdict sentences": "This image is fake. It looks real at first, but the photo is not authentic. ",
    "Chinese": "左手有六根手指，墙上的影子方向不一致；这张图片看起来不自然。",
    "Chinese with numbers": "图中有6根手指，坐标约为120、340，置信度为95%。",
    "Markdown": "## Analysis\n\n- **Hand**: the `left` one has six fingers\n- *Sign*: letters melt\n\n",
    "Markdown numbered": "1. **Hand**: six fingers.\n2. **Sign**: letters melt.\n\n",
    "HTML": '<p class="flaw">Six <b>fingers</b> on a hand</p>\n<br/>\n',
    "code": "def union(a, b):\n    return {k: a[k] + b[k] for k in a if k in b}  # sum\n",
    "headings": "Verdict: the hand is odd\nAnswer: the wall is fine\nConclusion: none yet\n",
    "quoted": "\"It's a 'hand',\" said one; 'No,' said another: \"a glove.\"\n",
    "table of words": "| hand | six fingers | high |\n|---|---|---|\n",
    "LaTeX": "\\textbf{hand} \\frac{1}{2} $x_1 + y_2$ \\boxed{maybe} ",
    "log": "2024-05-01 12:34:56,789 INFO [worker-3] step 120/340 loss=0.123 iou=0.56\n",
}
NOTATIONS = {  # one region; {0} to {3}: its box, {4}: its words
    "an answer's": "[{0}, {1}, {2}, {3}] {4}.\n",
    "box after words": "- {4} [{0},{1},{2},{3}]\n",
    "full-width": "［{0}，{1}，{2}，{3}］{4}。\n",
    "round": "{4} ({0}, {1}, {2}, {3})\n",
    "corners": "({0}, {1}) to ({2}, {3}): {4}\n",
    "Qwen2-VL": "<|object_ref_start|>{4}<|object_ref_end|><|box_start|>({0},{1}),({2},{3})<|box_end|>\n",
    "Qwen-VL": "<ref>{4}</ref><box>({0},{1}),({2},{3})</box>\n",
    "InternVL": "<ref>{4}</ref><box>[[{0}, {1}, {2}, {3}]]</box>\n",
    "MiniCPM-V": "<ref>{4}</ref><box>{0} {1} {2} {3}</box>\n",
    "GLM": "{4} <|begin_of_box|>[[{0},{1},{2},{3}]]<|end_of_box|>\n",
    "DeepSeek": "<|ref|>{4}<|/ref|><|det|>[[{0}, {1}, {2}, {3}]]<|/det|>\n",
    "Doubao": "{4} <bbox>{0} {1} {2} {3}</bbox>\n",
    "PaliGemma": "<loc{1:04}><loc{0:04}><loc{3:04}><loc{2:04}> {4} ; ",
    "MiniGPT": "<p>{4}</p> {{<{0}><{1}><{2}><{3}>}} ",
    "Molmo": '<point x="{0}" y="{1}" alt="{4}">{4}</point>\n',
    "JSON": '{{"bbox_2d": [{0}, {1}, {2}, {3}], "label": "{4}"}},\n',
    "JSON indented": '{{\n  "bbox_2d": [\n    {0},\n    {1},\n    {2},\n    {3}\n  ],\n  "label": "{4}"\n}},\n',
    "JSON y first": '{{"box_2d": [{1}, {0}, {3}, {2}], "label": "{4}"}},\n',
    "JSON sides": '{{"x_min": {0}, "y_min": {1}, "x_max": {2}, "y_max": {3}, "label": "{4}"}},\n',
    "JSON point": '{{"point_2d": [{0}, {1}], "label": "{4}"}},\n',
    "list items": "1. **{4}**\n   - Box: [{0}, {1}, {2}, {3}]\n   - Flaw: odd\n",
    "labelled": "Bounding box: {0}, {1}, {2}, {3} {4}\n",
    "sides in words": "left: {0}, top: {1}, right: {2}, bottom: {3} {4}\n",
    "table": "| {4} | {0}, {1}, {2}, {3} |\n",
    "one line": "{4} [{0}, {1}, {2}, {3}]; ",
}
NEAR_MISSES = {
    "three numbers": "[{0}, {1}, {2}] {4}\n",
    "five numbers": "[{0}, {1}, {2}, {3}, {0}] {4}\n",
    "open bracket": "[{0}, {1}, {2}, {3} {4}\n",
    "open round bracket": "({0}, {1}, {2}, {3} {4}\n",
    "words in brackets": "[x1, y1, x2, y2] {4}\n",
    "inverted": "[{2}, {3}, {0}, {1}] {4}\n",
    "element of three": "<box>{0} {1} {2}</box> {4}\n",
    "bare numbers": "{0}, {1}, {2}, {3}, {4}\n",
    "sums": "({0} + {1}) * ({2} - {3}) {4}\n",
}
UNITS = (
    *("<think>", "</think>", "<verdict>", "<verdict>fake</verdict>", "<tag>texture error, ", "<tag>"),
    *("<answer>", "<box>", "<ref>", "<loc0001>", "<1>", "[", "[1,", "[1 ", "[1, 2, 3, 4", "[[[1,2,3,4]]]"),
    *("((", "(1,2)", "{", '{"', "<", "<|", '{"bbox_2d":[', '{"a":{"x1":', "\\boxed{", "a b ", "ab", "0", "0 "),
    *("1,", "1, 2, 3, 4 ", "\n", " \n", "|", '"a": ', "-", ".", "…", "é", "😀", "box ", "x1 ", "verdict\n"),
    *("answer: ", "no ", "not fake ", "AI-", "real?", "```"),
)  # fmt: skip


def texts() -> dict[str, str]:
    """Texts of `SIZE` characters: prose, every notation, near misses, and what is costly to search."""
    rng = random.Random(0)

    def region(form: str) -> str:
        x, y = rng.randint(0, 400), rng.randint(0, 400)
        words = " ".join(rng.choices(WORDS, k=rng.randint(2, 8))).capitalize()
        return form.format(x, y, x + rng.randint(1, 99), y + rng.randint(1, 99), words)

    found = {f"prose: {name}": sentence * SIZE for name, sentence in SENTENCES.items()}
    found["prose: random words"] = " ".join(rng.choices(WORDS, k=SIZE))
    found["prose: random letters"] = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz     ,.\n", k=SIZE))
    found["nonsense: random signs"] = "".join(rng.choices("[](){}<>|,.:;\"' \n0123456789ab/", k=SIZE))
    for kind, forms in (("notation", NOTATIONS), ("near miss", NEAR_MISSES)):
        for name, form in forms.items():
            body = "".join(region(form) for _ in range(SIZE // 20))
            found[f"{kind}: {name}"] = body
            if kind == "notation":
                end = "\n</think>\n<tag>texture error</tag>\n<verdict>fake.</verdict>"
                found[f"block: {name}"] = "<think>\n" + body[: SIZE - 9 - len(end)] + end
    found |= {f"nonsense: {unit!r}": unit * SIZE for unit in UNITS}
    return {name: text[:SIZE] for name, text in found.items()}


def start(root: Path) -> subprocess.Popen[str]:
    """A process that reads texts with the code of a checkout."""
    command = [sys.executable, "-c", WORKER]
    return subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def seconds(worker: subprocess.Popen[str], text: str) -> float:
    assert worker.stdin and worker.stdout
    worker.stdin.write(json.dumps(text) + "\n")
    worker.stdin.flush()
    return float(worker.stdout.readline())


def main() -> None:
    roots = [Path.cwd(), *map(Path, sys.argv[1:2])]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    workers = [start(root) for root in roots]
    found = texts()
    least = {name: [math.inf for _ in workers] for name in found}
    for _ in range(rounds):
        for name, text in found.items():
            least[name] = [
                min(ms, 1000 * seconds(worker, text)) for ms, worker in zip(least[name], workers, strict=True)
            ]
    for name, took in sorted(least.items(), key=lambda row: -row[1][0] / row[1][-1]):
        ratio = f"{took[0] / took[1]:6.2f}" if took[1:] else ""
        print(f"{name:32}" + "".join(f"{each:8.3f}" for each in took) + ratio)
    print(f"slowest: {', '.join(f'{max(each):.2f} ms' for each in zip(*least.values(), strict=True))}")
    slower = [took for took in least.values() if took[0] > MARGIN * took[-1]]
    fast = sum(max(took) < FAST for took in slower)
    print(f"slower than the other checkout by more than {MARGIN - 1:.0%}: {len(slower)} of {len(least)}")
    print(f"  of these, under {FAST} ms in both: {fast}")


if __name__ == "__main__":
    main()
