"""Records in the formats of others, by name, and as a stock ms-swift JSONL for runs that cannot take a plugin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.jsonl import to_compact_json, write_jsonl
from swift_plugins.fakexplain.rows import to_row

from .formats.coco import save_coco
from .formats.label_folders import save_folders
from .formats.labelme import save_labelme
from .formats.masks import save_masks
from .formats.yolo import save_yolo


def export_rows(annotations: Iterable[Annotation], out: str | Path, variant: str = "full") -> int:
    """Write the rows that `--dataset fakexplained` gives, one JSON line each; image paths are absolute.

    Args:
        annotations: the records.
        out: the file to write; it appears whole or not at all.
        variant: what an answer holds.

    Returns:
        How many rows were written.
    """

    def rows() -> Iterator[dict[str, Any]]:
        for annotation in annotations:
            row = to_row(annotation, variant)
            row["images"] = [str(annotation.path.absolute())]
            yield row

    return write_jsonl(out, rows(), to_compact_json)


class Writer(NamedTuple):
    """How one format is written.

    Attributes:
        save: called with the records, the file or folder to write (a folder is there already) and `on_error=`; rows
            with `variant=`, others with `images=` (folder that image paths are relative to) and `link=` (hard links in
            place of copies). Returns how many records.
        folder: whether it writes a folder.
        words: what it is, for the help text.
    """

    save: Callable[..., int]
    folder: bool
    words: str


def _save_rows(annotations: Iterable[Annotation], out: Path, *, variant: str, **_: Any) -> int:
    return export_rows(annotations, out, variant)


WRITERS = {
    "rows": Writer(_save_rows, False, "stock ms-swift JSONL, one row for each record"),
    "coco": Writer(save_coco, False, "COCO: one JSON file, captions as attributes"),
    "labelme": Writer(save_labelme, True, "LabelMe: a JSON file beside a copy of each image"),
    "yolo": Writer(save_yolo, True, "YOLO: images, boxes in text files and data.yaml; no captions, no tags"),
    "masks": Writer(save_masks, True, "a PNG for each image, 255 in its regions and else 0, and labels.csv"),
    "folders": Writer(save_folders, True, "label folders: copies of the images in 0_real and 1_fake"),
}
