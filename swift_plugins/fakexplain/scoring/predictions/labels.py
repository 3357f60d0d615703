"""Predictions of methods that write no answer: what all of them share, and tables of labels or scores.

Each reader, here and in `baseline_masks` and `baseline_boxes`, gives `BaselinePrediction`s as a stream: what a method
said of one image, under the image's real path, by which `predictions.join_all` finds its record. A file of predictions
is made for the purpose, so whatever cannot be read in it raises, and says where. An empty cell or null says that the
method said nothing.

Two things no reader can see, and so it asks. Data sets number their classes both ways, so 1 and 0 are labels only once
`Convention.one_is` says which is which. And a column called `label` is often the truth, which would score 100 %:
beside scores it is read only where it is chosen by name.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from ...annotation import LABELS
from ...answer import parse_answer
from ...boxes import Box
from ...csv_files import read_csv
from ...errors import NOTHING, DataError, Unquoted
from ...images import image_key


class BaselinePrediction(NamedTuple):
    """What a method said of one image.

    Attributes:
        image: real path of the image.
        verdict: 'fake', 'real', or None where it gave none.
        score: the higher, the more likely fake, on any scale; None where it gave none.
        boxes: regions, x1 y1 x2 y2 in original pixels, as the file has them (they may reach out of the image); None
            where it said nothing of boxes.
        mask: path of the image that shows its region; None where it drew none.
        file, line: where it was read; line 0 where lines mean nothing.
    """

    image: str
    verdict: str | None = None
    score: float | None = None
    boxes: tuple[Box, ...] | None = None
    mask: str | None = None
    file: str = ""
    line: int = 0


@dataclass(frozen=True)
class Convention:
    """What a file's numbers mean.

    Attributes:
        one_is: the label 1, 'fake' or 'real', and 0 the other; None allows labels in words only.
        higher_is: what a higher score speaks for, 'fake' or 'real'.
        threshold: a score above it decides for `higher_is` where there is no label; None is 0.5, for scores in [0, 1].

    Raises:
        ValueError: neither 'fake' nor 'real', or a threshold that is not finite.

    >>> Convention(one_is="real").verdict("0"), Convention().verdict("AI-generated")
    ('fake', 'fake')
    """

    one_is: str | None = None
    higher_is: str = "fake"
    threshold: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("one_is", self.one_is or "fake"), ("higher_is", self.higher_is)):
            if value not in LABELS:
                raise ValueError(f"{name}: expected fake or real, found {value!r}")
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise ValueError(f"threshold: expected a finite number, found {self.threshold!r}")

    def verdict(self, label: object, field: str = "label") -> str | None:
        """The verdict of a label: words that `parse_answer` reads or, by `one_is`, 1 or 0.

        Raises:
            DataError: it is neither.
        """
        if _is_empty(label):
            return None
        if isinstance(label, str) and (verdict := _verdict_of_words(label)):
            return verdict
        if (number := _number(label)) not in (0, 1):
            raise DataError("a word for fake or real, or nothing", label, field=field)
        if self.one_is is None:
            raise DataError("fake or real in words (or --one-is, which says what 1 means)", label, field=field)
        return self.one_is if number else _other(self.one_is)

    def verdict_of_score(self, score: float | None, field: str = "score") -> str | None:
        """The verdict of a score as the file has it.

        Raises:
            DataError: the threshold is not given, and the score no probability.
        """
        if score is None:
            return None
        threshold = self.threshold
        if threshold is None:
            threshold = 0.5
            if not 0 <= score <= 1:
                expected = "a number in [0, 1] (or --threshold, for scores of another scale)"
                raise DataError(expected, score, field=field)
        return self.higher_is if score > threshold else _other(self.higher_is)


AS_IT_IS = Convention()
"""Words for labels, probabilities of fake for scores."""


def _other(label: str) -> str:
    return "real" if label == "fake" else "fake"


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _number(value: object) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None


@lru_cache(maxsize=1024)
def _verdict_of_words(words: str) -> str | None:
    return parse_answer(words).verdict


# Names of columns and fields ------------------------------------------------------------------------------------------

NAMES = {
    "image": ("image", "image_path", "img_path", "path", "file_path", "filepath", "file", "file_name", "filename"),
    "verdict": ("verdict", "prediction", "pred", "predicted", "predicted_label", "pred_label", "label"),
    "score": ("score", "prob", "probability", "p_fake", "prob_fake", "fake_prob"),
    "boxes": ("boxes", "bboxes"),
}
"""What is read -> names it goes by, in any case."""


def places_of(names: Sequence[str], chosen: Mapping[str, str], roles: Sequence[str]) -> dict[str, int]:
    """Role -> place of the one name that has it.

    Raises:
        DataError: a chosen name is not there, two go for one role, or `label` for the verdict beside a score or
            a mask.
    """
    plain = [name.strip().lower().replace(" ", "_").replace("-", "_") for name in names]
    places = {}
    for role in roles:
        if chosen.get(role) == "":
            continue
        known = [chosen[role]] if role in chosen else NAMES[role]
        found = [place for place, name in enumerate(names if role in chosen else plain) if name in known]
        if len(found) > 1 or (role in chosen and not found):
            expected = f"one of {', '.join(known)} (--column {role}=NAME names another)"
            raise DataError(expected, Unquoted(", ".join(names)), field=role)
        if found:
            places[role] = found[0]
    other = "a score" if "score" in places else "a mask" if "mask" in plain else ""
    if other and "verdict" in places and "verdict" not in chosen and plain[places["verdict"]] == "label":
        expected = "a verdict (--column verdict=label takes the label for it, --column verdict= for the truth)"
        raise DataError(expected, Unquoted(f"label beside {other}"), field="verdict")
    return places


def prediction_of(
    value: Mapping[str, Any], at: Mapping[str, str], images: Path, convention: Convention, file: str, line: int = 0
) -> BaselinePrediction:
    """The prediction of a row or object, its boxes left out.

    Args:
        value: role -> what the file has.
        at: role -> the way to it.
        images: folder that image paths are relative to.
        convention: what numbers mean.
        file, line: where it is read.

    Raises:
        DataError: a value that cannot be read.
    """
    score = None
    if not _is_empty(value.get("score")):
        score = _number(value["score"])
        if score is None or not math.isfinite(score):
            raise DataError("a finite number, or nothing", value["score"], field=at["score"])
    if "verdict" in value:
        verdict = convention.verdict(value["verdict"], at["verdict"])
    else:
        verdict = convention.verdict_of_score(score, at.get("score", ""))
    if score is not None and convention.higher_is == "real":
        score = -score
    image = image_at(images, value["image"], at["image"])
    return BaselinePrediction(image, verdict, score, file=file, line=line)


def image_at(images: Path, name: object, field: str) -> str:
    """The real path of an image that a file names.

    Raises:
        DataError: it is no name that a file can have, or not in UTF-8.
    """
    if not isinstance(name, str) or not name.strip() or "\0" in name:
        raise DataError("the path of an image", name, field=field)
    try:
        name.encode()
        return image_key(images.absolute() / name)
    except UnicodeEncodeError:
        raise DataError("the path of an image, in UTF-8", name, field=field) from None


# Labels and scores -------------------------------------------------------------------------------------------------


def read_label_csv(
    path: str | Path,
    images: str | Path,
    convention: Convention = AS_IT_IS,
    columns: Mapping[str, str] = {},
) -> Iterator[BaselinePrediction]:
    """Labels, scores or both of a table (NPR, DMD, ComFor, AfPr, AEROBLADE, DIRE, FakeVLM ...).

    Args:
        path: CSV in UTF-8, its first row the columns' names; commas, semicolons or tabs part the cells, whichever the
            first row has most of. Columns are found by `NAMES`; others are not read.
        images: folder that image paths are relative to.
        convention: what numbers mean. Without a column of verdicts they follow from the scores.
        columns: names to use in place of `NAMES`, under 'image', 'verdict' or 'score'; '' leaves that out.

    Raises:
        FileNotFoundError: no such file.
        DataError (a ValueError): a column that is missing or doubtful, a cell that cannot be read, no row.
    """
    path = Path(path)
    rows = read_csv(path, "a CSV file of labels or scores", "prediction")
    line, names = next(rows)
    try:
        places = places_of(names, columns, ("image", "verdict", "score"))
        if "image" not in places or len(places) < 2:
            expected = "columns for the image and for a verdict or a score (--column ROLE=NAME names one)"
            raise DataError(expected, Unquoted(", ".join(names)) or NOTHING)
        at = {role: f"column {names[place]!r}" for role, place in places.items()}
        for line, row in rows:
            value = {role: row[place] for role, place in places.items()}
            yield prediction_of(value, at, Path(images), convention, str(path), line)
    except DataError as error:
        raise error.at(str(path), error.line or line) from None
