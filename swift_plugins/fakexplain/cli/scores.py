"""`fakexplain score`: score predictions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..atomic import atomic_file
from ..jsonl import to_indented_json
from .app import (
    OUT,
    SCORES,
    Force,
    MaxPixels,
    Seed,
    SubsetName,
    Template,
    VariantName,
    app,
    check_free,
    parse_option,
    say,
    show_stream,
)
from .named_files import parse_named_files, split_name

if TYPE_CHECKING:
    from ..operating_point import OperatingPoint
    from ..scoring.evaluate import Evaluation
    from ..scoring.predictions.inputs import BaselineOptions

BASELINES, MASKS_AND_BOXES = "Baselines", "Baselines: masks and boxes"
Label = Literal["fake", "real"]

Predictions = Annotated[
    list[str],
    typer.Argument(
        help="Answers of `swift infer` (.jsonl), labels or scores (.csv), boxes (.json) or a folder of masks. "
        "NAME=FILE names the system; several files with one name are joined, such as those of four folds.",
        metavar="PREDICTIONS",
    ),
]
GoldFile = Annotated[Path, typer.Option(help="Annotations file of the images.")]
RunFolder = Annotated[Path | None, typer.Option(*OUT, help="Write a run for `fakexplain report` to this folder.")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the scores to this file.")]
Dataset = Annotated[
    str | None, typer.Option(help="Name of the data set in a report.", show_default="name of the annotations")
]
Resamples = Annotated[int, typer.Option(help="Bootstrap resamples for intervals and comparisons; 0 skips them.", min=0)]
FrameNames = Annotated[
    list[str] | None,
    typer.Option(
        "--frame",
        help="Frame of a system's boxes: pixels, norm1000, norm1, yx1000 or yx1024 (y first); repeatable.",
        show_default="the template's",
        metavar="NAME=FRAME",
    ),
]
Prose = Annotated[
    list[str] | None,
    typer.Option(
        "--prose",
        help="System whose answers are prose without captions: compare its whole text with the captions; repeatable.",
        metavar="NAME",
    ),
]
OperatingPoints = Annotated[
    list[str] | None,
    typer.Option(
        "--operating-point",
        help="Operating point that decides in place of a system's verdicts, from `fakexplain calibrate`; NAME= may be "
        "left out if there is one system; repeatable.",
        show_default="the verdicts",
        metavar="NAME=FILE",
    ),
]
Images = Annotated[
    Path | None,
    typer.Option(
        help="Folder that image paths are relative to.",
        show_default="folder of the annotations",
        rich_help_panel=BASELINES,
    ),
]
OneIs = Annotated[Label | None, typer.Option(help="Meaning of label 1; 0 is the other.", rich_help_panel=BASELINES)]
HigherIs = Annotated[Label, typer.Option(help="Meaning of a higher score.", rich_help_panel=BASELINES)]
Threshold = Annotated[
    float | None,
    typer.Option(
        help="Score above which --higher-is applies; used without labels.",
        show_default="0.5",
        rich_help_panel=BASELINES,
    ),
]
ColumnNames = Annotated[
    list[str] | None,
    typer.Option(
        help="Name of the column for a role: image, verdict, score, boxes or text; repeatable.",
        metavar="ROLE=NAME",
        rich_help_panel=BASELINES,
    ),
]
MaskThreshold = Annotated[
    int | None,
    typer.Option(
        help="Least grey value that counts as masked.",
        show_default="128",
        min=1,
        max=255,
        rich_help_panel=MASKS_AND_BOXES,
    ),
]
MinAreaShare = Annotated[
    float | None,
    typer.Option(
        help="Masks without labels: call an image fake if its mask covers at least this share of it.",
        rich_help_panel=MASKS_AND_BOXES,
    ),
]
Coco = Annotated[
    Path | None,
    typer.Option(help="COCO annotations that the .json results refer to.", rich_help_panel=MASKS_AND_BOXES),
]
MinScore = Annotated[
    float | None,
    typer.Option(help="COCO results: skip boxes with a lower score.", rich_help_panel=MASKS_AND_BOXES),
]
FakeIfBoxes = Annotated[
    bool,
    typer.Option(
        "--fake-if-boxes",
        help="Boxes without verdicts: call an image fake if it has a box.",
        rich_help_panel=MASKS_AND_BOXES,
    ),
]


@app.command(rich_help_panel=SCORES)
def score(
    predictions: Predictions,
    annotations: GoldFile,
    subset: SubsetName = "all",
    template: Template = "fx_qwen2_5_vl",
    max_pixels: MaxPixels = None,
    frame: FrameNames = None,
    prose: Prose = None,
    operating_point: OperatingPoints = None,
    variant: VariantName = "full",
    output: RunFolder = None,
    json_out: JsonFile = None,
    dataset: Dataset = None,
    resamples: Resamples = 2000,
    seed: Seed = 0,
    images: Images = None,
    one_is: OneIs = None,
    higher_is: HigherIs = "fake",
    threshold: Threshold = None,
    column: ColumnNames = None,
    mask_threshold: MaskThreshold = None,
    min_area_share: MinAreaShare = None,
    coco: Coco = None,
    min_score: MinScore = None,
    fake_if_boxes: FakeIfBoxes = False,
    force: Force = False,
) -> None:
    """Score predictions (answers, labels, boxes or masks) with 95 % confidence intervals.

    Boxes in answers are mapped back to original pixels by the template's frame: set MAX_PIXELS, MIN_PIXELS or
    IMAGE_MAX_TOKEN_NUM as for `swift infer`; --frame names the frame of another system. Unreadable answers count as
    wrong, and so do images of the subset without an answer. All systems are compared in pairs (paired bootstrap,
    McNemar).
    """
    from ..frames import frame_rule
    from ..rows import parse_subset
    from ..scoring.evaluate import ScoreRequest, answer_variant, evaluate
    from ..scoring.predictions.stated_frames import parse_frames
    from ..scoring.results import Resampling
    from ..scoring.tables.terminal import render_table

    rule = parse_option(lambda name: frame_rule(name, max_pixels=max_pixels), template, "--template")
    parse_option(parse_subset, subset, "--subset")
    variant = parse_option(lambda name: answer_variant(subset, name), variant, "--variant")
    files = parse_named_files(predictions, "PREDICTIONS")
    frames = parse_option(lambda _: parse_frames(frame or [], files), "", "--frame")
    if strangers := [name for name in prose or [] if name not in files]:
        raise typer.BadParameter(f"expected the name of a system, found {strangers[0]!r}", param_hint="--prose")
    points = _operating_points(operating_point or [], list(files))
    _check_outputs(json_out, output, force, [annotations, *(path for paths in files.values() for path in paths)])
    options = _baseline_options(
        one_is, higher_is, threshold, column or [], coco, min_score, fake_if_boxes, min_area_share, mask_threshold
    )
    resampling = Resampling(resamples, seed)
    request = ScoreRequest(
        files, annotations, rule, subset, variant, dataset, images, options, resampling, frames, prose or [], points
    )
    found = evaluate(request, output, show_stream)
    _save_scores(json_out, found)
    say(render_table(found.results, found.comparisons, resampling.level))
    _print_notes(found, subset)
    _print_frame_hints(found, {name: each.name for name, each in frames.items()}, template)


def _operating_points(arguments: list[str], systems: list[str]) -> dict[str, OperatingPoint]:
    """Name of a system -> its operating point."""
    from ..operating_point import read_operating_point

    alone = systems[0] if len(arguments) == len(systems) == 1 else None
    named = {(alone or path) if name is None else name: path for name, path in map(split_name, arguments)}
    if strangers := [name for name in named if name not in systems]:
        raise typer.BadParameter(
            f"expected NAME=FILE, with the name of a system ({', '.join(systems)}), found {strangers[0]!r}",
            param_hint="--operating-point",
        )
    return {name: read_operating_point(path) for name, path in named.items()}


def _check_outputs(json_out: Path | None, run: Path | None, force: bool, sources: list[Path]) -> None:
    for out, is_folder in ((json_out, False), (run, True)):
        if out is not None:
            check_free(out, force, *sources, folder=is_folder)


def _save_scores(path: Path | None, found: Evaluation) -> None:
    if path is not None:
        with atomic_file(path) as partial:
            partial.write_text(to_indented_json(found.results), encoding="utf-8")


def _baseline_options(
    one_is: Label | None,
    higher_is: Label,
    threshold: float | None,
    columns: list[str],
    coco: Path | None,
    min_score: float | None,
    fake_if_boxes: bool,
    min_area_share: float | None,
    mask_threshold: int | None,
) -> BaselineOptions:
    from ..scoring.predictions.inputs import BaselineOptions
    from ..scoring.predictions.labels import Convention, parse_column

    names = dict(parse_option(parse_column, each, "--column") for each in columns)
    convention = parse_option(lambda _: Convention(one_is, higher_is, threshold), "", "--threshold")
    return parse_option(
        lambda _: BaselineOptions(convention, names, coco, min_score, fake_if_boxes, min_area_share, mask_threshold),
        "",
        "--min-score, --min-area-share",
    )


def _print_notes(found: Evaluation, subset: str) -> None:
    """Print which images have no answer, which baselines have no verdicts, and whether one fold has all answers."""
    for name, result in found.results.items():
        if missing := result["missing"]:
            ids = ", ".join(missing[:5]) + (" …" if missing[5:] else "")
            say(f"\n{name}: {len(missing)} of {result['n']} images have no answer and count as wrong: {ids}")
        if name in found.baselines and result["answered"] and result["unreadable"] == result["answered"]:
            say(
                f"\n{name} gives no verdict, so it is wrong on every image. Add {name}=labels.csv, or take verdicts "
                f"from masks or boxes with --min-area-share or --fake-if-boxes."
            )
    if subset == "all" and (fold := found.summary.only_fold) is not None:
        say(f"All answers belong to fold {fold}; use --subset fold{fold}_test to score that fold alone.")


def _print_frame_hints(found: Evaluation, frames: dict[str, str], template: str) -> None:
    """Print which systems write numbers that cannot be of their frame."""
    for name, result in found.results.items():
        counts = {code: result["problems"][code] for code in ("shares", "outside_frame", "beyond_frame")}
        if any(counts.values()):
            numbers = ", ".join(f"{code} {count}" for code, count in counts.items() if count)
            other = "norm1" if counts["shares"] else "norm1000, pixels or yx1000"
            say(
                f"\n{name}: answers with boxes that do not fit the frame of {frames.get(name, template)} ({numbers}). "
                f"If they are in another frame, add --frame {name}={other}."
            )
