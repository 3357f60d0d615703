"""`fakexplain sheet`, `draw`: images with annotated and predicted regions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated, Any

import typer

from ..annotation import Annotation, read_annotations
from .app import (
    OUT,
    Annotations,
    Force,
    MaxPixels,
    Seed,
    Template,
    Variant,
    app,
    check_free,
    exclude_output_images,
    parse_option,
    show_progress,
)
from .scores import known_variant, named_files

Font = Annotated[Path | None, typer.Option(help="TrueType file for captions beyond Latin letters.")]


@app.command()
def sheet(
    annotations: Annotations,
    output: Annotated[Path, typer.Option(*OUT, help="PNG to write.")],
    predictions: Annotated[
        Path | None, typer.Option(help="What `swift infer` wrote; shows the images it is about.")
    ] = None,
    template: Template = "fx_qwen2_5_vl",
    max_pixels: MaxPixels = None,
    variant: Variant = "full",
    limit: Annotated[int, typer.Option(help="Show this many images, drawn at random; 0 shows all.", min=0)] = 24,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 0,
    columns: Annotated[int, typer.Option(help="Images side by side.", min=1)] = 4,
    cell: Annotated[int, typer.Option(help="Longer side of an image on the sheet, in pixels.", min=120)] = 360,
    font: Font = None,
    force: Force = False,
) -> None:
    """Draw images with gold and predicted boxes and captions on one contact sheet."""
    from ..frames import frame_rule
    from ..scoring.pictures.sheet import contact_sheet, drawn_at_random
    from ..scoring.predictions.answers import read_predictions
    from ..scoring.predictions.join import join

    rule = parse_option(lambda name: frame_rule(name, max_pixels=max_pixels), template, "--template")
    parse_option(known_variant, variant, "--variant")
    if output.suffix.lower() != ".png":
        raise typer.BadParameter(f"expected a name that ends in .png, found {output}", param_hint=OUT[0])
    check_font(font)
    check_free(output, force, annotations)
    records = show_progress(read_annotations(annotations), annotations, "sheet")
    pairs: Iterator[tuple[Annotation, str | None]] = ((record, None) for record in records)
    if predictions is not None:
        pairs = (pair for pair in join(records, read_predictions(predictions)) if pair[1] is not None)
    chosen = drawn_at_random(pairs, limit, seed)
    shown = contact_sheet(chosen, output, rule=rule, variant=variant, columns=columns, cell=cell, font=font)
    print(f"{shown} images on {output}")


@app.command()
def draw(
    source: Annotated[
        Path, typer.Argument(help="Annotations file, or a folder of `fakexplain score --out`.", metavar="SOURCE")
    ],
    output: Annotated[Path, typer.Option(*OUT, help="Folder to write a PNG for each image to.")],
    predictions: Annotated[
        list[str] | None,
        typer.Option(help="NAME=FILE, what `swift infer` wrote; shows the images it is about. Repeat it for more."),
    ] = None,
    system: Annotated[list[str] | None, typer.Option(help="Of a run: the system to show; repeat it for more.")] = None,
    id: Annotated[list[str] | None, typer.Option(help="The record to draw; repeat it for more.")] = None,
    limit: Annotated[
        int, typer.Option(help="Without --id: draw this many, chosen at random; 0 draws all.", min=0)
    ] = 24,
    seed: Seed = 0,
    overlaid: Annotated[bool, typer.Option("--overlaid", help="Both on one picture, for one system.")] = False,
    longer_side: Annotated[int, typer.Option(help="Longer side of an image, in pixels.", min=240, max=8192)] = 768,
    template: Template = "fx_qwen2_5_vl",
    max_pixels: MaxPixels = None,
    variant: Variant = "full",
    font: Font = None,
    force: Force = False,
) -> None:
    """Draw images one by one: annotated regions beside those of systems, captions in full (Fig. 5, Fig. 9)."""
    from ..atomic import atomic_folder
    from ..frames import frame_rule
    from ..parallel import map_ordered
    from ..scoring.metrics.image import Scored, score_image
    from ..scoring.pictures.draw import answers_of, draw_image, file_names, not_found
    from ..scoring.pictures.sheet import drawn_at_random
    from ..scoring.predictions.answers import read_predictions
    from ..scoring.predictions.join import by_image, join_all
    from ..scoring.run import FILES, load_run

    rule = parse_option(lambda name: frame_rule(name, max_pixels=max_pixels), template, "--template")
    parse_option(known_variant, variant, "--variant")
    check_font(font)
    named = named_files(predictions or [])
    if source.is_dir() and named:
        raise typer.BadParameter(
            "a run has its answers already; --system chooses among them", param_hint="--predictions"
        )
    check_free(output, force, source, *(path for paths in named.values() for path in paths), folder=True)
    if system and not source.is_dir():
        raise typer.BadParameter("expected a run to choose from, found an annotations file", param_hint="--system")
    known = list(load_run(source).systems) if source.is_dir() else list(named)
    names = system or known
    if unknown := set(names) - set(known):
        raise typer.BadParameter(
            f"expected {', '.join(known)}, found {', '.join(sorted(unknown))}", param_hint="--system"
        )
    if overlaid and len(names) > 1:
        raise typer.BadParameter("expected one system to draw on the annotated image", param_hint="--overlaid")

    def shown() -> Iterator[tuple[Annotation, dict[str, Scored | None]]]:
        """Records that there is something to show of, with systems' answers."""
        if source.is_dir():
            for record in exclude_output_images(read_annotations(source / FILES[1]), output):
                yield record, answers_of(record, names)
            return
        systems = {
            name: by_image(each for path in paths for each in read_predictions(path)) for name, paths in named.items()
        }
        for record, said in join_all(exclude_output_images(read_annotations(source), output), systems):
            if not systems or any(said.values()):
                yield (
                    record,
                    {name: each and score_image(record, each.text, rule, variant) for name, each in said.items()},
                )

    records = show_progress(shown(), source if source.is_file() else source / FILES[1], "read")
    wanted = set(id or ())
    chosen: list[Any] = (
        [each for each in records if each[0].id in wanted] if wanted else drawn_at_random(records, limit, seed)
    )
    if strangers := wanted - {record.id for record, _ in chosen}:
        raise not_found(strangers, source)
    if not chosen:
        raise ValueError(f"{source}: expected at least one image to draw, found none")
    pictures = file_names([record for record, _ in chosen])
    broken = []
    with ExitStack() as files:
        partial = files.enter_context(atomic_folder(output, whole=True))

        def save(item: tuple[str, tuple[Annotation, dict[str, Scored | None]]]) -> None:
            name, (record, answers) = item
            picture, error = draw_image(record, answers, longer_side=longer_side, font=font, overlaid=overlaid)
            picture.save(partial / name, "PNG")
            if error is not None:
                broken.append(error)

        jobs = zip(pictures, chosen, strict=True)
        saved = files.enter_context(closing(map_ordered(save, jobs)))  # no picture is written to a removed folder
        for _ in show_progress(saved, None, "draw", "image"):
            pass
    print(f"{len(chosen)} images in {output}")
    if broken:
        first = min(broken, key=str)
        raise ValueError(f"{len(broken)} of them could not be read, and show why; the first: {first}")


def check_font(path: Path | None) -> None:
    """Refuse what is no font.

    Raises:
        FileNotFoundError, ValueError: there is no such file, or it cannot be read.
    """
    if path is None:
        return
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a font file, found no such file")
    from PIL import ImageFont

    try:
        ImageFont.truetype(str(path))
    except OSError as error:
        raise ValueError(f"{path}: expected a font file, found one that cannot be read ({error})") from None
