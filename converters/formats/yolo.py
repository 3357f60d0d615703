"""YOLO: one text file of boxes per image, in fractions of width and height; written, not read.

Only boxes survive, and the absence of boxes. Captions, tags, label and all other fields are lost: every box has the one
class `flaw`, and an image without a box may be real or a fake with tags only.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.errors import OnError, raise_error
from swift_plugins.fakexplain.images import path_in

from ..drafts.sink import check_upright, place_image, save_all

DATA_YAML = "train: images\nval: images\nnames:\n  0: flaw\n"


def to_yolo(annotation: Annotation) -> str:
    """The text of a record: one line `0 cx cy w h` per region, in fractions of the image; empty without regions.

    Twelve digits restore a box to within 1e-6 pixels in an image 10,000 pixels wide.

    >>> from swift_plugins.fakexplain.annotation import Region
    >>> to_yolo(Annotation("a", "a.png", 40, 20, "fake", (Region((10.0, 5.0, 30.0, 10.0), "Six fingers."),)))
    '0 0.500000000000 0.375000000000 0.500000000000 0.250000000000\\n'
    """
    lines = []
    for region in annotation.regions:
        x1, y1, x2, y2 = region.bbox
        width, height = annotation.image_wh
        shares = (x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height
        lines.append("0 " + " ".join(f"{share:.12f}" for share in shares) + "\n")
    return "".join(lines)


def save_yolo(
    annotations: Iterable[Annotation], out: Path, *, images: Path, link: bool = False, on_error: OnError = raise_error
) -> int:
    """Write images/, labels/ and data.yaml, which trains and validates on all images. See `Writer`.

    The text of images/a/b.png is labels/a/b.txt. A path relative to `images` that already begins with `images/` is not
    prefixed again: trainers replace the last `images` in a path with `labels`. A path with another folder of that name
    gets its text where they look for it.
    """

    def image_in(annotation: Annotation) -> PurePosixPath:
        path = path_in(images, annotation)
        return path if path.parts[0] == "images" and len(path.parts) > 1 else "images" / path

    def save(annotation: Annotation, target: PurePosixPath) -> None:
        check_upright(annotation)
        place_image(annotation, out / image_in(annotation), link=link)
        (out / target).parent.mkdir(parents=True, exist_ok=True)
        (out / target).write_text(to_yolo(annotation), encoding="ascii", newline="\n")

    count = save_all(annotations, lambda each: labels_path(image_in(each)), save, on_error)
    if count:
        (out / "data.yaml").write_text(DATA_YAML, encoding="ascii", newline="\n")
    return count


def labels_path(image: PurePosixPath) -> PurePosixPath:
    """The path at which a trainer looks for the boxes of an image: `labels` replaces the last folder `images`.

    >>> str(labels_path(PurePosixPath("images/a/b.png")))
    'labels/a/b.txt'
    """
    parts = list(image.parts)
    last = max(index for index, part in enumerate(parts[:-1]) if part == "images")
    return PurePosixPath(*parts[:last], "labels", *parts[last + 1 :]).with_suffix(".txt")
