"""All commands: importing them fills `app`, in the order of the work for `--help`."""

from . import (  # noqa: F401
    calibrate,
    consensus,
    convert,
    demo,
    detect,
    export,
    folds,
    frames,
    label_studio,
    manifest,
    merge,
    perturb,
    pictures,
    preferences,
    prepare,
    publish,
    qc,
    report,
    scores,
    setup,
    stats,
)
from .app import Commands, app, run

ORDER = (
    *(
        "manifest",
        "prepare",
        "label-studio",
        "frames",
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
    *("detect", "app", "publish"),  # Detection
)

Commands.order = ORDER

__all__ = ["app", "run"]
