"""Statements in fields that annotators named themselves, about a whole image or about a region.

A field with `label`, `verdict`, `tag` or `choice` in its name states the label or tags of the image if its values mean
one; so does a switch that is on and is named as a label or a tag. Other fields are only kept: a real background does
not make the image real. Names are read in any case, and an empty value (`is_empty`) states nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from swift_plugins.fakexplain.annotation import LABELS, ORIGIN
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.tags import TAGS, canonical_tag

from .attributes import by_name, chosen, is_empty, switched, text_of

CAPTIONS = ("caption", "description", "comment", "explanation", "text", "note", "reason")
"""Names of a region's attributes that may hold its caption, in order of preference."""

ABOUT = ORIGIN
"""Fields of an image that its regions may state as well."""

NAMED = ("id", *ABOUT)
"""Fields that name something; formats have places of their own for them too."""

TAGGED = ("tag", "tags")
"""Names of a region's attributes that hold tags of its image."""

_VERDICTS = ("label", "verdict", *TAGGED)
_ABOUT_VERDICT = re.compile("label|verdict|choice|tag(?!e)", re.IGNORECASE)  # a `stage` or `vintage` is no tag


@dataclass
class Statement:
    """Everything a source states about one image as a whole; the same attributes as `Draft` has.

    Attributes:
        id: the record's id, or None.
        label: 'fake', 'real' or None.
        tags: any of the names `canonical_tag` knows.
        fields: all other fields.
    """

    id: str | None = None
    label: str | None = None
    tags: list[str] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)


def add_field(named: dict[str, Any], name: str, values: Sequence[Any], at: str) -> None:
    """Add one field that an annotator named to the fields of an image.

    If the name is about the label or the tags and every value means one of them, the values become `label` and `tags`;
    a text also counts as its parts between commas. Any other field is kept under its own name.

    Args:
        named: the fields so far, as `read_statement` takes them; `tags` is a list.
        name: name of the field.
        values: the field's values: one, several, or none, which adds nothing; empty ones do not count.
        at: path to the field, for the error.

    Raises:
        DataError: a field named label, verdict, tag or tags has another value, or the field contradicts an earlier one.

    >>> named = {"tags": []}
    >>> add_field(named, "Image tags", ["Wrong Texture, perspective"], "choices")
    >>> add_field(named, "Fake", ["true"], "choices")
    >>> add_field(named, "light_label", ["dim"], "choices")
    >>> add_field(named, "background", ["real"], "choices")
    >>> named
    {'tags': ['texture_error', 'perspective_error'], 'label': 'fake', 'light_label': 'dim', 'background': 'real'}
    """
    values = [value for value in values if not is_empty(value)]
    if not values:
        return
    if means_something(name) and len(values) == 1 and switched(values[0]) is not None:
        if switched(values[0]):
            add_field(named, "tag", [name], at)
        return
    if name.lower() in NAMED:
        name = name.lower()
    meanings = [part for value in values for part in parts(value)] if _ABOUT_VERDICT.search(name) else []
    unknown = [part for part in meanings if not means_something(part)]
    if unknown and name.lower() in _VERDICTS:
        raise DataError(f"{', '.join(LABELS)} or one of {', '.join(TAGS)}", unknown[0], field=at)
    if unknown or not _ABOUT_VERDICT.search(name):
        _set_once(named, name, values[0] if len(values) == 1 else list(values), at)
        return
    add_tags(named["tags"], meanings)
    for part in meanings:
        if not canonical_tag(part):
            _set_once(named, "label", part.lower(), at)


def add_region(statement: Statement, labels: Iterable[object], attributes: Mapping[str, Any], at: str) -> None:
    """Add what a region states about its whole image.

    Tags are those among its labels and in its attributes `tag` and `tags`: a text (several between commas) or a list.
    Other values there are skipped. `ABOUT` attributes are fields of the image.

    Args:
        statement: the image's statement, which is changed.
        labels: the region's labels.
        attributes: the region's attributes, in any case; empty ones are skipped, and a whole number is a name too.
        at: path to the attributes, for the error.

    Raises:
        DataError: an `ABOUT` attribute is no name, or differs from that of the image or of another region.

    >>> statement = Statement(tags=["texture_error"])
    >>> add_region(statement, ["Artistic Styles"], {"tags": "Wrong Texture, dim", "generator": "SDXL"}, "box[0]")
    >>> statement.tags, statement.fields
    (['texture_error', 'artistic_style'], {'generator': 'SDXL'})
    """
    add_tags(statement.tags, labels)
    folded = by_name(attributes)
    for name in TAGGED:
        add_tags(statement.tags, (part for value in chosen(folded.get(name)) for part in parts(value)))
    add_tags(statement.tags, (name for name, value in attributes.items() if value is True or value == "true"))
    for name in ABOUT:
        if name not in folded:
            continue
        value = folded[name]
        if type(value) not in (str, int):
            raise DataError("a non-empty string", value, field=f"{at}.{name}")
        _set_once(statement.fields, name, str(value).strip(), f"{at}.{name}")


def add_tags(tags: list[str], names: Iterable[object]) -> None:
    """Add to the tags of an image those names that are tags, each tag once under any of its names.

    >>> tags = ["Wrong Texture"]
    >>> add_tags(tags, ["hand", "texture_error", "Perspective", "perspective error", 7])
    >>> tags
    ['Wrong Texture', 'perspective_error']
    """
    known = {canonical_tag(tag) for tag in tags}
    for name in names:
        tag = canonical_tag(name) if isinstance(name, str) else None
        if tag and tag not in known:
            known.add(tag)
            tags.append(tag)


def caption_among(attributes: Mapping[str, Any]) -> str:
    """The first of a region's attributes named in `CAPTIONS` that has words, else the empty text.

    >>> caption_among({"note": "Look again.", "caption": " ", "Comment": "Six fingers."})
    'Six fingers.'
    """
    folded = by_name(attributes)
    return next(filter(None, (text_of(folded.get(name)) for name in CAPTIONS)), "")


def parts(value: object) -> list[Any]:
    """The parts of a text between its commas, unless it is a label or tag as a whole; other values unchanged.

    >>> parts(" Wrong Texture, perspective,"), parts("Structure, attribute error"), parts(7)
    (['Wrong Texture', 'perspective'], ['Structure, attribute error'], [7])
    """
    if not isinstance(value, str) or means_something(value):
        return [value]
    return [part.strip() for part in value.split(",") if not is_empty(part)]


def means_something(value: object) -> bool:
    """Whether a value names a label or a tag.

    >>> [means_something(value) for value in ("Real", "Wrong Texture", "dim", 3)]
    [True, True, False, False]
    """
    return isinstance(value, str) and (value.lower() in LABELS or canonical_tag(value) is not None)


def _set_once(fields: dict[str, Any], name: str, value: Any, at: str) -> None:
    if fields.setdefault(name, value) != value:
        raise DataError(f"one {name}, but an earlier statement is {fields[name]!r}", value, field=at)
