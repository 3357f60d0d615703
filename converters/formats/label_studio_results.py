"""Results of Label Studio: shapes, values of controls, and those that belong to another image of the task."""

from __future__ import annotations

from typing import Any, NamedTuple

from swift_plugins.fakexplain.errors import DataError, Unquoted
from swift_plugins.fakexplain.json_values import require

SHAPES = ("rectangle", "polygon", "ellipse")
"""Types of the shapes that are regions, with or without `labels` behind them."""

NUMBERS = ("number", "rating")
CONTROLS = ("choices", "textarea", "labels", *NUMBERS, "datetime", "taxonomy")
_UNREAD = ("relation", "pairwise", "ranker")


class ToolResult(NamedTuple):
    """One result of an annotation: a shape, or the value of a control.

    Attributes:
        at: path to it.
        kind: its type, such as `rectanglelabels`.
        shape: its type without `labels`.
        data: the JSON object.
    """

    at: str
    kind: str
    shape: str
    data: dict[str, Any]

    @property
    def is_shape(self) -> bool:
        """Whether it marks a part of the image; kinds that are not known do."""
        return self.kind not in (*CONTROLS, *_UNREAD)


def list_results(annotation: dict[str, Any], at: str) -> list[ToolResult]:
    """The results of an annotation, each with its id as text.

    Raises:
        DataError: a result without a type, or with an id that is none.
    """
    results = []
    for index, result in enumerate(require(annotation, "result", list, "a list of results", at)):
        place = f"{at}.result[{index}]"
        kind = require(result, "type", str, "the type of a result", place)
        if isinstance(id := result.get("id"), float) and id.is_integer():
            id = int(id)
        if type(id) not in (str, int, type(None)):
            raise DataError("the id of a result", id, field=f"{place}.id")
        shape = kind.removesuffix("labels") or kind
        if id is not None:
            result = result | {"id": str(id)}
        results.append(ToolResult(place, kind, shape, result))
    return results


def select_results(results: list[ToolResult], key: str, others: set[str]) -> tuple[list[ToolResult], int]:
    """The results of one image of a task, and the number of all others.

    Args:
        results: of an annotation.
        key: of the image in the task's data.
        others: keys of the task's other images.

    Raises:
        DataError: there are regions of several images, and none is called like the key.
    """
    targets = {result.data.get("to_name") for result in results if result.is_shape}
    if len(targets) > 1 and key not in targets:
        found = Unquoted(" and ".join(sorted(map(str, targets))))
        raise DataError(f"regions of one image, or of one called {key}", found, field="to_name")
    elsewhere = (targets - {key} if key in targets else set()) | others
    own = [each for each in results if each.kind not in _UNREAD and each.data.get("to_name") not in elsewhere]
    return own, len(results) - len(own)


def annotator_of(annotation: dict[str, Any], at: str) -> str:
    """Who made an annotation: the e-mail address if the export has it, else the user's number; empty if it has neither.

    Raises:
        DataError: `completed_by` is neither a number nor a text nor a user.
    """
    user = annotation.get("completed_by")
    if isinstance(user, float) and user.is_integer():
        user = int(user)
    if isinstance(user, dict):
        user = user.get("email") or user.get("id")
    if user is None:
        return ""
    if type(user) not in (int, str):
        raise DataError("a user number, or a user with an id or an email", user, field=f"{at}.completed_by")
    return str(user)
