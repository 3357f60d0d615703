"""Conversion between original pixels and a backbone's own coordinates.

A backbone reads and writes boxes in its model frame. Qwen2.5-VL's and MiMo-VL's is the image after resizing (504x504
for a 512x512 image), and its size depends on the image and on four settings of the run; that of every other backbone
is 1000x1000 for every image. `FrameRule` holds the settings that define the frame in one run, and repeats the host's
arithmetic exactly: `--max_pixels` first scales the image down, then qwen_vl_utils rounds both sides to whole tokens
within IMAGE_MIN_TOKEN_NUM and IMAGE_MAX_TOKEN_NUM, which ms-swift derives from MIN_PIXELS and MAX_PIXELS.

A rule comes from the running template, which announces it (`active_rule`), or, without one, from the settings
(`frame_rule`). Neither needs ms-swift.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from .backbones import backbone_of


def widen_xyxy(xyxy: Sequence[int], frame_wh: tuple[int, int]) -> tuple[int, int, int, int]:
    """Widen each side of a box that rounding left empty to one unit, within the frame.

    >>> widen_xyxy((7, 504, 7, 504), (504, 504))
    (7, 503, 8, 504)
    """
    x1, y1, x2, y2 = xyxy
    width, height = frame_wh
    if x2 <= x1:
        x1 = min(x1, width - 1)
        x2 = x1 + 1
    if y2 <= y1:
        y1 = min(y1, height - 1)
        y2 = y1 + 1
    return x1, y1, x2, y2


@dataclass(frozen=True)
class Frame:
    """The model frame of one image.

    Attributes:
        frame_wh: width and height of the frame, in its own units.
        image_wh: width and height of the original image in pixels.
    """

    frame_wh: tuple[int, int]
    image_wh: tuple[int, int]

    def target_xyxy(self, xyxy_px: Sequence[float]) -> tuple[int, int, int, int]:
        """A box as in the training target: rounded as ms-swift rounds, and no side shorter than one unit.

        >>> Frame((504, 504), (512, 512)).target_xyxy((34.0, 120.0, 210.0, 300.0))
        (33, 118, 207, 295)
        """
        (frame_width, frame_height), (width, height) = self.frame_wh, self.image_wh
        x1, y1, x2, y2 = xyxy_px
        rounded = (
            round(x1 / width * frame_width),
            round(y1 / height * frame_height),
            round(x2 / width * frame_width),
            round(y2 / height * frame_height),
        )
        return widen_xyxy(rounded, self.frame_wh)

    def to_pixels(self, xyxy_frame: Sequence[float]) -> tuple[float, float, float, float]:
        """A box of the frame in original pixels, unrounded and unclipped.

        >>> Frame((1000, 1000), (640, 480)).to_pixels((250, 250, 500, 1000))
        (160.0, 120.0, 320.0, 480.0)
        """
        (frame_width, frame_height), (width, height) = self.frame_wh, self.image_wh
        x1, y1, x2, y2 = xyxy_frame
        return (
            x1 / frame_width * width,
            y1 / frame_height * height,
            x2 / frame_width * width,
            y2 / frame_height * height,
        )


@dataclass(frozen=True)
class FrameRule:
    """The settings that define the model frame of every image of a run.

    Attributes:
        template: its name in the run.
        norm1000: every frame is 1000x1000, and the other settings are unused.
        factor: pixels per token and side; both sides of a frame are multiples of it.
        min_tokens, max_tokens: bounds on the tokens of an image (IMAGE_MIN_TOKEN_NUM, IMAGE_MAX_TOKEN_NUM).
        max_ratio: maximum ratio of the longer side to the shorter.
        max_pixels: `--max_pixels`; None if it is not set.
    """

    template: str
    norm1000: bool = False
    factor: int = 28
    min_tokens: int = 4
    max_tokens: int = 16384
    max_ratio: int = 200
    max_pixels: int | None = None

    def __post_init__(self) -> None:
        if self.max_tokens < self.min_tokens:
            raise ValueError(
                f"{self.template}: expected room for at least {self.min_tokens} image tokens of "
                f"{self.factor}x{self.factor} pixels (MIN_PIXELS, IMAGE_MIN_TOKEN_NUM), "
                f"found {self.max_tokens} (MAX_PIXELS, IMAGE_MAX_TOKEN_NUM)"
            )

    def frame(self, image_wh: tuple[int, int]) -> Frame:
        """The frame of an image of this width and height.

        Raises:
            ValueError: the backbone accepts no image of this shape: one side is too long or would vanish.

        >>> frame_rule("fx_qwen2_5_vl", env={}).frame((512, 512)).frame_wh
        (504, 504)
        """
        return _frame(self, image_wh)


def frame_rule(
    template: str,
    *,
    max_pixels: int | None = None,
    norm_bbox: str | None = None,
    env: Mapping[str, str] | None = None,
) -> FrameRule:
    """Return the rule of a run with these settings, as ms-swift derives it.

    Args:
        template: the run's `--template`, or the stock template that it extends.
        max_pixels: its `--max_pixels`.
        norm_bbox: its `--norm_bbox`: 'norm1000', 'none', or None for the template's own.
        env: its environment, by default the current one of this process; IMAGE_MAX_TOKEN_NUM, IMAGE_MIN_TOKEN_NUM,
            MAX_PIXELS, MIN_PIXELS, MAX_RATIO and SPATIAL_MERGE_SIZE are read.

    Raises:
        ValueError: the template's frame is not known, or a setting is not a number.

    >>> frame_rule("fx_qwen2_5_vl", env={"MAX_PIXELS": "50176"}).frame((512, 512)).frame_wh
    (224, 224)
    """
    backbone = backbone_of(template)
    norm_bbox = norm_bbox or backbone.norm_bbox
    if norm_bbox not in ("norm1000", "none"):
        raise ValueError(f"norm_bbox: expected 'norm1000' or 'none', found {norm_bbox!r}")
    if norm_bbox == "norm1000":
        return FrameRule(template, norm1000=True)
    if backbone.patch is None:
        raise ValueError(f"norm_bbox: expected 'norm1000' for {template}, which resizes no image, found 'none'")
    env = os.environ if env is None else env  # read at each call, because `datasets` replaces os.environ
    factor = backbone.patch * _setting(env, "SPATIAL_MERGE_SIZE", 2, least=1)
    return FrameRule(
        template,
        factor=factor,
        min_tokens=_tokens(env, "MIN", factor, FrameRule.min_tokens),
        max_tokens=_tokens(env, "MAX", factor, FrameRule.max_tokens),
        max_ratio=_setting(env, "MAX_RATIO", FrameRule.max_ratio),
        max_pixels=max_pixels if max_pixels and max_pixels > 0 else None,
    )


def _tokens(env: Mapping[str, str], bound: str, factor: int, default: int) -> int:
    tokens, pixels = f"IMAGE_{bound}_TOKEN_NUM", f"{bound}_PIXELS"
    if env.get(pixels) and not env.get(tokens):  # the setting in tokens wins if both are set
        return _setting(env, pixels, 0) // factor**2
    return _setting(env, tokens, default)


def _setting(env: Mapping[str, str], name: str, default: int, least: int | None = None) -> int:
    try:
        value = int(env.get(name, default))
    except ValueError:
        raise ValueError(f"{name}: expected a whole number, found {env[name]!r}") from None
    if least is not None and value < least:
        raise ValueError(f"{name}: expected a whole number of at least {least}, found {env[name]!r}")
    return value


@lru_cache(maxsize=65536)  # not on the method: mypy would no longer check its arguments
def _frame(rule: FrameRule, image_wh: tuple[int, int]) -> Frame:
    if min(image_wh) < 1:
        raise ValueError(f"expected an image of at least 1x1 pixel, found {image_wh[0]}x{image_wh[1]}")
    return Frame((1000, 1000) if rule.norm1000 else _resized_wh(rule, image_wh), image_wh)


def _resized_wh(rule: FrameRule, image_wh: tuple[int, int]) -> tuple[int, int]:
    """Size of the image the backbone sees; the host's steps in its order, because the last bit decides a rounding."""
    width, height = image_wh
    if rule.max_pixels is not None and width * height > rule.max_pixels:
        ratio = width / height
        scaled = math.sqrt(rule.max_pixels / ratio)
        width, height = int(scaled * ratio), int(scaled)
    short, long = sorted((width, height))
    if short < 1 or long / short > rule.max_ratio:
        raise ValueError(
            f"{rule.template}: expected an image whose sides differ at most {rule.max_ratio} to 1, "
            f"found {image_wh[0]}x{image_wh[1]}" + _scaled_to((width, height), image_wh)
        )
    factor = rule.factor
    min_pixels, max_pixels = rule.min_tokens * factor**2, rule.max_tokens * factor**2
    frame_width, frame_height = (max(factor, round(side / factor) * factor) for side in (width, height))
    if frame_width * frame_height > max_pixels:
        beta = math.sqrt((height * width) / max_pixels)
        frame_width, frame_height = (math.floor(side / beta / factor) * factor for side in (width, height))
    elif frame_width * frame_height < min_pixels:
        beta = math.sqrt(min_pixels / (height * width))
        frame_width, frame_height = (math.ceil(side * beta / factor) * factor for side in (width, height))
    if min(frame_width, frame_height) < 1:
        raise ValueError(
            f"{rule.template}: expected an image that {rule.max_tokens} tokens of {factor}x{factor} pixels can cover, "
            f"found {image_wh[0]}x{image_wh[1]}" + _scaled_to((width, height), image_wh)
        )
    return frame_width, frame_height


def _scaled_to(scaled_wh: tuple[int, int], image_wh: tuple[int, int]) -> str:
    return f", scaled to {scaled_wh[0]}x{scaled_wh[1]} by --max_pixels" if scaled_wh != image_wh else ""


_active: FrameRule | None = None


def set_active_rule(rule: FrameRule | None) -> None:
    """Announce the rule of the template that this process runs; the last call counts."""
    global _active
    _active = rule


def active_rule() -> FrameRule | None:
    """The rule of the template that this process last initialised, or None."""
    return _active
