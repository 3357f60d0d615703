"""Markup: text that a chat template, ms-swift, a tokenizer or the reader of answers reads as more than words."""

from __future__ import annotations

import re

from .backbones import BACKBONES, OTHER_SPECIAL_TOKENS

_SPECIAL_TOKENS = {token for row in BACKBONES.values() for token in row.special_tokens} | {*OTHER_SPECIAL_TOKENS}
_NAMES = "|".join(sorted(re.escape(token[1:-1]) for token in _SPECIAL_TOKENS if token.startswith("<")))
_OTHERS = "|".join(sorted(re.escape(token) for token in _SPECIAL_TOKENS if not token.startswith("<")))
MARKUP = re.compile(
    r"<(?:\|[^|<>]*\||(?=[a-z/])(?:/?(?:think|tag|verdict|ref|box|img|quad|poly)"
    rf"|bbox|image|video|audio|ref-object|cot-process|start-image|{_NAMES}))>|{_OTHERS}",
    re.IGNORECASE,
)
"""Finds the first markup of a text, in one pass."""
