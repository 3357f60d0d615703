"""Choices of the user where a source leaves something open, counts of what they and converting changed, and the one
place where the regions and tags of every format are settled by them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from swift_plugins.fakexplain.boxes import Box
from swift_plugins.fakexplain.errors import DataError, Unquoted
from swift_plugins.fakexplain.tags import TAGS, canonical_tag

from .attributes import by_name, chosen, text_of
from .draft import Draft, DraftRegion, Unusable
from .statements import ABOUT, TAGGED, add_tags, parts


@dataclass(frozen=True)
class Choices:
    """What to do where a source leaves something open; by default most of it is an error that names the option.

    Attributes:
        skip_unusable: skip shapes without an area, and regions without words if `caption` is None.
        unannotated: for images without label, regions and tags: an error, skipped, or real.
        caption: caption of regions without words.
        caption_from: attribute of regions whose text is the caption; any case.
        tag_from: attribute of regions or images whose values are tags; any case.
    """

    skip_unusable: bool = False
    unannotated: Literal["error", "skip", "real"] = "error"
    caption: str | None = None
    caption_from: str | None = None
    tag_from: str | None = None


@dataclass
class Changes:
    """Counts of what converting changed besides the format.

    Attributes:
        clipped: boxes that reached beyond their image, now clipped at its border.
        turned: images rewritten upright because viewers turn them by their EXIF.
        extracted: images that were embedded in the source.
        circumscribed: boxes around rotated shapes.
        reordered: boxes drawn backwards.
        unusable: shapes without an area, skipped.
        wordless: regions without words, skipped.
        captioned: regions without words that were given the caption of `Choices`.
        chosen: regions whose caption is the attribute `Choices.caption_from`.
        tagged: images with tags from the attribute `Choices.tag_from`.
        unannotated: images without label, regions and tags, skipped.
        assumed: such images taken as real.
        cancelled: tasks whose annotations were all cancelled, skipped.
        unread: results that say nothing about the image or its regions, such as relations, skipped.
        renamed: images found under a name written differently, or in another of the folders a tool uses.
        searched: images found by their name alone.
        texts: number of texts skipped, by the name of their attribute.
        origins: number of regions accepted, changed or new, in images for which a model proposed some.
        removed: regions that a model proposed and the annotator removed.
    """

    clipped: int = 0
    turned: int = 0
    extracted: int = 0
    circumscribed: int = 0
    reordered: int = 0
    unusable: int = 0
    wordless: int = 0
    captioned: int = 0
    chosen: int = 0
    tagged: int = 0
    unannotated: int = 0
    assumed: int = 0
    cancelled: int = 0
    unread: int = 0
    renamed: int = 0
    searched: int = 0
    texts: Counter[str] = field(default_factory=Counter)
    origins: Counter[str] = field(default_factory=Counter)
    removed: int = 0

    def add(self, other: Changes) -> None:
        """Add another's counts to these."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


def settle_regions(
    draft: Draft, wh: tuple[int, int], choices: Choices, changes: Changes
) -> list[tuple[Box, str, DraftRegion]]:
    """Box, caption and origin of each region that is kept; corners in order, boxes clipped at the border.

    Args:
        draft: of the image.
        wh: width and height of the upright image.
        choices: the user's.
        changes: counts are added to it.

    Raises:
        DataError: a region that no choice covers has no area or no words; or all boxes are shares of the image.
    """
    kept = []
    for index, region in enumerate(draft.regions):
        region = region if region.at else region._replace(at=f"regions[{index}]")
        box = _box(region, wh, choices, changes)
        caption = _caption(region, choices, changes) if box else ""
        if box and caption:
            kept.append((box, caption, region))
            changes.circumscribed += region.rotated
    if kept and all(0 <= number <= 1 for box, _, _ in kept for number in box):
        box, _, region = kept[0]
        if min(wh) > 1 and any(number != int(number) for box, _, _ in kept for number in box):
            expected = "pixels, but every box of the image lies within 0 to 1, as shares of the image do"
            raise DataError(expected, list(box), field=_join(region.at, "bbox"))
    return [(_clip(box, wh, changes), caption, region) for box, caption, region in kept]


