"""The six image-level tags of App. A.2: canonical names, words in an answer, and the paper's other names."""

from __future__ import annotations

import re

TAG_WORDS = {
    "perspective_error": "perspective error",
    "artistic_style": "artistic style",
    "unknown_object": "unknown object",
    "structure_attribute_error": "structure/attribute error",
    "texture_error": "texture error",
    "other_anomaly": "other anomaly",
}
"""Canonical tag -> the words an answer uses for it (App. A.2 says five tags and defines these six)."""


TAGS = tuple(TAG_WORDS)


_TAG_ALIASES = {
    "perspective error": "perspective_error",
    "perspective": "perspective_error",
    "artistic style": "artistic_style",
    "unknown object": "unknown_object",
    "unrecognizable object": "unknown_object",
    "unrecognisable object": "unknown_object",
    "structure attribute error": "structure_attribute_error",
    "structure error": "structure_attribute_error",
    "attribute error": "structure_attribute_error",
    "texture error": "texture_error",
    "wrong texture": "texture_error",
    "other anomaly": "other_anomaly",
}


def canonical_tag(name: str) -> str | None:
    """Return the canonical tag for any of the paper's names for it, or None.

    >>> [canonical_tag(name) for name in ("Wrong Texture", "Unrecognizable Objects", "structure/attribute error")]
    ['texture_error', 'unknown_object', 'structure_attribute_error']
    >>> canonical_tag("shiny") is None
    True
    """
    if name in TAG_WORDS:
        return name
    words = " ".join(re.findall(r"[a-z]+", name.lower()))
    words = re.sub(r"anomalies$", "anomaly", words)
    return _TAG_ALIASES.get(words) or _TAG_ALIASES.get(words.removesuffix("s"))
