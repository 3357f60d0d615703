"""`fakexplain label-studio`: the human steps of the paper in Label Studio. This module: images to annotate."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..atomic import atomic_folder
from ..paths import check_is_file, check_is_folder
from ..text_table import align_columns
from .app import DATA, OUT, Force, MaxPixels, Seed, Template, app, check_free, parse_option, say, show_progress
from .named_files import parse_named_files

if TYPE_CHECKING:
    from converters.formats.label_studio_tasks import Planned
    from converters.human.proposals import Proposal

steps = typer.Typer(rich_markup_mode="markdown", invoke_without_command=True)
app.add_typer(steps, name="label-studio", rich_help_panel=DATA)

ImageFolder = Annotated[Path, typer.Argument(help="Folder of images.", metavar="IMAGES")]
StepFolder = Annotated[Path, typer.Option(*OUT, help="Folder to write: page.xml and tasks.json.")]
Root = Annotated[
    Path | None, typer.Option(help="Folder that Label Studio serves files from. Default: the parent of the folder.")
]
ManifestFile = Annotated[
    Path | None,
    typer.Option(help="Add id, class and generator to the tasks, from this file written by `fakexplain manifest`."),
]


@steps.callback()
def label_studio(
    context: typer.Context,
    tasks: Annotated[
        Path | None, typer.Option(help="Also write one task per image in this folder.", metavar="FOLDER")
    ] = None,
    output: Annotated[Path | None, typer.Option(*OUT, help="JSON file to write the tasks to, with --tasks.")] = None,
    root: Annotated[
        Path | None,
        typer.Option(help="Folder that Label Studio serves files from. Default: the parent of the --tasks folder."),
    ] = None,
    manifest: ManifestFile = None,
    force: Force = False,
) -> None:
    """Print a labelling interface for Label Studio, and with --tasks write its tasks. Below: the other steps.

    The interface asks for a box with a caption around each flaw, for tags and for a verdict; `fakexplain convert
    label-studio` reads the results. A task gives the path of its image relative to --root. Start Label Studio with
    LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT set to this folder; the images must be in a folder inside it.
    """
    from converters.formats.label_studio_tasks import CONFIG, save_tasks

    if context.invoked_subcommand:
        if tasks or output or root or manifest or force:
            raise typer.BadParameter(f"expected the options of {context.invoked_subcommand} after its name")
        return
    if (tasks is None) != (output is None):
        raise typer.BadParameter("expected --tasks and --out, or neither", param_hint="--tasks")
    if tasks is not None and output is not None:
        check_free(output, force)
        check_is_folder(tasks, "a folder of images")
        root = root_of(tasks, root)
        count, known = save_tasks(output, _normal(tasks), root, _load_plan(manifest))
        say(f"{count} tasks in {output}" + (f", {known} of them in {manifest}" if manifest else ""), err=True)
    say(CONFIG.read_text("utf-8").removesuffix("\n"))


def _normal(folder: Path) -> Path:
    return Path(os.path.normpath(folder.absolute()))


def root_of(folder: Path, root: Path | None) -> Path:
    """The folder that Label Studio serves files from, which contains another."""
    root = root or _normal(folder).parent
    if _normal(root) not in _normal(folder).parents:
        raise typer.BadParameter(f"expected a folder that contains {folder}, found {root}", param_hint="--root")
    return root


def _load_plan(manifest: Path | None) -> Planned:
    from converters.folds.manifest import load_manifest

    return load_manifest(manifest) if manifest else {}


@steps.command()
def screen(images: ImageFolder, output: StepFolder, root: Root = None, force: Force = False) -> None:
    """Write tasks that ask for each image whether to keep or drop it, and why (App. A.1).

    `fakexplain prepare --decisions` reads the export.
    """
    from converters.formats.label_studio_tasks import write_tasks
    from converters.human.screening import SCREEN_PAGE, screening_tasks

    check_free(output, force, images, folder=True)
    check_is_folder(images, "a folder of images")
    root = root_of(images, root)
    with atomic_folder(output, whole=True) as partial:
        count = write_tasks(partial / "tasks.json", screening_tasks(_normal(images), root))
        if not count:
            raise ValueError(f"{images}: expected at least one image, found none")
        (partial / "page.xml").write_bytes(SCREEN_PAGE.read_bytes())
    say(f"{count} tasks in {output / 'tasks.json'}")


@steps.command()
def preannotate(
    images: ImageFolder,
    output: StepFolder,
    predictions: Annotated[
        list[str],
        typer.Option(
            help="Answers of `swift infer` or `fakexplain detect` (.jsonl); several files of one model are joined. "
            "NAME is kept in the records.",
            metavar="NAME=FILE",
        ),
    ],
    root: Root = None,
    manifest: ManifestFile = None,
    template: Template = "fx_qwen2_5_vl",
    max_pixels: MaxPixels = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="P(fake) at which the model is in doubt.", show_default="0.5", min=0, max=1),
    ] = None,
    operating_point: Annotated[
        Path | None,
        typer.Option(help="Operating point, from `fakexplain calibrate`, whose threshold is used."),
    ] = None,
    force: Force = False,
) -> None:
    """Write tasks that hold a model's answers, for annotators to correct (App. H).

    The images that the model doubts most come first: those without a readable answer, then those with P(fake) nearest
    to the threshold. Set "Use predictions to prelabel tasks" in the project's settings. `fakexplain convert
    label-studio` marks each region as accepted, changed or new.
    """
    from converters.formats.label_studio_tasks import CONFIG, image_task, write_tasks
    from converters.human.proposals import add_proposals

    from ..images import image_files, image_key
    from ..operating_point import read_operating_point

    if threshold is not None and operating_point is not None:
        raise typer.BadParameter("expected one of --threshold and --operating-point", param_hint="--threshold")
    files = parse_named_files(predictions, "--predictions")
    if len(files) > 1:
        raise typer.BadParameter(f"expected one model, found {', '.join(files)}", param_hint="--predictions")
    ((model, paths),) = files.items()
    check_free(output, force, images, *paths, folder=True)
    check_is_folder(images, "a folder of images")
    root, planned = root_of(images, root), _load_plan(manifest)
    if operating_point:
        threshold = read_operating_point(operating_point).threshold
    threshold = 0.5 if threshold is None else threshold
    proposals = _load_proposals(paths, template, max_pixels)
    tasks = [(image_key(path), image_task(path, root, planned)) for path in image_files(_normal(images))]
    if not {key for key, _ in tasks} & proposals.keys():
        raise ValueError(f"{paths[0]}: expected answers about images in {images}, found none among {len(proposals)}")
    with atomic_folder(output, whole=True) as partial:
        write_tasks(partial / "tasks.json", add_proposals(tasks, proposals, model, threshold))
        (partial / "page.xml").write_bytes(CONFIG.read_bytes())
    _print_proposals([proposals.get(key) for key, _ in tasks], len(proposals), output)


def _load_proposals(paths: list[Path], template: str, max_pixels: int | None) -> dict[str, Proposal]:
    """Real path of an image -> what the model says of it."""
    from converters.human.proposals import propose, read_detections

    from ..frames import frame_rule
    from ..jsonl import read_lines
    from ..scoring.predictions.answers import decode_answer_line, is_detection, read_predictions
    from ..scoring.predictions.join import index_by_image

    rule = parse_option(lambda name: frame_rule(name, max_pixels=max_pixels), template, "--template")

    def read(path: Path) -> Iterator[Proposal]:
        first = next((line for _, line in read_lines(path, "answers (JSON Lines)")), b"{}")
        try:
            of_detect = is_detection(decode_answer_line(first))
        except ValueError:
            of_detect = False
        if of_detect:
            yield from read_detections(path)
        else:
            yield from (propose(answer, rule) for answer in read_predictions(path))

    return index_by_image(each for path in paths for each in show_progress(read(path), path, "read", "answer"))


def _print_proposals(proposals: list[Proposal | None], answers: int, output: Path) -> None:
    """Print how many tasks have a proposal, and why others have none."""
    found = [each for each in proposals if each]
    readable = [each for each in found if each.verdict]
    say(f"{len(proposals)} tasks in {output / 'tasks.json'}, {len(readable)} with a model's answer")
    for number, words in (
        (sum(len(each.regions) for each in readable), "regions proposed"),
        (len(found) - len(readable), "answers that cannot be read; these images come first"),
        (len(proposals) - len(found), "images without an answer; these come first too"),
        (sum(each.p_fake is None for each in readable), "answers without P(fake), which come next, in no order"),
        (answers - len(found), "answers about other images, not used"),
        (sum(each.misfits for each in readable), "answers with boxes that do not fit the frame; is --template theirs?"),
    ):
        if number:
            say(f"  {number} {words}")


@steps.command()
def assign(
    tasks: Annotated[
        Path, typer.Argument(help="Tasks that `label-studio --tasks` or `preannotate` wrote.", metavar="TASKS")
    ],
    output: Annotated[Path, typer.Option(*OUT, help="Folder to write: page.xml and files of tasks.")],
    annotators: Annotated[int, typer.Option(help="Number of annotators, who are called a01, a02 …", min=1)],
    overlap: Annotated[
        float, typer.Option(help="Share of the images that a second annotator gets too.", min=0, max=1)
    ] = 0.0,
    control: Annotated[
        float, typer.Option(help="Share of the images that the team annotates too: the control sample.", min=0, max=1)
    ] = 0.05,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Share tasks among annotators, with an overlap and a control sample (§3.3).

    OUT receives tasks-a01.json … for the annotators, control.json for the team, and assignment.csv. All shares are
    stratified by generator, if the tasks name it. The records will name the annotators as here, so that `fakexplain qc`
    compares them with one another on the images that they share, and with the team: --reference takes the team's
    records of control.json.
    """
    from converters.formats.label_studio_tasks import CONFIG, write_tasks
    from converters.human import assignment
    from converters.human.exports import load_tasks

    check_is_file(tasks, "a JSON file of tasks")
    check_free(output, force, tasks, folder=True)
    loaded = [task for _, task in load_tasks(tasks, "tasks that `fakexplain label-studio` wrote")]
    strata = [str(task["data"].get("generator") or "") for task in loaded]
    try:
        assigned = assignment.assign(strata, annotators, overlap=overlap, control=control, seed=seed)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--annotators") from None
    names = assignment.annotator_names(annotators)
    with atomic_folder(output, whole=True) as partial:
        for index, name in enumerate(names):
            write_tasks(partial / f"tasks-{name}.json", assignment.tasks_of(loaded, assigned, index, name))
        if any(each.control for each in assigned):
            write_tasks(partial / "control.json", assignment.control_tasks(loaded, assigned))
        assignment.save_assignment(partial / "assignment.csv", loaded, assigned, names)
        (partial / "page.xml").write_bytes(CONFIG.read_bytes())
    _print_assignment(assigned, names, output)
    if not any(strata):
        say("  no task names a generator, so nothing is stratified; `label-studio --manifest` adds it", err=True)


def _print_assignment(assigned: list[Any], names: list[str], output: Path) -> None:
    from converters.human.assignment import assignment_counts

    rows: list[tuple[str, ...]] = [("annotator", "images", "control", "shared")]
    counts = assignment_counts(assigned, len(names))
    rows += [(name, *map(str, each)) for name, each in zip(names, counts, strict=True)]
    say(f"{align_columns(rows, left=(0,))}\n")
    controls, shared = sum(each.control for each in assigned), sum(len(each.annotators) > 1 for each in assigned)
    say(f"{len(assigned)} images in {output}: {controls} in the control sample, {shared} with two annotators")
