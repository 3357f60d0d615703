"""Types of what a run's files hold, to check a file against before it is used."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec

from ..annotation import FOLDS, LABELS
from ..errors import NOTHING, DataError, Unquoted
from ..operating_point import DECISIONS
from ..tags import TAGS
from ..variants import VARIANTS
from .metrics.definitions import COMPARED, METRIC_NAMES

Count = Annotated[int, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Bounds = tuple[float, float] | None
Values = [(name, float | None) for name in METRIC_NAMES]


class _Bootstrap(msgspec.Struct):
    resamples: Count
    level: Share


class _Point(msgspec.Struct):
    threshold: Share


class _Settings(msgspec.Struct):
    bootstrap: _Bootstrap | msgspec.UnsetType = msgspec.UNSET
    operating_points: dict[str, _Point] | msgspec.UnsetType = msgspec.UNSET


class RunFields(msgspec.Struct):
    """run.json, apart from the results of its systems and their comparisons."""

    dataset: str
    subset: str
    variant: Literal[VARIANTS]  # type: ignore[valid-type]
    perturbation: str | None
    annotations: str
    records: Count
    settings: _Settings
    systems: dict[str, Any]
    comparisons: list[Any]


class _Group(msgspec.Struct):
    """The images of one generator or family, or all real images."""

    n: Count
    accuracy: float | None
    iou: float | None
    intervals: dict[str, Bounds]


class _GeneratorGroup(_Group):
    family: str | None


class _Tag(msgspec.Struct):
    precision: float | None
    recall: float | None
    gold: Count
    predicted: Count
    accuracy_with: float | None
    accuracy_without: float | None


class _Spread(msgspec.Struct):
    mean: float | None
    std: float | None


_Tags = msgspec.defstruct("_Tags", [(tag, _Tag) for tag in TAGS])
_FOLD_NAMES = tuple(map(str, FOLDS))
_Fold = msgspec.defstruct("_Fold", [("n", Count), *Values])


class _System(msgspec.Struct, kw_only=True):
    """The result of a system, apart from its metrics."""

    n: Count
    answered: Count
    fake: Count
    real: Count
    unreadable: Count
    exact: Count
    fake_without_regions: Count
    intervals: dict[str, Bounds]
    confusion: dict[Literal[LABELS], dict[str, Count]]  # type: ignore[valid-type]
    problems: dict[str, Count]
    tags: _Tags  # type: ignore[valid-type]
    generators: dict[str, _GeneratorGroup]
    families: dict[str, _Group]
    real_images: _Group | None
    folds: dict[Literal[_FOLD_NAMES], _Fold]  # type: ignore[valid-type]
    over_folds: dict[Literal[METRIC_NAMES], _Spread]  # type: ignore[valid-type]
    missing: list[str]


SystemResult = msgspec.defstruct("SystemResult", Values, bases=(_System,), kw_only=True)
"""The result of one system, as `results.results` computes it."""


class _Difference(msgspec.Struct):
    difference: float | None
    interval: Bounds
    p: float | None


class _McNemar(msgspec.Struct):
    only_a: Count
    only_b: Count
    p: float


class ComparedSystems(msgspec.Struct):
    """The comparison of two systems."""

    a: str
    b: str
    figures: dict[Literal[COMPARED], _Difference]  # type: ignore[valid-type]
    mcnemar: _McNemar


class _Region(msgspec.Struct):
    bbox: tuple[float, float, float, float] | None
    caption: str


class RecordedAnswer(msgspec.Struct):
    """The prediction of a system for one image."""

    verdict: Literal[DECISIONS] | None  # type: ignore[valid-type]
    p_fake: Share | None
    iou: Share | None
    regions: list[_Region]
    tags: list[Literal[TAGS]] | None  # type: ignore[valid-type]
    problems: list[str]
    text: str = ""


_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
}


def check_type(value: object, kind: Any, field: str = "") -> None:
    """Check a decoded value against a type.

    Args:
        value: JSON values.
        kind: the type.
        field: path to the value, for the error.

    Raises:
        DataError: it is not of the type; names the path of the first part that is not.

    >>> check_type({"a": "x", "b": "y", "figures": {}, "mcnemar": {"only_a": "1"}}, ComparedSystems, "comparisons[0]")
    Traceback (most recent call last):
    swift_plugins.fakexplain.errors.DataError: comparisons[0].mcnemar.only_a: expected a whole number, found '1'
    """
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `")
        raise _to_data_error(value, field, reason, path.rpartition("$")[2].removesuffix("`")) from None


def _to_data_error(value: object, field: str, reason: str, path: str) -> DataError:
    """The error of a message such as "Expected `int`, got `str` - at `$.records`"."""
    place = f"{field}{path}".lstrip(".")
    if missing := re.fullmatch(r"Object missing required field `(.+)`", reason):
        return DataError("a value", NOTHING, field=f"{place}.{missing[1]}".lstrip("."))
    words = re.sub(r"\b[a-z]+\b", lambda match: _WORDS.get(match[0], match[0]), reason.replace(" | ", " or "))
    expected, _, kind = words.replace("`", "").removeprefix("Expected ").partition(", got ")
    if reason.startswith("Invalid enum value "):
        expected, kind = "one of the values that `fakexplain score` writes", reason.removeprefix("Invalid enum value ")
    return DataError(expected, _value_at(value, path) if "[...]" not in path else Unquoted(kind), field=place)


def _value_at(value: Any, path: str) -> object:
    """The value at a path such as `.mcnemar.only_a` or `.regions[0]`."""
    for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        value = value[name] if name else value[int(index)]
    return value
