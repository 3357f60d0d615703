"""Build the paper's Tables 1 to 7 from runs, with the paper's values beside ours.

A function returns None if the runs have no data for its table. Our values come from the runs, as `fakexplain score`
computed them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...generators import FAMILIES, GENERATORS
from ...tags import canonical_tag
from ..flips import Flips
from ..metrics.definitions import METRICS
from ..systems import Result, name_key, systems_of, without_checkpoints
from .ours import estimate, interval_notes
from .published import ACC, IOU, SAMPLES, WITH, WITHOUT, all_of, paper_table
from .table import Cell, Column, Estimate, Row, Table, get_value

if TYPE_CHECKING:
    from ..run import Run

FAMILY_NAMES = dict(zip(FAMILIES, ("Diffusion", "GAN", "DiT", "Others"), strict=True))
"""Family -> its name in Table 1."""
_REAL, _OVERALL = "Real Images", "Overall"
FLIPS = "Flips"
CROP, ORIGINAL = "Random Cropping", "Original Images"
PERTURBATIONS = {
    "jpeg:80": "JPEG Compression (80% Quality)",
    "jpeg:30": "JPEG Compression (30% Quality)",
    "crop:0.8": CROP,
    "down:0.5": "Downsampling (0.5x)",
}
"""Perturbation of `fakexplain perturb --paper` -> its name in Table 5."""
_DATASETS = {"ff": "FaceForensics++", "mmfr": "MMFR-Dataset", "gptimage": "GPT-Image-1"}  # other name -> the paper's
_METRIC_NAMES = {metric.short: metric.name for metric in METRICS}

_TITLES = {
    1: "Accuracy and IoU by generator (the paper's Table 1)",
    2: "Backbones and other multimodal models (the paper's Table 2)",
    3: "Accuracy on external data sets (the paper's Table 3)",
    4: "Training configurations (the paper's Table 4)",
    5: "Perturbed images (the paper's Table 5)",
    6: "Accuracy on external data sets, beside training configurations (the paper's Table 6)",
    7: "Accuracy by tag (the paper's Table 7)",
}


@dataclass(frozen=True)
class _Line:
    """A row before its columns are known.

    Attributes:
        name: its heading.
        ours: system -> its result on the row's images.
        group, summary: as in `Row`.
        in_paper: whether the paper's row with this name means the same; if not, the names match by chance.
    """

    name: str
    ours: Mapping[str, Result | None]
    group: str = ""
    summary: bool = False
    in_paper: bool = True


def table1(runs: Sequence[Run]) -> Table | None:
    """Accuracy and IoU of each system by generator, by family, on real images and overall (§5.2).

    If our runs have any of the paper's generators, all of the paper's generators have a row; otherwise only ours do.

    Args:
        runs: runs on the main data set.
    """
    systems = _systems(runs)
    ours = _generators(systems)
    whole = any(name in GENERATORS for name in ours)
    found = {family for family in ours.values() if family}
    found |= {family for result in systems.values() for family in result["families"]}
    families = [family for family in FAMILIES if whole or family in found] + sorted(found - set(FAMILIES))
    lines = []
    for family in [*families, None]:
        heading = FAMILY_NAMES.get(family, family) if family else "No family"
        members = [name for name, each in GENERATORS.items() if whole and each == family]
        members += [name for name, each in ours.items() if each == family and name not in members]
        lines += [
            _Line(name, _groups(systems, "generators", name), heading, in_paper=name in GENERATORS) for name in members
        ]
        if family:
            lines.append(_Line(all_of(heading), _groups(systems, "families", family), heading, summary=True))
    lines.append(_Line(_REAL, {name: result["real_images"] for name, result in systems.items()}, summary=True))
    lines.append(_Line(_OVERALL, systems, summary=True))
    return _beside_paper(1, lines, systems, (ACC, IOU), "Generator", runs) if systems else None


def _generators(systems: Mapping[str, Result]) -> dict[str, str | None]:
    """Generator -> family over the images of all systems; the paper's generators keep the paper's families."""
    return {
        name: GENERATORS.get(name, group["family"])
        for result in systems.values()
        for name, group in result["generators"].items()
    }


def _groups(systems: Mapping[str, Result], kind: str, name: str) -> dict[str, Result | None]:
    return {system: result[kind].get(name) for system, result in systems.items()}


def table2(runs: Sequence[Run]) -> Table | None:
    """List our systems, and below them the paper's backbones, untuned and fine-tuned, and other models (§5.2).

    Args:
        runs: runs on the main data set.
    """
    return _above_paper(2, runs)


def table4(runs: Sequence[Run]) -> Table | None:
    """List our systems, and below them the paper's model sizes, training strategies and partial data (§5.3).

    Args:
        runs: runs on the main data set.
    """
    return _above_paper(4, runs)


def _above_paper(number: int, runs: Sequence[Run]) -> Table | None:
    paper = paper_table(number)
    metrics = paper.columns[""]
    rows = [
        Row(name, [estimate(result, _METRIC_NAMES[metric]) for metric in metrics], "Ours")
        for name, result in _systems(runs).items()
    ]
    theirs = [
        Row(name, [paper.values[name, "", metric] for metric in metrics], group, paper=True)
        for name, group in paper.rows.items()
    ]
    columns = list(map(Column, metrics))
    notes = interval_notes(runs)
    return Table(f"table{number}", _TITLES[number], columns, rows + theirs, notes, "System") if rows else None


def table3(external: Mapping[str, Sequence[Run]]) -> Table | None:
    """Accuracy on data sets not used in training, beside the paper's detectors (§5.2).

    Args:
        external: data set -> its runs.
    """
    return _external(3, external)


def table6(external: Mapping[str, Sequence[Run]]) -> Table | None:
    """Accuracy on data sets not used in training, beside the paper's training configurations (App. D.1).

    Args:
        external: data set -> its runs.
    """
    return _external(6, external)


def _external(number: int, external: Mapping[str, Sequence[Run]]) -> Table | None:
    """Build a row per data set: first the paper's data sets, then others."""
    known = {name_key(name): name for name in paper_table(number).rows} | _DATASETS
    by_name: dict[str, list[Run]] = {name: [] for name in paper_table(number).rows}
    for dataset, runs in external.items():
        by_name.setdefault(known.get(name_key(dataset), dataset), []).extend(runs)
    found = {name: _systems(runs) for name, runs in by_name.items()}
    systems = list(dict.fromkeys(name for each in found.values() for name in each))
    lines = [_Line(name, each) for name, each in found.items()]
    all_runs = [run for runs in external.values() for run in runs]
    return _beside_paper(number, lines, systems, (ACC,), "Data set", all_runs) if systems else None


