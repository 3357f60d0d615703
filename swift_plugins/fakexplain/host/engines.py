"""A local model in ms-swift's own engines, set up as `swift infer` sets them up."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from ..completions import Completion
from ..errors import DataError, Unquoted
from ..frames import FrameRule, active_rule
from ..prompts import QUESTION
from ..quiet import QUIET

Backend = Literal["transformers", "vllm"]


class LocalEngine:
    """A model in this process.

    Args:
        model: its folder, or its name on a hub.
        system: system prompt.
        rule: frame rule of its template; the images given to `answer` are already scaled by `--max_pixels`.
        plugin: the file that fills ms-swift's registries. Plugins that a model's `args.json` names are not loaded.
        adapters: folder of LoRA adapters.
        backend: the engine.
        batch_size: images at a time.
        max_tokens: longest answer.
        top_logprobs: likeliest tokens to keep in each place.
        norm_bbox: the training's `--norm_bbox`.
        env: variables that the model was trained with; those already set stay.
        more: further arguments of `swift infer`.

    Raises:
        ValueError: ms-swift does not know the model or its template, refuses an argument, or has another frame rule.
    """

    def __init__(
        self,
        model: str,
        system: str,
        *,
        rule: FrameRule,
        plugin: Path,
        adapters: str | None = None,
        backend: Backend = "transformers",
        batch_size: int = 8,
        max_tokens: int = 1024,
        top_logprobs: int = 20,
        norm_bbox: str | None = None,
        env: Mapping[str, str] | None = None,
        more: Sequence[str] = (),
    ):
        for name, value in {**(env or {}), **QUIET}.items():
            os.environ.setdefault(name, value)
        arguments = [
            *("--model", model, "--template", rule.template, "--external_plugins", str(plugin)),
            *("--infer_backend", backend, "--max_batch_size", str(batch_size)),
            *(("--adapters", adapters) if adapters else ()),
            *(("--norm_bbox", norm_bbox) if norm_bbox else ()),
            *more,
        ]
        with redirect_stdout(sys.stderr):  # what libraries print is no answer
            with _without_garbage_collection():
                from swift.infer_engine import RequestConfig
                from swift.pipelines.infer.infer import SwiftInfer

            try:
                self._swift: Any = SwiftInfer(arguments)
            except (AssertionError, KeyError, OSError) as error:  # ms-swift's own words for a bad argument
                raise ValueError(f"{model}: ms-swift cannot load it: {type(error).__name__}: {error}") from error
        self._engine: Any = self._swift.infer_engine
        self._engine.strict = False  # an image that cannot be encoded does not end the batch
        self._config = RequestConfig(
            max_tokens=max_tokens, temperature=0, logprobs=True, top_logprobs=top_logprobs, num_beams=1
        )
        self._system = system
        found = active_rule()
        if found is not None and replace(found, max_pixels=None) != replace(rule, max_pixels=None):
            raise ValueError(
                f"{model}: expected the model frame of {rule}, found that of {found} in the running template"
            )

    def answer(self, images: Sequence[Any], temperature: float = 0.0) -> list[Completion | DataError]:
        """Answer images (`PIL.Image.Image`), in order; a `DataError` says why one was not taken.

        Raises:
            ValueError: the batch does not fit into memory.
        """
        requests = [
            {
                "messages": [
                    {"role": "system", "content": self._system},
                    {"role": "user", "content": f"<image>{QUESTION}"},
                ],
                "images": [image],
            }
            for image in images
        ]
        from swift.infer_engine import InferRequest

        start = time.perf_counter()
        with redirect_stdout(sys.stderr):
            try:
                answers = self._swift.infer(
                    [InferRequest(**request) for request in requests],
                    replace(self._config, temperature=temperature),
                    use_tqdm=False,
                    **self._swift.infer_kwargs,
                )
            except RuntimeError as error:
                if type(error).__name__ != "OutOfMemoryError":
                    raise
                raise ValueError(f"out of memory (a smaller --batch-size needs less): {error}") from None
        seconds = (time.perf_counter() - start) / max(1, len(images))
        return [_completion(answer, seconds) for answer in answers]

    def close(self) -> None:
        """Free the model."""
        del self._engine, self._swift


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """For imports: what they create lives as long as the process, so it is not searched for garbage.

    Python would do so again and again while it imports ms-swift, and once more at its end: a quarter of the time that a
    single answer takes.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


def _completion(answer: Any, seconds: float) -> Completion | DataError:
    if isinstance(answer, Exception):
        return DataError("an image that the model takes", Unquoted(f"{answer}"), field="image")
    choice = answer.choices[0]
    return Completion(choice.message.content or "", choice.logprobs, seconds)
