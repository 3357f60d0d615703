"""`fakexplain label-studio`: what Label Studio needs to label a set of images."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ..atomic import atomic_file
from ..jsonl import to_json
from .app import OUT, Force, app, check_free


@app.command("label-studio")
def label_studio(
    tasks: Annotated[
        Path | None, typer.Option(help="Folder of images: also write a task for each.", metavar="FOLDER")
    ] = None,
    output: Annotated[Path | None, typer.Option(*OUT, help="With --tasks: JSON file to write them to.")] = None,
    root: Annotated[
        Path | None,
        typer.Option(help="Folder Label Studio serves files from; by default the one that --tasks lies in."),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(help="What `fakexplain manifest` wrote: tasks take id, class and generator along."),
    ] = None,
    force: Force = False,
) -> None:
    """Print a labelling page for Label Studio, and write tasks for it.

    The page asks for a box around each flaw with a caption of its own, the tags and the verdict, as `fakexplain convert
    label-studio` reads them. A task names its image by its path below --root, which Label Studio must be started with
    as LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT; it wants the images in a folder below it.
    """
    from converters.folds.manifest import load_manifest
    from converters.formats.label_studio import CONFIG, image_tasks

    if (tasks is None) != (output is None):
        raise typer.BadParameter("expected --tasks and --out, or neither", param_hint="--tasks")
    if tasks is not None and output is not None:
        check_free(output, force)
        if not tasks.is_dir():
            raise FileNotFoundError(f"{tasks}: expected a folder of images, found no such folder")
        folder = Path(os.path.normpath(tasks.absolute()))
        root = root or folder.parent
        if Path(os.path.normpath(root.absolute())) not in folder.parents:
            raise typer.BadParameter(f"expected a folder that {tasks} lies in, found {root}", param_hint="--root")
        planned = load_manifest(manifest) if manifest else {}
        count = known = 0
        with atomic_file(output) as partial, open(partial, "wb") as file:
            for task in image_tasks(folder, root, planned):
                file.write((b",\n" if count else b"[\n") + to_json(task))
                count += 1
                known += len(task["data"]) > 1
            if not count:
                raise ValueError(f"{tasks}: expected at least one image, found none")
            file.write(b"\n]\n")
        typer.echo(f"{count} tasks in {output}" + (f", {known} of them in {manifest}" if manifest else ""), err=True)
    print(CONFIG.read_text("utf-8"), end="")
