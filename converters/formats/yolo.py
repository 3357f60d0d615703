"""YOLO: a text file of boxes for each image, in shares of width and height; written, not read.

Boxes survive, and which images are without any. Captions, tags, label and all else of a record do not: every box is of
the one class `flaw`, and an image without a box may be real or a fake that has tags alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path, PurePosixPath

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.errors import OnError, raise_error
from swift_plugins.fakexplain.images import path_in

from ..drafts.sink import check_upright, place_image, saved

DATA_YAML = "train: images\nval: images\nnames:\n  0: flaw\n"


def to_yolo(annotation: Annotation) -> str:
    """The text of a record: `0 cx cy w h` for each region, in shares of the image; empty where there is none.

    Twelve digits bring a box back within 1e-6 pixels in an image of 10,000.

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
    annotations: Iterable[Annotation],
    out: Path,
    *,
    images: Path,
    link: bool = False,
    on_error: OnError = raise_error,
) -> int:
    """Write a folder: images/, labels/ and data.yaml, which trains and validates on all of it.

    An image at images/a/b.png has its text at labels/a/b.txt. Where a path relative to `images` begins with `images/`
    already, that is not doubled: trainers put `labels` for the last `images` of a path, and would look elsewhere. A
    path with another folder of that name has its text where they look.

    Args:
        annotations: the records.
        out: the folder, which is there.
        images: folder that image paths are relative to.
        link: hard links to the images in place of copies.
        on_error: called with the error of each record that is passed over; without it the first raises.

    Returns:
        How many records were written.

    Raises:
        DataError: an image lies outside `images`, is turned by its EXIF, or would share its text file.
    """

    def image_in(annotation: Annotation) -> PurePosixPath:
        path = path_in(images, annotation)
        return path if path.parts[0] == "images" and len(path.parts) > 1 else "images" / path

    def save(annotation: Annotation, target: PurePosixPath) -> None:
        check_upright(annotation)
        place_image(annotation, out / image_in(annotation), link=link)
        (out / target).parent.mkdir(parents=True, exist_ok=True)
        (out / target).write_text(to_yolo(annotation), encoding="ascii", newline="\n")

    with closing(saved(annotations, lambda each: labels_path(image_in(each)), save, on_error)) as records:
        count = sum(1 for _ in records)
    if count:
        (out / "data.yaml").write_text(DATA_YAML, encoding="ascii", newline="\n")
    return count


def labels_path(image: PurePosixPath) -> PurePosixPath:
    """Where a trainer looks for the boxes of an image: `labels` in place of the last folder `images`.

    >>> str(labels_path(PurePosixPath("images/a/b.png")))
    'labels/a/b.txt'
    """
    parts = list(image.parts)
    last = max(index for index, part in enumerate(parts[:-1]) if part == "images")
    return PurePosixPath(*parts[:last], "labels", *parts[last + 1 :]).with_suffix(".txt")
