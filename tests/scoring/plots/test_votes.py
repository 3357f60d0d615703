"""Votes by hand, and Wilson's interval by its formula."""

from __future__ import annotations

from math import comb, sqrt
from pathlib import Path

import pytest

from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.scoring.plots.votes import Tally, Vote, count_votes, read_votes

TABLE = """\
first,second,preferred,image,voter
Humans,FakeXplainer,Humans,a.png,v1
FakeXplainer,Humans,Humans,a.png,v2
Humans,FakeXplainer,FakeXplainer,a.png,v3
Humans,FakeXplainer,neutral,b.png,v1
LEGION,Humans,Humans,b.png,v1
FakeXplainer,Humans,FakeXplainer,,v1
Humans,FakeXplainer,Neutral,,v1
"""


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "votes.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def wilson(k: int, n: int, z: float = 1.959963984540054) -> tuple[float, float]:
    p = k / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return middle - half, middle + half


def test_counts(tmp_path: Path) -> None:
    votes = read_votes(written(tmp_path, TABLE))
    assert votes.systems == ("Humans", "FakeXplainer", "LEGION")
    # Humans over FakeXplainer: lines 2, 3 for it; 4, 7 against; 5, 8 neutral
    assert votes.pairs == {
        ("Humans", "FakeXplainer"): Tally(2, 2, 2),
        ("FakeXplainer", "Humans"): Tally(2, 2, 2),
        ("LEGION", "Humans"): Tally(0, 1, 0),
        ("Humans", "LEGION"): Tally(1, 0, 0),
    }
    assert votes.images == {
        "a.png": {("Humans", "FakeXplainer"): Tally(2, 1, 0), ("FakeXplainer", "Humans"): Tally(1, 2, 0)},
        "b.png": {
            ("Humans", "FakeXplainer"): Tally(0, 0, 1),
            ("FakeXplainer", "Humans"): Tally(0, 0, 1),
            ("LEGION", "Humans"): Tally(0, 1, 0),
            ("Humans", "LEGION"): Tally(1, 0, 0),
        },
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_notations_of_a_table(tmp_path: Path, delimiter: str, end: str, encoding: str) -> None:
    text = TABLE.replace(",", delimiter).replace("\n", end).replace("LEGION", '"LEGIÓN"')
    votes = read_votes(written(tmp_path, (text + end).encode(encoding)))
    assert votes.pairs["LEGIÓN", "Humans"] == Tally(0, 1, 0)
    assert votes.pairs["Humans", "FakeXplainer"] == Tally(2, 2, 2)


def test_columns_in_any_order_others_not_read(tmp_path: Path) -> None:
    votes = read_votes(written(tmp_path, 'Preferred,time, second ,first\nb,"1, 2", a , b \n'))
    assert votes.pairs == {("b", "a"): Tally(1, 0, 0), ("a", "b"): Tally(0, 1, 0)}
    assert votes.images == {}


@pytest.mark.parametrize("k, n", [(1, 4), (0, 3), (3, 3), (807, 1525)])
def test_interval_is_wilsons(k: int, n: int) -> None:
    assert Tally(k, n - k, 5).interval() == pytest.approx(wilson(k, n), abs=1e-9)


@pytest.mark.parametrize("k, n", [(1, 4), (0, 3), (3, 3), (5, 5), (7, 20), (20, 27)])
def test_the_sign_test_counts_outcomes_at_least_as_uneven(k: int, n: int) -> None:
    as_uneven = sum(comb(n, i) for i in range(n + 1) if abs(2 * i - n) >= abs(2 * k - n))
    assert Tally(k, n - k, 9).p == pytest.approx(as_uneven / 2**n)
    assert Tally(0, 0, 9).p is None


def test_share_leaves_neutral_votes_out() -> None:
    tally = Tally(preferred=3, against=1, neutral=96)
    assert (tally.share, tally.votes, tally.reversed()) == (0.75, 4, Tally(1, 3, 96))


def test_nothing_but_neutral_votes() -> None:
    tally = count_votes([Vote("a", "b", None)]).pairs["a", "b"]
    assert (tally.share, tally.votes, tally.interval()) == (None, 0, None)


def test_no_votes_at_all() -> None:
    assert count_votes([]).pairs == {}


HEAD = "first,second,preferred,image,voter\n"


@pytest.mark.parametrize(
    "text, message",
    [
        ("", ": expected columns first, second, preferred, each once, found nothing"),
        (HEAD, ":1: expected at least one vote, found none"),
        (HEAD + "\n,,,,\n", ":3: expected at least one vote, found none"),
        ("first,second\na,b\n", ":1: expected columns first, second, preferred, each once, found 0 named 'preferred'"),
        ("first,second,preferred,First\n", ":1: expected columns first, second, preferred, each once, found 2 named"),
        (HEAD + "a,b,c,,\n", ":2: column 'preferred': expected 'a', 'b' or neutral, found 'c'"),
        (HEAD + "a,b,,,\n", ":2: column 'preferred': expected 'a', 'b' or neutral, found ''"),
        (HEAD + "a,b,A,,\n", ":2: column 'preferred': expected 'a', 'b' or neutral, found 'A'"),
        (HEAD + "\na,a,a,,\n", ":3: column 'second': expected a system other than the first, found 'a'"),
        (HEAD + ",b,b,,\n", ":2: column 'first': expected the name of a system, on one line, found ''"),
        (HEAD + "a,Neutral,a,,\n", ":2: column 'second': expected the name of a system, on one line, found 'Neutral'"),
        (HEAD + '"a\nc",b,b,,\n', ":3: column 'first': expected the name of a system, on one line, found 'a\\nc'"),
        (HEAD + "a,b,a,x\n", ":2: expected 5 cells, as the first row has, found 4"),
        (HEAD + "a,b,a,x,y,z\n", ":2: expected 5 cells, as the first row has, found 6"),
        (HEAD + 'a,b,"a"x,,\n', ":2: expected CSV, found "),
        (
            HEAD + "a,b,a,x,v\na,c,a,x,v\nb,a,b,x,v\n",
            ":4: expected one vote per voter, pair of systems and image, found another vote of 'v' in line 2",
        ),
        (HEAD.encode() + b"a,b,\xe9,,\n", ":2: column 'preferred': expected UTF-8 text, found byte 0xe9"),
        (HEAD.encode("utf-16"), ":1: expected UTF-8 text, found byte 0xff"),
    ],
)
def test_errors_say_where(tmp_path: Path, text: str | bytes, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(DataError) as error:
        read_votes(path)
    assert str(error.value).startswith(f"{path}{message}")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.csv: expected a CSV file of votes, found no such file"):
        read_votes(tmp_path / "none.csv")
    with pytest.raises(FileNotFoundError, match="found a folder"):
        read_votes(tmp_path)


def test_a_voter_may_vote_on_other_images_and_pairs(tmp_path: Path) -> None:
    rows = "a,b,a,x,v\na,b,a,y,v\na,c,a,x,v\na,b,a,x,w\na,b,a,,v\na,b,a,,v\na,b,a,x,\na,b,a,x,\n"
    assert read_votes(written(tmp_path, HEAD + rows)).pairs["a", "b"] == Tally(7, 0, 0)
