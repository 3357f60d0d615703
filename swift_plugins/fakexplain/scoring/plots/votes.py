"""Read and count votes of people who compared two systems' answers to one image (Fig. 3, §5.2).

The input is a table in UTF-8 with one vote per row: `first` and `second` name the two systems shown, in any order, and
`preferred` is one of them or `neutral`. `image` and `voter` are optional. Annotations are a system like any other; the
paper calls this system "Humans".

    first,second,preferred,image,voter
    Humans,FakeXplainer,Humans,images/flux-0001.png,v07
    LEGION,Humans,neutral,images/flux-0001.png,v07

Shares are shares of the non-neutral votes, as in the paper: "We received 1,525 non-neutral preference
votes".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ...csv_files import read_csv
from ...errors import NOTHING, DataError, Unquoted
from ..metrics.bootstrap import Interval, wilson_interval

NEUTRAL = "neutral"
VOTE_COLUMNS = ("first", "second", "preferred")
OPTIONAL = ("image", "voter")

Pair = tuple[str, str]
"""Two systems; votes count as the first over the second."""


class Vote(NamedTuple):
    """One vote; `preferred` is one of the two, or None if it is neutral. A missing image or voter is ''."""

    first: str
    second: str
    preferred: str | None
    image: str = ""
    voter: str = ""


class Tally(NamedTuple):
    """Votes on an ordered pair.

    Attributes:
        preferred: votes for its first system.
        against: votes for its second system.
        neutral: votes for neither.

    >>> tally = Tally(preferred=3, against=1, neutral=2)
    >>> tally.votes, tally.share
    (4, 0.75)
    >>> tally.interval()
    Interval(low=0.30064184258240184, high=0.9544127391902995)
    >>> tally.p  # 2 · (1 + 4) / 2⁴
    0.625
    """

    preferred: int
    against: int
    neutral: int

    @property
    def votes(self) -> int:
        """Number of non-neutral votes."""
        return self.preferred + self.against

    @property
    def share(self) -> float | None:
        """Share of the non-neutral votes that prefer the first system; None without votes."""
        return self.preferred / self.votes if self.votes else None

    def interval(self, level: float = 0.95) -> Interval | None:
        """Wilson's score interval of the share, as if votes were independent; None without votes.

        Votes of one person or on one image are not independent, so the interval is somewhat too narrow.
        """
        return wilson_interval(self.preferred, self.votes, level) if self.votes else None

    @property
    def p(self) -> float | None:
        """P-value of the exact sign test, two-sided, of no preference; None without votes.

        If neither system is preferred, each non-neutral vote is for either with probability 1/2. Votes count as
        independent, as for the interval.
        """
        from scipy.stats import binomtest

        return float(binomtest(self.preferred, self.votes).pvalue) if self.votes else None

    def reversed(self) -> Tally:
        """The same votes for the pair in the opposite order."""
        return Tally(self.against, self.preferred, self.neutral)


@dataclass(frozen=True)
class Votes:
    """Counted votes.

    Attributes:
        systems: names, in the order of their first appearance in the file.
        pairs: each pair with votes, in both orders -> its votes.
        images: image -> the same for the votes on this image (Fig. 9: "The center bar indicates the proportion of human
            preference votes"), without votes that name no image.
    """

    systems: tuple[str, ...]
    pairs: Mapping[Pair, Tally]
    images: Mapping[str, Mapping[Pair, Tally]] = field(default_factory=dict)


def count_votes(votes: Iterable[Vote]) -> Votes:
    """Count votes per pair, over all images and per image.

    >>> counted = count_votes([Vote("Humans", "LEGION", "Humans"), Vote("LEGION", "Humans", None)])
    >>> counted.pairs["Humans", "LEGION"]
    Tally(preferred=1, against=0, neutral=1)
    """
    systems: dict[str, None] = {}
    pairs: dict[Pair, Tally] = {}
    images: dict[str, dict[Pair, Tally]] = {}
    for first, second, preferred, image, _ in votes:
        systems |= {first: None, second: None}
        for counted in (pairs, images.setdefault(image, {})) if image else (pairs,):
            a, b, neutral = counted.get((first, second), Tally(0, 0, 0))
            tally = Tally(a + (preferred == first), b + (preferred == second), neutral + (preferred is None))
            counted[first, second], counted[second, first] = tally, tally.reversed()
    return Votes(tuple(systems), pairs, images)


def read_votes(path: str | Path) -> Votes:
    """Read and count the votes of a table.

    Args:
        path: CSV in UTF-8 with the names of columns in its first row; separated by commas, semicolons or tabs,
            whichever is most frequent in the first row. Other columns than `first`, `second`, `preferred`, `image`
            and `voter` are skipped.

    Raises:
        FileNotFoundError: no such file.
        DataError (a ValueError): a column is missing, a cell is invalid, a voter votes twice on one pair and image,
            or there is no row.
    """
    return count_votes(_read(Path(path)))


def _read(path: Path) -> Iterator[Vote]:
    rows = read_csv(path, "a CSV file of votes", "vote")
    line, head = next(rows)
    seen: dict[tuple[str, ...], int] = {}
    try:
        names = [name.strip().lower() for name in head]
        _check_text(names, names)
        places = _places(names)
        for line, row in rows:
            _check_text(row, names)
            vote = _vote({name: row[place].strip() for name, place in places.items()})
            if vote.image and vote.voter:
                key = (vote.voter, vote.image, *sorted((vote.first, vote.second)))
                earlier = seen.setdefault(key, line)
                if earlier != line:
                    found = Unquoted(f"another vote of {vote.voter!r} in line {earlier}")
                    raise DataError("one vote per voter, pair of systems and image", found)
            yield vote
    except DataError as error:
        raise error.at(str(path), error.line or line) from None


def _places(names: Sequence[str]) -> dict[str, int]:
    """Index of each column."""
    for name in (*VOTE_COLUMNS, *OPTIONAL):
        if names.count(name) > 1 or (name in VOTE_COLUMNS and name not in names):
            found = Unquoted(f"{names.count(name)} named {name!r} among {', '.join(names)}") if names else NOTHING
            raise DataError(f"columns {', '.join(VOTE_COLUMNS)}, each once", found)
    return {name: names.index(name) for name in (*VOTE_COLUMNS, *OPTIONAL) if name in names}


def _check_text(row: Sequence[str], names: Sequence[str]) -> None:
    for name, cell in zip(names, row, strict=True):
        try:
            cell.encode()
        except UnicodeEncodeError as error:
            found = Unquoted(f"byte {ord(cell[error.start]) - 0xDC00:#04x}")
            where = _column(name) if name.isprintable() else ""
            raise DataError("UTF-8 text", found, field=where) from None


def _column(name: str) -> str:
    return f"column {name!r}"


def _vote(cells: Mapping[str, str]) -> Vote:
    first, second, preferred = (cells[name] for name in VOTE_COLUMNS)
    for name in VOTE_COLUMNS[:2]:
        if not cells[name] or not cells[name].isprintable() or cells[name].lower() == NEUTRAL:
            raise DataError("the name of a system, on one line", cells[name], field=_column(name))
    if first == second:
        raise DataError("a system other than the first", second, field=_column("second"))
    if preferred.lower() == NEUTRAL:
        return Vote(first, second, None, cells.get("image", ""), cells.get("voter", ""))
    if preferred not in (first, second):
        raise DataError(f"{first!r}, {second!r} or {NEUTRAL}", preferred, field=_column("preferred"))
    return Vote(first, second, preferred, cells.get("image", ""), cells.get("voter", ""))