def table5(
    perturbed: Mapping[str, Sequence[Run]], main: Sequence[Run], flips: Mapping[str, Mapping[str, Flips]] = {}
) -> Table | None:
    """Accuracy and IoU on perturbed images (App. C), and how many verdicts the perturbation changes.

    Args:
        perturbed: perturbation, as `fakexplain perturb` names it -> its runs.
        main: runs on the original images.
        flips: perturbation -> system -> its changed verdicts.
    """
    named = _named_perturbations(perturbed)
    found = {name: _systems(perturbed[chain]) for name, chain in named.items()} | {ORIGINAL: _systems(main)}
    systems = list(dict.fromkeys(name for chain in named for name in found[chain]))
    paper = paper_table(5)
    columns = [*map(Column, systems), *(Column(name, paper=True) for name in paper.columns)]
    rows = []
    for group in [*paper.rows, *(name for name in named if name not in paper.rows)]:
        ours = [found.get(group, {}).get(system) for system in systems]
        for metric in (ACC, IOU):
            cells: list[Cell] = [estimate(result, _METRIC_NAMES[metric]) if result else None for result in ours]
            cells += [paper.values.get((group, column, metric)) for column in paper.columns]
            if any(get_value(cell) is not None for cell in cells):
                rows.append(Row(metric, cells, group))
        if flipped := flips.get(named.get(group, "")):
            changed = [_flip_rate(flipped.get(system)) for system in systems]
            rows.append(Row(FLIPS, [*changed, *([None] * len(paper.columns))], group))
    notes = interval_notes([*main, *(run for runs in perturbed.values() for run in runs)])
    if any(flips.values()):
        notes.append(_explain_flips(flips))
    if CROP in named:
        notes.append(f"{CROP}: ours is {named[CROP]}; the paper does not give its crop size.")
    return Table("table5", _TITLES[5], columns, rows, notes, "Metric") if systems else None


