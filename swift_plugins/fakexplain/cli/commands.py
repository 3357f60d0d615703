"""All commands: importing them fills `app`, in the order of the work for `--help`."""

from . import (  # noqa: F401
    calibrate,
    consensus,
    convert,
    detect,
    export,
    folds,
    label_studio,
    manifest,
    merge,
    perturb,
    pictures,
    prepare,
    publish,
    qc,
    report,
    scores,
    setup,
    stats,
)
from .app import app, run

ORDER = (
    *(
        "manifest",
        "prepare",
        "label-studio",
        "convert",
        "merge",
        "validate",
        "split",
        "pair-real",
        "export",
        "perturb",
    ),  # Data
    *("stats", "qc"),  # Quality
    *("plugin", "preflight"),  # Training
    *("consensus", "score", "calibrate", "report"),  # Scores
    *("sheet", "draw"),  # Pictures
    *("detect", "publish"),  # Detection
)

app.registered_commands.sort(key=lambda command: ORDER.index(command.name or getattr(command.callback, "__name__", "")))

__all__ = ["app", "run"]
