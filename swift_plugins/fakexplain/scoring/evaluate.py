"""Turn files of predictions into a run: read the systems, score them on a subset of the records, write the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..annotation import Annotation, read_annotations
from ..frames import FrameRule
from ..operating_point import WHENCE_P_FAKE, OperatingPoint
from ..paths import real_path
from ..rows import parse_subset, select
from .metrics.texts import TEXT_SETTINGS
from .predictions.inputs import DEFAULT_OPTIONS, BaselineOptions, read_system
from .predictions.stated_frames import StatedFrame
from .results import Resampling
from .run import Progress, Run, no_progress, run_writer
from .score import DEFAULT_RESAMPLING, AnswerSystem, BaselineSystem, ImageScores, build_system, score_systems


@dataclass(frozen=True)
class ScoreRequest:
    """The systems and records to score, and the settings.

    Attributes:
        predictions: name of each system -> its files; see `inputs.read_system`.
        annotations: annotations file.
        rule: frame rule of the run that wrote the answers.
        subset: name of the subset of the records, as `rows.parse_subset` reads it.
        variant: the parts that answers should contain; see `answer_variant`.
        dataset: name of the data set; default: the stem of the annotations file or, if that is `annotations`, the name
            of its folder.
        images: folder that image paths of baselines are relative to; default: the folder of the annotations.
        options: how to read the files of baselines.
        resampling: settings of the bootstrap.
        frames: name of a system -> the frame of its boxes, if it is not `rule`'s.
        prose: names of systems whose answers are explanations in prose, compared as a whole with the captions.
        operating_points: name of a system that writes answers -> its operating point, which decides in place of its
            verdicts.
    """

    predictions: Mapping[str, Sequence[Path]]
    annotations: Path
    rule: FrameRule
    subset: str = "all"
    variant: str = "full"
    dataset: str | None = None
    images: Path | None = None
    options: BaselineOptions = DEFAULT_OPTIONS
    resampling: Resampling = DEFAULT_RESAMPLING
    frames: Mapping[str, StatedFrame] = field(default_factory=dict)
    prose: Sequence[str] = ()
    operating_points: Mapping[str, OperatingPoint] = field(default_factory=dict)

    @property
    def dataset_name(self) -> str:
        path = real_path(self.annotations)
        return self.dataset or (path.parent.name if path.stem == "annotations" else path.stem)


def answer_variant(subset: str, variant: str) -> str:
    """Choose the variant that a subset names, or else `variant`.

    Raises:
        ValueError: no such subset, or it names a variant that differs from `variant`, unless that is 'full'.

    >>> answer_variant("all__no_tags", "full"), answer_variant("fold0_test", "no_bbox")
    ('no_tags', 'no_bbox')
    """
    named = parse_subset(subset).variant
    if named in ("full", variant):
        return variant
    if variant != "full":
        raise ValueError(f"{subset} asks for a variant other than {variant}")
    return named


@dataclass
class RecordSummary:
    """Facts about the records, collected while they are scored."""

    records: int = 0
    perturbations: set[str | None] = field(default_factory=set)
    answered_folds: set[int | None] = field(default_factory=set)
    unanswered_folds: set[int | None] = field(default_factory=set)

    def add(self, annotation: Annotation, scores: ImageScores) -> None:
        """Add an image."""
        name = annotation.extra.get("perturbation")
        answered = any(prediction is not None for _, _, prediction in scores)
        self.records += 1
        self.perturbations.add(name if isinstance(name, str) else None)
        (self.answered_folds if answered else self.unanswered_folds).add(annotation.fold)

    @property
    def perturbation(self) -> str | None:
        """The perturbation of the images, if they all have the same one."""
        return next(iter(self.perturbations)) if len(self.perturbations) == 1 else None

    @property
    def only_fold(self) -> int | None:
        """The only fold with answers, if images of other folds have none."""
        if len(self.answered_folds) == 1 and self.unanswered_folds - self.answered_folds:
            return next(iter(self.answered_folds))
        return None


@dataclass(frozen=True)
class Evaluation:
    """Scored systems.

    Attributes:
        results: name -> result (`results.results`).
        comparisons: pairwise comparisons of systems (`results.results`).
        baselines: names of the systems that write no answers.
        summary: facts about the records.
    """

    results: dict[str, dict[str, Any]]
    comparisons: list[dict[str, Any]]
    baselines: frozenset[str]
    summary: RecordSummary


def evaluate(request: ScoreRequest, out: Path | None = None, progress: Progress = no_progress) -> Evaluation:
    """Score systems, and write a run if asked.

    Args:
        request: systems, records and settings.
        out: folder to write the run to; None writes nothing.
        progress: shows the progress of reading and scoring.

    Raises:
        FileNotFoundError, ValueError: as `read_annotations`, `read_system` and `score_systems`.
    """
    subset = parse_subset(request.subset)

    def records() -> Iterator[Annotation]:
        return select(read_annotations(request.annotations), subset)

    images = request.images or request.annotations.parent
    systems = {}
    for name, paths in request.predictions.items():
        predictions = read_system(paths, images=images, annotations=records, options=request.options)
        systems[name] = build_system(
            progress(predictions, name, "answer"),
            request.options.mask_threshold,
            name in request.prose,
            request.operating_points.get(name),
        )
        _check_options(request, name, systems[name])
    summary = RecordSummary()
    with ExitStack() as files:
        write_image, finish = files.enter_context(run_writer(out)) if out is not None else (None, None)

        def on_image(annotation: Annotation, scores: ImageScores) -> None:
            summary.add(annotation, scores)
            if write_image:
                write_image(annotation, scores)

        results, comparisons = score_systems(
            progress(records(), "score", "record"),
            systems,
            request.rule,
            request.variant,
            frames=request.frames,
            resampling=request.resampling,
            what=f"the records of {request.subset}" if request.subset != "all" else "the records",
            on_image=on_image,
        )
        baselines = frozenset(name for name, system in systems.items() if isinstance(system, BaselineSystem))
        evaluation = Evaluation(results, comparisons, baselines, summary)
        if out is not None and finish:
            finish(_run(request, out, evaluation))
    return evaluation


def _check_options(request: ScoreRequest, name: str, system: AnswerSystem | BaselineSystem) -> None:
    """Check that the options of a system apply to what it gives."""
    named: dict[str, Mapping[str, object]] = {"--frame": request.frames, "--operating-point": request.operating_points}
    for option, names in named.items():
        if name in names and isinstance(system, BaselineSystem):
            raise ValueError(f"{option} {name}: expected a system that writes answers, found labels, boxes or masks")
        if name in names and option == "--operating-point" and not _knows_p_fake(system):
            raise ValueError(f"{option} {name}: expected P(fake) of its answers, found none; {WHENCE_P_FAKE}")


def _knows_p_fake(system: AnswerSystem | BaselineSystem) -> bool:
    return isinstance(system, AnswerSystem) and any(each.p_fake is not None for each in system.predictions.values())


def _run(request: ScoreRequest, out: Path, evaluation: Evaluation) -> Run:
    return Run(
        folder=out,
        dataset=request.dataset_name,
        subset=request.subset,
        variant=request.variant,
        perturbation=evaluation.summary.perturbation,
        annotations=str(request.annotations),
        records=evaluation.summary.records,
        settings={
            "template": asdict(request.rule),
            "frames": {name: frame.name for name, frame in request.frames.items()},
            "operating_points": {name: asdict(point) for name, point in request.operating_points.items()},
            "bootstrap": asdict(request.resampling) | {"strata": "label and fold"},
            "texts": TEXT_SETTINGS | ({"prose_systems": sorted(request.prose)} if request.prose else {}),
            "baselines": asdict(request.options.convention),
        },
        systems=evaluation.results,
        comparisons=evaluation.comparisons,
    )
