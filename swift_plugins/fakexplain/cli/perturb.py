"""`fakexplain perturb`: the same records on images that were compressed, cropped, shrunk, blurred or noised."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import typer

from ..annotation import read_annotations, write_annotations
from ..atomic import atomic_folder
from ..errors import DataError
from .app import (
    OUT,
    Annotations,
    Errors,
    Force,
    KeepGoing,
    Seed,
    app,
    check_free,
    exclude_output_images,
    parse_option,
    show_progress,
)


@app.command()
def perturb(
    annotations: Annotations,
    names: Annotated[
        list[str] | None, typer.Argument(help="Steps KIND:VALUE joined by +, or social, messenger.", metavar="NAME...")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(*OUT, help="Folder to write; each NAME has a folder of its own in it.")
    ] = None,
    seed: Seed = 0,
    min_visible: Annotated[
        float, typer.Option(help="Drop regions of whose area a crop leaves less than this share.", min=0, max=1)
    ] = 0.0,
    paper: Annotated[
        bool,
        typer.Option("--paper", help="Table 5: jpeg:80 jpeg:30 crop:0.8 down:0.5 (it does not give its crop's scale)."),
    ] = False,
    keep_going: KeepGoing = False,
    force: Force = False,
) -> None:
    """Write perturbed images and their records, for tests of robustness (Appendix C).

    Boxes follow the pixels.

    - jpeg:80, webp:80: quality
    - crop:0.8: a random window of that share of either side
    - down:0.5: shrunk to that share of either side
    - fit:1080: shrunk until no side is longer
    - rescale:0.5: shrunk and enlarged again
    - blur:1.5: radius in pixels
    - noise:8: standard deviation, of 255
    - social: fit:1080+jpeg:80
    - messenger: fit:800+jpeg:60+jpeg:40
    """
    from converters.images.chains import PAPER, parse_chain
    from converters.images.perturb import Report, perturb_all

    texts = [*(PAPER if paper else ()), *(names or ())]
    if not texts:
        raise typer.BadParameter("expected a perturbation such as jpeg:80, or --paper", param_hint="NAME")
    if out is None:
        raise typer.BadParameter("expected a folder to write", param_hint=OUT[0])
    chains = {chain.folder: chain for chain in (parse_option(parse_chain, text, "NAME") for text in texts)}
    if len(chains) < len(texts):
        raise typer.BadParameter("expected each perturbation once", param_hint="NAME")
    for folder in chains:
        check_free(out / folder, force, annotations, folder=True)
    errors = Errors(keep_going)
    told: Counter[str] = Counter()

    def tell_once(error: DataError) -> None:
        """A record that is bad in one set is mostly bad in all."""
        told[str(error)] += 1
        if told[str(error)] == 1:
            errors(error)

    for folder, chain in chains.items():
        report, target, before = Report(), out / folder, told.total()
        with ExitStack() as files:
            partial = files.enter_context(atomic_folder(target, whole=True))
            records = read_annotations(annotations, on_error=tell_once)
            perturbed = perturb_all(
                show_progress(exclude_output_images(records, target), annotations, chain.name),
                chain,
                partial,
                seed=seed,
                min_visible=min_visible,
                report=report,
                on_error=tell_once,
            )
            results = files.enter_context(closing(perturbed))  # no image is written once its folder is being removed
            count = write_annotations(partial / "annotations.jsonl", results)
            if not count:
                errors.exit_if_any(0, annotations)
        print(f"{count} records in {target / 'annotations.jsonl'}")
        if report.dropped:
            print(f"  {report.dropped} regions lost; {report.bare} fake images have none left, and keep their tags")
        total = count + told.total() - before
    errors.exit_if_any(total - errors.count, annotations)
