"""Images of any mode as viewers show them: upright, in sRGB, with eight bits and no alpha."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from .errors import DataError, Unquoted
from .images import open_image, orientation, turn_upright


@dataclass
class DisplayImage:
    """An image as viewers show it, and the changes that were necessary.

    Attributes:
        image: `PIL.Image.Image` of mode RGB, sRGB, with no metadata.
        turn: its EXIF orientation, 1 to 8, before it was turned.
        converted: whether the pixels of the file were not 8-bit RGB in sRGB.
        bad_profile: whether its colour profile was ignored: broken, or of another colour space than the pixels.
    """

    image: Any
    turn: int = 1
    converted: bool = False
    bad_profile: bool = False

    @property
    def stored_wh(self) -> tuple[int, int]:
        """Width and height before it was turned."""
        width, height = self.image.size
        return (height, width) if self.turn > 4 else (width, height)


def load_display_image(source: Any, name: str) -> DisplayImage:
    """An image file as viewers show it; of several frames, the first.

    Args:
        source: path, or an open binary file.
        name: its name in errors.

    Raises:
        DataError: no file, not an image, a truncated one or a decompression bomb; or pixels whose range is not
            known (32-bit numbers). Field `image`.
    """
    with open_image(source, name, decode=True) as image:
        if image.mode == "F" or (image.mode == "I" and image.format not in ("PNG", "PPM")):
            raise DataError(
                "8 or 16 bits per channel", Unquoted(f"{name}: 32-bit pixels of unknown range"), field="image"
            )
        return to_display_image(image)


def to_display_image(image: Any) -> DisplayImage:
    """An opened image as viewers show it.

    Args:
        image: of any mode but F; of mode I, values up to 65535 count as 16-bit.

    >>> from PIL import Image
    >>> to_display_image(Image.new("RGBA", (4, 2), (255, 0, 0, 0))).image.getpixel((0, 0))
    (255, 255, 255)
    """
    turn = orientation(image)
    base, alpha = _parts(turn_upright(image))
    rgb, profile_used = _in_srgb(base, image.info.get("icc_profile"))
    whole = _on_white(rgb, alpha)
    converted = image.mode != "RGB" or alpha is not None or bool(profile_used)
    if whole is image:
        whole = image.copy()
    whole.info = {}  # Pillow would write a profile or a transparent colour from it
    return DisplayImage(whole, turn, converted, profile_used is False)


def flatten(image: Any) -> Any:
    """Convert an image to 8-bit RGB on white, without turning it and without any metadata.

    Raises:
        DataError: numbers that 16 bits cannot hold, or a mode that Pillow cannot convert; field `image`.

    >>> from PIL import Image
    >>> flatten(Image.new("LA", (4, 2), (0, 0))).getpixel((0, 0))
    (255, 255, 255)
    """
    if image.mode == "F" or (image.mode == "I" and not 0 <= image.getextrema()[0] <= image.getextrema()[1] <= 65535):
        raise DataError("8 or 16 bits per channel", Unquoted(f"mode {image.mode}"), field="image")
    try:
        base, alpha = _parts(image)
    except ValueError as error:
        raise DataError("pixels that Pillow can convert to RGB", Unquoted(str(error)), field="image") from None
    whole = _on_white(base.convert("RGB"), alpha)
    if whole is image:
        whole = image.copy()
    whole.info = {}
    return whole


def save_upright(image: Any, out: Any) -> None:
    """Write an opened image as PNG, turned upright by its EXIF; pixels and profile are kept if PNG can hold them.

    Args:
        image: of any mode; CMYK and the like become RGB in sRGB.
        out: path, or an open binary file.
    """
    if image.mode in ("1", "L", "LA", "I", "I;16", "P", "RGB", "RGBA"):
        turn_upright(image).save(out, "PNG", icc_profile=image.info.get("icc_profile"))
    else:
        to_display_image(image).image.save(out, "PNG")


def _on_white(colours: Any, alpha: Any) -> Any:
    from PIL import Image

    return colours if alpha is None else Image.composite(colours, Image.new("RGB", colours.size, "white"), alpha)


def _parts(image: Any) -> tuple[Any, Any]:
    """The colours, in mode L, RGB or CMYK, and the alpha channel or None."""
    from PIL import Image

    if image.mode.startswith("I"):
        import numpy as np

        values = np.asarray(image).astype(np.uint32)
        colours = Image.fromarray(((values * 255 + 32767) // 65535).clip(max=255).astype(np.uint8))  # Pillow would clip
        key = image.info.get("transparency")
        return colours, None if key is None else Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8))
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return rgba.getchannel("R") if image.mode in ("L", "LA") else rgba.convert("RGB"), rgba.getchannel("A")
    if image.mode in ("1", "L"):
        return image.convert("L"), None
    return image if image.mode == "CMYK" else image.convert("RGB"), None


_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}  # colour space of a profile -> mode of its pixels


def _in_srgb(image: Any, profile: bytes | None) -> tuple[Any, bool | None]:
    """RGB pixels in sRGB, and whether the profile could be used; None if there is none."""
    if not profile:
        return image.convert("RGB"), None
    from PIL import ImageCms

    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _MODES[own.profile.xcolor_space]
        if (image.mode, mode) == ("L", "RGB"):  # a grey image may have a colour profile
            image = image.convert(mode)
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, own, srgb, outputMode="RGB"), True
    except (ImageCms.PyCMSError, OSError, KeyError, ValueError):
        return image.convert("RGB"), False
