"""The paper's tables from runs, made by hand."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from swift_plugins.fakexplain.annotation import Annotation, read_annotations
from swift_plugins.fakexplain.answer import PROBLEMS
from swift_plugins.fakexplain.frames import frame_rule
from swift_plugins.fakexplain.generators import GENERATORS
from swift_plugins.fakexplain.scoring.metrics.definitions import COMPARED, METRIC_NAMES
from swift_plugins.fakexplain.scoring.predictions.answers import read_predictions
from swift_plugins.fakexplain.scoring.results import Resampling
from swift_plugins.fakexplain.scoring.run import Run
from swift_plugins.fakexplain.scoring.score import build_system, score_systems
from swift_plugins.fakexplain.scoring.systems import main_runs
from swift_plugins.fakexplain.scoring.tables import paper as tables
from swift_plugins.fakexplain.scoring.tables.contents import all_tables, missing_tables
from swift_plugins.fakexplain.scoring.tables.render import RENDERINGS
from swift_plugins.fakexplain.scoring.tables.table import Estimate, Table
from swift_plugins.fakexplain.tags import TAGS
from tests.scoring import forty

GOLDEN = Path(__file__).parents[2] / "assets" / "tables"


def group(n: int, accuracy: float | None = None, iou: float | None = None, **more: Any) -> dict[str, Any]:
    return {"n": n, "accuracy": accuracy, "iou": iou, "intervals": {}, **more}


def result(**given: Any) -> dict[str, Any]:
    """The result of a system: the given values; all others are unknown."""
    tag = {
        "precision": None,
        "recall": None,
        "gold": 0,
        "predicted": 0,
        "accuracy_with": None,
        "accuracy_without": None,
    }
    return {
        "n": 100,
        "answered": 100,
        "fake": 50,
        "real": 50,
        "unreadable": 0,
        "missing": [],
        **dict.fromkeys(METRIC_NAMES),
        "intervals": {},
        "problems": dict.fromkeys(PROBLEMS, 0),
        "tags": {name: dict(tag) for name in TAGS},
        "generators": {},
        "families": {},
        "real_images": None,
        "folds": {},
        "over_folds": {},
        **given,
    }


def run(dataset: str = "FakeXplained", perturbation: str | None = None, **systems: dict[str, Any]) -> Run:
    settings = {"bootstrap": {"resamples": 2000, "seed": 0, "level": 0.95}}
    return Run(Path(dataset), dataset, "all", "full", perturbation, "a.jsonl", 100, settings, systems, [])


def column(table: Table | None, name: str) -> dict[str, Any]:
    """Row -> its cell in the column with this full name; in our column if the paper has one too."""
    assert table is not None
    index = [each.full_name for each in table.columns].index(name)
    return {row.name: row.cells[index] for row in table.rows}


def names(table: Table | None) -> list[str]:
    assert table is not None
    return [row.name for row in table.rows]


OURS = result(
    accuracy=0.9,
    iou=0.5,
    intervals={"accuracy": [0.85, 0.95], "iou": [0.4, 0.6]},
    generators={
        "Flow_3 & <b>": group(
            20, 0.95, 0.55, family="diffusion", intervals={"accuracy": [0.8, 1.0], "iou": [0.41, 0.69]}
        ),
        "ω|net": group(10, 0.7, None, family=None),
    },
    families={"diffusion": group(20, 0.95, 0.55)},
    real_images=group(50, 0.88),
)
NPR = result(accuracy=0.8, real_images=group(50, 0.0004))
COMPARISON = {
    "a": "NPR",
    "b": "7B",
    "figures": {
        **{figure: {"difference": None, "interval": None, "p": None} for figure in COMPARED},
        "accuracy": {"difference": -0.1, "interval": [-0.15, -0.05], "p": 0.0005},
        "f1": {"difference": 0.0125, "interval": None, "p": None},
    },
    "mcnemar": {"only_a": 2, "only_b": 12, "p": 0.01293},
}


@pytest.mark.parametrize("suffix", RENDERINGS)
@pytest.mark.parametrize("name", ["table1", "comparisons"])
def test_golden(name: str, suffix: str) -> None:
    main = run(**{"7B": OURS, "NPR": NPR})
    main.comparisons.append(COMPARISON)
    table = next(each for each in all_tables([main]) if each.name == name)
    assert RENDERINGS[suffix](table) == (GOLDEN / f"{name}{suffix}").read_text(encoding="utf-8")


def test_table1_has_all_of_the_papers_generators_if_one_is_ours() -> None:
    ours = {"BigGAN": group(4, 0.75, family="gan"), "NewGAN": group(2, 0.5, family="gan")}
    ours |= {"Emu": group(1, 1.0, family="autoregressive"), "Overall": group(1, 0.1, family=None)}
    families = {"gan": group(6, 4 / 6), "autoregressive": group(1, 1.0)}
    table = tables.table1([run(A=result(accuracy=0.6, generators=ours, families=families))])
    found = names(table)
    assert table and found.count("DiT") == 1 and found[-2:] == ["Real Images", "Overall"]
    extra = ["NewGAN", "Diffusion (all)", "GAN (all)", "DiT (all)", "Others (all)", "Emu", "autoregressive (all)"]
    assert [name for name in found[:-3] if name not in extra] == list(GENERATORS)
    assert found.index("NewGAN") == found.index("StyleGAN-XL") + 1 == found.index("GAN (all)") - 1
    assert column(table, "A / Acc.") | {"Overall": 0} == {
        **dict.fromkeys(found),
        **{"BigGAN": Estimate(0.75), "NewGAN": Estimate(0.5), "GAN (all)": Estimate(4 / 6)},
        **{"Emu": Estimate(1.0), "autoregressive (all)": Estimate(1.0), "Overall": 0},
    }
    paper = column(table, "FakeXplainer / Acc.")
    assert (paper["BigGAN"], paper["GAN (all)"], paper["NewGAN"], paper["Real Images"]) == (0.965, 0.955, None, 0.985)
    *_, stranger, real, overall = (
        table.rows
    )  # a generator with the name of one of the paper's rows gets none of its values
    assert (stranger.name, stranger.group, set(stranger.cells[1:])) == ("Overall", "No family", {None})
    assert (real.group, overall.group) == ("", "") and overall.cells[:2] == [Estimate(0.6), 0.982]


def test_table1_shows_families_of_images_without_a_generator() -> None:
    table = tables.table1([run(A=result(accuracy=0.6, families={"gan": group(6, 0.5), "dit": group(6, 0.25)}))])
    assert names(table) == ["GAN (all)", "DiT (all)", "Real Images", "Overall"]
    assert column(table, "FakeXplainer / Acc.")["GAN (all)"] == 0.955


def test_iou_is_left_out_if_a_system_has_none() -> None:
    table = tables.table1([run(**{"7B": OURS}), run(NPR=NPR)])
    assert table and [each.full_name for each in table.columns if not each.paper] == [
        "7B / Acc.",
        "7B / IoU",
        "NPR / Acc.",
    ]


def test_two_runs_on_one_data_set_with_the_same_system_name() -> None:
    first, second = run("Chameleon", A=NPR), run("chameleon", A=NPR, B=OURS)
    with pytest.raises(ValueError, match=r"^chameleon: systems: expected names that do not occur in Chameleon, .*'A'$"):
        all_tables([run(A=NPR), first, second])
    assert all_tables([run(A=NPR), first, run("chameleon", B=OURS)])


@pytest.mark.parametrize("builder", [tables.table2, tables.table4])
def test_our_systems_stand_above_the_papers(builder: Any) -> None:
    table = builder([run(**{"7B": OURS | {"bleu2": 0.25}, "NPR": NPR})])
    assert names(table)[:2] == ["7B", "NPR"] and not any(row.paper for row in table.rows[:2])
    assert table.rows[0].cells == [Estimate(0.9, 0.85, 0.95), Estimate(0.5, 0.4, 0.6), Estimate(0.25), Estimate(None)]
    assert all(row.paper for row in table.rows[2:]) and len(table.rows) == 2 + {"table2": 12, "table4": 11}[table.name]


def test_external_data_sets_are_matched_by_name() -> None:
    runs = [run(A=OURS), run("ff++", A=NPR), run("My set", A=OURS), run("GPT_image 1", B=NPR)]
    runs += [run("mmfr", A=NPR), run("MMFR dataset", B=OURS)]
    three, six = (next(each for each in all_tables(runs) if each.name == name) for name in ("table3", "table6"))
    assert names(three) == ["FakeClue", "Chameleon", "GPT-Image-1", "FaceForensics++", "MMFR-Dataset", "My set"]
    assert names(six) == ["GPT-Image-1", "FaceForensics++", "MMFR-Dataset", "My set"]
    a, b, interval = column(three, "A / Acc."), column(three, "B / Acc."), Estimate(0.9, 0.85, 0.95)
    assert list(a.values()) == [None, None, None, Estimate(0.8), Estimate(0.8), interval]
    assert list(b.values()) == [None, None, Estimate(0.8), None, interval, None]
    assert column(three, "NPR / Acc.")["FaceForensics++"] == 0.861 and column(three, "NPR / Acc.")["My set"] is None
    assert column(six, "label-only / Acc.")["MMFR-Dataset"] == 0.612


def test_table5_maps_perturbations() -> None:
    perturbed = ["down:0.5", "crop:0.5", "jpeg:80", "blur:1.5+jpeg:80", "crop:0.8"]
    runs = [run(A=OURS, C=OURS)] + [run(name, name, A=result(accuracy=0.1 * i)) for i, name in enumerate(perturbed)]
    table = next(each for each in all_tables(runs) if each.name == "table5")
    assert [(row.group, row.name, row.cells[0]) for row in table.rows] == [
        ("JPEG Compression (80% Quality)", "Acc.", Estimate(0.2)),
        ("JPEG Compression (80% Quality)", "IoU", Estimate(None)),
        ("JPEG Compression (30% Quality)", "Acc.", None),
        ("JPEG Compression (30% Quality)", "IoU", None),
        ("Random Cropping", "Acc.", Estimate(0.4)),
        ("Random Cropping", "IoU", Estimate(None)),
        ("Downsampling (0.5x)", "Acc.", Estimate(0.0)),
        ("Downsampling (0.5x)", "IoU", Estimate(None)),
        ("Original Images", "Acc.", Estimate(0.9, 0.85, 0.95)),
        ("Original Images", "IoU", Estimate(0.5, 0.4, 0.6)),
        ("crop:0.5", "Acc.", Estimate(0.1)),
        ("blur:1.5+jpeg:80", "Acc.", Estimate(0.1 * 3)),
    ]
    assert [each.full_name for each in table.columns[:2]] == ["A", "FakeXplainer"]  # C was not run on perturbed images
    assert table.rows[5].cells[1:5] == [0.314, 0.217, 0.176, 0.067]
    assert "ours is crop:0.8" in table.notes[-1]


def test_the_first_crop_stands_for_the_papers_if_its_own_is_missing() -> None:
    table = tables.table5({"crop:0.6": [run("x", "crop:0.6", A=NPR)]}, [])
    assert table and table.rows[4].cells[0] == Estimate(0.8) and "ours is crop:0.6" in table.notes[-1]


def test_table7() -> None:
    tags = OURS["tags"] | {
        "artistic_style": {"gold": 10, "accuracy_with": 0.9, "accuracy_without": 0.75},
        "texture_error": {"gold": 40, "accuracy_with": 1.0, "accuracy_without": None},
    }
    table = tables.table7([run(A=OURS | {"tags": tags}, B=NPR)])
    assert table and [len(row.cells) for row in table.rows] == [6] * 6  # B's images have no tags
    assert column(table, "A / Acc. on X")["Wrong Texture"] == 1.0
    assert [row.cells for row in table.rows if row.name == "Artistic Style"] == [[0.9, 0.75, 0.2, 1.0, 0.9795, 0.1218]]


def test_checkpoints_have_a_table_of_their_own() -> None:
    systems = {"7B": OURS, "7B-checkpoint-20": NPR, "7B-checkpoint-100": OURS, "SFT checkpoint-9": NPR}
    found = {table.name: table for table in all_tables([run(**systems)])}
    assert names(found["detection"]) == ["7B", "SFT checkpoint-9"]
    assert [(row.group, row.name) for row in found["training"].rows] == [("7B", "Step 20"), ("7B", "Step 100")]
    assert found["training"].rows[1].cells == [Estimate(0.9, 0.85, 0.95), Estimate(0.5, 0.4, 0.6)]
    only = {name: each for name, each in systems.items() if "7B-" in name}
    assert names(tables.table2([run(**only)]))[:2] == ["7B-checkpoint-20", "7B-checkpoint-100"]


def test_comparisons_of_checkpoints_are_left_out() -> None:
    systems = {"7B": OURS, "NPR": NPR, "7B-checkpoint-1": OURS, "7B-checkpoint-2": OURS}
    main = run(**systems)
    main.comparisons.extend([COMPARISON, COMPARISON | {"a": "7B-checkpoint-2"}, COMPARISON | {"b": "7B-checkpoint-1"}])
    found = {table.name: table for table in all_tables([main])}
    assert [(row.name, row.cells) for row in found["mcnemar"].rows] == [("NPR, 7B", [2, 12, 0.01293])]
    assert {row.group for row in found["comparisons"].rows} == {"NPR against 7B"}


def test_accuracy_has_a_column_even_without_values() -> None:
    table = tables.table1([run(A=result(n=0))])
    assert table and [each.name for each in table.columns if not each.paper] == ["Acc."]


def test_the_main_data_set_is_that_of_the_first_unperturbed_run() -> None:
    runs = [run("jpeg-80", "jpeg:80", C=NPR), run(A=OURS), run("Chameleon", A=NPR), run("fakexplained", B=NPR)]
    assert names(all_tables(runs)[0]) == ["A", "B"]
    assert [each.dataset for each in main_runs(runs)] == ["FakeXplained", "fakexplained"]


def test_without_values_of_ours_there_is_no_table() -> None:
    everything = ["Tables 1, 2, 4", "Tables 3, 6", "Table 5", "Table 7"]
    for runs in ([], [run()]):
        assert all_tables(runs) == []
        assert [sentence.split(":")[0] for sentence in missing_tables(runs)] == everything
    runs = [run("x", "jpeg:80", A=NPR)]
    assert [table.name for table in all_tables(runs)] == ["table5"]
    assert [sentence.split(":")[0] for sentence in missing_tables(runs)] == ["Tables 1, 2, 4", "Tables 3, 6", "Table 7"]
    runs = [run(A=NPR), run("Chameleon", A=NPR)]
    assert [sentence.split(":")[0] for sentence in missing_tables(runs)] == [
        "Table 1 by generator",
        "Table 5",
        "Table 7",
    ]


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Forty records and two systems, scored by the real command path."""
    folder = tmp_path_factory.mktemp("forty")
    annotations, predictions = forty.write(folder)

    def records() -> list[Annotation]:
        return list(read_annotations(annotations))

    systems = {name: build_system(read_predictions(predictions)) for name in ("ours", "again")}
    rule = frame_rule("fx_qwen2_5_vl", env={})
    found, comparisons = score_systems(records(), systems, rule, "full", resampling=Resampling(50))
    return Run(
        folder,
        "forty",
        "all",
        "full",
        None,
        "",
        40,
        {"bootstrap": {"resamples": 50, "level": 0.95}},
        found,
        comparisons,
    )


