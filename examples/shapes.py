"""Drawn shapes on clouds of noise, and where each one is: what the tiny backbone learns before it sees a photograph.

A release of Qwen2.5-VL can see and point before anyone trains it to judge photographs; random weights can do neither.
Nothing here is real or fake, no flaw of the toy world is drawn, and no photograph is used.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

SIDE = 112
"""Side of an image in pixels, the frame in which the tiny backbone sees the toy world."""

MOST = 4
"""Most shapes of an image."""

COLOURS = {
    "Red": (0.9, 0.1, 0.1),
    "Green": (0.1, 0.7, 0.15),
    "Blue": (0.15, 0.25, 0.9),
    "Yellow": (0.95, 0.9, 0.1),
    "Pink": (0.95, 0.3, 0.8),
    "Cyan": (0.1, 0.85, 0.9),
    "White": (0.95, 0.95, 0.95),
    "Black": (0.05, 0.05, 0.05),
}
FILLS = ("plain", "striped", "checked", "grainy", "shaded", "bordered")
FORMS = ("square", "disc", "diamond", "ring", "triangle", "cross")

QUESTION = "Name every shape and its box."
NOTHING = "No shape."

Number = Callable[..., torch.Tensor]
"""(*shape, low=0, high=1) -> random numbers of that shape."""


@dataclass(frozen=True)
class Drawn:
    """A batch of N images.

    Attributes:
        images: (N, 3, 112, 112), from 0 to 1.
        boxes: (N, 4, 4) whole pixels, x1 y1 x2 y2.
        names: (N, 4, 3), the numbers of colour, fill and form.
        shown: (N, 4), whether this one of the four shapes is there.
    """

    images: torch.Tensor
    boxes: torch.Tensor
    names: torch.Tensor
    shown: torch.Tensor

    def answers(self) -> list[str]:
        """The shapes of each image in reading order, a line each."""
        answers = []
        for boxes, names, shown in zip(self.boxes.tolist(), self.names.tolist(), self.shown.tolist(), strict=True):
            found = sorted(
                ((y1, x1, y2, x2), name)
                for (x1, y1, x2, y2), name, there in zip(boxes, names, shown, strict=True)
                if there
            )
            lines = [f"[{x1}, {y1}, {x2}, {y2}] {describe(*name)}\n" for (y1, x1, y2, x2), name in found]
            answers.append("".join(lines) or f"{NOTHING}\n")
        return answers


def describe(colour: int, fill: int, form: int) -> str:
    """Words of a shape.

    >>> describe(0, 1, 3)
    'Red striped ring.'
    """
    return f"{list(COLOURS)[colour]} {FILLS[fill]} {FORMS[form]}."


def sentences() -> list[str]:
    """Question and answers from which a tokenizer learns the words: every colour, and every fill with every form."""
    plain = [describe(colour, 0, 0) for colour in range(1, len(COLOURS))]
    red = [describe(0, fill, form) for fill in range(len(FILLS)) for form in range(len(FORMS))]
    return [QUESTION, NOTHING, *red, *plain]


def draw(count: int, generator: torch.Generator) -> Drawn:
    """Draw a batch on the generator's device."""
    device = generator.device

    def number(*shape: int, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        return low + (high - low) * torch.rand(shape, generator=generator, device=device)

    def choice(options: int) -> torch.Tensor:
        return torch.randint(options, (count, MOST), generator=generator, device=device)

    boxes, shown = _places(number, count)
    colour, fill, form = choice(len(COLOURS)), choice(len(FILLS)), choice(len(FORMS))
    images = _clouds(number, count)
    axis = torch.arange(SIDE, device=device) + 0.5
    palette = torch.tensor(list(COLOURS.values()), device=device)
    for one in range(MOST):
        x1, y1, x2, y2 = (boxes[:, one, side, None, None].float() for side in range(4))
        u, v = (2 * (axis[None, None, :] - x1) / (x2 - x1) - 1), (2 * (axis[None, :, None] - y1) / (y2 - y1) - 1)
        u, v = torch.broadcast_tensors(u, v)
        inside = _form(u, v, form[:, one]) & shown[:, one, None, None]
        light = _fill(number, u, v, fill[:, one], (x2 - x1), (y2 - y1))
        paint = palette[colour[:, one]] + number(count, 3, low=-0.06, high=0.06)
        painted = paint[:, :, None, None] * light[:, None] + 0.5 * (light[:, None] - 1).clamp(min=0)
        images = torch.where(inside[:, None], painted, images)
    images = images + number(count, 1, 1, 1, high=0.04) * torch.randn(images.shape, generator=generator, device=device)
    return Drawn(images.clamp(0, 1), boxes, torch.stack((colour, fill, form), dim=2), shown)


def _places(number: Number, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes of which no two that are shown come within two pixels of each other, and which are shown."""
    wanted = (number(count, 1) > torch.tensor([0.1, 0.45, 0.7, 0.85], device=number(1).device)).sum(dim=1)
    sides = number(count, MOST, 2, low=16, high=76).round()
    starts = (number(count, MOST, 2) * (SIDE - sides)).round()
    boxes = torch.cat((starts, starts + sides), dim=2).long()
    shown = torch.zeros(count, MOST, dtype=torch.bool, device=boxes.device)
    for one in range(MOST):
        free = torch.ones(count, dtype=torch.bool, device=boxes.device)
        for other in range(one):
            a, b = boxes[:, one], boxes[:, other]
            apart = ((a[:, :2] >= b[:, 2:] + 2) | (b[:, :2] >= a[:, 2:] + 2)).any(dim=1)
            free &= apart | ~shown[:, other]
        shown[:, one] = free & (one < wanted)
    return boxes, shown


def _clouds(number: Number, count: int) -> torch.Tensor:
    """Noise whose spectrum falls as a photograph's does, in colours that belong together."""
    spectrum = torch.fft.rfft2(number(count, 3, SIDE, SIDE, low=-1, high=1))
    down = torch.fft.fftfreq(SIDE, device=spectrum.device)[:, None]
    across = torch.fft.rfftfreq(SIDE, device=spectrum.device)[None, :]
    frequency = torch.hypot(down, across).clamp(min=1 / SIDE)
    fall = number(count, 1, 1, 1, low=0.4, high=2.2)
    noise = torch.fft.irfft2(spectrum / frequency**fall, s=(SIDE, SIDE))
    noise = noise / noise.std(dim=(2, 3), keepdim=True)
    noise[:, 1:] = noise[:, :1] + number(count, 2, 1, 1, high=0.8) * noise[:, 1:]
    return number(count, 3, 1, 1, low=0.15, high=0.85) + number(count, 1, 1, 1, low=0.05, high=0.3) * noise


def _form(u: torch.Tensor, v: torch.Tensor, form: torch.Tensor) -> torch.Tensor:
    radius = torch.hypot(u, v)
    square = torch.maximum(u.abs(), v.abs()) <= 1
    forms = torch.stack(
        (
            square,
            radius <= 1,
            u.abs() + v.abs() <= 1,
            (radius <= 1) & (radius > 0.5),
            square & (u.abs() <= (v + 1) / 2),
            square & (torch.minimum(u.abs(), v.abs()) <= 0.35),
        )
    )
    return _chosen(forms, form)


def _fill(
    number: Number, u: torch.Tensor, v: torch.Tensor, fill: torch.Tensor, width: torch.Tensor, height: torch.Tensor
) -> torch.Tensor:
    """Brightness at each pixel: 1 is the colour itself, 0 black, above 1 lighter."""
    count = len(fill)
    angle = number(count, 1, 1, high=math.pi)
    period = number(count, 1, 1, low=5, high=12)
    x, y = u * width / 2, v * height / 2
    wave = torch.sin(2 * math.pi * (x * angle.cos() + y * angle.sin()) / period)
    cross = torch.sin(2 * math.pi * (y * angle.cos() - x * angle.sin()) / period)
    edge = torch.maximum(u.abs() + 5 / width - 1, v.abs() + 5 / height - 1) > 0
    fills = torch.stack(
        (
            torch.ones_like(u),
            torch.where(wave > 0, 1.0, 0.2),
            torch.where(wave * cross > 0, 1.0, 0.2),
            number(*u.shape, low=0.3, high=1.5),
            1 + 0.6 * (u * angle.cos() + v * angle.sin()),
            torch.where(edge, 0.1, 1.0),
        )
    )
    return _chosen(fills, fill)


def _chosen(options: torch.Tensor, number: torch.Tensor) -> torch.Tensor:
    """Of (options, N, height, width), for each of N the option of its number."""
    return options[number, torch.arange(len(number), device=number.device)]
