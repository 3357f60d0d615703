"""Label folders: `0_real/` and `1_fake/`, `nature/` and `ai/`, or any names; no regions.

Chameleon, GPT-Image-1, FaceForensics++ frames and GenImage come so. The label is that of the innermost folder on an
image's path that has one of the names; so `ai/nature/a.png` is real.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from swift_plugins.fakexplain.errors import DataError, Unquoted
from swift_plugins.fakexplain.json_values import require

from ..drafts.draft import Draft, Piece, image_files

REAL = ("0_real", "real", "nature")
FAKE = ("1_fake", "fake", "ai")


def load_folder(
    src: Path,
    *,
    real: Collection[str] = REAL,
    fake: Collection[str] = FAKE,
    skip: Collection[Path] = (),
    others: bool = False,
) -> Iterator[Piece]:
    """Every image below a folder, with the label that the names of its folders give it.

    Args:
        src: the folder; its own name counts too, as the outermost.
        real, fake: names that mean either, in any case.
        skip: folders that are not entered.
        others: images outside any label folder have no label, and are no errors.

    Raises:
        FileNotFoundError: no such folder.
        ValueError: a name means both.
    """
    if not src.is_dir():
        raise FileNotFoundError(
            f"{src}: expected a folder of label folders, found {'a file' if src.exists() else 'none'}"
        )
    meanings = {name.lower(): "real" for name in real} | {name.lower(): "fake" for name in fake}
    if both := sorted({name.lower() for name in real} & {name.lower() for name in fake}):
        raise ValueError(f"expected names of real and of fake folders that differ, found {both[0]!r} in both")
    for path in image_files(src, skip):
        name = path.relative_to(src).as_posix()
        way = (src.resolve().name, *name.split("/")[:-1])
        labels = [meanings[part.lower()] for part in way if part.lower() in meanings]
        data: Any = {"image": name, "label": labels[-1] if labels else None}
        yield Piece(data if labels or others else _outside(name, real, fake), str(path))


def _outside(name: str, real: Collection[str], fake: Collection[str]) -> DataError:
    expected = (
        f"a folder named as real ({', '.join(real)}) or fake ({', '.join(fake)}); --real, --fake name others, --label "
        "says it of all outside"
    )
    return DataError(expected, Unquoted(f"none on the way to {name}"), field="label")


def from_folder(data: Any) -> list[Draft]:
    """The draft of one image.

    >>> from_folder({"image": "1_fake/a.png", "label": "fake"})[0].label
    'fake'
    """
    return [
        Draft(
            require(data, "image", str, "the image's path"),
            label=require(data, "label", (str, type(None)), "fake or real"),
        )
    ]
