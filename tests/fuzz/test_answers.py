"""Answers written by a grammar of this file's own: each is read as it was meant, or a code says that it was not."""

import json

import pytest

from swift_plugins.fakexplain.answer import parse_answer

pytestmark = pytest.mark.fuzz

WORDS = (
    "hand",
    "sky",
    "seam",
    "six",
    "fused",
    "letters",
    "edge",
    "of",
    "the",
    "and",
    "into",
    "wall",
    "3",
    "2.5",
    "left",
)
FAKE = ("fake", "Fake", "FAKE", "ai-generated", "AI-generated", "generated", "synthetic", "fake.", "**fake**", " fake ")
REAL = ("real", "Real", "REAL", "authentic", "real.", "**real**", " real\n")


def caption(rng):
    return " ".join(rng.choices(WORDS, k=rng.randint(1, 6))).capitalize() + rng.choice((".", ""))


def box(rng):
    x1, y1 = rng.randint(0, 400), rng.randint(0, 400)
    return x1, y1, x1 + rng.randint(1, 99), y1 + rng.randint(1, 99)


def as_lines(regions):
    return "\n".join(f"[{a}, {b}, {c}, {d}] {text}" for (a, b, c, d), text in regions)


def as_bare_lines(regions):
    return "\n".join(f"- {text} [{a},{b},{c},{d}]" for (a, b, c, d), text in regions)


def as_qwen(regions):
    return "\n".join(
        f"<|object_ref_start|>{text}<|object_ref_end|><|box_start|>({a},{b}),({c},{d})<|box_end|>"
        for (a, b, c, d), text in regions
    )


def as_qwen_json(regions):
    return "```json\n" + json.dumps([{"bbox_2d": list(box), "label": text} for box, text in regions]) + "\n```"


def as_json(regions):
    return json.dumps([{"bbox_2d": list(box), "label": text} for box, text in regions], indent=1)


def as_corners_json(regions):
    return json.dumps(
        [dict(zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True), label=text) for box, text in regions]
    )


def as_gemini(regions):
    return json.dumps([{"box_2d": [b, a, d, c], "label": text} for (a, b, c, d), text in regions])


def as_internvl(regions):
    return "\n".join(f"<ref>{text}</ref><box>[[{a}, {b}, {c}, {d}]]</box>" for (a, b, c, d), text in regions)


def as_minicpm(regions):
    return "\n".join(f"<ref>{text}</ref><box>{a} {b} {c} {d}</box>" for (a, b, c, d), text in regions)


def as_glm(regions):
    return "\n".join(f"{text} <|begin_of_box|>[[{a},{b},{c},{d}]]<|end_of_box|>" for (a, b, c, d), text in regions)


def as_deepseek(regions):
    return "\n".join(f"<|ref|>{text}<|/ref|><|det|>[[{a}, {b}, {c}, {d}]]<|/det|>" for (a, b, c, d), text in regions)


def as_corners(regions):
    return "\n".join(f"({a}, {b}) to ({c}, {d}): {text}" for (a, b, c, d), text in regions)


def as_paligemma(regions):
    return " ; ".join(f"<loc{b:04}><loc{a:04}><loc{d:04}><loc{c:04}> {text}" for (a, b, c, d), text in regions)


def as_yaml(regions):
    return "regions:\n" + "\n".join(f"  - bbox: {list(box)}\n    caption: {text}" for box, text in regions)


def as_yaml_words_first(regions):
    return "\n".join(f'- label: "{text}"\n  bbox:\n' + "\n".join(f"  - {n}" for n in box) for box, text in regions)


def as_toml(regions):
    return "\n\n".join(f'[[regions]]\nbbox = {list(box)}\ncaption = "{text}"' for box, text in regions)


def as_python(regions):
    return repr([{"bbox": box, "caption": text} for box, text in regions])


def as_calls(regions):
    return ", ".join(f"Region(bbox={box}, caption={text!r})" for box, text in regions)


def as_pairs(regions):
    return repr([(text, box) for box, text in regions])


def as_lists(regions):
    return json.dumps({"boxes": [list(box) for box, _ in regions], "captions": [text for _, text in regions]})


def as_voc(regions):
    sides = "<xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax>"
    return "\n".join(
        f"<object>\n<name>{text}</name>\n<bndbox>{sides.format(*box)}</bndbox>\n</object>" for box, text in regions
    )


def as_attributes(regions):
    return "\n".join(f'<region x1="{a}" y1="{b}" x2="{c}" y2="{d}">{text}</region>' for (a, b, c, d), text in regions)


def as_html_table(regions):
    rows = "".join(f"<tr><td>{list(box)}</td><td>{text}</td></tr>" for box, text in regions)
    return f"<table><tr><th>Box</th><th>Flaw</th></tr>{rows}</table>"


def as_lines_apart(regions):
    return "\n".join(f"{list(box)}\n{text}" for box, text in regions)


NOTATIONS = [value for name, value in list(globals().items()) if name.startswith("as_")]
VERDICTS = (
    "<verdict>{}</verdict>",
    "<answer>{}</answer>",
    "<conclusion>{}</conclusion>",
    "\\boxed{{{}}}",
    "<tag>none</tag>\n<verdict>{}</verdict>",
    "<tag>texture error</tag>\n<verdict>{}</verdict>",
)


def test_an_answer_is_read_right_or_named(fuzz):
    def check(rng):
        regions = [(box(rng), caption(rng)) for _ in range(rng.randint(1, 4))]
        label = rng.choice(("fake", "real"))
        word = rng.choice({"fake": FAKE, "real": REAL}[label])
        notation = rng.choice(NOTATIONS)
        text = notation(regions)
        if rng.random() < 0.7:
            text = f"<think>\n{text}\n</think>"
        text += "\n" + rng.choice(VERDICTS).format(word)
        answer = parse_answer(text)
        found = [(each.bbox, each.caption.rstrip(".")) for each in answer.regions]
        right = answer.verdict == label and found == [(box, words.rstrip(".")) for box, words in regions]
        assert right or answer.problems, (text, answer)

    fuzz(check)


def test_any_text_gives_an_answer(fuzz):
    def check(rng):
        text = rng.choice(NOTATIONS)([(box(rng), caption(rng)) for _ in range(rng.randint(0, 3))])
        text = f"<think>\n{text}\n</think>\n<tag>none</tag>\n<verdict>fake</verdict>"
        for _ in range(rng.randint(1, 8)):
            at, to = sorted(rng.choices(range(len(text) + 1), k=2))
            piece = rng.choice(
                ("", text[at:to], text[at:to] * 2, "[", "<", "\ud800", "9" * 400, "\x00", "-", "1e9", "[")
            )
            text = (text[:at] + piece + text[min(to, at + 5) :])[:20_000]
        answer = parse_answer(text)
        strict = parse_answer(text, strict=True)
        assert strict.verdict == answer.verdict or strict.problems, text
        for region in answer.regions:
            assert region.bbox is None or len(region.bbox) == 4, text

    fuzz(check)
