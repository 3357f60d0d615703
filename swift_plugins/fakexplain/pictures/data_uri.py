"""Embed a picture in a page."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image


def to_jpeg_data_uri(picture: Image.Image, **options: Any) -> str:
    """Encode a picture as JPEG in a `data:` URI.

    Args:
        picture: a picture in a mode that JPEG supports.
        options: further options of Pillow's JPEG encoder.

    >>> to_jpeg_data_uri(Image.new("RGB", (1, 1)))[:27]
    'data:image/jpeg;base64,/9j/'
    """
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=82, **options)
    return "data:image/jpeg;base64," + base64.b64encode(encoded.getvalue()).decode("ascii")
