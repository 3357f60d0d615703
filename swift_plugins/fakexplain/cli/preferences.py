"""`fakexplain label-studio compare`, `votes` and `handout`: the study of preferences, and the annotators' handout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..annotation import Annotation, read_annotations
from ..atomic import atomic_file, atomic_folder
from ..csv_files import save_csv
from ..jsonl import to_compact_json, write_jsonl
from .app import OUT, Annotations, Force, MaxPixels, Seed, Template, check_free, parse_option, say, show_progress
from .label_studio import Root, root_of, steps
from .named_files import parse_named_files

if TYPE_CHECKING:
    from converters.human.pairs import Explanation, Pairing


HUMANS = "Humans"
"""The paper's name of the annotations as a system (Fig. 3)."""


@steps.command()
def compare(
    source: Annotated[
        Path,
        typer.Argument(help="Annotations file, or a run folder written by `fakexplain score --out`.", metavar="SOURCE"),
    ],
    output: Annotated[Path, typer.Option(*OUT, help="Folder to write: page.xml, tasks.json, pictures, key.jsonl.")],
    predictions: Annotated[
        list[str] | None,
        typer.Option(help="Answers of a system, from `swift infer`; repeatable.", metavar="NAME=FILE"),
    ] = None,
    system: Annotated[list[str] | None, typer.Option(help="Compare this system of a run; repeatable.")] = None,
    humans: Annotated[bool, typer.Option(help="Compare with the annotation, too, as the system Humans.")] = True,
    limit: Annotated[int, typer.Option(help="Number of fake images, chosen at random; 0 takes all.", min=0)] = 100,
    seed: Seed = 0,
    longer_side: Annotated[int, typer.Option(help="Longer side of an image, in pixels.", min=240, max=4096)] = 640,
    template: Template = "fx_qwen2_5_vl",
    max_pixels: MaxPixels = None,
    root: Root = None,
    force: Force = False,
) -> None:
    """Write tasks that show two explanations of one image side by side, blind (Fig. 3).

    Each pair of systems is compared on each chosen image; sides and order are random. Voters choose
    left, right or neutral. key.jsonl says which system is which: keep it away from the voters. `fakexplain label-studio
    votes` reads the export.
    """
    from converters.human.pairs import annotated_explanation, make_pairs, save_pairs

    from ..scoring.pictures.records import sample
    from ..scoring.run import FILES

    files = parse_named_files(predictions or [], "--predictions")
    check_free(output, force, source, *(path for paths in files.values() for path in paths), folder=True)
    root = root_of(output, root)
    path = source / FILES[1] if source.is_dir() else source
    explained = _explain(source, path, _systems(source, files, system or [], humans), files, template, max_pixels)
    fakes = ((record, systems) for record, systems in explained if record.label == "fake")
    chosen = sample(show_progress(fakes, path, "read"), limit, seed)
    if humans:
        chosen = [(record, {HUMANS: annotated_explanation(record), **systems}) for record, systems in chosen]
    found = make_pairs(chosen, seed)
    if not found.pairs:
        raise ValueError(f"{source}: expected at least one fake image with two explanations that differ, found none")
    with atomic_folder(output, whole=True) as partial:
        saved = save_pairs(found.pairs, partial, output, root, longer_side)
        for _ in show_progress(saved, None, "draw", "pair", len(found.pairs)):
            pass
    _print_pairing(found, len(chosen), output)


def _systems(source: Path, files: dict[str, list[Path]], system: list[str], humans: bool) -> list[str]:
    """The systems to compare, besides the annotation."""
    from ..scoring.run import load_run

    if source.is_dir() and files:
        raise typer.BadParameter("SOURCE is a run and already has answers", param_hint="--predictions")
    if system and not source.is_dir():
        raise typer.BadParameter("expected a run to choose from, found an annotations file", param_hint="--system")
    known = list(load_run(source).systems) if source.is_dir() else list(files)
    if unknown := set(system) - set(known):
        raise typer.BadParameter(f"expected {', '.join(known)}, found {min(unknown)}", param_hint="--system")
    if HUMANS in known and humans:
        raise typer.BadParameter(f"expected another name than {HUMANS} for a system, or --no-humans")
    chosen = system or known
    if len(chosen) + humans < 2:
        raise typer.BadParameter(f"expected at least two systems, found {len(chosen) + humans}; name --predictions")
    return chosen


