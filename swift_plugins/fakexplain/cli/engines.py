"""Options and functions of the commands that ask a model about images: `detect` and `app`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..variants import VARIANTS
from .app import parse_option
from .setup import find_plugin

if TYPE_CHECKING:
    from ..detect.engine import Engine
    from ..detect.model_settings import ModelSettings
    from ..detect.server import ServerEngine
    from ..frames import FrameRule

    _Variant = str
else:
    _Variant = Literal[VARIANTS]  # `--help` prints them

Model = Annotated[
    str | None, typer.Option(help="Model folder or name. With --url: only the settings in its folder are read.")
]
Adapters = Annotated[
    str | None, typer.Option(help="Folder of LoRA adapters. Default of --model: what they were trained on.")
]
Backend = Annotated[Literal["transformers", "vllm"], typer.Option(help="Engine of a local model.")]
Url = Annotated[str | None, typer.Option(help="Ask an OpenAI-compatible server, such as http://localhost:8000/v1.")]
ServedModel = Annotated[
    str | None, typer.Option(help="Name of the served model. Default: the only one that the server lists.")
]
ApiKey = Annotated[str | None, typer.Option(help="Key for the server.", envvar="OPENAI_API_KEY")]
TrainedTemplate = Annotated[
    str | None, typer.Option(help="Template that the model was trained with, if its folder does not say.")
]
TrainedMaxPixels = Annotated[
    int | None, typer.Option(help="--max_pixels of the training, if the model's folder does not say.", min=1)
]
TrainedVariant = Annotated[
    _Variant | None, typer.Option(help="Parts of an answer. Default: those that the model was trained on.")
]
OperatingPointFile = Annotated[
    Path | None,
    typer.Option(help="File of `fakexplain calibrate`: P(fake) decides. Default: the model's own verdict."),
]
Samples = Annotated[
    int, typer.Option(help="Sampled answers per image beside the greedy one; the consensus is shown.", min=0)
]
Temperature = Annotated[float, typer.Option(help="Temperature of --samples.", min=0.01, max=2)]
BatchSize = Annotated[int, typer.Option(help="Images that are answered at a time.", min=1)]
MaxTokens = Annotated[int, typer.Option(help="Longest answer, in tokens.", min=1)]
Timeout = Annotated[float, typer.Option(help="Seconds that a server may take for one answer.", min=0.1)]
EngineArgs = Annotated[
    str, typer.Option(help="Further arguments of `swift infer`, such as '--vllm_max_model_len 4096'.")
]


def parse_server(url: str | None) -> str | None:
    """Check the address of a server, if there is one."""
    if url is None:
        return None
    from ..detect.server import parse_url

    parsed: str = parse_option(parse_url, url, "--url")
    return parsed


def parse_engine_args(engine_args: str) -> list[str]:
    """Split --engine-args as a shell does."""
    words: list[str] = parse_option(shlex.split, engine_args, "--engine-args")
    return words


def read_model(
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


def ask_server(
    server: str,
    settings: ModelSettings,
    served_model: str | None,
    api_key: str | None,
    max_tokens: int,
    timeout: float,
) -> ServerEngine:
    """An engine that asks a server; fails at once if there is none."""
    from ..detect.server import ServerEngine

    return ServerEngine(
        server, settings.system_prompt, model=served_model, api_key=api_key, max_tokens=max_tokens, timeout=timeout
    )


def load_model(
    model: str,
    settings: ModelSettings,
    rule: FrameRule,
    adapters: str | None,
    backend: Backend,
    batch_size: int,
    max_tokens: int,
    more: list[str],
) -> Engine:
    """An engine in this process, with the model loaded."""
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
