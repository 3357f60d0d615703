"""Colour profiles: sRGB, and others made from it."""

from __future__ import annotations

from PIL import ImageCms

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def renamed(profile: bytes, space: bytes, **tags: str) -> bytes:
    """A profile that speaks of another colour space, and whose tags have other names."""
    table = bytearray(profile[: 132 + 12 * profile[131]])
    table[16:20] = space
    for start in range(132, len(table), 12):
        name = bytes(table[start : start + 4]).decode()
        table[start : start + 4] = tags.get(name, name).encode()
    return bytes(table) + profile[len(table) :]


BGR = renamed(SRGB, b"RGB ", rXYZ="bXYZ", bXYZ="rXYZ")  # its red is the blue of sRGB
