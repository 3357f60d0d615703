"""The report: every table and figure of the paper that the runs have data for, as one page and as files.

report.html          all tables and figures and a gallery; needs no other file and no network
tables/NAME.csv      values in full precision; NAME.md and NAME.tex show the same as the page
figures/NAME.svg     figures, black on white
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...tags import canonical_tag
from ..calibration import read_probabilities
from ..checkpoints import checkpoint_scores
from ..flips import count_flips
from ..metrics.keywords import Keyword, keywords
from ..plots.curves import draw_training
from ..plots.diagnostics import draw_diagnostics
from ..plots.figures import draw_keywords, draw_preferences, draw_tags
from ..plots.probabilities import LabelledScores, draw_reliability, draw_roc
from ..plots.svg import make_standalone
from ..plots.training import Log
from ..plots.votes import Votes
from ..run import Run
from ..systems import main_runs, perturbed_runs, systems_of, without_checkpoints
from ..tables.contents import all_tables, missing_tables
from ..tables.published import paper_table
from ..tables.render import RENDERINGS, to_html
from .gallery import build_gallery
from .page import Section, render_report
from .preferences import tabulate_preferences

_PHRASES = {1: "words", 2: "phrases of two words", 3: "phrases of three words"}
KEYWORDS = 12  # per kind


class Plot(NamedTuple):
    """A figure of the report: stem of its file, title, and SVG for the page."""

    name: str
    title: str
    svg: str


def write_report(
    runs: Sequence[Run],
    folder: Path,
    *,
    votes: Votes | None = None,
    logs: Sequence[Log] = (),
    images: int = 120,
    title: str = "Explainable detection of AI-generated images",
) -> list[str]:
    """Write the report into a folder.

    Args:
        runs: at least one; the first without a perturbation is on the main data set.
        folder: an empty folder.
        votes: votes of people who compared systems (Fig. 3).
        logs: training logs (Fig. 4).
        images: largest number of images in the gallery; 0 leaves it out.
        title: the page's heading.

    Returns:
        One sentence for each table or figure of the paper that is missing.

    Raises:
        ValueError: two runs on one data set have a system with the same name, or a line of images.jsonl is not as
            `fakexplain score` writes it.
    """
    main = main_runs(runs) or list(runs)
    tables = all_tables(runs, count_flips(perturbed_runs(runs), main_runs(runs)))
    tables += [tabulate_preferences(votes)] if votes and votes.pairs else []
    plots = draw_plots(main, votes, logs)
    for table in tables:
        for suffix, render in RENDERINGS.items():
            if render is not to_html:  # the page has it
                _write(folder / "tables" / f"{table.name}{suffix}", render(table))
    for plot in plots:
        _write(folder / "figures" / f"{plot.name}.svg", make_standalone(plot.svg))
    missing = missing_tables(runs) + _missing_figures(plots)
    sections = [
        *(Section(table.name, table.title, to_html(table)) for table in tables),
        *(Section(plot.name, plot.title, f"<figure>{plot.svg}</figure>") for plot in plots),
    ]
    if missing:
        items = "".join(f"<li>{_escaped(sentence)}</li>" for sentence in missing)
        sections.append(Section("missing", "Not in this report", f"<ul>{items}</ul>"))
    gallery = build_gallery(runs, images, votes=_by_image(votes) if votes else None) if images else None
    page = render_report(title, without_checkpoints(systems_of(main)), sections, gallery, about=_about(main))
    _write(folder / "report.html", page)
    return missing


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _escaped(text: str) -> str:
    from markupsafe import escape

    return str(escape(text))


def _about(main: Sequence[Run]) -> str:
    """Describe the images that the headline metrics cover."""
    run = main[0]
    return f"{run.dataset}, {'all records' if run.subset == 'all' else run.subset}: {run.records:,} images."


def draw_plots(main: Sequence[Run], votes: Votes | None, logs: Sequence[Log]) -> list[Plot]:
    """Draw the figures that have data; keywords and tags have one figure per system on the main data set."""
    systems = without_checkpoints(systems_of(main))
    paper = _paper_tags()
    drawn = [
        ("fig3", "Human preference (Fig. 3)", draw_preferences(votes) if votes else None),
        ("fig4", "Training (Fig. 4)", draw_training(logs, checkpoint_scores(systems_of(main)))),
        ("diagnostics", "Answers while GRPO trains", draw_diagnostics(logs)),
    ]
    scores = _labelled_scores(main)
    drawn.append(("roc", "ROC curves of P(fake)", draw_roc(scores)))
    drawn.append(("reliability", "Reliability of P(fake)", draw_reliability(scores)))
    for number, (name, words) in enumerate(collect_keywords(main).items(), 1):
        title = f"Keywords of captions: {name} (Fig. 6)"
        drawn.append((_numbered("fig6", number, systems), title, draw_keywords(words)))
    for number, (name, result) in enumerate(systems.items(), 1):
        title = f"Accuracy by tag: {name} (Fig. 10)"
        drawn.append((_numbered("fig10", number, systems), title, draw_tags(result["tags"], paper)))
    return [Plot(name, title, svg) for name, title, svg in drawn if svg is not None]


def _labelled_scores(main: Sequence[Run]) -> dict[str, LabelledScores]:
    """System -> P(fake) of its images, for those that have it."""
    points = {name: each for run in main for name, each in run.settings.get("operating_points", {}).items()}
    found = {}
    for name, each in read_probabilities(main, without_checkpoints(systems_of(main))).items():
        threshold = points[name]["threshold"] if name in points else None
        found[name] = LabelledScores(np.array(each.is_fake, bool), np.array(each.p_fake), threshold)
    return {name: each for name, each in found.items() if not np.isnan(each.p_fake).all()}


def _numbered(name: str, number: int, systems: Mapping[str, object]) -> str:
    return name if len(systems) == 1 else f"{name}-{number}"


def collect_keywords(runs: Iterable[Run]) -> dict[str, dict[str, list[Keyword]]]:
    """Collect system that writes captions -> kind of keyword -> keywords of fake images (Fig. 6)."""
    gold: dict[str, list[str]] = {}
    pred: dict[str, list[str]] = {}
    for run in runs:
        for record, answers in run.images("keywords"):
            if record.label == "real":
                continue
            for name, answer in answers.items():
                gold.setdefault(name, []).extend(region.caption for region in record.regions)
                if answer is not None:
                    captions = (region["caption"] for region in answer["regions"])
                    pred.setdefault(name, []).extend(filter(None, captions))
    names = without_checkpoints({name: {} for name, captions in pred.items() if captions})
    return {
        name: {kind: keywords(gold[name], pred[name], words, KEYWORDS) for words, kind in _PHRASES.items()}
        for name in names
    }


def _paper_tags() -> dict[str, tuple[float, float]]:
    """Tag -> the paper's accuracy with and without it (Table 7)."""
    table = paper_table(7)
    (system, (with_tag, without, *_)), *_ = table.columns.items()
    found = {}
    for row in table.rows:
        tag, values = canonical_tag(row), [table.values[row, system, metric] for metric in (with_tag, without)]
        assert tag is not None and values[0] is not None and values[1] is not None
        found[tag] = (values[0], values[1])
    return found


def _missing_figures(plots: Iterable[Plot]) -> list[str]:
    names = {plot.name for plot in plots}
    missing = {
        "fig3": "Figure 3: no votes (fakexplain report --votes FILE).",
        "fig4": "Figure 4: no training log (fakexplain report --log NAME=logging.jsonl).",
    }
    return [sentence for name, sentence in missing.items() if name not in names]


def _by_image(votes: Votes) -> dict[str, dict[str, float]]:
    """Image -> system or `neutral` -> share of the votes on the image (Fig. 9)."""
    found = {}
    for image, pairs in votes.images.items():
        counts: dict[str, int] = {}
        for a, b in combinations(votes.systems, 2):
            if tally := pairs.get((a, b)):
                for name, count in ((a, tally.preferred), (b, tally.against), ("neutral", tally.neutral)):
                    counts[name] = counts.get(name, 0) + count
        total = sum(counts.values())
        found[image] = {name: count / total for name, count in counts.items() if count}
    return found
