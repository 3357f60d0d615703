"""The paper's values: complete, and equal where two tables print the same value."""

from __future__ import annotations

import pytest

from swift_plugins.fakexplain.generators import GENERATORS
from swift_plugins.fakexplain.scoring.tables import published as paper
from swift_plugins.fakexplain.scoring.tables.published import all_of, paper_table
from swift_plugins.fakexplain.tags import TAGS, canonical_tag

FAMILIES = {"diffusion": "Diffusion", "gan": "GAN", "dit": "DiT", "other": "Others"}


@pytest.mark.parametrize(
    "number, rows, columns, values, dashes, total",
    [
        (1, 33, 10, 33 * 13, 3, 331.429),  # 27 generators, 4 families, real, overall; no IoU on real images
        (2, 12, 1, 12 * 4, 4, 13.305),  # 5 backbones twice, 2 others; no IoU of Ovis2.5 and MiMo-VL
        (3, 5, 11, 55, 0, 34.698),
        (4, 11, 1, 11 * 4, 6, 15.725),  # no-bbox: IoU; no-caption: both texts; label-only: all three
        (5, 5, 11, 5 * 16, 0, 51.852),  # IoU of five detectors
        (6, 3, 9, 27, 0, 19.613),
        (7, 6, 1, 6 * 3, 0, 13.2134),
    ],
)
def test_tables_are_complete(number: int, rows: int, columns: int, values: int, dashes: int, total: float) -> None:
    """The totals were added up from the paper's text, row by row, not from these files."""
    table = paper_table(number)
    assert (len(table.rows), len(table.columns), len(table.values)) == (rows, columns, values)
    assert {(row, name, metric) for row in table.rows for name, of in table.columns.items() for metric in of} == set(
        table.values
    )
    assert sum(value is None for value in table.values.values()) == dashes
    assert all(value is None or 0 < value <= 1 for value in table.values.values())
    assert sum(filter(None, table.values.values())) == pytest.approx(total, abs=1e-9)


def test_table1_has_the_generators_in_order() -> None:
    rows = paper_table(1).rows
    families = {all_of(name): name for name in FAMILIES.values()}
    assert [row for row in rows if row not in families][:-2] == list(GENERATORS)
    assert list(rows)[-2:] == ["Real Images", "Overall"]
    assert {row: rows[row] for row in families} == families
    assert all(rows[name] == FAMILIES[family] for name, family in GENERATORS.items())


@pytest.mark.parametrize(
    "name, metric", [(name, metric) for name, metrics in paper_table(1).columns.items() for metric in metrics]
)
def test_families_and_overall_lie_between_their_members(name: str, metric: str) -> None:
    """A weighted mean lies between its members; the overall accuracy also counts real images."""
    table = paper_table(1)
    values = {row: table.values[row, name, metric] for row in table.rows}
    for family in FAMILIES.values():
        members = [values[row] for row, of in table.rows.items() if of == family and row != all_of(family)]
        assert min(members) <= values[all_of(family)] <= max(members)
    parts = [*map(all_of, FAMILIES.values()), *(["Real Images"] if metric == "Acc." else [])]
    highest = max(values[part] for part in parts)
    if (name, metric) == ("FakeXplainer", "IoU"):  # 0.360 (also in Tables 2, 4, 5) is above that of every family
        assert (values["Overall"], highest) == (0.360, 0.356)
    else:
        assert min(values[part] for part in parts) <= values["Overall"] <= highest


@pytest.mark.parametrize(
    "number, key, value",
    [
        (1, ("DALL-E 2", "FakeXplainer", "Acc."), 0.986),
        (1, ("LlamaGen", "FakeVLM", "Acc."), 0.867),
        (1, ("LlamaGen", "ObjectFormer", "IoU"), 0.429),
        (1, ("GALIP", "AfPr", "Acc."), 0.353),
        (1, ("StyleGAN-XL", "ComFor", "Acc."), 0.980),
        (1, ("DiT", "SegFormer", "Acc."), 0.942),
        (1, ("DiT (all)", "SegFormer", "Acc."), 0.945),
        (1, ("Real Images", "FakeXplainer", "IoU"), None),
        (1, ("Overall", "AEROB", "Acc."), 0.873),
        (2, ("InternVL3-14B, untuned", "", "IoU"), 0.043),
        (2, ("InternVL3-14B, fine-tuned", "", "IoU"), 0.289),
        (2, ("MiMo-VL-7B-RL, fine-tuned", "", "ROUGE-L"), 0.239),
        (2, ("LEGION", "", "BLEU-2"), 0.072),
        (3, ("FakeClue", "AEROB", "Acc."), 0.239),
        (3, ("MMFR-Dataset", "AfPr", "Acc."), 0.786),
        (4, ("GRPO ω_G=0.5", "", "IoU"), 0.223),
        (4, ("no-caption", "", "BLEU-2"), None),
        (4, ("no-bbox", "", "BLEU-2"), 0.164),
        (5, ("JPEG Compression (30% Quality)", "SegFormer", "IoU"), 0.198),
        (5, ("Random Cropping", "NPR", "Acc."), 0.903),
        (5, ("Downsampling (0.5x)", "LEGION", "Acc."), 0.591),
        (6, ("FaceForensics++", "GRPO ω_G=0.5", "Acc."), 0.832),
        (7, ("Other Anomalies", "FakeXplainer-32B", "Acc. on X"), 0.9408),
        (7, ("Perspective Errors", "FakeXplainer-32B", "Samples"), 0.0116),
    ],
)
def test_values(number: int, key: tuple[str, str, str], value: float | None) -> None:
    assert paper_table(number).values[key] == value


def test_values_printed_in_two_tables_are_equal() -> None:
    one, two, three, four, five, six = (paper_table(number).values for number in range(1, 7))
    tuned, untuned = "Qwen-2.5-VL-32B, fine-tuned", "Qwen-2.5-VL-32B, untuned"
    for metric in ("Acc.", "IoU", "BLEU-2", "ROUGE-L"):
        assert two[tuned, "", metric] == four["FakeXplainer 32B", "", metric]
        assert two[untuned, "", metric] == four["No-FT 32B", "", metric]
    original = {(name, metric): value for (row, name, metric), value in five.items() if row == "Original Images"}
    twice = {(name, metric): value for (row, name, metric), value in one.items() if row == "Overall"} | {
        (name, metric): value for (name, _, metric), value in two.items() if name in ("FakeShield", "LEGION")
    }
    assert {key: twice[key] for key in original} == original and len(original) == 16
    assert twice["FakeXplainer", "IoU"] == two[tuned, "", "IoU"]
    for row in paper_table(6).rows:
        assert six[row, "FakeXplainer", "Acc."] == three[row, "FakeXplainer", "Acc."]
    assert list(paper_table(6).rows) == list(paper_table(3).rows)[2:]
    assert list(paper_table(3).columns) == [*list(paper_table(1).columns)[:-1], "FakeShield", "LEGION"]
    assert set(paper_table(5).columns) == set(paper_table(3).columns)


def test_table7_has_the_six_tags() -> None:
    assert sorted(map(canonical_tag, paper_table(7).rows)) == sorted(TAGS)


def test_votes() -> None:
    assert (paper.HUMANS_PREFERRED, paper.VOTES) == (0.529, 1525)


@pytest.mark.parametrize("number", [0, 8, -1])
def test_no_such_table(number: int) -> None:
    with pytest.raises(ValueError, match=f"^table: expected 1 to 7, found {number}$"):
        paper_table(number)


def test_tables_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        paper_table(1).values["Overall", "NPR", "Acc."] = 1.0  # type: ignore[index]
