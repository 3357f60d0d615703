"""Variants: the parts that an answer has (Table 4, partial data)."""

from __future__ import annotations

from typing import NamedTuple


class Variant(NamedTuple):
    """The parts of an answer besides its verdict."""

    name: str
    boxes: bool = True
    captions: bool = True
    tags: bool = True

    @property
    def regions(self) -> bool:
        """Whether the answer names regions at all, by box or by caption."""
        return self.boxes or self.captions


_ALL = (
    Variant("full"),
    Variant("no_bbox", boxes=False),
    Variant("no_caption", captions=False),
    Variant("no_tags", tags=False),
    Variant("label_only", boxes=False, captions=False, tags=False),
)
_BY_NAME = {variant.name: variant for variant in _ALL}
VARIANTS = tuple(_BY_NAME)
"""Names of the variants."""


def variant_named(name: str) -> Variant:
    """Return the variant of a name.

    Raises:
        ValueError: no such variant.

    >>> variant_named("no_bbox")
    Variant(name='no_bbox', boxes=False, captions=True, tags=True)
    """
    try:
        return _BY_NAME[name]
    except KeyError:
        raise ValueError(f"variant: expected one of {', '.join(VARIANTS)}, found {name!r}") from None
