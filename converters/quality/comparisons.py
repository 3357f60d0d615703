"""Annotators compared with the team's own records and with one another (§3.3).

The database keeps memory nearly constant: 100,000 records and as many reference records take 63 MB in all;
dictionaries would take about 150 MB.
"""

from __future__ import annotations

import heapq
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, groupby
from operator import itemgetter
from typing import NamedTuple

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.errors import NOTHING, DataError, Unquoted
from swift_plugins.fakexplain.images import image_key
from swift_plugins.fakexplain.tags import TAGS

from .agreement import REJECT, Agreement, ImageAgreement, Judgement, compare, judgement_of


@dataclass
class Annotator:
    """Counts and agreement of one annotator.

    Attributes:
        records: number of records.
        against: agreement with the reference.
        warnings: number of warnings about captions.
    """

    records: int = 0
    against: Agreement = field(default_factory=Agreement)
    warnings: int = 0


class Disagreement(NamedTuple):
    """A disagreement with the reference; the worst sorts first: other label, least IoU, least tag agreement, line.

    IoU is -1 if neither side has a region.
    """

    same_label: bool
    iou: float
    tags: float
    line: int
    reference_line: int


class Comparisons:
    """Compares records one at a time; keeps what it needs in a private temporary database on disk.

    Add all reference records, then all records. A rejected record leaves no trace.

    Attributes:
        references: number of reference records added.
        records: number of records added.
        unnamed: number of those without an annotator.
        annotators: name -> counts and agreement.
    """

    def __init__(self, *, worst: int = 40, need_annotator: bool = True):
        self.need_annotator = need_annotator
        self.references = self.records = self.unnamed = 0
        self.annotators: dict[str, Annotator] = {}
        self._worst: list[tuple[tuple[float, ...], Disagreement]] = []
        self._max_worst = worst
        self._table = sqlite3.connect("", isolation_level=None)
        self._table.executescript(
            """
            CREATE TABLE refs (image TEXT PRIMARY KEY, line INTEGER, wh TEXT, judgement TEXT, used INTEGER)
            WITHOUT ROWID;
            CREATE TABLE records (line INTEGER PRIMARY KEY, image TEXT, annotator TEXT, wh TEXT, judgement TEXT);
            CREATE INDEX images ON records (image, annotator);
            BEGIN;
            """
        )

    def close(self) -> None:
        """Remove the database from disk."""
        self._table.close()

    def add_reference(self, annotation: Annotation) -> None:
        """Add one of the team's own records.

        Raises:
            DataError: another reference record has the same image.
        """
        row = (image_key(annotation.path), annotation.line, _size(annotation), _to_text(judgement_of(annotation)))
        try:
            self._table.execute("INSERT INTO refs VALUES (?, ?, ?, ?, 0)", row)
        except sqlite3.IntegrityError:
            (line,) = self._table.execute("SELECT line FROM refs WHERE image = ?", row[:1]).fetchone()
            raise _reject(annotation, f"a unique image (line {line} already has this one)", "image") from None
        self.references += 1

    def add(self, annotation: Annotation) -> None:
        """Add an annotator's record, and compare it with the reference record of its image, if any.

        Raises:
            DataError: a missing annotator where one is needed; a second record of an image by the same annotator; an
                image size that differs from an earlier record's or the reference's.
        """
        key, wh, mine = image_key(annotation.path), _size(annotation), judgement_of(annotation)
        name = annotation.annotator
        if name is None and self.need_annotator:
            error = DataError("the annotator's name", NOTHING, field="annotator")
            raise error.at_record(annotation)
        query = "SELECT line FROM records WHERE image = ? AND annotator = ?"  # None equals no annotator
        for (line,) in self._table.execute(query, (key, name)):
            raise _reject(annotation, f"one record per image and annotator (line {line} has the first)", "annotator")
        for what, table in (("line", "records"), ("the reference's line", "refs")):
            query = f"SELECT line, wh FROM {table} WHERE image = ? LIMIT 1"
            for line, other in self._table.execute(query, (key,)):
                if other != wh:
                    raise _reject(annotation, f"the size that {what} {line} gives, {other}", "width, height")
        row = (annotation.line, key, name, wh, _to_text(mine))
        self._table.execute("INSERT INTO records VALUES (?, ?, ?, ?, ?)", row)
        self.records += 1
        if name is None:
            self.unnamed += 1
            return
        annotator = self.annotators.setdefault(name, Annotator())
        annotator.records += 1
        reference = self._table.execute("SELECT judgement, line FROM refs WHERE image = ?", (key,)).fetchone()
        if reference is not None:
            self._table.execute("UPDATE refs SET used = 1 WHERE image = ? AND used = 0", (key,))
            agreement = compare(mine, _from_text(reference[0]))
            annotator.against.add(agreement)
            self._keep_if_bad(agreement, annotation.line, reference[1])

    def _keep_if_bad(self, image: ImageAgreement, line: int, reference_line: int) -> None:
        """Keep the disagreement if it is among the worst."""
        same = image.same_label and image.tags == 1 and image.iou in (None, 1)
        if same or not self._max_worst:
            return
        iou = -1.0 if image.iou is None else image.iou
        worst = Disagreement(image.same_label, iou, image.tags, line, reference_line)
        entry = (tuple(-value for value in worst), worst)  # a heap drops its least: the mildest of the worst
        (heapq.heappush if len(self._worst) < self._max_worst else heapq.heappushpop)(self._worst, entry)

    def worst(self) -> list[Disagreement]:
        """The worst disagreements, the worst first."""
        return sorted(worst for _, worst in self._worst)

    def has_line(self, line: int) -> bool:
        """Whether the record on a line was added."""
        return self._table.execute("SELECT 1 FROM records WHERE line = ?", (line,)).fetchone() is not None

    @property
    def images(self) -> int:
        """Number of different images among the records."""
        count: int = self._table.execute("SELECT count(DISTINCT image) FROM records").fetchone()[0]
        return count

    @property
    def unmatched_references(self) -> int:
        """Number of reference records without an annotator's record of the same image."""
        count: int = self._table.execute("SELECT count(*) FROM refs WHERE used = 0").fetchone()[0]
        return count

    def overall(self, verdicts: Mapping[str, str] | None = None) -> Agreement:
        """Agreement with the reference over all annotators; given verdicts, over those not rejected."""
        total = Agreement()
        for name, annotator in self.annotators.items():
            if verdicts is None or verdicts[name] != REJECT:
                total += annotator.against
        return total

    def pairs(self) -> dict[tuple[str, str], Agreement]:
        """Agreement of every two annotators with an image in common, sorted by their names."""
        found: dict[tuple[str, str], Agreement] = {}
        for _, records in self._by_image():
            judgements = [(name, _from_text(text)) for name, text in records]
            for (one, mine), (other, theirs) in combinations(judgements, 2):
                found.setdefault((one, other), Agreement()).add(compare(mine, theirs))
        return dict(sorted(found.items()))

    def _by_image(self) -> Iterator[tuple[str, Iterator[tuple[str, str]]]]:
        """Annotators and their judgements, for each image."""
        query = "SELECT image, annotator, judgement FROM records WHERE annotator NOT NULL ORDER BY image, annotator"
        for image, rows in groupby(self._table.execute(query), key=itemgetter(0)):
            yield image, (row[1:] for row in rows)


def _size(annotation: Annotation) -> str:
    return f"{annotation.width}x{annotation.height}"


def _to_text(judgement: Judgement) -> str:
    return json.dumps([judgement.label, sorted(map(TAGS.index, judgement.tags)), judgement.boxes])


def _from_text(text: str) -> Judgement:
    label, tags, boxes = json.loads(text)
    return Judgement(label, frozenset(TAGS[index] for index in tags), tuple(map(tuple, boxes)))


def _reject(annotation: Annotation, expected: str, field: str) -> DataError:
    found = {
        "image": annotation.image,
        "annotator": Unquoted(f"a second one, by {annotation.annotator!r}"),
        "width, height": Unquoted(_size(annotation)),
    }[field]
    return DataError(expected, found, field=field).at_record(annotation)
