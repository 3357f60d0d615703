"""Perturbations by name: chains of steps, written `KIND:VALUE` and joined by `+`.

jpeg:80, webp:80    encoded at that quality, by Pillow
crop:0.8            random window with that fraction of each side
down:0.5            shrunk to that fraction of each side, Lanczos
fit:1080            shrunk, Lanczos, if the longer side has more pixels than that
rescale:0.5         shrunk and enlarged again, Lanczos
blur:1.5            Gaussian blur with that radius in pixels
noise:8             Gaussian noise with that standard deviation, on the scale of 0 to 255
"""

from __future__ import annotations

import re
from typing import NamedTuple

PAPER_CHAINS = ("jpeg:80", "jpeg:30", "crop:0.8", "down:0.5")
"""Table 5. The paper does not give the scale of its random crop; 0.8 is our choice."""

PRESETS = {
    "social": "fit:1080+jpeg:80",
    "messenger": "fit:800+jpeg:60+jpeg:40",
}
"""Modelled on a social network (mild) and on a forwarded picture (harsh), not measured on any platform."""

CODECS = {"jpeg": ".jpg", "webp": ".webp"}

_WHOLE, _FRACTION = "a whole number", "a fraction"
_KINDS: dict[str, tuple[str, float, float]] = {
    "jpeg": (_WHOLE, 1, 100),
    "webp": (_WHOLE, 1, 100),
    "crop": (_FRACTION, 0, 1),
    "down": (_FRACTION, 0, 1),
    "fit": (_WHOLE, 1, 65535),
    "rescale": (_FRACTION, 0, 1),
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
        name: as written in records, `crop:0.8+jpeg:80`.
        steps: applied in this order.
    """

    name: str
    steps: tuple[Step, ...]

    @property
    def folder(self) -> str:
        """The name of its folder: `crop-0.8_jpeg-80`."""
        return self.name.replace(":", "-").replace("+", "_")

    @property
    def suffix(self) -> str:
        """Suffix of its image files: a chain that ends in a codec stores its bytes, any other a PNG."""
        return CODECS.get(self.steps[-1].kind, ".png")


def parse_chain(text: str) -> Chain:
    """Parse the name of a chain.

    Raises:
        ValueError: unknown kind or preset, or value out of range.

    >>> parse_chain("crop:0.80+jpeg:80").name
    'crop:0.8+jpeg:80'
    >>> parse_chain("social").steps
    (Step(kind='fit', value=1080), Step(kind='jpeg', value=80))
    """
    names: list[str] = []
    steps: list[Step] = []
    for part in text.split("+"):
        preset = part in PRESETS
        added = [_parse_step(each) for each in (PRESETS[part].split("+") if preset else [part])]
        steps += added
        names += [part] if preset else [f"{step.kind}:{step.value}" for step in added]
    return Chain("+".join(names), tuple(steps))


def _parse_step(text: str) -> Step:
    kind, _, value = text.partition(":")
    if kind not in _KINDS:
        raise ValueError(f"expected {', '.join(PRESETS)} or KIND:VALUE of {', '.join(_KINDS)}, found {text!r}")
    what, low, high = _KINDS[kind]
    number = float(value) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value) else -1.0
    valid = low <= number <= high and number == int(number) if what is _WHOLE else low < number < high
    if not valid:
        limits = f"from {low} to {high}" if what is _WHOLE else f"between {low} and {high}"
        raise ValueError(f"expected {kind}: followed by {what} {limits}, found {text!r}")
    return Step(kind, int(number) if number == int(number) else number)
