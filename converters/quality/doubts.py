"""Doubts about an annotations file: what is allowed but often a mistake. Warnings for people to read; nothing fails.

One pass in bounded memory: of images and captions only counts of a limited number of different values are kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from swift_plugins.fakexplain.annotation import LABELS, Annotation
from swift_plugins.fakexplain.errors import on_one_line

REPEATED_SHARE = 0.2
"""Largest share of regions that may have one caption."""
MIN_REGIONS = 20
TELLTALE = 0.9
"""Balanced accuracy from which a property of the files is said to tell real from fake images."""
MIN_IMAGES = 20  # of each label, before a property is judged
RARE = 5  # values with fewer images count as one: a value of its own for every image would predict anything

_SHOWN = 3
_MAX_VALUES = 4096
_BATCH = 5000  # captions counted at once
_BATCH_SHARE = 0.01  # captions rarer than this in a batch are dropped, so a count may be too small by 1% of the regions

_WORDS = {"real": "reals?|authentic|genuine|pristine", "fake": "fakes?|deepfakes?|synthetic|(?:ai[-_ ]?)?generated|ai"}
_FOLDERS = {
    label: re.compile(rf"(?:\d+[-_ ])?(?:{words})(?:[-_ ]?(?:images?|imgs?|photos?|pictures?|faces?|videos?))?")
    for label, words in _WORDS.items()
}
_SAME_FORMAT = {"jpg": "jpeg", "jpe": "jpeg", "jfif": "jpeg", "tif": "tiff"}


@lru_cache(maxsize=_MAX_VALUES)  # many images share a folder
def folder_label(folder: str) -> str | None:
    """The label that the innermost telling name on a path of folders states, or None.

    >>> folder_label("train/0_real"), folder_label("Fake/flux/ai-generated images"), folder_label("images/real-esrgan")
    ('real', 'fake', None)
    """
    for name in reversed(folder.lower().split("/")):
        for label, pattern in _FOLDERS.items():
            if pattern.fullmatch(name):
                return label
    return None


class _Sightings:
    """How often something was seen, and the first ids."""

    def __init__(self) -> None:
        self.count = 0
        self.ids: list[str] = []

    def add(self, id: str) -> None:
        self.count += 1
        if len(self.ids) < _SHOWN:
            self.ids.append(id)


class Doubts:
    """Collects what is doubtful about records; `warnings` says it."""

    def __init__(self) -> None:
        self.records = self.regions = 0
        self._tiny, self._large = _Sightings(), _Sightings()
        self._folders = {label: _Sightings() for label in LABELS}
        self._sizes: dict[str, _Values] = {label: {} for label in LABELS}
        self._formats: dict[str, _Values] = {label: {} for label in LABELS}
        self._captions: Counter[str] = Counter()
        self._caption_ids: dict[str, list[str]] = {}
        self._batch: list[str] = []
        self._batch_ids: list[str] = []

    def add(self, annotation: Annotation) -> None:
        """Look at a record."""
        self.records += 1
        label, wh = annotation.label, (annotation.width, annotation.height)
        folder, _, name = annotation.image.rpartition("/")
        suffix = name.rpartition(".")[2] if "." in name else ""
        if entry := self._sizes[label].get(wh):
            entry[0] += 1
        else:
            _add_value(self._sizes[label], wh, _magnitude(wh), annotation.id)
        if entry := self._formats[label].get(suffix):
            entry[0] += 1
        else:
            _add_value(self._formats[label], suffix, "", annotation.id)
        if (stated := folder_label(folder)) is not None and stated != label:
            self._folders[label].add(annotation.id)
        if regions := annotation.regions:
            self.regions += len(regions)
            x1, y1, x2, y2 = regions[0].bbox
            if not 1 < (x2 - x1) * (y2 - y1) <= wh[0] * wh[1] / 2:  # few
                self._look_at_boxes(annotation)
            self._batch += [region.caption for region in regions]
            self._batch_ids += [annotation.id] * len(regions)
            if len(self._batch) >= _BATCH:
                self._count_captions()

    def _look_at_boxes(self, annotation: Annotation) -> None:
        areas = [(x2 - x1) * (y2 - y1) for (x1, y1, x2, y2), _ in annotation.regions]
        if max(areas) <= 1:
            self._tiny.add(annotation.id)
        elif min(areas) > annotation.width * annotation.height / 2:
            self._large.add(annotation.id)

    def _count_captions(self) -> None:
        """Add the captions of the batch that are not rare in it."""
        least = _BATCH_SHARE * len(self._batch)
        for caption, count in Counter(self._batch).items():
            if count < least:
                continue
            self._captions[caption] += count
            ids = self._caption_ids.setdefault(caption, [])
            if len(ids) < _SHOWN:
                found = (id for text, id in zip(self._batch, self._batch_ids, strict=True) if text == caption)
                ids += [id for id in dict.fromkeys(found) if id not in ids][: _SHOWN - len(ids)]
        if len(self._captions) > _MAX_VALUES:
            self._captions = Counter(dict(self._captions.most_common(_MAX_VALUES // 2)))
            self._caption_ids = {caption: self._caption_ids[caption] for caption in self._captions}
        self._batch, self._batch_ids = [], []

    def warnings(self) -> Iterator[str]:
        """One line for each doubt: its counts, the first ids, and why it matters."""
        yield from self._box_warnings()
        self._count_captions()
        for caption, count in self._captions.most_common():
            if self.regions < MIN_REGIONS or count <= REPEATED_SHARE * self.regions:
                break
            ids = _ids(self._caption_ids[caption])
            yield (
                f"{_text(caption)!r} is the caption of {count} of {self.regions} regions ({ids}); a model would learn "
                "to write it everywhere"
            )
        for label, sightings in self._folders.items():
            if sightings.count:
                other = "real" if label == "fake" else "fake"
                yield (
                    f"{sightings.count} {label} images lie in a folder named as {other} ({_ids(sightings.ids)}); one "
                    "of the two is wrong, and a flipped label teaches the opposite"
                )
        yield from self._property_warnings()

    def _box_warnings(self) -> Iterator[str]:
        if self._tiny.count:
            yield (
                f"{self._tiny.count} images have only boxes of at most one pixel ({_ids(self._tiny.ids)}); shares of "
                "the image look like this, and boxes are expected in pixels"
            )
        if self._large.count:
            yield (
                f"{self._large.count} images have only boxes above half of the image ({_ids(self._large.ids)}); such "
                "boxes teach a model to point everywhere"
            )

    def _property_warnings(self) -> Iterator[str]:
        if min(sum(count for count, _ in values.values()) for values in self._sizes.values()) < MIN_IMAGES:
            return
        formats = {label: _merged(values, _format) for label, values in self._formats.items()}
        magnitudes = {label: _merged(values, _magnitude) for label, values in self._sizes.items()}
        for tables, shown, what, remedy in (
            ((self._sizes, magnitudes), self._sizes, "the size of an image", "gives all images one size"),
            ((formats,), formats, "the file format, by the names' suffix,", "writes one format"),
        ):
            accuracy = max(map(balanced_accuracy, tables))
            if accuracy >= TELLTALE:
                most = "; ".join(_most_frequent(label, shown[label]) for label in LABELS)
                yield (
                    f"{what} alone tells real from fake with {accuracy:.0%} balanced accuracy ({most}); a detector "
                    f"would learn that instead of flaws: `fakexplain prepare` {remedy}"
                )


_Values = dict[Any, list[Any]]
"""Value -> [number of images with it, id of the first]."""


def _add_value(values: _Values, value: Any, instead: Any, id: str) -> None:
    """Count a value, or beyond the limit of different values another one instead."""
    values.setdefault(value if len(values) < _MAX_VALUES else instead, [0, id])[0] += 1


def _merged(values: _Values, key: Callable[[Any], Any]) -> _Values:
    """The values by a coarser key."""
    merged: _Values = {}
    for value, (count, id) in values.items():
        merged.setdefault(key(value), [0, id])[0] += count
    return merged


def _format(suffix: str) -> str:
    return _SAME_FORMAT.get(suffix.lower(), suffix.lower())


def _magnitude(wh: tuple[int, int] | int) -> int:
    """The number of pixels as a power of two; sizes beyond the limit of different ones are counted by it alone."""
    return wh if isinstance(wh, int) else (wh[0] * wh[1]).bit_length()


def balanced_accuracy(cells: Mapping[str, _Values]) -> float:
    """How well a property alone tells real from fake images, if each of its values means one label.

    Each value means the label of whose images it covers the larger share, so the mean of both recalls is half
    the sum of these shares. Values with fewer than `RARE` images are one value.

    Args:
        cells: label -> value -> [number of images, id of the first].

    Returns:
        Ratio in [0.5, 1]; 0.5 if a label has no image.

    >>> balanced_accuracy({"fake": {"png": [30, "a"]}, "real": {"png": [10, "b"], "jpg": [30, "c"]}})
    0.875
    """
    totals = {label: sum(count for count, _ in cells[label].values()) for label in LABELS}
    if not all(totals.values()):
        return 0.5
    numbers: dict[Any, list[int]] = {}
    for index, label in enumerate(LABELS):
        for value, (count, _) in cells[label].items():
            numbers.setdefault(value, [0, 0])[index] += count
    rare = [pair for pair in numbers.values() if sum(pair) < RARE]
    common = [pair for pair in numbers.values() if sum(pair) >= RARE]
    pairs = [*common, [sum(column) for column in zip(*rare, strict=True)]] if rare else common
    shares = (max(count / totals[label] for label, count in zip(LABELS, pair, strict=True)) for pair in pairs)
    return sum(shares) / 2


def _most_frequent(label: str, values: _Values) -> str:
    value, (count, id) = max(values.items(), key=lambda item: (not isinstance(item[0], int), item[1][0]))
    name = "x".join(map(str, value)) if isinstance(value, tuple) else value or "without a suffix"
    total = sum(number for number, _ in values.values())
    return f"{count} of {total} {label} images are {_text(str(name))}, such as {_text(id)}"


class AcrossFolds:
    """Groups of near duplicates, and the folds that they lie in; memory grows with the duplicates alone."""

    def __init__(self) -> None:
        self._groups: dict[str, dict[int, _Sightings]] = {}
        self._folds = 0

    def add(self, annotation: Annotation, group: str | None) -> None:
        """Note a record and the name of its group of near duplicates, if it has one."""
        self._folds += annotation.fold is not None
        if group and annotation.fold is not None:
            self._groups.setdefault(group, {}).setdefault(annotation.fold, _Sightings()).add(annotation.id)

    def warnings(self) -> Iterator[str]:
        """One line if near duplicates lie in different folds, or if there are no folds."""
        if not self._folds:
            yield "no record has a fold, so near duplicates across folds were not looked for"
        groups = [folds for folds in self._groups.values() if len(folds) > 1]
        if groups:
            images = sum(each.count for folds in groups for each in folds.values())
            pairs = ", ".join(_pair(folds) for folds in groups[:_SHOWN]) + (", …" if len(groups) > _SHOWN else "")
            yield (
                f"{images} images in {len(groups)} groups of near duplicates lie in different folds ({pairs}); a test "
                "on images seen in training measures memory: `fakexplain split --reassign --near-duplicates 6`"
            )


def _pair(folds: Mapping[int, _Sightings]) -> str:
    return " and ".join(f"{_text(folds[fold].ids[0])} in {fold}" for fold in sorted(folds)[:2])


def _ids(ids: Sequence[str]) -> str:
    return "first: " + ", ".join(map(_text, ids))


def _text(text: str) -> str:
    """Text from the file on one line, not too long."""
    line = on_one_line(text)
    return line if len(line) <= 60 else line[:59] + "…"
