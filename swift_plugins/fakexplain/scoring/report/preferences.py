"""The votes of Fig. 3 as a table: every pair of systems with its share, interval and exact sign test."""

from __future__ import annotations

from itertools import combinations

from ..plots.votes import Votes
from ..tables.published import HUMANS_PREFERRED
from ..tables.table import Column, Estimate, Row, Table


def tabulate_preferences(votes: Votes) -> Table:
    """Build the table of preferences: a row per pair of systems that were compared."""
    rows = []
    for pair in combinations(votes.systems, 2):
        if (tally := votes.pairs.get(pair)) is None:
            continue
        low, high = tally.interval() or (None, None)
        share = Estimate(tally.share, low, high)
        rows.append(Row(" over ".join(pair), [tally.preferred, tally.against, tally.neutral, share, tally.p]))
    columns = [
        *map(Column, ("For the first", "For the second", "Neutral")),
        Column("Share for the first", percent=True),
        Column("p", digits=4),
    ]
    notes = [
        "Share of the non-neutral votes, with Wilson's 95 % interval. p: exact sign test, two-sided, not corrected for "
        "the number of pairs. Votes of one person or on one image are not independent, so both are optimistic.",
        f"The paper: {HUMANS_PREFERRED:.1%} prefer Humans over FakeXplainer.",
    ]
    return Table("preferences", "Human preference (Fig. 3), tested", columns, rows, notes, "Pair")
