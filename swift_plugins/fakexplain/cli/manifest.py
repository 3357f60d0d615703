"""`fakexplain manifest`: plan which images to generate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .app import DATA, OUT, Force, app, check_free, parse_option, say, show_progress


@app.command(rich_help_panel=DATA)
def manifest(
    output: Annotated[Path, typer.Option(*OUT, help="File to write, .jsonl or .csv.")],
    classes: Annotated[
        Path | None, typer.Option(help="File of class names, one per line. Default: ImageNet's 1,000.")
    ] = None,
    generators: Annotated[
        list[str] | None,
        typer.Option("--generators", "--generator", help="Name of a generator; may be repeated. Default: the paper's."),
    ] = None,
    prompt: Annotated[
        str, typer.Option(help="Prompt to generate with; {class_name} stands for the class.")
    ] = "A realistic image of {class_name}",
    size: Annotated[str, typer.Option(help="Width and height in pixels: one number, or WxH.")] = "512",
    force: Force = False,
) -> None:
    """Plan which images to generate: one line per class and generator, with its prompt and the image's path.

    `prepare` later gives annotated records with these ids the same paths.
    """
    from converters.folds.manifest import imagenet_classes, load_classes, save_manifest
    from converters.folds.manifest import manifest as plan
    from converters.images.fit import parse_size

    from ..generators import GENERATORS

    if output.suffix.lower() not in (".jsonl", ".csv"):
        raise typer.BadParameter(f"expected a name that ends in .jsonl or .csv, found {output}", param_hint=OUT[0])
    wh = parse_option(parse_size, size, "--size")
    check_free(output, force, *([classes] if classes else []))
    chosen = generators or list(GENERATORS)
    names = imagenet_classes() if classes is None else load_classes(classes)
    lines = parse_option(lambda prompt: plan(names, chosen, prompt=prompt, wh=wh), prompt, "--prompt, --generators")
    count = save_manifest(show_progress(lines, None, "manifest", "line"), output)
    say(f"{count} lines in {output}: {len(names)} classes by {len(chosen)} generators")
