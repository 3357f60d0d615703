"""`fakexplain app`: a page on which anyone can ask a model about images."""

from __future__ import annotations

import errno
import os
import socket
import threading
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .app import DETECTION, after_interrupt, app, say
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
    from ..annotation import Annotation
    from ..detect.engine import Engine

FIRST_PORT, PORTS = 7860, 100


@app.command("app", rich_help_panel=DETECTION)
def demo(
    model: Model = None,
    adapters: Adapters = None,
    backend: Backend = "transformers",
    url: Url = None,
    served_model: ServedModel = None,
    api_key: ApiKey = None,
    template: TrainedTemplate = None,
    max_pixels: TrainedMaxPixels = None,
    variant: TrainedVariant = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 opens the page to the network.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(help=f"Port to listen on. Default: the first free one from {FIRST_PORT}.", min=1, max=65535),
    ] = None,
    examples: Annotated[
        Path | None,
        typer.Option(help="Annotations file of images to click. Default: for a quickstart's model, its held-out fold."),
    ] = None,
    max_upload_mb: Annotated[int, typer.Option(help="Largest file that can be uploaded, in MB.", min=1)] = 20,
    operating_point: OperatingPointFile = None,
    samples: Samples = 0,
    temperature: Temperature = 0.8,
    batch_size: BatchSize = 8,
    max_tokens: MaxTokens = 1024,
    timeout: Timeout = 300.0,
    engine_args: EngineArgs = "",
) -> None:
    """Open a page on which anyone can drop images and see verdict, boxes and captions. Needs the extra `app`.

    The page answers as `fakexplain detect` does, one request at a time. Only this machine can open it unless --host
    says otherwise. Uploads are removed after an hour, and at the end. Ctrl-C ends it.
    """
    if find_spec("gradio") is None:  # before a model is loaded in vain; importing it takes seconds
        raise ModuleNotFoundError(name="gradio")
    from ..detect.run import Examination
    from ..operating_point import read_operating_point

    server, more = parse_server(url), parse_engine_args(engine_args)
    settings, model = read_model(model, adapters, server, template, max_pixels, variant)
    rule = settings.frame_rule()
    point = read_operating_point(operating_point) if operating_point else None
    how = Examination(
        rule, settings.max_pixels, settings.variant, operating_point=point, samples=samples, temperature=temperature
    )
    clickable = _read_examples(examples, model)
    free = _find_port(host, port)
    engine: Engine
    if server is not None:
        engine = asked = ask_server(server, settings, served_model, api_key, max_tokens, timeout)
        name = asked.model
    else:
        say(f"loading {model}", err=True)
        engine = load_model(str(model), settings, rule, adapters, backend, batch_size, max_tokens, more)
        name = "/".join(Path(adapters or str(model)).parts[-2:])
    from ..detect.app.page import Served, open_page

    with closing(engine), open_page(Served(name, engine, how, batch_size, clickable), host, free, max_upload_mb) as at:
        after_interrupt[:] = ["the page is closed and all uploads are removed"]
        say(f"the page is at {at} (Ctrl-C ends it)")
        threading.Event().wait()


def _read_examples(annotations: Path | None, model: str | None) -> list[Annotation]:
    from ..detect.app.examining import quickstart_world, read_examples

    if annotations is not None:
        return read_examples(annotations)
    world = quickstart_world(model)
    return read_examples(world, fold=0) if world else []  # the fold that it was not trained on


def _find_port(host: str, port: int | None) -> int:
    """A port that can be listened on, before a model is loaded in vain."""
    for candidate in [port] if port else range(FIRST_PORT, FIRST_PORT + PORTS):
        try:
            family, kind, _, _, address = socket.getaddrinfo(host, candidate, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(address)
            return candidate
        except OSError as error:
            if port or error.errno != errno.EADDRINUSE:
                words = f"cannot listen on {host}:{candidate}: {error.strerror or os.strerror(error.errno or 0)}"
                raise typer.BadParameter(words, param_hint="--port" if port else "--host") from None
    raise typer.BadParameter(f"no free port from {FIRST_PORT} on", param_hint="--port")
