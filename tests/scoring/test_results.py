"""Groups of a result by generator and family, and comparisons of systems."""

from __future__ import annotations

from pathlib import Path

import pytest

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.frames import frame_rule
from swift_plugins.fakexplain.scoring.metrics.definitions import COMPARED
from swift_plugins.fakexplain.scoring.predictions.labels import BaselinePrediction
from swift_plugins.fakexplain.scoring.results import Resampling
from swift_plugins.fakexplain.scoring.score import System, build_system, score_systems

RULE = frame_rule("fx_qwen2_5_vl", env={})


def image(index: int, label: str = "fake", **origin: str | int) -> Annotation:
    return Annotation(str(index), f"{index}.png", 8, 8, label, path=Path(f"{index}.png"), **origin)  # type: ignore[arg-type]


def says(records: list[Annotation], verdicts: str) -> System:
    """A system with one verdict per image: f, r, or - for none."""
    names = {"f": "fake", "r": "real", "-": None}
    return build_system(
        BaselinePrediction(str(Path.cwd() / record.image), names[verdict])
        for record, verdict in zip(records, verdicts, strict=True)
    )


def test_generators_are_called_as_in_table_1_and_bring_their_family():
    records = [
        image(0, generator="stabilityai/stable-diffusion-v1-5"),
        image(1, generator="SD 1.5", family="Diffusion"),
        image(2, generator="MyGAN", family="GAN"),
        image(3, generator="unheard of"),
        image(4, family="dit"),
        image(5),
        image(6, "real", generator="camera", family="camera"),
    ]
    results, _ = score_systems(records, {"a": says(records, "frffffr")}, RULE, resampling=Resampling(0))
    groups = {name: (each["family"], each["n"], each["accuracy"]) for name, each in results["a"]["generators"].items()}
    assert groups == {"MyGAN": ("gan", 1, 1.0), "SD 1.5": ("diffusion", 2, 0.5), "unheard of": (None, 1, 1.0)}
    families = {name: (each["n"], each["accuracy"]) for name, each in results["a"]["families"].items()}
    assert families == {"diffusion": (2, 0.5), "dit": (1, 1.0), "gan": (1, 1.0)}
    assert results["a"]["real_images"]["n"] == 1


def test_each_system_is_compared_with_those_before_it():
    records = [image(i, "fake" if i % 2 else "real", fold=i % 4) for i in range(12)]
    right = "rf" * 6
    systems = {"a": says(records, "f" * 12), "b": says(records, right), "c": says(records, "-" * 12)}
    results, comparisons = score_systems(records, systems, RULE, resampling=Resampling(50))
    assert [(each["a"], each["b"]) for each in comparisons] == [("b", "a"), ("c", "a"), ("c", "b")]
    first = comparisons[0]
    assert set(first["figures"]) == set(COMPARED)
    assert first["figures"]["accuracy"] == {"difference": 0.5, "interval": [0.5, 0.5], "p": pytest.approx(2 / 51)}
    assert first["figures"]["iou"] == {"difference": None, "interval": None, "p": None}
    assert first["mcnemar"] == {"only_a": 6, "only_b": 0, "p": 2 / 2**6}
    assert comparisons[2]["mcnemar"] == {"only_a": 0, "only_b": 12, "p": 2 / 2**12}
    # labels and folds are strata: as many fake images in every resample, and so the same accuracy
    assert results["a"]["intervals"]["accuracy"] == [0.5, 0.5]


def test_two_folds_are_enough_for_a_spread_and_one_is_not():
    records = [image(i, fold=i % 2) for i in range(4)]
    results, _ = score_systems(records, {"a": says(records, "frff")}, RULE, resampling=Resampling(0))
    assert {fold: each["accuracy"] for fold, each in results["a"]["folds"].items()} == {"0": 1.0, "1": 0.5}
    assert results["a"]["over_folds"]["accuracy"] == {"mean": 0.75, "std": pytest.approx(0.5**0.5 / 2)}
    alone = [image(i, fold=1) for i in range(4)]
    results, _ = score_systems(alone, {"a": says(alone, "frff")}, RULE, resampling=Resampling(0))
    assert (results["a"]["folds"], results["a"]["over_folds"]) == ({}, {})
