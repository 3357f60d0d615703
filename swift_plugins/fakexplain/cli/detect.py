"""`fakexplain detect`: an image in, an answer out."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..jsonl import to_json
from ..paths import real_path
from .app import DETECTION, OUT, Errors, after_interrupt, app, check_free, fail, say, show_progress
from .engines import (
    Adapters,
    ApiKey,
    Backend,
    BatchSize,
    EngineArgs,
    MaxTokens,
    Model,
    OperatingPointFile,
    Samples,
    ServedModel,
    Temperature,
    Timeout,
    TrainedMaxPixels,
    TrainedTemplate,
    TrainedVariant,
    Url,
    ask_server,
    load_model,
    parse_engine_args,
    parse_server,
    read_model,
)

if TYPE_CHECKING:
    from ..detect.engine import Engine
    from ..detect.output import Output
    from ..detect.run import Examination


@app.command(rich_help_panel=DETECTION)
def detect(
    sources: Annotated[
        list[Path],
        typer.Argument(
            help="Images; folders of images; a .txt list, one path per line; or a .jsonl annotations file.",
            metavar="IMAGES...",
        ),
    ],
    model: Model = None,
    adapters: Adapters = None,
    backend: Backend = "transformers",
    url: Url = None,
    served_model: ServedModel = None,
    api_key: ApiKey = None,
    template: TrainedTemplate = None,
    max_pixels: TrainedMaxPixels = None,
    variant: TrainedVariant = None,
    out: Annotated[
        Path | None, typer.Option(*OUT, help="Folder for detections.jsonl, a picture of each image, and a gallery.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per image.")] = False,
    pictures: Annotated[bool, typer.Option(help="Write pictures and a gallery to --out.")] = True,
    operating_point: OperatingPointFile = None,
    samples: Samples = 0,
    temperature: Temperature = 0.8,
    batch_size: BatchSize = 8,
    max_tokens: MaxTokens = 1024,
    timeout: Timeout = 300.0,
    engine_args: EngineArgs = "",
    force: Annotated[bool, typer.Option("--force", help="Start over in an output folder of this command.")] = False,
) -> None:
    """Tell whether images are real or AI-generated, and show why.

    Boxes are in pixels of the upright image. An answer that cannot be read, or has no verdict, is `unsure`, never real.
    With --out, run the same command again after an interrupt: it continues where it stopped.
    """
    from ..detect.output import open_output
    from ..detect.pictures import PICTURE_SIDE
    from ..detect.run import Examination
    from ..operating_point import read_operating_point

    server = parse_server(url)
    settings, model = read_model(model, adapters, server, template, max_pixels, variant)
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
    more = parse_engine_args(engine_args)
    with ExitStack() as stack:

        def start() -> Engine:
            engine: Engine
            if server is not None:
                engine = ask_server(server, settings, served_model, api_key, max_tokens, timeout)
            else:
                engine = load_model(str(model), settings, rule, adapters, backend, batch_size, max_tokens, more)
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
