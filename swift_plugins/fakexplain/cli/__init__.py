"""`fakexplain`: the command line. Parsing and printing only; the work is done elsewhere, imported where it is used."""

from . import convert, export, folds, label_studio, manifest, perturb, pictures, prepare, qc, scores, setup, stats
from .app import app, main

__all__ = [
    "app",
    "convert",
    "export",
    "folds",
    "label_studio",
    "main",
    "manifest",
    "perturb",
    "pictures",
    "prepare",
    "qc",
    "scores",
    "setup",
    "stats",
]
