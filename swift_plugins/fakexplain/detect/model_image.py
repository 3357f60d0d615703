"""An image file as the model sees it: the pixels that ms-swift's template would make of it.

The host opens an image with `convert("RGB")`, scales it down to `--max_pixels` (bilinear, antialiased) and, for a model
frame in pixels, resizes it to the frame (Pillow's default, bicubic). Here the same is done beforehand, with two
differences: the image is first turned upright by its EXIF, and 16-bit pixels are scaled to 8 bits, where the host would
cut off everything above 255. The result is in the frame already, so the host or a server leaves it as it is: a local
engine and a server get the same pixels, and no large image stays in memory.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import DataError, Unquoted
from ..frames import Frame, FrameRule
from ..images import open_image, orientation, turn_upright
from ..pixels import flatten


class ModelImage(NamedTuple):
    """An image, ready for a model.

    Attributes:
        pixels: `PIL.Image.Image` of mode RGB, in the size that is sent.
        frame: the model frame of its boxes; `image_wh` is the size of the file's image upright.
        shown: the whole image, scaled to be drawn on; None if no picture is asked for.
        turned: whether EXIF turns the file's image, so that programs that ignore it see another size.
    """

    pixels: Any
    frame: Frame
    shown: Any = None
    turned: bool = False

    @property
    def image_wh(self) -> tuple[int, int]:
        return self.frame.image_wh


def load_model_image(
    path: Path, rule: FrameRule, max_pixels: int | None = None, shown_side: int | None = None
) -> ModelImage:
    """Load an image file for a model.

    Args:
        path: the file.
        rule: frame rule of the model.
        max_pixels: the run's `--max_pixels`, or None.
        shown_side: longer side of the picture to draw on, in pixels; None for no picture.

    Raises:
        DataError: no file, not an image, a truncated one or a decompression bomb, or a shape that the backbone does not
            accept; field `image`.
    """
    with open_image(path, str(path), decode=True) as image:
        rgb, turned = to_model_rgb(image), orientation(image) != 1
    try:
        frame = rule.frame(rgb.size)
    except ValueError as error:
        raise DataError("an image of a shape that the model accepts", Unquoted(str(error)), field="image") from None
    shown = None
    if shown_side is not None:
        from ..pictures.overlay import scale_picture

        shown = scale_picture(rgb, shown_side)
    return ModelImage(to_sent_size(rgb, frame, rule, max_pixels), frame, shown, turned)


def to_model_rgb(image: Any) -> Any:
    """An opened image upright, in 8-bit RGB, as ms-swift converts it.

    Raises:
        DataError: 32-bit pixels of unknown range; field `image`.

    >>> from PIL import Image
    >>> to_model_rgb(Image.new("LA", (4, 2), (200, 0))).getpixel((0, 0))
    (200, 200, 200)
    """
    upright = turn_upright(image)
    rgb = flatten(upright) if upright.mode in ("F", "I") or upright.mode.startswith("I;") else upright.convert("RGB")
    rgb.info = {}  # Pillow would write a profile or a transparent colour from it
    return rgb


def to_sent_size(rgb: Any, frame: Frame, rule: FrameRule, max_pixels: int | None) -> Any:
    """Resize an image as the host does on its way to the model."""
    from PIL import Image

    width, height = rgb.size
    if max_pixels and width * height > max_pixels:
        ratio = width / height
        scaled = math.sqrt(max_pixels / ratio)
        size = max(1, int(scaled * ratio)), max(1, int(scaled))
        rgb = rgb.resize(size, Image.Resampling.BILINEAR) if size != rgb.size else rgb
    if rule.norm1000:  # the processor of the model resizes it
        return rgb
    return rgb.resize(frame.frame_wh)