def _box(region: DraftRegion, wh: tuple[int, int], choices: Choices, changes: Changes) -> Box | None:
    try:
        found = region.box(wh) if callable(region.box) else region.box
        if isinstance(found, DataError):
            raise found
        x1, y1, x2, y2 = found
        if x1 == x2 or y1 == y2:
            raise Unusable("a shape with an area", list(found), field=_join(region.at, "bbox"))
    except Unusable as error:
        if not choices.skip_unusable:
            raise DataError(
                f"{error.expected}; --skip-unusable skips such shapes", error.found, field=error.field
            ) from None
        changes.unusable += 1
        return None
    if region.ordered:
        return found
    changes.reordered += x1 > x2 or y1 > y2
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _caption(region: DraftRegion, choices: Choices, changes: Changes) -> str:
    """The caption by the user's choice, else the region's own; empty if the region is skipped."""
    caption = region.caption
    if choices.caption_from and (text := text_of(by_name(region.attributes).get(choices.caption_from.lower()))):
        caption = text
        changes.chosen += 1
    _count_texts(region, caption, choices, changes)
    if isinstance(caption, str) and caption.strip(" .").lower() == "real":
        raise DataError("the caption of a flaw, but the region is labelled real", caption, field=region.at)
    if caption and not isinstance(caption, DataError):
        return caption
    if choices.caption is not None:
        changes.captioned += 1
        return choices.caption
    if choices.skip_unusable or region.may_be_wordless:
        changes.wordless += 1
        return ""
    error = caption or DataError("a caption", caption, field=_join(region.at, "caption"))
    hint = f"{error.expected}; or --caption TEXT for all regions without words, --caption-from NAME for an attribute"
    raise DataError(f"{hint} that holds them, --skip-unusable to leave them out", error.found, field=error.field)


def _count_texts(region: DraftRegion, caption: str | DataError, choices: Choices, changes: Changes) -> None:
    """Count the texts of a region's attributes that the record holds nowhere."""
    read = {*ABOUT, *TAGGED, (choices.tag_from or "").lower()}
    for name, value in region.attributes.items():
        text = text_of(value)
        if name.lower() in read or not any(map(str.isalpha, text)) or all(map(canonical_tag, parts(text))):
            continue
        if isinstance(caption, DataError) or text not in caption:
            changes.texts[name] += 1


def settle_tags(draft: Draft, choices: Choices, changes: Changes) -> list[str]:
    """The image's tags, with those that the attribute `Choices.tag_from` holds; it is removed from its fields.

    Raises:
        DataError: the attribute has a value that is no tag.
    """
    tags = list(draft.tags)
    if not choices.tag_from:
        return tags
    name = choices.tag_from.lower()
    places: list[tuple[Mapping[str, Any], str]] = [(draft.fields, "")]
    places += [(region.attributes, region.at) for region in draft.regions]
    found = [
        (part, _join(at, choices.tag_from))
        for attributes, at in places
        for value in chosen(by_name(attributes).get(name))
        for part in parts(value)
    ]
    for part, at in found:
        if not isinstance(part, str) or not canonical_tag(part):
            raise DataError(f"one of {', '.join(TAGS)}, because of --tag-from", part, field=at)
    add_tags(tags, [part for part, _ in found])
    draft.fields = {key: value for key, value in draft.fields.items() if key.lower() != name}
    changes.tagged += bool(found)
    return tags


def settle_label(draft: Draft, tags: list[str], label: str | None, choices: Choices, changes: Changes) -> str | None:
    """The image's label; None if it is skipped.

    Shapes that are skipped count too: what an annotator marked is not real because it has no area.

    Raises:
        DataError: the source, the user's label and choice give none; or an image is real and has a region.
    """
    if draft.label:
        return draft.label
    if draft.regions or tags:
        return "fake"
    if label and draft.unannotated is None:
        return label
    if choices.unannotated == "skip":
        changes.unannotated += 1
        return None
    if choices.unannotated == "real":
        changes.assumed += 1
        return "real"
    error = draft.unannotated or draft.unlabelled or DataError("'fake' or 'real'", Unquoted("nothing"), field="label")
    label_hint = "" if draft.unannotated else ", or --label for images without a label"
    hint = f"{error.expected}{label_hint}; or --unannotated skip or real for images without annotation"
    raise DataError(hint, error.found, field=error.field)


def _clip(box: Box, wh: tuple[int, int], changes: Changes) -> Box:
    """A box, clipped at the image's border."""
    x1, y1, x2, y2 = box
    inside = max(x1, 0), max(y1, 0), min(x2, wh[0]), min(y2, wh[1])
    if not (inside[0] < inside[2] and inside[1] < inside[3]):
        return box  # `parse_record` reports its error
    changes.clipped += any(abs(a - b) > 0.5 for a, b in zip(box, inside, strict=True))
    return inside


def _join(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name
