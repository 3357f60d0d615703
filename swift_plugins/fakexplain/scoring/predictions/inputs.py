"""Read a system's predictions: answers, labels, boxes or masks, depending on the kind of path.

    .jsonl       answers, as `swift infer` writes them
    .csv .tsv    labels, scores or both
    .json        boxes; with COCO annotations beside them, COCO results
    a folder     masks

Several paths of one system, such as four folds in four files, are read as one. They must be of one kind. But masks and
boxes may come with tables of labels, because they show where an image is fake but not whether it is fake.
`join.index_by_image` rejects an image with two predictions, in one file or in two.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from ...annotation import Annotation
from ...paths import check_exists
from .answers import AnswerPrediction, read_predictions
from .boxes import read_boxes_json, read_coco_results
from .join import index_by_image
from .labels import DEFAULT_CONVENTION, BaselinePrediction, Convention, read_label_csv
from .masks import read_masks

_SUFFIX_KINDS = {".jsonl": "answers", ".csv": "labels", ".tsv": "labels", ".json": "boxes"}
ACCEPTED = "answers (.jsonl), labels or scores (.csv, .tsv), boxes (.json) or a folder of masks"


@dataclass(frozen=True)
class BaselineOptions:
    """How to read files of methods that write no answer; each kind of file uses the options that apply to it.

    Attributes:
        convention: meaning of numbers.
        columns: names of columns and fields, as for `read_label_csv`.
        coco: COCO annotations that the results in every .json file refer to; None if these hold boxes by image.
        min_score: leave out boxes of COCO results with a lower score.
        fake_if_boxes: an image without verdict and score is fake if it has a box.
        min_area_share: an image without a label is fake if its mask covers at least this share.
        mask_threshold: the least grey value that counts as masked, as for `load_mask`.

    Raises:
        ValueError: `min_score` without `coco`, or not a number; `min_area_share` out of range.
    """

    convention: Convention = DEFAULT_CONVENTION
    columns: Mapping[str, str] = field(default_factory=dict)
    coco: Path | None = None
    min_score: float | None = None
    fake_if_boxes: bool = False
    min_area_share: float | None = None
    mask_threshold: int | None = None

    def __post_init__(self) -> None:
        if self.min_score is not None and self.coco is None:
            raise ValueError("--min-score: expected --coco too, because only COCO results have a score for each box")
        if self.min_score is not None and math.isnan(self.min_score):
            raise ValueError(f"--min-score: expected a number, found {self.min_score!r}")
        if self.min_area_share is not None and not 0 < self.min_area_share <= 1:
            raise ValueError(f"--min-area-share: expected a number in (0, 1], found {self.min_area_share!r}")


DEFAULT_OPTIONS = BaselineOptions()


def read_system(
    paths: Sequence[Path],
    *,
    images: Path,
    annotations: Callable[[], Iterable[Annotation]],
    options: BaselineOptions = DEFAULT_OPTIONS,
) -> Iterator[AnswerPrediction | BaselinePrediction]:
    """Read the predictions of one system from one or more paths, one after another.

    Args:
        paths: files or folders, at least one.
        images: folder that image paths of baselines are relative to, and that the paths of masks mirror; image paths of
            answers are relative to the working directory.
        annotations: returns a fresh stream of the records each time; used for masks only.
        options: for baselines.

    Raises:
        FileNotFoundError: no such path.
        ValueError: a path of an unknown kind, kinds that cannot be combined, `min_area_share` or `fake_if_boxes` beside
            labels, and whatever each reader raises.
    """
    found: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        found[_kind(path)].append(path)
    if len(found) > 1 and found.keys() not in ({"masks", "labels"}, {"boxes", "labels"}):
        each = " and ".join(f"{kind} ({', '.join(map(str, places))})" for kind, places in found.items())
        raise ValueError(f"expected one kind of files per system, or masks or boxes with labels, found {each}")
    return _read(found, images, annotations, options)


def _kind(path: Path) -> str:
    if path.is_dir():
        return "masks"
    check_exists(path, ACCEPTED)
    kind = _SUFFIX_KINDS.get(path.suffix.lower())
    if kind is None:
        raise ValueError(f"{path}: expected {ACCEPTED}, found a file with {path.suffix or 'no suffix'}")
    return kind


def _read(
    found: Mapping[str, Sequence[Path]],
    images: Path,
    annotations: Callable[[], Iterable[Annotation]],
    options: BaselineOptions,
) -> Iterator[AnswerPrediction | BaselinePrediction]:
    convention, columns = options.convention, options.columns
    tables = chain.from_iterable(read_label_csv(path, images, convention, columns) for path in found.get("labels", ()))
    if folders := found.get("masks"):
        option = None if options.min_area_share is None else "--min-area-share"
        yield from _with_labels(_masks(folders, images, annotations, options), index_by_image(tables), option)
    elif boxes := found.get("boxes"):
        option = "--fake-if-boxes" if options.fake_if_boxes else None
        yield from _with_labels(_boxes(boxes, images, options), index_by_image(tables), option)
    else:
        yield from tables
        for path in found.get("answers", ()):
            yield from read_predictions(path)


def _masks(
    folders: Sequence[Path], images: Path, annotations: Callable[[], Iterable[Annotation]], options: BaselineOptions
) -> Iterator[BaselinePrediction]:
    for folder in folders:
        share, threshold = options.min_area_share, options.mask_threshold
        yield from read_masks(folder, images, annotations(), min_area_share=share, threshold=threshold)


def _boxes(paths: Sequence[Path], images: Path, options: BaselineOptions) -> Iterator[BaselinePrediction]:
    if options.coco is not None:
        yield from read_coco_results(paths, images, options.coco, options.min_score, options.fake_if_boxes)
        return
    for path in paths:
        yield from read_boxes_json(path, images, options.convention, options.columns, options.fake_if_boxes)


def _with_labels(
    regions: Iterable[BaselinePrediction], labels: dict[str, BaselinePrediction], verdicts_from: str | None
) -> Iterator[BaselinePrediction]:
    """Yield each mask or list of boxes with the label of its image, then the labels of images without mask or boxes.

    In the latter the method found nothing.
    """
    if labels and verdicts_from:
        raise ValueError(
            f"{verdicts_from}: expected no labels beside it, because both give verdicts; found those of "
            f"{next(iter(labels.values())).file}"
        )
    for region in regions:
        label = labels.pop(region.image, None)
        yield region if label is None else label._replace(mask=region.mask, boxes=region.boxes)
    yield from labels.values()
