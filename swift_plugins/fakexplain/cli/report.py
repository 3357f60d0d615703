"""`fakexplain report`: report the scores of runs as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..atomic import atomic_folder
from .app import OUT, SCORES, Force, app, check_free, say, show_stream
from .named_files import parse_named_files


@app.command(rich_help_panel=SCORES)
def report(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="Run folders written by `fakexplain score --out`; the first one on unperturbed images is main.",
            metavar="RUN…",
        ),
    ],
    output: Annotated[Path, typer.Option(*OUT, help="Folder to write to.")],
    votes: Annotated[
        Path | None, typer.Option(help="Votes on pairs of systems (Fig. 3): CSV with first, second, preferred.")
    ] = None,
    log: Annotated[
        list[str] | None,
        typer.Option(help="The logging.jsonl of a training run (Fig. 4); repeatable.", metavar="NAME=FILE"),
    ] = None,
    gallery: Annotated[int, typer.Option(help="Images in the gallery; 0 skips it.", min=0)] = 120,
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "Explainable detection of AI-generated images",
    force: Force = False,
) -> None:
    """Turn scored runs into one HTML page with tables, figures and a gallery.

    The page needs no network. Tables are also in tables/ (CSV, Markdown, LaTeX), figures in figures/ (SVG). Runs on
    images of `fakexplain perturb` give Table 5, runs on other data sets Tables 3 and 6. The paper's numbers appear
    beside ours.
    """
    from ..scoring.plots.training import read_log
    from ..scoring.plots.votes import read_votes
    from ..scoring.report.report import write_report
    from ..scoring.run import load_run

    logs = parse_named_files(log or [], "--log")
    for name, paths in logs.items():
        if len(paths) > 1:
            raise typer.BadParameter(f"two logs are called {name}; write NAME=FILE", param_hint="--log")
    sources = [*runs, *(path for paths in logs.values() for path in paths), *([votes] if votes else [])]
    check_free(output, force, *sources, folder=True)
    loaded_runs = [load_run(folder, show_stream) for folder in runs]
    vote_counts = read_votes(votes) if votes else None
    training_logs = [read_log(path, name) for name, (path,) in logs.items()]
    with atomic_folder(output, whole=True) as partial:
        missing = write_report(loaded_runs, partial, votes=vote_counts, logs=training_logs, images=gallery, title=title)
    say(f"report in {output / 'report.html'}")
    for sentence in missing:
        say(f"  missing: {sentence}")
