"""Shares written as percentages."""

from __future__ import annotations


def percent(share: float | None, digits: int = 1) -> str:
    """A share as text.

    Args:
        share: in [0, 1], or None if it is undefined.
        digits: decimals of the percentage.

    >>> percent(0.98234), percent(0.4235, 2), percent(None)
    ('98.2 %', '42.35 %', '—')
    """
    return "—" if share is None else f"{100 * share:.{digits}f} %"