def _explain(
    source: Path, path: Path, systems: list[str], files: dict[str, list[Path]], template: str, max_pixels: int | None
) -> Iterator[tuple[Annotation, dict[str, Explanation | None]]]:
    """Records, each with the explanations of the systems."""
    from converters.human.pairs import explanation_of

    from ..frames import frame_rule
    from ..scoring.pictures.records import attach_file_answers, attach_run_answers

    rule = parse_option(lambda name: frame_rule(name, max_pixels=max_pixels), template, "--template")
    records = read_annotations(path)
    answered = (
        attach_run_answers(records, systems)
        if source.is_dir()
        else attach_file_answers(records, {name: files[name] for name in systems}, rule, "full")
    )
    for record, answers in answered:
        yield record, {name: answer and explanation_of(answer) for name, answer in answers.items()}


def _print_pairing(found: Pairing, images: int, output: Path) -> None:
    say(f"{len(found.pairs)} pairs of explanations of {images} images in {output}; the key is {output / 'key.jsonl'}")
    for number, words in (
        (found.unanswered, "pairs left out because a system has no answer"),
        (found.same, "pairs left out because both explanations are the same"),
    ):
        if number:
            say(f"  {number} {words}")


@steps.command()
def votes(
    export: Annotated[Path, typer.Argument(help="Export of the study's project, JSON.", metavar="EXPORT")],
    key: Annotated[Path, typer.Option(help="The study's key.jsonl.")],
    output: Annotated[Path, typer.Option(*OUT, help="CSV file to write, for `fakexplain report --votes`.")],
    dpo: Annotated[
        Path | None,
        typer.Option(help="Also write rows for `swift rlhf --rlhf_type dpo`: the preferred explanation and the other."),
    ] = None,
    force: Force = False,
) -> None:
    """Turn the votes of a study of preferences into a table for the report (Fig. 3), and into rows for DPO.

    Voters are numbered v01, v02 … in order of first appearance. A pair gives a row for DPO if most of its non-neutral
    votes agree.
    """
    from converters.human.votes import COLUMNS_OF_VOTES, dpo_rows, read_key, read_pair_votes, vote_rows

    for out in filter(None, (output, dpo)):
        check_free(out, force, export, key)
    pairs = read_key(key)
    found = list(read_pair_votes(export, pairs))
    if not found:
        raise ValueError(f"{export}: expected at least one vote, found none")
    rows, counts = dpo_rows(found, pairs)
    with ExitStack() as files:
        save_csv(files.enter_context(atomic_file(output)), COLUMNS_OF_VOTES, vote_rows(found, pairs))
        if dpo is not None and rows:
            write_jsonl(files.enter_context(atomic_file(dpo)), rows, to_compact_json)
    neutral = sum(vote.choice == "neutral" for vote in found)
    say(f"{len(found)} votes in {output}, {neutral} of them neutral; {len({vote.pair for vote in found})} pairs")
    if dpo is not None:
        say(f"{counts.rows} rows for DPO in {dpo}" if rows else f"no rows for DPO, and no {dpo}")
        for number, words in (
            (counts.undecided, "pairs without a majority"),
            (counts.unusable, "pairs with an answer that no record can hold"),
            (counts.alike, "pairs that differ in their boxes alone, which ms-swift refuses"),
        ):
            if number:
                say(f"  {number} {words}")


@steps.command()
def handout(
    annotations: Annotations,
    output: Annotated[Path, typer.Option(*OUT, help="HTML file to write.")],
    examples: Annotated[int, typer.Option(help="Positive and negative examples per tag.", min=1)] = 2,
    seed: Seed = 0,
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "How to annotate AI-generated images",
    force: Force = False,
) -> None:
    """Write the annotators' handout: one page to print, with guidelines and examples of every tag (App. A.2).

    Examples are chosen from ANNOTATIONS with a seed, from several generators; real images are the negative ones. Look
    at them before you print: they teach what they show.
    """
    from converters.human.handout import choose_examples, render_handout

    check_free(output, force, annotations)
    records = show_progress(read_annotations(annotations), annotations, "read")
    chosen = choose_examples(records, examples, seed)
    page = render_handout(chosen, title)
    with atomic_file(output) as partial:
        partial.write_text(page, encoding="utf-8")
    say(f"handout in {output}")
    for tag, found in chosen.items():
        if len(found.positive) < examples or len(found.negative) < examples:
            say(f"  {tag}: {len(found.positive)} positive and {len(found.negative)} negative examples")
