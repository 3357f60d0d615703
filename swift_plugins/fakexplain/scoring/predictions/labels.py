"""Predictions of methods that write no answers: their common parts, and tables of labels or scores.

Each reader, here and in `masks` and `boxes`, streams `BaselinePrediction`s: a method's output for one image, under the
image's real path. `join.join_all` finds the record by this path. A file of predictions is made for scoring, so anything
unreadable in it raises an error with its place. An empty cell or null means that the method gave no output.

The caller must settle two things that a file does not say. Data sets number their classes both ways, so 1 and 0 are
labels only if `Convention.one_is` says which is which. And a column called `label` often holds the truth, which would
score 100 %. Beside scores it is read only if it is chosen by name.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ...annotation import LABELS
from ...boxes import Box
from ...csv_files import read_csv
from ...errors import NOTHING, DataError, Unquoted
from ...images import image_key
from ...notations.verdict_words import read_words


class BaselinePrediction(NamedTuple):
    """A method's output for one image.

    Attributes:
        image: real path of the image.
        verdict: 'fake', 'real', or None if there is no verdict.
        score: on any scale, higher means more likely fake; None if there is no score.
        boxes: regions, x1 y1 x2 y2 in original pixels, as in the file (they may extend beyond the image); None if the
            method has no boxes for the image, () if it found nothing.
        mask: path of the mask image; None if there is no mask.
        file, line: where it was read; line 0 if the file has no meaningful lines.
        text: the method's explanation in prose; None if it has none for the image.
    """

    image: str
    verdict: str | None = None
    score: float | None = None
    boxes: tuple[Box, ...] | None = None
    mask: str | None = None
    file: str = ""
    line: int = 0
    text: str | None = None


@dataclass(frozen=True)
class Convention:
    """The meaning of a file's numbers.

    Attributes:
        one_is: the label that 1 stands for, 'fake' or 'real'; 0 is the other. None allows labels in words only.
        higher_is: the label that a higher score favours, 'fake' or 'real'.
        threshold: without a label, a score above it means `higher_is`; None means 0.5 and requires scores in [0, 1].

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
        """Read the verdict of a label: words that `notations.verdict_words` reads or, with `one_is`, 1 or 0.

        Raises:
            DataError: the label is neither.
        """
        if _is_empty(label):
            return None
        if isinstance(label, str) and (verdict := read_words(label.strip())):
            return verdict
        if (number := _number(label)) not in (0, 1):
            raise DataError("a word for fake or real, or nothing", label, field=field)
        if self.one_is is None:
            raise DataError("fake or real in words (or --one-is, which says what 1 means)", label, field=field)
        return self.one_is if number else _other(self.one_is)

    def verdict_of_score(self, score: float | None, field: str = "score") -> str | None:
        """Derive the verdict from a score as written in the file.

        Raises:
            DataError: no threshold is given and the score is not a probability.
        """
        if score is None:
            return None
        threshold = self.threshold
        if threshold is None:
            threshold = 0.5
            if not 0 <= score <= 1:
                expected = "a number in [0, 1] (or --threshold, for scores on another scale)"
                raise DataError(expected, score, field=field)
        return self.higher_is if score > threshold else _other(self.higher_is)


DEFAULT_CONVENTION = Convention()
"""Labels are words, and scores are probabilities of fake."""


def _other(label: str) -> str:
    return "real" if label == "fake" else "fake"


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _number(value: object) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None


# Names of columns and fields ------------------------------------------------------------------------------------------

ROLE_NAMES = {
    "image": ("image", "image_path", "img_path", "path", "file_path", "filepath", "file", "file_name", "filename"),
    "verdict": ("verdict", "prediction", "pred", "predicted", "predicted_label", "pred_label", "label"),
    "score": ("score", "prob", "probability", "p_fake", "prob_fake", "fake_prob"),
    "boxes": ("boxes", "bboxes"),
    "text": ("explanation", "explanations", "rationale"),
}
"""Role -> accepted names of its column or field, in upper or lower case."""


