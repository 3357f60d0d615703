"""The report: every table and figure of the paper that runs have data for, as one page and as files.

report.html          all of it, with a gallery; needs nothing else
tables/NAME.csv      in full precision; NAME.md and NAME.tex as on the page
figures/NAME.svg     black on white
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from ...annotation import read_annotations
from ...tags import canonical_tag
from ..metrics.keywords import Keyword, keywords
from ..plots import figures as plots
from ..plots.training import Log, checkpoint_scores
from ..plots.votes import Votes
from ..run import FILES, Run, complete_answers
from ..systems import main_runs, systems_of, without_checkpoints
from ..tables.latex import RENDERINGS
from ..tables.paper import all_tables, missing
from ..tables.published import paper_table
from ..tables.render import to_html
from .gallery import build_gallery
from .page import Section, render_report

PHRASES = {1: "words", 2: "phrases of two words", 3: "phrases of three words"}
KEYWORDS = 12  # of each


@dataclass(frozen=True)
class Plot:
    """A figure of the report.

    Attributes:
        name: stem of its file.
        title: what it shows.
        draw: makes it, for the page or standing alone; None where there is nothing to draw.
    """

    name: str
    title: str
    draw: Callable[[bool], str | None]


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
        folder: is there, and holds nothing.
        votes: which systems people preferred (Fig. 3).
        logs: of training (Fig. 4).
        images: in the gallery, at most; 0 leaves it out.
        title: the page's heading.

    Returns:
        What is missing of the paper's tables and figures, a sentence each.

    Raises:
        ValueError: two runs on one data set have a system of one name, or an image's line is not what `score` writes.
    """
    main = main_runs(runs) or list(runs)
    tables = all_tables(runs)
    drawn = {plot: svg for plot in plots_of(main, votes, logs) if (svg := plot.draw(False)) is not None}
    for table in tables:
        for suffix, render in RENDERINGS.items():
            if render is not to_html:  # which is on the page
                _write(folder / "tables" / f"{table.name}{suffix}", render(table))
    for plot in drawn:
        _write(folder / "figures" / f"{plot.name}.svg", plot.draw(True) or "")
    lacking = missing(runs) + _missing_figures(drawn)
    sections = [
        *(Section(table.name, table.title, to_html(table)) for table in tables),
        *(Section(plot.name, plot.title, f"<figure>{svg}</figure>") for plot, svg in drawn.items()),
    ]
    if lacking:
        items = "".join(f"<li>{_escaped(sentence)}</li>" for sentence in lacking)
        sections.append(Section("missing", "Not in this report", f"<ul>{items}</ul>"))
    gallery = build_gallery(runs, images, votes=_by_image(votes) if votes else None) if images else None
    page = render_report(title, without_checkpoints(systems_of(main)), sections, gallery, about=_about(main))
    _write(folder / "report.html", page)
    return lacking


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _escaped(text: str) -> str:
    from markupsafe import escape

    return str(escape(text))


def _about(main: Sequence[Run]) -> str:
    """What the figures at the head are of."""
    run = main[0]
    return f"{run.dataset}, {'all records' if run.subset == 'all' else run.subset}: {run.records:,} images."


def plots_of(main: Sequence[Run], votes: Votes | None, logs: Sequence[Log]) -> list[Plot]:
    """The figures, those of the systems on the main data set by system."""
    systems = without_checkpoints(systems_of(main))
    points = checkpoint_scores(systems_of(main))
    paper = _paper_tags()
    found = []
    if votes:
        found.append(
            Plot("fig3", "Human preference (Fig. 3)", lambda alone: plots.fig3_preferences(votes, standalone=alone))
        )
    if logs or points:
        found.append(
            Plot("fig4", "Training (Fig. 4)", lambda alone: plots.fig4_training(logs, points, standalone=alone))
        )
    for number, (name, words) in enumerate(keywords_of(main).items(), 1):
        found.append(
            Plot(
                _numbered("fig6", number, systems),
                f"Keywords of captions: {name} (Fig. 6)",
                lambda alone, words=words: plots.fig6_keywords(words, standalone=alone),  # type: ignore[misc]
            )
        )
    for number, (name, result) in enumerate(systems.items(), 1):
        found.append(
            Plot(
                _numbered("fig10", number, systems),
                f"Accuracy by tag: {name} (Fig. 10)",
                lambda alone, tags=result["tags"]: plots.fig10_tags(tags, paper, standalone=alone),  # type: ignore[misc]
            )
        )
    return found


def _numbered(name: str, number: int, systems: Mapping[str, object]) -> str:
    return name if len(systems) == 1 else f"{name}-{number}"


def keywords_of(runs: Iterable[Run]) -> dict[str, dict[str, list[Keyword]]]:
    """System that writes captions -> what is counted -> keywords, of fake images (Fig. 6)."""
    gold: dict[str, list[str]] = {}
    pred: dict[str, list[str]] = {}
    for run in runs:
        for record in read_annotations(run.folder / FILES[1]):
            if record.label == "real":
                continue
            for name, answer in complete_answers(record).items():
                gold.setdefault(name, []).extend(region.caption for region in record.regions)
                if answer is not None:
                    captions = (region["caption"] for region in answer["regions"])
                    pred.setdefault(name, []).extend(filter(None, captions))
    names = without_checkpoints({name: {} for name, captions in pred.items() if captions})
    return {
        name: {what: keywords(gold[name], pred[name], words, KEYWORDS) for words, what in PHRASES.items()}
        for name in names
    }


def _paper_tags() -> dict[str, tuple[float, float]]:
    """The paper's Table 7: tag -> accuracy with and without it."""
    table = paper_table(7)
    (system, (with_tag, without, *_)), *_ = table.columns.items()
    found = {}
    for row in table.rows:
        tag, values = canonical_tag(row), [table.values[row, system, metric] for metric in (with_tag, without)]
        assert tag is not None and values[0] is not None and values[1] is not None
        found[tag] = (values[0], values[1])
    return found


def _missing_figures(drawn: Iterable[Plot]) -> list[str]:
    names = {plot.name for plot in drawn}
    lacking = {
        "fig3": "Figure 3: no votes (fakexplain report --votes FILE).",
        "fig4": "Figure 4: no training log (fakexplain report --log NAME=logging.jsonl).",
    }
    return [sentence for name, sentence in lacking.items() if name not in names]


def _by_image(votes: Votes) -> dict[str, dict[str, float]]:
    """Image -> what people voted for -> share of the votes on it (Fig. 9)."""
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
