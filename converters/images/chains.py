"""Perturbations by name: chains of steps, written `KIND:VALUE` and joined by `+`.

jpeg:80, webp:80    encoded at that quality, by Pillow
crop:0.8            a window of that share of either side, at random
down:0.5            shrunk to that share of either side, Lanczos
fit:1080            shrunk, Lanczos, where the longer side is more pixels than that
rescale:0.5         shrunk and enlarged again, Lanczos
blur:1.5            Gaussian blur of that radius, pixels
noise:8             Gaussian noise of that standard deviation, of 255
"""

from __future__ import annotations

import re
from typing import NamedTuple

PAPER = ("jpeg:80", "jpeg:30", "crop:0.8", "down:0.5")
"""Table 5. The paper does not say how much its random cropping leaves; 0.8 is a choice made here."""

PRESETS = {
    "social": "fit:1080+jpeg:80",
    "messenger": "fit:800+jpeg:60+jpeg:40",
}
"""In the manner of a social network (mild) and of a picture sent and sent on (harsh); no platform was measured."""

CODECS = {"jpeg": ".jpg", "webp": ".webp"}

_WHOLE, _SHARE = "a whole number", "a share"
_KINDS: dict[str, tuple[str, float, float]] = {
    "jpeg": (_WHOLE, 1, 100),
    "webp": (_WHOLE, 1, 100),
    "crop": (_SHARE, 0, 1),
    "down": (_SHARE, 0, 1),
    "fit": (_WHOLE, 1, 65535),
    "rescale": (_SHARE, 0, 1),
    "blur": ("a number", 0, 100),
    "noise": ("a number", 0, 255),
}


class Step(NamedTuple):
    """One step of a chain."""

    kind: str
    value: float


class Chain(NamedTuple):
    """A perturbation.

    Attributes:
        name: as records hold it, `crop:0.8+jpeg:80`.
        steps: what is done, in this order.
    """

    name: str
    steps: tuple[Step, ...]

    @property
    def folder(self) -> str:
        """The name as a folder's: `crop-0.8_jpeg-80`."""
        return self.name.replace(":", "-").replace("+", "_")

    @property
    def suffix(self) -> str:
        """Of the image files: a chain that ends in a codec stores its bytes, any other a PNG."""
        return CODECS.get(self.steps[-1].kind, ".png")


def parse_chain(text: str) -> Chain:
    """A chain from its name.

    Raises:
        ValueError: an unknown kind or preset, or a value out of range.

    >>> parse_chain("crop:0.80+jpeg:80").name
    'crop:0.8+jpeg:80'
    >>> parse_chain("social").steps
    (Step(kind='fit', value=1080), Step(kind='jpeg', value=80))
    """
    names: list[str] = []
    steps: list[Step] = []
    for part in text.split("+"):
        preset = part in PRESETS
        several = [_parse_step(each) for each in (PRESETS[part].split("+") if preset else [part])]
        steps += several
        names += [part] if preset else [f"{step.kind}:{step.value}" for step in several]
    return Chain("+".join(names), tuple(steps))


def _parse_step(text: str) -> Step:
    kind, _, value = text.partition(":")
    if kind not in _KINDS:
        raise ValueError(f"expected {', '.join(PRESETS)} or KIND:VALUE of {', '.join(_KINDS)}, found {text!r}")
    what, low, high = _KINDS[kind]
    number = float(value) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value) else -1.0
    good = low <= number <= high and number == int(number) if what is _WHOLE else low < number < high
    if not good:
        limits = f"from {low} to {high}" if what is _WHOLE else f"between {low} and {high}"
        raise ValueError(f"expected {kind}: and {what} {limits}, found {text!r}")
    return Step(kind, int(number) if number == int(number) else number)
