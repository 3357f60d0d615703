"""Quality control (§3.3): annotators against the team's own records, and against one another, in constant memory."""

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

from .agreement import REJECT, Agreement, Comparison, Said, compare, said


@dataclass
class Annotator:
    """What is known of one annotator.

    Attributes:
        records: how many.
        against: agreement with the reference.
        warnings: of the captions.
    """

    records: int = 0
    against: Agreement = field(default_factory=Agreement)
    warnings: int = 0


class Worst(NamedTuple):
    """A disagreement, in the order from the worst: another label, least IoU, least tag agreement, first line.

    IoU is -1 where neither side has a region.
    """

    same_label: bool
    iou: float
    tags: float
    line: int
    reference_line: int


class QualityControl:
    """Compares records as they come; what must be kept of them lies in a private temporary database on disk.

    Feed it all reference records, then all records; a record that it refuses is as if it had not been.

    Attributes:
        references: reference records taken.
        records: records taken.
        unnamed: those of them without an annotator.
        annotators: by name.
        worst: the worst disagreements with the reference, as many as were asked for, in no order.
    """

    def __init__(self, *, worst: int = 40, need_annotator: bool = True):
        self.need_annotator = need_annotator
        self.references = self.records = self.unnamed = 0
        self.annotators: dict[str, Annotator] = {}
        self.worst: list[tuple[tuple[float, ...], Worst]] = []
        self._most = worst
        self._table = sqlite3.connect("", isolation_level=None)
        self._table.executescript(
            """
            CREATE TABLE refs (image TEXT PRIMARY KEY, line INTEGER, wh TEXT, said TEXT, used INTEGER) WITHOUT ROWID;
            CREATE TABLE records (line INTEGER PRIMARY KEY, image TEXT, annotator TEXT, wh TEXT, said TEXT);
            CREATE INDEX images ON records (image, annotator);
            BEGIN;
            """
        )

    def close(self) -> None:
        """Forget everything; the database on disk goes."""
        self._table.close()

    def add_reference(self, annotation: Annotation) -> None:
        """Take one of the team's own records.

        Raises:
            DataError: another one is of the same image.
        """
        row = (image_key(annotation.path), annotation.line, _size(annotation), _written(said(annotation)))
        try:
            self._table.execute("INSERT INTO refs VALUES (?, ?, ?, ?, 0)", row)
        except sqlite3.IntegrityError:
            (line,) = self._table.execute("SELECT line FROM refs WHERE image = ?", row[:1]).fetchone()
            raise _wrong(annotation, f"an image of its own, for line {line} is of this one", "image") from None
        self.references += 1

    def add(self, annotation: Annotation) -> None:
        """Take an annotator's record, and compare it with the reference's, if there is one.

        Raises:
            DataError: no annotator, though one is needed; a second record of one image by one annotator; another
                size of the image than a record before or the reference gives.
        """
        key, wh, mine = image_key(annotation.path), _size(annotation), said(annotation)
        name = annotation.annotator
        if name is None and self.need_annotator:
            error = DataError("the annotator's name", NOTHING, field="annotator")
            raise error.at(annotation.file, annotation.line, annotation.id)
        query = "SELECT line FROM records WHERE image = ? AND annotator = ?"  # which None never equals
        for (line,) in self._table.execute(query, (key, name)):
            raise _wrong(annotation, f"one record an image and annotator, for line {line} is one", "annotator")
        for what, table in (("line", "records"), ("the reference's line", "refs")):
            query = f"SELECT line, wh FROM {table} WHERE image = ? LIMIT 1"
            for line, other in self._table.execute(query, (key,)):
                if other != wh:
                    raise _wrong(annotation, f"the pixels that {what} {line} gives, {other}", "width, height")
        row = (annotation.line, key, name, wh, _written(mine))
        self._table.execute("INSERT INTO records VALUES (?, ?, ?, ?, ?)", row)
        self.records += 1
        if name is None:
            self.unnamed += 1
            return
        annotator = self.annotators.setdefault(name, Annotator())
        annotator.records += 1
        reference = self._table.execute("SELECT said, line FROM refs WHERE image = ?", (key,)).fetchone()
        if reference is not None:
            self._table.execute("UPDATE refs SET used = 1 WHERE image = ? AND used = 0", (key,))
            comparison = compare(mine, _read(reference[0]))
            annotator.against.add(comparison)
            self._note(comparison, annotation.line, reference[1])

    def _note(self, comparison: Comparison, line: int, reference_line: int) -> None:
        """Keep a comparison among the worst, if it is one."""
        agree = comparison.same_label and comparison.tags == 1 and comparison.iou in (None, 1)
        if agree or not self._most:
            return
        iou = -1.0 if comparison.iou is None else comparison.iou
        worst = Worst(comparison.same_label, iou, comparison.tags, line, reference_line)
        entry = (tuple(-value for value in worst), worst)  # a heap gives up its least: the best of the worst
        (heapq.heappush if len(self.worst) < self._most else heapq.heappushpop)(self.worst, entry)

    def ranked_worst(self) -> list[Worst]:
        """The worst disagreements, the worst first."""
        return sorted(worst for _, worst in self.worst)

    def took(self, line: int) -> bool:
        """Whether the record of a line was taken."""
        return self._table.execute("SELECT 1 FROM records WHERE line = ?", (line,)).fetchone() is not None

    @property
    def images(self) -> int:
        """Different images among the records."""
        count: int = self._table.execute("SELECT count(DISTINCT image) FROM records").fetchone()[0]
        return count

    @property
    def references_not_met(self) -> int:
        """Reference records of whose image there is no record."""
        count: int = self._table.execute("SELECT count(*) FROM refs WHERE used = 0").fetchone()[0]
        return count

    def overall(self, verdicts: Mapping[str, str] | None = None) -> Agreement:
        """Agreement with the reference over all compared images; given verdicts, of those not rejected."""
        total = Agreement()
        for name, annotator in self.annotators.items():
            if verdicts is None or verdicts[name] != REJECT:
                total += annotator.against
        return total

    def pairs(self) -> dict[tuple[str, str], Agreement]:
        """Agreement of every two annotators with an image in common, by their names in order."""
        found: dict[tuple[str, str], Agreement] = {}
        for _, records in self._by_image():
            several = [(name, _read(text)) for name, text in records]
            for (one, mine), (other, theirs) in combinations(several, 2):
                found.setdefault((one, other), Agreement()).add(compare(mine, theirs))
        return dict(sorted(found.items()))

    def _by_image(self) -> Iterator[tuple[str, Iterator[tuple[str, str]]]]:
        """Annotator and what was said, for each image."""
        query = "SELECT image, annotator, said FROM records WHERE annotator NOT NULL ORDER BY image, annotator"
        for image, rows in groupby(self._table.execute(query), key=itemgetter(0)):
            yield image, (row[1:] for row in rows)


def _size(annotation: Annotation) -> str:
    return f"{annotation.width}x{annotation.height}"


def _written(what: Said) -> str:
    return json.dumps([what.label, sorted(map(TAGS.index, what.tags)), what.boxes])


def _read(text: str) -> Said:
    label, tags, boxes = json.loads(text)
    return Said(label, frozenset(TAGS[index] for index in tags), tuple(map(tuple, boxes)))


def _wrong(annotation: Annotation, expected: str, field: str) -> DataError:
    found = {
        "image": annotation.image,
        "annotator": Unquoted(f"a second one, by {annotation.annotator!r}"),
        "width, height": Unquoted(_size(annotation)),
    }[field]
    return DataError(expected, found, field=field).at(annotation.file, annotation.line, annotation.id)
