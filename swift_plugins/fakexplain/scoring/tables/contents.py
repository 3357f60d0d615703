"""The tables of a report, and the paper's tables that lack data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..flips import Flips
from ..systems import external_runs, main_runs, perturbed_runs, systems_of
from .ours import along_training, comparisons, folds, mcnemar, summaries, tag_scores
from .paper import table1, table2, table3, table4, table5, table6, table7
from .table import Table

if TYPE_CHECKING:
    from ..run import Run


def all_tables(runs: Sequence[Run], flips: Mapping[str, Mapping[str, Flips]] = {}) -> list[Table]:
    """Build every table that the runs have data for: the paper's in its order, and ours around them.

    Args:
        runs: of a report.
        flips: for Table 5, as `count_flips` counts them.

    Raises:
        ValueError: two runs on one data set, or with one perturbation, have a system with the same name.
    """
    main, external, perturbed = main_runs(runs), external_runs(runs), perturbed_runs(runs)
    tables = [
        *summaries(main),
        table1(main),
        table2(main),
        table3(external),
        table4(main),
        table5(perturbed, main, flips),
        table6(external),
        table7(main),
        tag_scores(main),
        folds(main),
        comparisons(main),
        mcnemar(main),
        along_training(main),
    ]
    return [table for table in tables if table]


def missing_tables(runs: Sequence[Run]) -> list[str]:
    """List the paper's tables that lack data, and how to get it: one sentence each."""
    main, external, perturbed = main_runs(runs), external_runs(runs), perturbed_runs(runs)
    results = systems_of(main).values()
    named = any(result["generators"] for result in results)
    missing = {
        "Tables 1, 2, 4: no run on the main data set (swift infer, fakexplain score).": not results,
        "Table 1 by generator: no record of a fake image names its generator (`generator` in the annotations).": (
            bool(results) and not named
        ),
        "Tables 3, 6: no run on another data set (fakexplain convert, swift infer, fakexplain score --dataset).": (
            table3(external) is None
        ),
        "Table 5: no run on perturbed images (fakexplain perturb --paper, swift infer, fakexplain score).": (
            table5(perturbed, main) is None
        ),
        "Table 7: no annotated tags in a run on the main data set.": table7(main) is None,
    }
    return [sentence for sentence, applies in missing.items() if applies]
