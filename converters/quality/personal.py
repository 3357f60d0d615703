"""Personal information in texts (App. A.4): "We explicitly ask the annotators not to leave any personal or sensitive
information in annotations."

Fixed patterns find e-mail addresses, handles (@name) and telephone numbers; names of annotators are known from the
records themselves. Nothing else that is personal is found, so people still have to read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

EMAIL = re.compile(r"[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,4}[A-Za-z]{2,24}(?![\w@])")
_HANDLE = re.compile(r"(?<![\w.@/])@[A-Za-z_][\w.]{1,29}(?!\S*@)")
_PHONE = re.compile(  # with a country's or an area's prefix, or as 555-123-4567
    r"(?<![\w.,:/#-])(?:(?:\+|\(?0(?!\.))(?:[ ./()–-]{0,2}\d){7,14}|(?:1[ .-])?\(?\d{3}\)?[ .-]{1,2}\d{3}[ .-]\d{4})"
    r"(?![\w:/-]|[.,]\d)"
)
_DATE = re.compile(r"\d{1,4}[-./ ]\d{1,2}[-./ ]\d{1,4}")
_SHORTEST_NAME = 3  # letters
_PERSON = re.compile(r"[^\W\d_]+(?:[ ._'’-]+[^\W\d_]+)*")

PERSONAL = ("e-mail", "handle", "phone", "name")
"""Kinds of personal information, as rules of `lint`."""


def find_personal(text: str, names: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """Yield the kind and the words of each piece of personal information in a text.

    Args:
        text: a caption, or another text that people wrote.
        names: of annotators, as `words_of_names` gives them.

    >>> [*find_personal("Ask Anna (anna@example.org, @anna_b, +49 30 1234567).", {"anna"})]
    [('e-mail', 'anna@example.org'), ('handle', '@anna_b'), ('phone', '+49 30 1234567'), ('name', 'Anna')]
    >>> [*find_personal("Clock face reading 10:11, number plate 123 456, sign of 2024-01-13.", {"anna"})]
    []
    """
    rest = text
    for kind, pattern in (("e-mail", EMAIL), ("handle", _HANDLE), ("phone", _PHONE)):
        for match in pattern.finditer(rest):
            if kind != "phone" or not _DATE.fullmatch(match[0]):
                yield kind, match[0]
        rest = pattern.sub(lambda match: " " * len(match[0]), rest)
    for match in re.finditer(r"[^\W\d_]+", rest) if names else ():
        if match[0].casefold() in names:
            yield "name", match[0]


def words_of_names(annotators: Iterable[str | None]) -> frozenset[str]:
    """The words of annotators' names, in lower case; numbers such as a01 have none.

    >>> sorted(words_of_names(["Anna Schmidt", "bob.jones@example.org", "a01", "7", None]))
    ['anna', 'bob', 'jones', 'schmidt']
    """
    persons = ((name or "").partition("@")[0] for name in annotators)
    words = (word for person in persons if _PERSON.fullmatch(person) for word in re.split(r"[^\w]|_", person))
    return frozenset(word.casefold() for word in words if len(word) >= _SHORTEST_NAME)


def free_texts(fields: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, str]]:
    """Yield the texts in fields, however deep, each with the path to it.

    >>> [*free_texts({"seed": 7, "notes": [{"by": "x y"}]})]
    [('notes[0].by', 'x y')]
    """
    for name, value in fields.items():
        yield from _texts(value, f"{at}.{name}" if at else name)


def _texts(value: object, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict):
        yield from free_texts(value, at)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _texts(each, f"{at}[{index}]")
