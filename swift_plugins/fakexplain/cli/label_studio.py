"""`fakexplain label-studio`: a labelling interface and tasks for Label Studio."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ..paths import check_is_folder
from .app import DATA, OUT, Force, app, check_free, say


@app.command("label-studio", rich_help_panel=DATA)
def label_studio(
    tasks: Annotated[
        Path | None, typer.Option(help="Also write one task per image in this folder.", metavar="FOLDER")
    ] = None,
    output: Annotated[Path | None, typer.Option(*OUT, help="JSON file to write the tasks to, with --tasks.")] = None,
    root: Annotated[
        Path | None,
        typer.Option(help="Folder that Label Studio serves files from. Default: the parent of the --tasks folder."),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(help="Add id, class and generator to the tasks, from this file written by `fakexplain manifest`."),
    ] = None,
    force: Force = False,
) -> None:
    """Print a labelling interface for Label Studio, and write its tasks.

    The interface asks for a box with a caption around each flaw, for tags and for a verdict; `fakexplain convert
    label-studio` reads the results. A task gives the path of its image relative to --root. Start Label Studio with
    LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT set to this folder; the images must be in a folder inside it.
    """
    from converters.folds.manifest import load_manifest
    from converters.formats.label_studio_tasks import CONFIG, save_tasks

    if (tasks is None) != (output is None):
        raise typer.BadParameter("expected --tasks and --out, or neither", param_hint="--tasks")
    if tasks is not None and output is not None:
        check_free(output, force)
        check_is_folder(tasks, "a folder of images")
        folder = Path(os.path.normpath(tasks.absolute()))
        root = root or folder.parent
        if Path(os.path.normpath(root.absolute())) not in folder.parents:
            raise typer.BadParameter(f"expected a folder that contains {tasks}, found {root}", param_hint="--root")
        count, known = save_tasks(output, folder, root, load_manifest(manifest) if manifest else {})
        say(f"{count} tasks in {output}" + (f", {known} of them in {manifest}" if manifest else ""), err=True)
    say(CONFIG.read_text("utf-8").removesuffix("\n"))
