"""Annotators' names in converted records (App. A.4): kept, numbered or dropped, in every place that a record has.

A record names its annotator in `annotator`, at the end of an id `ID@ANNOTATOR`, and perhaps in fields that the source
adds, such as `completed_by`. Numbers are a01, a02 … in order of first appearance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Literal

from swift_plugins.fakexplain.annotation import Annotation

from .quality.personal import EMAIL

Naming = Literal["keep", "number", "drop"]

REMOVED = "[removed]"
"""Stands for an address that no record's annotator has, or for any if names are dropped."""

_PERSON_FIELD = re.compile(
    r"(?:source_)?(?:(?:\w+_)?(?:completed|updated|created|submitted|reviewed|annotated|labell?ed|assigned|checked|modified"
    r"|edited|verified|marked)_by|(?:\w+_)?(?:annotators?|users?|user_?names?|user_?ids?|e_?mails?|assignees?|assigned_to"
    r"|reviewers?|workers?|worker_?ids?|labell?ers?|first_?name|last_?name|initials))",
    re.IGNORECASE,
)


@dataclass
class AnnotatorNames:
    """Replaces names in records, one record after the other.

    Attributes:
        naming: keep names, number them, or drop them.
        removed: field that may name a person -> how often it was removed.
        left: number of records whose id, image path or captions still hold the annotator's name.
    """

    naming: Naming = "keep"
    removed: dict[str, int] = field(default_factory=dict)
    left: int = 0
    _numbers: dict[str, str] = field(default_factory=dict)
    _folded: dict[str, str] = field(default_factory=dict)  # a name in any case -> its number
    _known: re.Pattern[str] | None = None
    _ids: dict[str, int] = field(default_factory=dict)

    def rename(self, record: Annotation) -> Annotation:
        """The record without its annotator's name, unless names are kept.

        >>> names = AnnotatorNames("number")
        >>> record = Annotation("x@eve@example.org", "x.png", 8, 8, "real", annotator="eve@example.org")
        >>> renamed = names.rename(replace(record, extra={"completed_by": 7, "log": "eve@example.org at 9:00"}))
        >>> renamed.id, renamed.annotator, renamed.extra, names.removed
        ('x@a01', 'a01', {'log': 'a01 at 9:00'}, {'completed_by': 1})
        """
        if self.naming == "keep":
            return record
        name = record.annotator
        new = self._number(name) if name else None
        extra = _replace_texts(record.extra, self._replace, self._count_field)
        id = record.id
        if name and new and (stem := id.removesuffix(f"@{name}")) != id:
            id = f"{stem}@{new}" if self.naming == "number" else self._count(stem)
        renamed = replace(record, id=id, annotator=new if self.naming == "number" else None, extra=extra)
        texts = (renamed.id, renamed.image, *(region.caption for region in renamed.regions))
        self.left += bool(name) and any(_holds(text, str(name)) for text in texts)
        return renamed

    def _count_field(self, name: str) -> None:
        self.removed[name] = self.removed.get(name, 0) + 1

    def _number(self, name: str) -> str:
        if name not in self._numbers:
            self._numbers[name] = self._folded[name.casefold()] = f"a{len(self._numbers) + 1:02}"
            known = sorted(filter(_is_name, self._numbers), key=len, reverse=True)
            self._known = _whole("|".join(map(re.escape, known))) if known else None
        return self._numbers[name]

    def _count(self, stem: str) -> str:
        """An id in place of one that ends with a name: ID@1, ID@2 …, which says nothing about other images."""
        self._ids[stem] = self._ids.get(stem, 0) + 1
        return f"{stem}@{self._ids[stem]}"

    def _replace(self, text: str) -> str:
        """A text without the names of annotators that are known by now, and without e-mail addresses."""
        if text in self._numbers:
            return self._shown(self._numbers[text])
        if self._known:
            text = self._known.sub(lambda match: self._shown(self._folded.get(match[0].casefold(), REMOVED)), text)
        return EMAIL.sub(REMOVED, text)

    def _shown(self, number: str) -> str:
        return number if self.naming == "number" else REMOVED


def _is_name(name: str) -> bool:
    """Whether a name is one also within a text; a number such as 7 is none there."""
    return len(name) >= 3 and any(map(str.isalpha, name))


def _whole(names: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{names})(?!\w)", re.IGNORECASE)


def _holds(text: str, name: str) -> bool:
    return _is_name(name) and _whole(re.escape(name)).search(text) is not None


def _replace_texts(value: Any, change: Callable[[str], str], on_removed: Callable[[str], None]) -> Any:
    """A JSON value with every text and every key changed, without the fields of objects that may name a person."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_replace_texts(each, change, on_removed) for each in value]
    if not isinstance(value, Mapping):
        return value
    changed: dict[str, Any] = {}
    for key, each in value.items():
        if _PERSON_FIELD.fullmatch(key):
            on_removed(key)
            continue
        name = change(key)
        unique = (f"{name} {number}" if number > 1 else name for number in count(1))
        changed[next(key for key in unique if key not in changed)] = _replace_texts(each, change, on_removed)
    return changed
