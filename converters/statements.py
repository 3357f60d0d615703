"""What annotators say of a whole image in fields that they named themselves: read by what the values mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from swift_plugins.fakexplain.annotation import LABELS, TAGS, AnnotationError, canonical_tag

NAMED = ("id", "generator", "family", "class_name", "annotator")
"""Fields whose values are only names, whatever else they could mean."""

_VERDICTS = ("label", "verdict", "tag", "tags")


def say(said: dict[str, Any], name: str, values: Sequence[Any], at: str) -> None:
    """Add one statement to those of an image.

    Values that all mean a label or a tag are taken for that, whatever the field is called; others are kept under
    its name.

    Args:
        said: what was said before, as `draft_fields` reads it; `tags` is a list.
        name: of the field; `NAMED` ones keep their value as it is.
        values: what the field holds: one value or several; none says nothing.
        at: the way to the field, for the error.

    Raises:
        AnnotationError: a field that is called label, verdict or tags and holds something else; or something said
            before is contradicted.

    >>> said = {"tags": []}
    >>> say(said, "what is wrong", ["Wrong Texture"], "choices")
    >>> say(said, "source", ["FAKE"], "choices")
    >>> say(said, "light", ["dim"], "choices")
    >>> said
    {'tags': ['texture_error'], 'label': 'fake', 'light': 'dim'}
    """
    if not values:
        return
    if name in NAMED or not all(means_something(value) for value in values):
        if name in _VERDICTS:
            strange = next(value for value in values if not means_something(value))
            raise AnnotationError(f"{', '.join(LABELS)} or one of {', '.join(TAGS)}", strange, field=at)
        _once(said, name, values[0] if len(values) == 1 else list(values), at)
        return
    for value in values:
        if tag := canonical_tag(value):
            if tag not in said["tags"]:
                said["tags"].append(tag)
        else:
            _once(said, "label", value.lower(), at)


def means_something(value: object) -> bool:
    """Whether a value means a label or a tag.

    >>> [means_something(value) for value in ("Real", "Wrong Texture", "dim", 3)]
    [True, True, False, False]
    """
    return isinstance(value, str) and (value.lower() in LABELS or canonical_tag(value) is not None)


def _once(said: dict[str, Any], name: str, value: Any, at: str) -> None:
    if said.setdefault(name, value) != value:
        raise AnnotationError(f"one {name}, for {said[name]!r} was said before", value, field=at)