def parse_column(text: str) -> tuple[str, str]:
    """Split ROLE=NAME into role and name.

    Raises:
        ValueError: no such role, or no `=`.

    >>> parse_column("score=prob")
    ('score', 'prob')
    """
    role, equals, name = text.partition("=")
    if not equals or role not in ROLE_NAMES:
        raise ValueError(f"expected ROLE=NAME, ROLE one of {', '.join(ROLE_NAMES)}, found {text!r}")
    return role, name


def find_columns(names: Sequence[str], chosen: Mapping[str, str], roles: Sequence[str]) -> dict[str, int]:
    """Find the one column or field of each role: role -> index of its name.

    Raises:
        DataError: a chosen name is missing, two names fit one role, or `label` would be the verdict beside a score or a
            mask.
    """
    plain = [name.strip().lower().replace(" ", "_").replace("-", "_") for name in names]
    places = {}
    for role in roles:
        if chosen.get(role) == "":
            continue
        known = [chosen[role]] if role in chosen else ROLE_NAMES[role]
        found = [place for place, name in enumerate(names if role in chosen else plain) if name in known]
        if len(found) > 1 or (role in chosen and not found):
            expected = f"one of {', '.join(known)} (--column {role}=NAME names another)"
            raise DataError(expected, Unquoted(", ".join(names)), field=role)
        if found:
            places[role] = found[0]
    other = "a score" if "score" in places else "a mask" if "mask" in plain else ""
    if other and "verdict" in places and "verdict" not in chosen and plain[places["verdict"]] == "label":
        expected = "a verdict (--column verdict=label uses the label as the verdict, --column verdict= ignores it)"
        raise DataError(expected, Unquoted(f"label beside {other}"), field="verdict")
    return places


def build_prediction(
    value: Mapping[str, Any], at: Mapping[str, str], images: Path, convention: Convention, file: str, line: int = 0
) -> BaselinePrediction:
    """Build the prediction of a row or object, without its boxes.

    Args:
        value: role -> value in the file.
        at: role -> path to the value, for errors.
        images: folder that image paths are relative to.
        convention: meaning of numbers.
        file, line: where it is read.

    Raises:
        DataError: an unreadable value.
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
    image = resolve_image(images, value["image"], at["image"])
    text = value.get("text")
    if text is not None and not isinstance(text, str):
        raise DataError("a text, or nothing", text, field=at["text"])
    return BaselinePrediction(image, verdict, score, file=file, line=line, text=text)


def resolve_image(images: Path, name: object, field: str) -> str:
    """Resolve the real path of an image named in a file.

    Raises:
        DataError: the name is not a possible file name, or not UTF-8.
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
    convention: Convention = DEFAULT_CONVENTION,
    columns: Mapping[str, str] = {},
) -> Iterator[BaselinePrediction]:
    """Read labels, scores and explanations from a table (NPR, DMD, ComFor, AfPr, AEROBLADE, DIRE, FakeVLM ...).

    Args:
        path: CSV in UTF-8 with the column names in its first row. Cells are separated by commas, semicolons or tabs,
            whichever is most frequent in the first row. Columns are found by `ROLE_NAMES`; others are ignored.
        images: folder that image paths are relative to.
        convention: meaning of numbers. Without a column of verdicts, the scores decide them.
        columns: names to use in place of `ROLE_NAMES`, under 'image', 'verdict', 'score' or 'text'; '' skips it.

    Raises:
        FileNotFoundError: no such file.
        DataError (a ValueError): a missing or ambiguous column, an unreadable cell, or no row.
    """
    path = Path(path)
    rows = read_csv(path, "a CSV file of labels or scores", "prediction")
    line, names = next(rows)
    try:
        places = find_columns(names, columns, ("image", "verdict", "score", "text"))
        if "image" not in places or len(places) < 2:
            expected = "columns for the image and for a verdict or a score (--column ROLE=NAME names one)"
            raise DataError(expected, Unquoted(", ".join(names)) or NOTHING)
        at = {role: f"column {names[place]!r}" for role, place in places.items()}
        for line, row in rows:
            value = {role: row[place] for role, place in places.items()}
            yield build_prediction(value, at, Path(images), convention, str(path), line)
    except DataError as error:
        raise error.at(str(path), error.line or line) from None
