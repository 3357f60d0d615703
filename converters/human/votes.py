"""Votes of a study of preferences (Fig. 3): the export and the key become `votes.csv` and, if wanted, rows for DPO.

A row for `swift rlhf --rlhf_type dpo` has the preferred explanation of a pair as the answer and the other one as
`rejected_response`. Boxes are placeholders, so the rows serve every backbone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from swift_plugins.fakexplain.annotation import Annotation, parse_record
from swift_plugins.fakexplain.errors import NOTHING, DataError, Unquoted
from swift_plugins.fakexplain.json_values import require
from swift_plugins.fakexplain.jsonl import decode_line, read_lines
from swift_plugins.fakexplain.rows import to_row

from .exports import read_annotated, texts_of
from .pairs import PAIR_SIDES

COLUMNS_OF_VOTES = ("first", "second", "preferred", "image", "voter")
_NEUTRAL = "neutral"


class KeyLine(NamedTuple):
    """A line of the key, and its place for errors."""

    data: dict[str, Any]
    file: str
    line: int

    def system(self, side: str) -> str:
        """The name of the system on a side."""
        name: str = self.data[side]["system"]
        return name


class PairVote(NamedTuple):
    """A vote on a pair: `choice` is left, right or neutral; `voter` is a number in order of first appearance."""

    pair: str
    choice: str
    voter: str


def read_key(path: Path) -> dict[str, KeyLine]:
    """Read the key that `fakexplain label-studio compare` wrote: name of a pair -> its line.

    Raises:
        FileNotFoundError: no such file.
        DataError: a line is not of a key, or a pair occurs twice.
    """
    found: dict[str, KeyLine] = {}
    for number, raw in read_lines(path, "a key that `fakexplain label-studio compare` wrote"):
        try:
            line: Any = decode_line(raw)
            pair = require(line, "pair", str, "the name of a pair")
            require(line, "id", str, "the id of a record")
            for side in PAIR_SIDES:
                require(require(line, side, dict, "what is on this side"), "system", str, "the name of a system", side)
            if pair in found:
                raise DataError(f"each pair once (line {found[pair].line} has it too)", pair, field="pair")
        except DataError as error:
            raise error.at(str(path), number) from None
        found[pair] = KeyLine(line, str(path), number)
    if not found:
        raise DataError("at least one pair", Unquoted("an empty file")).at(str(path), 0)
    return found


def read_pair_votes(path: Path, key: Mapping[str, KeyLine]) -> Iterator[PairVote]:
    """Yield the votes of an export. Voters are numbered, because nobody needs their names (App. A.4).

    Raises:
        FileNotFoundError: no such file.
        DataError: not an export of these pairs, or a voter voted twice on one.
    """
    voters: dict[str, str] = {}
    seen: dict[tuple[str, str], str] = {}
    for each in read_annotated(path):
        try:
            pair = require(each.data, "pair", str, "the pair that `fakexplain label-studio compare` wrote", "data")
            if pair not in key:
                raise DataError("a pair of the key", pair, field="data.pair")
            chosen = texts_of(each.results).get("preference", [])
            if len(chosen) != 1 or chosen[0] not in (*PAIR_SIDES, _NEUTRAL):
                found = Unquoted(", ".join(chosen)) if chosen else NOTHING
                raise DataError(f"{', '.join(PAIR_SIDES)} or {_NEUTRAL}", found, field="preference")
            voter = voters.setdefault(each.annotator, f"v{len(voters) + 1:02}")
            if each.annotator and (earlier := seen.setdefault((pair, voter), each.at)) != each.at:
                raise DataError("one vote of each voter on a pair", Unquoted(f"another in {earlier}"))
        except DataError as error:
            error.field = f"{each.at}.{error.field}".rstrip(".")
            raise error.at(str(path), 0) from None
        yield PairVote(pair, chosen[0], voter if each.annotator else "")


def vote_rows(votes: Iterable[PairVote], key: Mapping[str, KeyLine]) -> Iterator[tuple[str, ...]]:
    """Rows of the table that `fakexplain report --votes` reads; `first` was on the left."""
    for vote in votes:
        line = key[vote.pair]
        preferred = _NEUTRAL if vote.choice == _NEUTRAL else line.system(vote.choice)
        yield line.system("left"), line.system("right"), preferred, line.data["id"], vote.voter


class DpoCounts(NamedTuple):
    """Numbers of pairs: with a row; without a majority; with a side that no record could hold; alike but for boxes."""

    rows: int
    undecided: int
    unusable: int
    alike: int


def dpo_rows(votes: Iterable[PairVote], key: Mapping[str, KeyLine]) -> tuple[list[dict[str, Any]], DpoCounts]:
    """Rows for DPO, one per pair that most non-neutral votes decide, in the order of the key.

    ms-swift refuses a row whose two answers differ in their boxes alone, so such pairs are left out and counted.
    """
    counts: dict[str, Counter[str]] = {}
    for vote in votes:
        counts.setdefault(vote.pair, Counter())[vote.choice] += 1
    rows: list[dict[str, Any]] = []
    undecided = unusable = alike = 0
    for pair, line in key.items():
        if pair not in counts:
            continue
        left, right = (counts[pair][side] for side in PAIR_SIDES)
        if left == right:
            undecided += 1
            continue
        chosen, rejected = PAIR_SIDES if left > right else PAIR_SIDES[::-1]
        try:
            row = _dpo_row(_record(line, chosen), _record(line, rejected))
        except DataError:
            unusable += 1
            continue
        if row["rejected_response"] == row["messages"][-1]["content"]:
            alike += 1
        else:
            rows.append(row)
    return rows, DpoCounts(len(rows), undecided, unusable, alike)


def _record(line: KeyLine, side: str) -> Annotation:
    """The explanation on a side as a record of the image.

    Raises:
        DataError: no record can hold it: an answer without a verdict, or a caption with markup.
    """
    image = {name: line.data.get(name) for name in ("id", "image", "width", "height")}
    own = {name: line.data[side].get(name) for name in ("label", "regions", "tags")}
    return parse_record(image | own, folder=Path(line.file).parent, file=line.file, line=line.line)


def _dpo_row(chosen: Annotation, rejected: Annotation) -> dict[str, Any]:
    row, other = to_row(chosen), to_row(rejected)
    return {
        "messages": row["messages"],
        "rejected_response": other["messages"][-1]["content"],
        "images": [str(chosen.path.absolute())],
        "objects": row["objects"],
        "rejected_objects": other["objects"],
    }