def _flip_rate(flips: Flips | None) -> Cell:
    return Estimate(flips.rate, *flips.interval()) if flips else None


def _explain_flips(flips: Mapping[str, Mapping[str, Flips]]) -> str:
    fewest, most = (of(each.images for by in flips.values() for each in by.values()) for of in (min, max))
    images = f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"
    return (
        f"{FLIPS}: share of images whose verdict differs from that on the unperturbed image, which need not be right; "
        f"Wilson's 95 % interval; {images} images."
    )


def _named_perturbations(chains: Iterable[str]) -> dict[str, str]:
    """Name in Table 5 -> perturbation; perturbations that the paper does not have keep their names."""
    chains = list(chains)
    names = dict(PERTURBATIONS)
    crops = [chain for chain in chains if re.fullmatch(r"crop:[^+]*", chain)]
    if crops and "crop:0.8" not in crops:
        names[crops[0]] = CROP
    return {names.get(chain, chain): chain for chain in chains}


def table7(runs: Sequence[Run]) -> Table | None:
    """Accuracy on fake images with and without each tag, and the share of images with it (App. E).

    Args:
        runs: runs on the main data set.
    """
    systems = {
        name: result for name, result in _systems(runs).items() if any(each["gold"] for each in result["tags"].values())
    }
    paper = paper_table(7)
    columns = [
        Column(metric, name, digits=2, percent=True) for name in systems for metric in (WITH, WITHOUT, SAMPLES)
    ] + [
        Column(metric, name, paper=True, digits=2, percent=True)
        for name, metrics in paper.columns.items()
        for metric in metrics
    ]
    rows = []
    for name in paper.rows:
        cells: list[Cell] = []
        for result in systems.values():
            tag = result["tags"][canonical_tag(name)]
            cells += [tag["accuracy_with"], tag["accuracy_without"], tag["gold"] / result["fake"]]
        cells += [paper.values[name, column.group, column.name] for column in columns if column.paper]
        rows.append(Row(name, cells))
    return Table("table7", _TITLES[7], columns, rows, ["Fake images only."], "Tag (X)") if systems else None


def _beside_paper(
    number: int,
    lines: Sequence[_Line],
    systems: Iterable[str],
    metrics: Sequence[str],
    row_heading: str,
    runs: Sequence[Run],
) -> Table:
    """Put our systems in columns, then the paper's. Columns without values are left out, except accuracy."""
    paper = paper_table(number)
    keys = [
        (system, metric)
        for system in systems
        for metric in metrics
        if metric == ACC or any(get_value(_our_value(line, system, metric)) is not None for line in lines)
    ]
    theirs = [(name, metric) for name, names in paper.columns.items() for metric in names]
    columns = [Column(metric, name) for name, metric in keys]
    columns += [Column(metric, name, paper=True) for name, metric in theirs]
    rows = []
    for line in lines:
        cells = [_our_value(line, *key) for key in keys]
        cells += [paper.values.get((line.name, *key)) if line.in_paper else None for key in theirs]
        rows.append(Row(line.name, cells, line.group, line.summary))
    return Table(f"table{number}", _TITLES[number], columns, rows, interval_notes(runs), row_heading)


def _our_value(line: _Line, system: str, metric: str) -> Cell:
    result = line.ours.get(system)
    return estimate(result, _METRIC_NAMES[metric]) if result else None


def _systems(runs: Sequence[Run]) -> dict[str, Result]:
    return without_checkpoints(systems_of(runs))
