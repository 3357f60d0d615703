"""What a system can be given as: answers, labels, boxes or masks, told apart by the kind of path.

    .jsonl       answers, as `swift infer` writes them
    .csv .tsv    labels, scores or both
    .json        boxes; with COCO annotations beside them, COCO results
    a folder     masks

Several paths of one system are read as one, such as four folds in four files. They are of one kind; only masks and
boxes have tables beside them, for they show where an image is fake but not whether. An image that two of them speak of
is not for this module to tell: `predictions.by_image` refuses it, in one file or in two.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from ...annotation import Annotation
from .answers import Prediction, by_image, read_predictions
from .boxes import read_boxes_json, read_coco_results
from .labels import AS_IT_IS, BaselinePrediction, Convention, read_label_csv
from .masks import read_masks

KINDS = {".jsonl": "answers", ".csv": "labels", ".tsv": "labels", ".json": "boxes"}
ACCEPTED = "answers (.jsonl), labels or scores (.csv, .tsv), boxes (.json) or a folder of masks"


@dataclass(frozen=True)
class Settings:
    """How files of methods that write no answer are read; each kind of file takes what concerns it.

    Attributes:
        convention: what numbers mean.
        columns: names of columns and fields, as for `read_label_csv`.
        coco: COCO annotations that every .json file has the results of; None where they hold boxes by image.
        min_score: of COCO results, boxes below it are left out.
        fake_if_boxes: an image without verdict and score is fake if it has a box.
        min_area_share: of masks without labels, the share of the image that makes it fake.
        mask_threshold: the least grey value in a mask, as for `load_mask`.

    Raises:
        ValueError: `min_score` without `coco`, or no number; `min_area_share` out of range.
    """

    convention: Convention = AS_IT_IS
    columns: Mapping[str, str] = field(default_factory=dict)
    coco: Path | None = None
    min_score: float | None = None
    fake_if_boxes: bool = False
    min_area_share: float | None = None
    mask_threshold: int | None = None

    def __post_init__(self) -> None:
        if self.min_score is not None and self.coco is None:
            raise ValueError("--min-score: expected --coco beside it, for COCO results alone have a score for each box")
        if self.min_score is not None and math.isnan(self.min_score):
            raise ValueError(f"--min-score: expected a number, found {self.min_score!r}")
        if self.min_area_share is not None and not 0 < self.min_area_share <= 1:
            raise ValueError(f"--min-area-share: expected a number in (0, 1], found {self.min_area_share!r}")


SETTINGS = Settings()


def read_system(
    paths: Sequence[Path],
    *,
    images: Path,
    annotations: Callable[[], Iterable[Annotation]],
    settings: Settings = SETTINGS,
) -> Iterator[Prediction | BaselinePrediction]:
    """What one system said, of one path or of several, end to end.

    Args:
        paths: files or folders, at least one.
        images: folder that image paths of baselines are relative to, and that the paths of masks follow; those of
            answers are relative to the working directory.
        annotations: gives the records, as a fresh stream each time; for masks alone.
        settings: of baselines.

    Raises:
        FileNotFoundError: no such path.
        ValueError: a path of no kind that is accepted, kinds that do not go together, `min_area_share` or
            `fake_if_boxes` beside labels, and what each reader raises.
    """
    found: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        found[_kind(path)].append(path)
    if len(found) > 1 and found.keys() not in ({"masks", "labels"}, {"boxes", "labels"}):
        each = " and ".join(f"{kind} ({', '.join(map(str, places))})" for kind, places in found.items())
        raise ValueError(f"expected one kind of files of one system, or masks or boxes and their labels, found {each}")
    return _read(found, images, annotations, settings)


def _kind(path: Path) -> str:
    if path.is_dir():
        return "masks"
    if not path.exists():
        raise FileNotFoundError(f"{path}: expected {ACCEPTED}, found no such file")
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise ValueError(f"{path}: expected {ACCEPTED}, found a file with {path.suffix or 'no suffix'}")
    return kind


def _read(
    found: Mapping[str, Sequence[Path]],
    images: Path,
    annotations: Callable[[], Iterable[Annotation]],
    settings: Settings,
) -> Iterator[Prediction | BaselinePrediction]:
    convention, columns = settings.convention, settings.columns
    tables = chain.from_iterable(read_label_csv(path, images, convention, columns) for path in found.get("labels", ()))
    if folders := found.get("masks"):
        option = None if settings.min_area_share is None else "--min-area-share"
        yield from _with_labels(_masks(folders, images, annotations, settings), by_image(tables), option)
    elif boxes := found.get("boxes"):
        option = "--fake-if-boxes" if settings.fake_if_boxes else None
        yield from _with_labels(_boxes(boxes, images, settings), by_image(tables), option)
    else:
        yield from tables
        for path in found.get("answers", ()):
            yield from read_predictions(path)


def _masks(
    folders: Sequence[Path], images: Path, annotations: Callable[[], Iterable[Annotation]], settings: Settings
) -> Iterator[BaselinePrediction]:
    for folder in folders:
        share, threshold = settings.min_area_share, settings.mask_threshold
        yield from read_masks(folder, images, annotations(), min_area_share=share, threshold=threshold)


def _boxes(paths: Sequence[Path], images: Path, settings: Settings) -> Iterator[BaselinePrediction]:
    if settings.coco is not None:
        yield from read_coco_results(paths, images, settings.coco, settings.min_score, settings.fake_if_boxes)
        return
    for path in paths:
        yield from read_boxes_json(path, images, settings.convention, settings.columns, settings.fake_if_boxes)


def _with_labels(
    regions: Iterable[BaselinePrediction], labels: dict[str, BaselinePrediction], verdicts_from: str | None
) -> Iterator[BaselinePrediction]:
    """Each mask or list of boxes with its image's label; then labels alone, for a method marks nothing where it sees
    nothing."""
    if labels and verdicts_from:
        raise ValueError(
            f"{verdicts_from}: expected no labels beside it, for both give verdicts, found those of "
            f"{next(iter(labels.values())).file}"
        )
    for said in regions:
        label = labels.pop(said.image, None)
        yield said if label is None else label._replace(mask=said.mask, boxes=said.boxes)
    yield from labels.values()
