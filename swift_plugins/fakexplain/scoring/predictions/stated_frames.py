"""Frames of systems other than ours, as the user states them (`fakexplain score --frame NAME=FRAME`).

pixels      pixels of the original image                     chat models asked for pixels, detectors
norm1000    0 to 1000 on both sides                          Qwen3-VL, InternVL, GLM, DeepSeek-VL2 (0 to 999)
norm1       shares of the image, 0 to 1                      Kimi-VL
yx1000      0 to 1000, y first                               Gemini, Gemma
yx1024      0 to 1024, y first                               PaliGemma
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ...frames import Frame, FrameRule

_SIDES = {"pixels": 0, "norm1000": 1000, "norm1": 1, "yx1000": 1000, "yx1024": 1024}
FRAMES = tuple(_SIDES)
"""Names of the frames."""


@dataclass(frozen=True)
class StatedFrame:
    """The frame of a system's answers, the same for every image.

    Attributes:
        name: one of `FRAMES`.

    >>> StatedFrame("norm1").frame((640, 480)).to_pixels((0.25, 0.25, 0.5, 1))
    (160.0, 120.0, 320.0, 480.0)
    """

    name: str

    @property
    def y_first(self) -> bool:
        """Whether numbers in plain brackets are y1, x1, y2, x2; other notations say their order themselves."""
        return self.name.startswith("yx")

    def frame(self, image_wh: tuple[int, int]) -> Frame:
        """The frame of an image of this width and height."""
        side = _SIDES[self.name]
        return Frame((side, side) if side else image_wh, image_wh)


AnswerFrame = FrameRule | StatedFrame
"""What gives the frame that an answer's boxes are in: the rule of a template, or the user."""


def parse_frames(options: Iterable[str], systems: Iterable[str]) -> dict[str, StatedFrame]:
    """Read NAME=FRAME options: name of a system -> its frame.

    Raises:
        ValueError: not NAME=FRAME, no such system or frame, or a system twice.

    >>> parse_frames(["gemini=yx1000"], ["ours", "gemini"])
    {'gemini': StatedFrame(name='yx1000')}
    """
    known, frames = list(systems), dict[str, StatedFrame]()
    for option in options:
        name, equals, frame = option.rpartition("=")
        if not equals or frame not in FRAMES:
            raise ValueError(f"expected NAME=FRAME, FRAME one of {', '.join(FRAMES)}, found {option!r}")
        if name not in known:
            raise ValueError(f"expected the name of a system, one of {', '.join(known)}, found {name!r}")
        if name in frames:
            raise ValueError(f"expected one frame per system, found a second of {name!r}")
        frames[name] = StatedFrame(frame)
    return frames
