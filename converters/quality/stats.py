"""Counters and histograms of an annotations file: memory grows with the different values, not with the records."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.boxes import Box
from swift_plugins.fakexplain.tags import TAGS

if TYPE_CHECKING:
    import numpy as np

REGIONS_IN_PAPER = 5.42  # per fake image (§3.2)
AREA_EDGES = (0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1)
"""Borders of the bins for the share of the image that a box covers; a share on a border belongs to the bin below."""
GRID = 32
"""Cells per side of the map of region positions."""

OTHER = "other fields, kept"


class Counts:
    """Number of records with each value of each field.

    Attributes:
        records, regions: number of records and of regions.
        bare: number of fake images without a region.
        fields: name of a field -> value -> number of records.
    """

    def __init__(self) -> None:
        self.records = self.regions = self.bare = 0
        names = ("label", "tags", "fold", "family", "generator", "annotator", "class_name", OTHER)
        self.fields: dict[str, Counter[str]] = {name: Counter() for name in names}

    def add(self, annotation: Annotation) -> None:
        """Count a record."""
        self.records += 1
        self.regions += len(annotation.regions)
        self.bare += annotation.label == "fake" and not annotation.regions
        self.fields["tags"].update(annotation.tags)
        self.fields[OTHER].update(annotation.extra.keys())
        for name in ("label", "fold", "family", "generator", "annotator", "class_name"):
            if (value := getattr(annotation, name)) is not None:
                self.fields[name][str(value)] += 1

    @property
    def regions_per_fake(self) -> float | None:
        """Mean number of regions per fake image; None if no image is fake."""
        fakes = self.fields["label"]["fake"]
        return self.regions / fakes if fakes else None

    def headline(self, note: str = "") -> str:
        """One line with the numbers of records and regions; `note` follows the mean number of regions."""
        mean = "" if self.regions_per_fake is None else f", {self.regions_per_fake:.2f} regions per fake image{note}"
        return f"{self.records} records, {self.regions} regions{mean}, {self.bare} fake images without a region"

    def summary(self) -> str:
        """The headline, and one line for each field that matters in training."""
        lines = [self.headline()]
        for name in ("label", "tags", "fold", "family", "generator", OTHER):
            if counter := self.fields[name]:
                lines.append(f"  {name}: " + ", ".join(f"{value} {count}" for value, count in sorted(counter.items())))
        return "\n".join(lines)


class Stats:
    """`Counts`, and the sizes and positions of regions, and the lengths of captions.

    Attributes:
        counts: records by field.
        generators: (family, generator, label) -> records; '' if a record names none.
        regions: number of regions -> fake images.
        words, characters: length of a caption -> captions.
        sizes: (width, height) -> images.
        areas: number of boxes in each bin of `AREA_EDGES`, by their share of the image.
        area_sum: sum of all those shares.
        places: (GRID, GRID) floats, rows from the top: number of boxes on each cell of the image, each counted as the
            share of the cell that it covers.
    """

    def __init__(self) -> None:
        import numpy as np

        self.counts = Counts()
        self.generators: Counter[tuple[str, str, str]] = Counter()
        self.regions: Counter[int] = Counter()
        self.words: Counter[int] = Counter()
        self.characters: Counter[int] = Counter()
        self.sizes: Counter[tuple[int, int]] = Counter()
        self.areas = [0] * (len(AREA_EDGES) - 1)
        self.area_sum = 0.0
        self.places = np.zeros((GRID, GRID))

    def add(self, annotation: Annotation) -> None:
        """Count a record."""
        self.counts.add(annotation)
        if annotation.generator is not None or annotation.family is not None:
            self.generators[annotation.family or "", annotation.generator or "", annotation.label] += 1
        self.sizes[annotation.image_wh] += 1
        if annotation.label == "fake":
            self.regions[len(annotation.regions)] += 1
        if not annotation.regions:
            return
        width, height = annotation.image_wh
        boxes = []
        for region in annotation.regions:
            self.words[len(region.caption.split())] += 1
            self.characters[len(region.caption)] += 1
            x1, y1, x2, y2 = box = region.bbox
            area = (x2 - x1) * (y2 - y1) / (width * height)
            self.areas[bisect_left(AREA_EDGES, area) - 1] += 1
            self.area_sum += area
            boxes.append(box)
        self.places += _coverage(boxes, annotation.image_wh)

    def as_dict(self) -> dict[str, Any]:
        """All statistics, for JSON."""
        counts = self.counts
        return {
            "records": counts.records,
            "regions": counts.regions,
            "regions_a_fake_image": counts.regions_per_fake,
            "regions_a_fake_image_in_the_paper": REGIONS_IN_PAPER,
            "fake_images_without_a_region": counts.bare,
            "counts": {name: dict(ranked(counter)) for name, counter in counts.fields.items()},
            "generators": [
                {"family": family or None, "generator": generator or None, **labels}
                for family, generator, labels in self.by_family()
            ],
            "regions_of_a_fake_image": _histogram(self.regions),
            "caption_words": _histogram(self.words),
            "caption_characters": _histogram(self.characters),
            "box_area": {
                "mean_share": self.area_sum / counts.regions if counts.regions else None,
                "edges": list(AREA_EDGES),
                "boxes": self.areas,
            },
            "image_sizes": [
                {"width": width, "height": height, "images": images}
                for (width, height), images in sorted(self.sizes.items(), key=lambda item: (-item[1], item[0]))
            ],
            "places": [[round(float(cell), 6) for cell in row] for row in self.places],
        }

    def by_family(self) -> Iterator[tuple[str, str, dict[str, int]]]:
        """Family, generator and its fake and real records; families by name, in each the largest generator first."""
        pairs = {(family, generator) for family, generator, _ in self.generators}
        table = {
            pair: {label: self.generators[pair[0], pair[1], label] for label in ("fake", "real")} for pair in pairs
        }
        for family, generator in sorted(pairs, key=lambda pair: (pair[0], -sum(table[pair].values()), pair[1])):
            yield family, generator, table[family, generator]


def ranked(counter: Mapping[str, int]) -> list[tuple[str, int]]:
    """Sort values from the most frequent down; ties by name.

    >>> ranked({"b": 2, "a": 2, "c": 5})
    [('c', 5), ('a', 2), ('b', 2)]
    """
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))


def tag_counts(stats: Stats) -> list[tuple[str, int]]:
    """All six tags, from the most frequent down, including unused ones."""
    return ranked({tag: stats.counts.fields["tags"][tag] for tag in TAGS})


def quantile(histogram: Mapping[int, int], share: float) -> int:
    """The smallest value such that at least this share of the histogram is no larger.

    Args:
        histogram: value -> count; not empty.
        share: 0 gives the smallest value, 0.5 the median (the lower of two), 1 the largest.

    >>> quantile({1: 2, 3: 1, 9: 1}, 0.5), quantile({1: 2, 3: 1, 9: 1}, 0.75), quantile({1: 2, 9: 1}, 1)
    (1, 3, 9)
    """
    values = sorted(histogram)
    reached = accumulate(histogram[value] for value in values)
    wanted = share * sum(histogram.values())
    return next(value for value, count in zip(values, reached, strict=True) if count >= wanted)


def mean(histogram: Mapping[int, int]) -> float:
    """Mean of a histogram that is not empty.

    >>> mean({1: 2, 4: 1})
    2.0
    """
    return sum(value * count for value, count in histogram.items()) / sum(histogram.values())


def _histogram(histogram: Mapping[int, int]) -> dict[str, int]:
    return {str(value): histogram[value] for value in sorted(histogram)}


def _coverage(boxes: list[Box], image_wh: tuple[int, int]) -> np.ndarray:
    """For each cell of the grid, the sum over boxes of the share of the cell that a box covers."""
    import numpy as np

    corners = np.array(boxes).reshape(-1, 2, 2, 1) * GRID / np.reshape(image_wh, (2, 1))
    within = np.clip(corners - np.arange(GRID), 0, 1)
    share = within[:, 1] - within[:, 0]  # (N, 2, GRID): of each column, and of each row
    total: np.ndarray = share[:, 1].T @ share[:, 0]
    return total
