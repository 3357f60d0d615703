"""`fakexplain perturb`: compress, crop, shrink, blur or add noise to images, and write their records."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..annotation import read_annotations, write_annotations
from ..atomic import atomic_folder
from ..errors import DataError, OnError
from ..jsonl import to_indented_json
from .app import (
    DATA,
    OUT,
    Annotations,
    Errors,
    Force,
    KeepGoing,
    MinVisible,
    Seed,
    app,
    check_free,
    exclude_output_images,
    parse_option,
    say,
    show_progress,
)

if TYPE_CHECKING:
    from converters.images.chains import Chain

    from ..rows import Subset


@app.command(rich_help_panel=DATA)
def perturb(
    annotations: Annotations,
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Steps KIND:VALUE joined by +, or social or messenger.", metavar="NAME..."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(*OUT, help="Folder to write; each NAME gets its own folder in it.")
    ] = None,
    subset: Annotated[str, typer.Option(help="Records to perturb: all, or fold0_train … fold3_test.")] = "all",
    seed: Seed = 0,
    min_visible: MinVisible = 0.0,
    paper: Annotated[
        bool,
        typer.Option(
            "--paper", help="Apply Table 5: jpeg:80 jpeg:30 crop:0.8 down:0.5 (the paper gives no crop scale)."
        ),
    ] = False,
    keep_going: KeepGoing = False,
    force: Force = False,
) -> None:
    """Write perturbed images and their records, to test robustness (Appendix C).

    Boxes follow the pixels. After an interrupt, the same command goes on with the perturbations that are missing.

    - jpeg:80, webp:80: compress at this quality
    - crop:0.8: keep a random window with this fraction of each side
    - down:0.5: shrink to this fraction of each side
    - fit:1080: shrink until no side is longer
    - rescale:0.5: shrink, then enlarge again
    - blur:1.5: blur with this radius in pixels
    - noise:8: add noise with this standard deviation, of 255
    - social: fit:1080+jpeg:80
    - messenger: fit:800+jpeg:60+jpeg:40
    """
    chains = _parse_names(names or [], paper)
    if out is None:
        raise typer.BadParameter("expected a folder to write", param_hint=OUT[0])
    from converters.images.perturb import describe_set, is_finished

    from ..rows import parse_subset

    chosen = parse_option(parse_subset, subset, "--subset")
    if chosen.variant != "full":
        raise typer.BadParameter(f"expected a subset without a variant, found {subset}", param_hint="--subset")
    described = {
        folder: describe_set(annotations, chain, seed, min_visible, subset) for folder, chain in chains.items()
    }
    finished = {folder for folder, each in described.items() if not force and is_finished(out / folder, each)}
    missing = {folder: chain for folder, chain in chains.items() if folder not in finished} or chains
    for folder in missing:
        check_free(out / folder, force, annotations, folder=True)
    for folder in sorted(chains.keys() - missing.keys()):
        say(f"{out / folder}: finished before")
    errors = Errors(keep_going)
    reported: Counter[str] = Counter()

    def report_once(error: DataError) -> None:
        """Report each error once: a record that is bad in one set is usually bad in all."""
        reported[str(error)] += 1
        if reported[str(error)] == 1:
            errors(error)

    for folder, chain in missing.items():
        before = reported.total()
        count = _write_set(annotations, chosen, chain, out / folder, described[folder], report_once, errors)
        total = count + reported.total() - before
    errors.exit_if_any(total - errors.count, annotations)


def _parse_names(names: list[str], paper: bool) -> dict[str, Chain]:
    """Chains by the names of their folders."""
    from converters.images.chains import PAPER_CHAINS, parse_chain

    texts = [*(PAPER_CHAINS if paper else ()), *names]
    if not texts:
        raise typer.BadParameter("expected a perturbation such as jpeg:80, or --paper", param_hint="NAME")
    chains = {chain.folder: chain for chain in (parse_option(parse_chain, text, "NAME") for text in texts)}
    if len(chains) < len(texts):
        raise typer.BadParameter("expected each perturbation once", param_hint="NAME")
    return chains


def _write_set(
    annotations: Path,
    chosen: Subset,
    chain: Chain,
    target: Path,
    description: dict[str, Any],
    on_error: OnError,
    errors: Errors,
) -> int:
    """Write and print one perturbed set; return its number of records."""
    from converters.images.perturb import SETTINGS_FILE, LostRegions, perturb_all

    from ..rows import select

    lost = LostRegions()
    with ExitStack() as files:
        partial = files.enter_context(atomic_folder(target, whole=True))
        records = show_progress(read_annotations(annotations, on_error=on_error), annotations, chain.name)
        records = exclude_output_images(select(records, chosen, on_error=on_error), target)
        settings = {name: description[name] for name in ("seed", "min_visible")}
        perturbed = perturb_all(records, chain, partial, **settings, lost=lost, on_error=on_error)
        results = files.enter_context(closing(perturbed))  # no image is written while its folder is being removed
        count = write_annotations(partial / "annotations.jsonl", results)
        if not count:
            errors.exit_if_any(0, annotations)
            if chosen.fold is not None:
                raise ValueError(f"{annotations}: no record belongs to the subset {description['subset']}")
        (partial / SETTINGS_FILE).write_text(to_indented_json(description), encoding="utf-8")
    say(f"{count} records in {target / 'annotations.jsonl'}")
    if lost.dropped:
        say(f"  {lost.dropped} regions dropped; {lost.bare} fake images have no region left but keep their tags")
    return count