def test_tables_of_a_real_run(scored: Run) -> None:
    found = {table.name: table for table in all_tables([scored])}
    assert list(found) == [
        *("detection", "localisation", "explanation", "form", "table1", "table2", "table4", "table7"),
        *("tags", "folds", "comparisons", "mcnemar"),
    ]
    ours = scored.systems["ours"]
    overall = column(found["table1"], "ours / Acc.")["Overall"]
    assert overall == Estimate(0.775, *ours["intervals"]["accuracy"]) and overall.low < 0.775 < overall.high
    assert column(found["detection"], "Images") == {"ours": 40, "again": 40}
    assert column(found["localisation"], "Box F1")["ours"].value == pytest.approx(0.852, abs=5e-4)
    assert column(found["form"], "No answer") == {"ours": 2, "again": 2}
    assert column(found["form"], "Answers with / no_verdict") == {"ours": 1, "again": 1}
    assert found["mcnemar"].rows[0].cells == [0, 0, 1.0]
    assert [row.cells[0] for row in found["comparisons"].rows] == [Estimate(0.0, 0.0, 0.0)] * len(COMPARED)
    mean = ours["over_folds"]["accuracy"]["mean"]
    assert [row.cells[-2] for row in found["folds"].rows if row.name == "Accuracy"] == [mean, mean]
    total = found["tags"].rows[-1].cells
    assert total[0].value == ours["tag_precision"] and total[3] == sum(each["gold"] for each in ours["tags"].values())


def test_csv_has_the_values_of_the_run(scored: Run) -> None:
    """Every number of Table 1 and of the verdicts, unrounded."""
    detection, table1 = (next(t for t in all_tables([scored]) if t.name == n) for n in ("detection", "table1"))
    ours = scored.systems["ours"]
    line = next(csv.DictReader(io.StringIO(RENDERINGS[".csv"](detection))))
    assert float(line["F1"]) == ours["f1"] and float(line["AUROC low"]) == ours["intervals"]["auroc"][0]
    lines = {line["Generator"]: line for line in csv.DictReader(io.StringIO(RENDERINGS[".csv"](table1)))}
    for name, each in ours["generators"].items():
        assert float(lines[name]["ours / Acc."]) == each["accuracy"]
        assert float(lines[name]["ours / IoU high"]) == each["intervals"]["iou"][1]
    assert lines["BigGAN"]["ObjectFormer / IoU (paper)"] == "0.28" and lines["DDPM"]["ours / Acc."] == ""
