"""`fakexplain detect`: an image in, an answer out."""

from __future__ import annotations

import shlex
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..jsonl import to_json
from ..paths import real_path
from ..variants import VARIANTS
from .app import DETECTION, OUT, Errors, after_interrupt, app, check_free, fail, parse_option, say, show_progress
from .setup import find_plugin

if TYPE_CHECKING:
    from ..detect.engine import Engine
    from ..detect.model_settings import ModelSettings
    from ..detect.output import Output
    from ..detect.run import Examination
    from ..frames import FrameRule

    _Variant = str
else:
    _Variant = Literal[VARIANTS]  # `--help` prints them

Backend = Literal["transformers", "vllm"]


@app.command(rich_help_panel=DETECTION)
def detect(
    sources: Annotated[
        list[Path],
        typer.Argument(
            help="Images; folders of images; a .txt list, one path per line; or a .jsonl annotations file.",
            metavar="IMAGES...",
        ),
    ],
    model: Annotated[
        str | None, typer.Option(help="Model folder or name. With --url: only the settings in its folder are read.")
    ] = None,
    adapters: Annotated[
        str | None, typer.Option(help="Folder of LoRA adapters. Default of --model: what they were trained on.")
    ] = None,
    backend: Annotated[Backend, typer.Option(help="Engine of a local model.")] = "transformers",
    url: Annotated[
        str | None, typer.Option(help="Ask an OpenAI-compatible server, such as http://localhost:8000/v1.")
    ] = None,
    served_model: Annotated[
        str | None, typer.Option(help="Name of the served model. Default: the only one that the server lists.")
    ] = None,
    api_key: Annotated[str | None, typer.Option(help="Key for the server.", envvar="OPENAI_API_KEY")] = None,
    template: Annotated[
        str | None, typer.Option(help="Template that the model was trained with, if its folder does not say.")
    ] = None,
    max_pixels: Annotated[
        int | None, typer.Option(help="--max_pixels of the training, if the model's folder does not say.", min=1)
    ] = None,
    variant: Annotated[
        _Variant | None, typer.Option(help="Parts of an answer. Default: those that the model was trained on.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(*OUT, help="Folder for detections.jsonl, a picture of each image, and a gallery.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per image.")] = False,
    pictures: Annotated[bool, typer.Option(help="Write pictures and a gallery to --out.")] = True,
    operating_point: Annotated[
        Path | None,
        typer.Option(help="File of `fakexplain calibrate`: P(fake) decides. Default: the model's own verdict."),
    ] = None,
    samples: Annotated[
        int, typer.Option(help="Sampled answers per image beside the greedy one; the consensus is shown.", min=0)
    ] = 0,
    temperature: Annotated[float, typer.Option(help="Temperature of --samples.", min=0.01, max=2)] = 0.8,
    batch_size: Annotated[int, typer.Option(help="Images that are answered at a time.", min=1)] = 8,
    max_tokens: Annotated[int, typer.Option(help="Longest answer, in tokens.", min=1)] = 1024,
    timeout: Annotated[float, typer.Option(help="Seconds that a server may take for one answer.", min=0.1)] = 300.0,
    engine_args: Annotated[
        str, typer.Option(help="Further arguments of `swift infer`, such as '--vllm_max_model_len 4096'.")
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Start over in an output folder of this command.")] = False,
) -> None:
    """Tell whether images are real or AI-generated, and show why.

    Boxes are in pixels of the image upright. An answer that cannot be read, or has no verdict, is `unsure`, never real.
    With --out, the same command goes on after an interrupt where it was.
    """
    from ..detect.output import open_output
    from ..detect.pictures import PICTURE_SIDE
    from ..detect.run import Examination
    from ..operating_point import read_operating_point

    server = None if url is None else _parse_server(url)
    settings, model = _read_settings(model, adapters, server, template, max_pixels, variant)
    rule = settings.frame_rule()
    how = Examination(
        rule,
        settings.max_pixels,
        settings.variant,
        operating_point=read_operating_point(operating_point) if operating_point else None,
        samples=samples,
        temperature=temperature,
        shown_side=PICTURE_SIDE if out and pictures else None,
    )
    more: list[str] = parse_option(shlex.split, engine_args, "--engine-args")
    with ExitStack() as stack:

        def start() -> Engine:
            engine: Engine
            if server is not None:
                from ..detect.server import ServerEngine

                engine = ServerEngine(
                    server,
                    settings.system_prompt,
                    model=served_model,
                    api_key=api_key,
                    max_tokens=max_tokens,
                    timeout=timeout,
                )
            else:
                engine = _load_model(str(model), settings, rule, adapters, backend, batch_size, max_tokens, more)
            return stack.enter_context(closing(engine))

        output = None
        if out is not None:
            _check_out(out, force, sources)
            where = {"url": server, "served_model": served_model} if server else {"backend": backend}
            described: dict[str, Any] = {**where, "model": _place(model), "adapters": _place(adapters)}
            described |= {"max_tokens": max_tokens, "engine_args": more}
            described |= {**how.described(), **settings.described(rule)}
            output = stack.enter_context(open_output(out, described, pictures))
            after_interrupt[:] = [f"finished answers are kept in {out}; the same command goes on"]
        total = _Total(start)
        try:
            bad = _examine(sources, how, total, output, batch_size, json)
        except ValueError as error:
            if output is None:
                raise
            kept = f"{output.journal.count} answers are kept in {out}; the same command goes on"
            raise ValueError(f"{error} ({kept})") from None
        say(total.in_words(), err=json or out is None)
        if output and out and (pages := output.finish("Detections")):
            say(f"{output.journal.count} images in {out / pages[0]}", err=json)
    if bad:
        fail(f"{bad} images could not be examined")


def _examine(
    sources: list[Path],
    how: Examination,
    total: _Total,
    output: Output | None,
    batch_size: int,
    as_json: bool,
) -> int:
    """Examine all images; return the number of those that could not be."""
    from ..detect.detection import to_line
    from ..detect.inputs import count_inputs, read_inputs
    from ..detect.run import detect_all
    from ..detect.terminal import in_words

    errors = Errors(keep_going=True)
    inputs: Iterator[Any] = read_inputs(sources, errors)
    if sys.stderr.isatty() and (output or as_json) and not (as_json and sys.stdout.isatty()):
        inputs = show_progress(inputs, None, "detect", "image", total=count_inputs(sources))
    is_done = output.is_done if output else None
    for batch in detect_all(inputs, total.start, how, batch_size=batch_size, is_done=is_done, on_error=errors):
        if output:
            output.save(batch)
        for detection, _ in batch:
            total.verdicts[detection.verdict] += 1
            if as_json:
                say(to_json(to_line(detection)).decode())
            elif not output:
                say(in_words(detection))
        sys.stdout.flush()
    if output and output.journal.resumed:
        say(f"{output.journal.resumed} images were answered before", err=as_json)
    return errors.count


@dataclass
class _Total:
    """Verdicts, and the time they took.

    Attributes:
        engine: starts the engine, which is done once there is an image to answer.
    """

    engine: Any
    verdicts: Counter[str] = field(default_factory=Counter)
    loading: float = 0.0
    _ready: float | None = None

    def start(self) -> Engine:
        before = time.perf_counter()
        engine: Engine = self.engine()
        self._ready = time.perf_counter()
        self.loading = self._ready - before
        return engine

    def in_words(self) -> str:
        counts = ", ".join(f"{self.verdicts[name]} {name}" for name in ("fake", "real", "unsure"))
        count = self.verdicts.total()
        if self._ready is None:
            return f"{count} images: {counts}"
        seconds = time.perf_counter() - self._ready
        speed = f"{count / max(seconds, 1e-9):.2f} images/s"
        return f"{count} images: {counts}; {seconds:.1f} s ({speed}), after {self.loading:.1f} s to start"


def _parse_server(url: str) -> str:
    from ..detect.server import parse_url

    parsed: str = parse_option(parse_url, url, "--url")
    return parsed


def _read_settings(
    model: str | None,
    adapters: str | None,
    server: str | None,
    template: str | None,
    max_pixels: int | None,
    variant: str | None,
) -> tuple[ModelSettings, str | None]:
    """Settings of the model, and the model itself, which adapters may name."""
    from ..detect.model_settings import base_model, read_settings

    if model is None and adapters is None and server is None:
        raise typer.BadParameter("expected a model, or --url with a server", param_hint="--model")
    settings = read_settings(model, adapters, template=template, max_pixels=max_pixels, variant=variant)
    if model is None and adapters is not None and server is None:
        model = base_model(adapters)
    return settings, model


def _check_out(out: Path, force: bool, sources: list[Path]) -> None:
    """Reject an output folder that is not of this command, or that would become its own input."""
    from ..detect.output import is_output, remove_output

    check_free(out, True, *sources, folder=True)
    for source in sources:
        if source.is_dir() and real_path(out).is_relative_to(real_path(source)):
            raise typer.BadParameter(f"{out} lies in {source}, whose images are examined", param_hint=OUT[0])
    if is_output(out):
        if force:
            remove_output(out)
    elif out.exists() and any(out.iterdir()):
        raise typer.BadParameter(f"{out} holds files of something else; expected a new folder", param_hint=OUT[0])


def _place(name: str | None) -> str | None:
    """A folder by its real path, for the settings of a run; a name on a hub as it is."""
    return str(real_path(name)) if name and Path(name).exists() else name


def _load_model(
    model: str,
    settings: ModelSettings,
    rule: FrameRule,
    adapters: str | None,
    backend: Backend,
    batch_size: int,
    max_tokens: int,
    more: list[str],
) -> Engine:
    from ..host.engines import LocalEngine

    return LocalEngine(
        model,
        settings.system_prompt,
        rule=rule,
        plugin=find_plugin(),
        adapters=adapters,
        backend=backend,
        batch_size=batch_size,
        max_tokens=max_tokens,
        norm_bbox=settings.norm_bbox,
        env=settings.env,
        more=more,
    )
