"""What `--out` holds beside `detections.jsonl`: a picture of each image, and pages to look through them.

Pictures are written with each batch, pages once at the end, from the lines, so an interrupted run loses neither.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..answer import PROBLEMS
from ..atomic import atomic_file
from ..jsonl import decode_line, read_lines
from ..page_templates import load_template
from ..percentages import percent
from ..pictures.lettering import Pen
from ..pictures.overlay import scale_picture, to_letter
from ..tags import TAG_WORDS
from .detection import Detection
from .pictures import PICTURE_SIDE, draw_detection, draw_on_image

PICTURES, THUMBNAILS = "pictures", "thumbnails"
PER_PAGE = 200
THUMBNAIL_SIDE = 480  # pixels
NAME_LENGTH = 150  # characters


def picture_name(number: int, id: str) -> str:
    """Name of a picture without its suffix: the number of the line keeps it unique, the id makes it readable.

    >>> picture_name(7, "photos/é.jpg")
    '000007-photos%2F%C3%A9.jpg'
    """
    return f"{number:06}-{quote(id, safe=' +,=@()')[:NAME_LENGTH]}"


def save_pictures(detection: Detection, shown: Any, number: int, out: Path) -> None:
    """Write the picture of a detection, and a small one for the page.

    Args:
        detection: what the model says.
        shown: the image upright, its longer side `PICTURE_SIDE`.
        number: number of its line, from 1.
        out: output folder; its folders of pictures exist.
    """
    name = picture_name(number, detection.id)
    pen = Pen(PICTURE_SIDE)
    draw_detection(detection, draw_on_image(detection, shown, pen), pen).save(
        out / PICTURES / f"{name}.png", compress_level=1
    )
    small = draw_on_image(detection, scale_picture(shown, THUMBNAIL_SIDE), Pen(THUMBNAIL_SIDE))
    small.save(out / THUMBNAILS / f"{name}.jpg", quality=85)


def make_picture_folders(out: Path) -> None:
    """Create the folders that `save_pictures` writes to."""
    for name in (PICTURES, THUMBNAILS):
        (out / name).mkdir(parents=True, exist_ok=True)


def page_names(count: int) -> list[str]:
    """Names of the pages for this many images.

    >>> page_names(401)
    ['gallery.html', 'gallery-2.html', 'gallery-3.html']
    """
    return ["gallery.html", *(f"gallery-{page + 1}.html" for page in range(1, max(1, -(-count // PER_PAGE))))]


def write_gallery(lines: Path, title: str) -> list[str]:
    """Write pages with the pictures and texts of all detections beside their file.

    Args:
        lines: `detections.jsonl`; read twice, one page's lines in memory at a time.
        title: heading of the pages.

    Returns:
        Names of the pages.
    """
    counts = Counter(record["verdict"] for _, record in _read(lines))
    pages = page_names(counts.total())
    page = load_template(Path(__file__).with_name("gallery.html"), {"percent": percent, "letter": to_letter})
    records = _read(lines)
    for index, name in enumerate(pages):
        images = [_shown(number, record) for number, record in islice(records, PER_PAGE)]
        text = page.render(
            title=title, counts=counts, images=images, pages=pages, index=index, tags=TAG_WORDS, problems=PROBLEMS
        )
        with atomic_file(lines.with_name(name)) as partial:
            partial.write_text(text, encoding="utf-8", errors="replace")
    return pages


def _read(lines: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in read_lines(lines, "detections"):
        record: Any = decode_line(line)
        yield number, record


def _shown(number: int, record: dict[str, Any]) -> dict[str, Any]:
    name = quote(picture_name(number, record["id"]))
    return {**record, "picture": f"{PICTURES}/{name}.png", "thumbnail": f"{THUMBNAILS}/{name}.jpg"}
