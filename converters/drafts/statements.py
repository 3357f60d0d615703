"""What annotators say in fields that they named themselves: of a whole image, and of a region.

A field speaks of the label or the tags by its name: one that contains `label`, `verdict`, `tag` or `choice`. What it
says is read by what the value means. Others are only kept, for a background that is real makes no real image.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from swift_plugins.fakexplain.annotation import LABELS, ORIGIN
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.tags import TAGS, canonical_tag

from .draft import one_line

CAPTIONS = ("caption", "description", "comment", "explanation", "text", "note", "reason")
"""Names of a region's attributes that may hold its caption, the first before the others."""

ABOUT = ORIGIN
"""Fields of an image that its regions may say as well."""

NAMED = ("id", *ABOUT)
"""Fields that name something, for which formats have places of their own too."""

TAGGED = ("tag", "tags")
"""Names of a region's attributes that hold tags of its image."""

_VERDICTS = ("label", "verdict", *TAGGED)
_SPEAKS = re.compile("label|verdict|choice|tag(?!e)", re.IGNORECASE)  # a `stage` or `vintage` is no tag


def say(said: dict[str, Any], name: str, values: Sequence[Any], at: str) -> None:
    """Add one statement to those of an image.

    Values of a field that speaks of the label or the tags by its name are taken for that where all of them mean one,
    and text also where its parts between commas do. All else is kept under the field's name.

    Args:
        said: what was said before, as `draft_fields` reads it; `tags` is a list.
        name: of the field.
        values: what the field holds: one value or several; none says nothing.
        at: the way to the field, for the error.

    Raises:
        DataError: a field that is called label, verdict, tag or tags and holds something else; or something said
            before is contradicted.

    >>> said = {"tags": []}
    >>> say(said, "Image tags", ["Wrong Texture, perspective"], "choices")
    >>> say(said, "verdict", ["FAKE"], "choices")
    >>> say(said, "light_label", ["dim"], "choices")
    >>> say(said, "background", ["real"], "choices")
    >>> said
    {'tags': ['texture_error', 'perspective_error'], 'label': 'fake', 'light_label': 'dim', 'background': 'real'}
    """
    if not values:
        return
    spoken = [part for value in values for part in parts(value)] if _SPEAKS.search(name) else []
    strange = [part for part in spoken if not means_something(part)]
    if strange and name.lower() in _VERDICTS:
        raise DataError(f"{', '.join(LABELS)} or one of {', '.join(TAGS)}", strange[0], field=at)
    if strange or not _SPEAKS.search(name):
        _once(said, name, values[0] if len(values) == 1 else list(values), at)
        return
    add_tags(said["tags"], spoken)
    for part in spoken:
        if not canonical_tag(part):
            _once(said, "label", part.lower(), at)


def say_of_region(said: dict[str, Any], labels: Iterable[object], attributes: Mapping[str, Any], at: str) -> None:
    """Add what a region says of its whole image.

    Tags are those among its labels and among its attributes `tag` and `tags`: a text (several by commas) or a list.
    Other values there say nothing. `ABOUT` attributes are fields of the image.

    Args:
        said: what was said before, as `draft_fields` returns it.
        labels: what the region is called.
        attributes: of the region; null and blank text say nothing, and a whole number is a name too.
        at: the way to the attributes, for the error.

    Raises:
        DataError: a field is no name, or the image or another region says another one.

    >>> said = {"tags": ["texture_error"], "fields": {}}
    >>> say_of_region(said, ["Artistic Styles"], {"tags": "Wrong Texture, dim", "generator": "SDXL"}, "box[0]")
    >>> said
    {'tags': ['texture_error', 'artistic_style'], 'fields': {'generator': 'SDXL'}}
    """
    add_tags(said["tags"], labels)
    for name in TAGGED:
        held = attributes.get(name)
        for value in held if isinstance(held, list) else [held]:
            add_tags(said["tags"], parts(value))
    for name in ABOUT:
        value = attributes.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        if type(value) not in (str, int):
            raise DataError("a non-empty string", value, field=f"{at}.{name}")
        _once(said["fields"], name, str(value).strip(), f"{at}.{name}")


def add_tags(tags: list[str], names: Iterable[object]) -> None:
    """Add to the tags of an image those names that are tags, each once, whatever it is called there.

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
    """The first of a region's attributes by the names of `CAPTIONS` that is text and not blank, else no text.

    >>> caption_among({"note": "Look again.", "caption": " ", "comment": "Six fingers."})
    'Six fingers.'
    """
    texts = (one_line(attributes[name]) for name in CAPTIONS if isinstance(attributes.get(name), str))
    return next(filter(None, texts), "")


def parts(value: object) -> list[Any]:
    """The parts of a text between its commas, where it means nothing as a whole; another value as it is.

    >>> parts(" Wrong Texture, perspective,"), parts("Structure, attribute error"), parts(7)
    (['Wrong Texture', 'perspective'], ['Structure, attribute error'], [7])
    """
    if not isinstance(value, str) or means_something(value):
        return [value]
    return [part.strip() for part in value.split(",") if part.strip()]


def means_something(value: object) -> bool:
    """Whether a value means a label or a tag.

    >>> [means_something(value) for value in ("Real", "Wrong Texture", "dim", 3)]
    [True, True, False, False]
    """
    return isinstance(value, str) and (value.lower() in LABELS or canonical_tag(value) is not None)


def _once(said: dict[str, Any], name: str, value: Any, at: str) -> None:
    if said.setdefault(name, value) != value:
        raise DataError(f"one {name}, for {said[name]!r} was said before", value, field=at)
