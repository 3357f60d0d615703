"""Fields with one item per region, such as `region_origins`: what drops a region drops its item too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PREFIX = "region_"
"""A field of this prefix that is a list as long as the regions has one item per region."""


def select_items(extra: Mapping[str, Any], count: int, kept: Sequence[int]) -> dict[str, Any]:
    """Fields of a record, with the items of its kept regions alone.

    Args:
        extra: the fields.
        count: number of regions before.
        kept: indices of those that are left; the same one may occur again.

    >>> select_items({"region_origins": ["new", "accepted"], "seed": 7}, 2, [1])
    {'region_origins': ['accepted'], 'seed': 7}
    """
    return {
        name: [value[index] for index in kept]
        if name.startswith(PREFIX) and isinstance(value, list) and len(value) == count
        else value
        for name, value in extra.items()
    }
