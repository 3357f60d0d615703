"""`fakexplain consensus`: choose one of several sampled answers about each image."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .app import OUT, SCORES, Force, MaxPixels, Template, app, check_free, parse_option, say, show_progress

if TYPE_CHECKING:
    from ..frames import FrameRule


@app.command(rich_help_panel=SCORES)
def consensus(
    samples: Annotated[
        list[Path],
        typer.Argument(
            help="Answers of `swift infer` or `fakexplain detect` (.jsonl), several per image, in one file or several. "
            "Ties go to the first.",
            metavar="SAMPLES",
        ),
    ],
    output: Annotated[Path, typer.Option(*OUT, help="File to write, one answer per image.")],
    template: Template = "fx_qwen2_5_vl",
    max_pixels: MaxPixels = None,
    force: Force = False,
) -> None:
    """Choose, of several sampled answers about each image, the one that agrees most with the others.

    Its verdict is that of most answers, and among these its regions have the largest mean IoU with those of the others.
    A line of the output is the line of the chosen answer with the fields `agreement` (share of the answers with its
    verdict), `samples` (their number), `region_confidences` and `p_fake`, the mean P(fake) of all answers. `fakexplain
    score` reads the file as predictions.
    """
    from ..answer import parse_answer
    from ..detect.consensus import consensus as choose
    from ..errors import DataError
    from ..frames import frame_rule
    from ..jsonl import write_jsonl
    from ..scoring.predictions.samples import group_by_image, read_chosen_lines, to_answer_line

    rule = parse_option(lambda name: frame_rule(name, max_pixels=max_pixels), template, "--template")
    check_free(output, force, *samples)
    images = group_by_image(samples)
    chosen = {}
    for image, answers in show_progress(images.items(), None, "consensus", "image"):
        try:
            frame_wh = _frame_wh(rule, image)
        except DataError as error:
            raise error.at(answers[0].file, answers[0].line) from None
        choice = choose([parse_answer(each.text) for each in answers], frame_wh)
        known = [each.p_fake for each in answers if each.p_fake is not None]
        best = answers[choice.chosen]
        chosen[best.file, best.line] = {
            "agreement": choice.agreement,
            "samples": len(answers),
            "region_confidences": choice.confidences,
            "p_fake": sum(known) / len(known) if known else None,
        }
    write_jsonl(output, read_chosen_lines(samples, chosen, output.parent), to_answer_line)
    counts = Counter(map(len, images.values()))
    said = ", ".join(f"{count} with {n} {'answer' if n == 1 else 'answers'}" for n, count in sorted(counts.items()))
    say(f"{len(images)} images ({said}) in {output}")


def _frame_wh(rule: FrameRule, image: str) -> tuple[int, int]:
    """The model frame of an image; only some templates need its size."""
    from ..images import open_image

    if rule.norm1000:
        return 1000, 1000
    with open_image(Path(image), image) as opened:
        return rule.frame(opened.size).frame_wh
