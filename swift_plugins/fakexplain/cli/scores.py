"""`fakexplain score`, `report`: answers as numbers, and numbers as pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..annotation import Annotation, read_annotations
from ..variants import VARIANTS
from .app import (
    OUT,
    Force,
    MaxPixels,
    Seed,
    SubsetName,
    Template,
    Variant,
    app,
    check_free,
    parse_option,
    show_progress,
)
from .named_files import parse_named_files

if TYPE_CHECKING:
    from ..scoring.score import Answers

COLUMN_ROLES = ("image", "verdict", "score", "boxes")


@app.command()
def score(
    predictions: Annotated[
        list[str],
        typer.Argument(
            help="Answers of `swift infer` (.jsonl), labels or scores (.csv), boxes (.json) or a folder of masks. "
            "NAME=FILE names the system; several files of one name are joined, as those of four folds.",
            metavar="PREDICTIONS",
        ),
    ],
    annotations: Annotated[Path, typer.Option(help="Annotations file the images were taken from.")],
    subset: SubsetName = "all",
    template: Template = "fx_qwen2_5_vl",
    max_pixels: MaxPixels = None,
    variant: Variant = "full",
    output: Annotated[
        Path | None, typer.Option(*OUT, help="Folder to write a run to, for `fakexplain report`.")
    ] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the scores here.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Name of the data set in a report.")] = None,
    resamples: Annotated[
        int, typer.Option(help="Bootstrap resamples, for intervals and comparisons; 0 leaves them out.", min=0)
    ] = 2000,
    seed: Seed = 0,
    images: Annotated[
        Path | None,
        typer.Option(help="Baselines: folder that image paths are relative to.", show_default="annotations"),
    ] = None,
    one_is: Annotated[str | None, typer.Option(help="Baselines: what label 1 means, fake or real.")] = None,
    higher_is: Annotated[str, typer.Option(help="Baselines: what a higher score means, fake or real.")] = "fake",
    threshold: Annotated[
        float | None, typer.Option(help="Baselines: a score above it decides.", show_default="0.5")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="Baselines: ROLE=NAME, the column of image, verdict, score or boxes.", metavar="ROLE=NAME"),
    ] = None,
    mask_threshold: Annotated[
        int | None,
        typer.Option(help="Masks: the least grey value in the mask.", show_default="128", min=1, max=255),
    ] = None,
    min_area_share: Annotated[
        float | None, typer.Option(help="Masks without labels: fake from this share of the image on.")
    ] = None,
    coco: Annotated[Path | None, typer.Option(help="Boxes: COCO annotations that .json results refer to.")] = None,
    min_score: Annotated[float | None, typer.Option(help="COCO results: leave out boxes of a lower score.")] = None,
    fake_if_boxes: Annotated[
        bool, typer.Option("--fake-if-boxes", help="Boxes without verdicts: an image with a box is fake.")
    ] = False,
    force: Force = False,
) -> None:
    """Score answers, labels, boxes or masks: accuracy, IoU, AUROC, captions, tags, with 95 % intervals.

    Boxes of answers are mapped back to original pixels by the template's frame: set MAX_PIXELS, MIN_PIXELS or
    IMAGE_MAX_TOKEN_NUM as they were set for `swift infer`. What cannot be read counts as wrong, and so does an image
    of the subset without an answer. All systems are compared in pairs (paired bootstrap, McNemar).
    """
    from dataclasses import asdict

    from ..atomic import atomic_file
    from ..frames import frame_rule
    from ..rows import Subset, parse_subset, select
    from ..scoring.metrics.texts import SETTINGS
    from ..scoring.predictions.inputs import Settings, read_system
    from ..scoring.predictions.labels import Convention
    from ..scoring.results import Resampling
    from ..scoring.run import indented, writing_run
    from ..scoring.score import score_systems, system_of
    from ..scoring.tables.terminal import render_table

    rule = parse_option(lambda name: frame_rule(name, max_pixels=max_pixels), template, "--template")
    parse_option(known_variant, variant, "--variant")
    chosen: Subset = parse_option(parse_subset, subset, "--subset")
    if chosen.variant != "full":
        if variant not in ("full", chosen.variant):
            raise typer.BadParameter(f"{subset} has another variant than {variant}", param_hint="--variant")
        variant = chosen.variant
    named = parse_named_files(predictions, "PREDICTIONS")
    for out, folder in ((json_out, False), (output, True)):
        if out is not None:
            check_free(out, force, annotations, *(path for paths in named.values() for path in paths), folder=folder)
    columns = dict(parse_option(_column, each, "--column") for each in column or ())
    convention = parse_option(
        lambda _: Convention(one_is, higher_is, threshold), "", "--one-is, --higher-is, --threshold"
    )
    settings = parse_option(
        lambda _: Settings(convention, columns, coco, min_score, fake_if_boxes, min_area_share, mask_threshold),
        "",
        "--min-score, --min-area-share",
    )

    def records() -> Iterator[Annotation]:
        yield from select(read_annotations(annotations), chosen)

    systems = {}
    for name, paths in named.items():
        answers = read_system(paths, images=images or annotations.parent, annotations=records, settings=settings)
        systems[name] = system_of(show_progress(answers, None, name, "answer"), mask_threshold)
    seen = _Seen()
    resampling = Resampling(resamples, seed)
    with ExitStack() as files:
        write_image, finish = None, None
        if output is not None:
            write_image, finish = files.enter_context(writing_run(output))

        def on_image(annotation: Annotation, said: Answers) -> None:
            seen.add(annotation, said)
            if write_image:
                write_image(annotation, said)

        results, comparisons = score_systems(
            show_progress(records(), None, "score"),
            systems,
            rule,
            variant,
            resampling=resampling,
            what=f"the records of {subset}" if subset != "all" else "the records",
            on_image=on_image,
        )
        if finish:
            place = annotations.resolve()
            finish(
                {
                    "dataset": dataset or (place.parent.name if place.stem == "annotations" else place.stem),
                    "subset": subset,
                    "variant": variant,
                    "perturbation": seen.perturbation,
                    "annotations": str(annotations),
                    "records": seen.records,
                    "settings": {
                        "template": asdict(rule),
                        "bootstrap": asdict(resampling) | {"strata": "label and fold"},
                        "texts": SETTINGS,
                        "baselines": asdict(convention),
                    },
                    "systems": results,
                    "comparisons": comparisons,
                }
            )
    if json_out is not None:
        with atomic_file(json_out) as partial:
            partial.write_text(indented(results), encoding="utf-8")
    print(render_table(results, comparisons, resampling.level))
    for name, result in results.items():
        if missing := result["missing"]:
            shown = ", ".join(missing[:5]) + (" …" if missing[5:] else "")
            print(f"\n{name}: {len(missing)} of {result['n']} images have no answer and count as wrong: {shown}")
        if systems[name].asked and result["answered"] and result["unreadable"] == result["answered"]:
            print(
                f"\n{name} gives no verdict, and so is wrong of every image: {name}=labels.csv beside it has them, or "
                f"--min-area-share and --fake-if-boxes take them from masks and boxes"
            )
    if subset == "all" and (fold := seen.only_fold) is not None:
        print(f"All answers are about images of fold {fold}: --subset fold{fold}_test scores that fold alone.")


@dataclass
class _Seen:
    """What was noticed of the records while they were scored."""

    records: int = 0
    perturbations: set[str | None] = field(default_factory=set)
    folds: dict[bool, set[int | None]] = field(default_factory=lambda: {True: set(), False: set()})

    def add(self, annotation: Annotation, said: Answers) -> None:
        name = annotation.extra.get("perturbation")
        self.records += 1
        self.perturbations.add(name if isinstance(name, str) else None)
        self.folds[any(each is not None for _, _, each in said)].add(annotation.fold)

    @property
    def perturbation(self) -> str | None:
        """That of all records, where they have the same."""
        return next(iter(self.perturbations)) if len(self.perturbations) == 1 else None

    @property
    def only_fold(self) -> int | None:
        """The fold of all answers, where others have none."""
        answered, silent = self.folds[True], self.folds[False]
        return next(iter(answered)) if len(answered) == 1 and silent - answered else None


def _column(text: str) -> tuple[str, str]:
    role, equals, name = text.partition("=")
    if not equals or role not in COLUMN_ROLES:
        raise ValueError(f"expected ROLE=NAME, ROLE one of {', '.join(COLUMN_ROLES)}, found {text!r}")
    return role, name


@app.command()
def report(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Folders of `fakexplain score --out`; the first is of the main data set.", metavar="RUN…"),
    ],
    output: Annotated[Path, typer.Option(*OUT, help="Folder to write to.")],
    votes: Annotated[
        Path | None, typer.Option(help="Votes on pairs of systems: CSV of first, second, preferred (Fig. 3).")
    ] = None,
    log: Annotated[
        list[str] | None,
        typer.Option(help="NAME=FILE, the logging.jsonl of a training run (Fig. 4); repeat it.", metavar="NAME=FILE"),
    ] = None,
    gallery: Annotated[int, typer.Option(help="Images in the gallery; 0 leaves it out.", min=0)] = 120,
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "Explainable detection of AI-generated images",
    force: Force = False,
) -> None:
    """Write tables, figures and a gallery of scored runs as one page that needs no network.

    Beside report.html: each table as CSV, Markdown and LaTeX in tables/, each figure as SVG in figures/. Runs on images
    of `fakexplain perturb` make Table 5, runs on other data sets Tables 3 and 6. The paper's figures stand beside ours.
    """
    from ..atomic import atomic_folder
    from ..scoring.plots.training import read_log
    from ..scoring.plots.votes import read_votes
    from ..scoring.report.report import write_report
    from ..scoring.run import load_run

    logs = parse_named_files(log or [], "--log")
    for name, paths in logs.items():
        if len(paths) > 1:
            raise typer.BadParameter(f"two logs are called {name}; write NAME=FILE", param_hint="--log")
    sources = [*runs, *(path for paths in logs.values() for path in paths), *([votes] if votes else [])]
    check_free(output, force, *sources, folder=True)
    loaded = [load_run(folder) for folder in runs]
    counted = read_votes(votes) if votes else None
    read = [read_log(path, name) for name, (path,) in logs.items()]
    with atomic_folder(output, whole=True) as partial:
        lacking = write_report(loaded, partial, votes=counted, logs=read, images=gallery, title=title)
    print(f"report in {output / 'report.html'}")
    for sentence in lacking:
        print(f"  not in it: {sentence}")


def known_variant(variant: str) -> str:
    """The variant, if there is such a one.

    Raises:
        ValueError: there is not.
    """
    if variant not in VARIANTS:
        raise ValueError(f"expected one of {', '.join(VARIANTS)}, found {variant!r}")
    return variant
