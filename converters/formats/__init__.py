"""The outside formats by name, with their readers and writers.

A format NAME is the module NAME of this folder, with `load_NAME` and `from_NAME` if it is read and `save_NAME` if it is
written. A module is imported when its format is used, so that the command line starts fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..drafts.draft import Draft, Piece
    from ..drafts.sink import Writer

BOX_ORDERS = ("x1y1x2y2", "x1x2y1y2")
"""Orders of a box's numbers in FakeXplain's own rows; the first is that of the authors' code."""


@dataclass(frozen=True)
class Format:
    """An outside format.

    Attributes:
        module: the format's module in this folder.
        reads: description for the help of `convert`; empty if the format is not read.
        writes: description for the help of `export`; empty if the format is not written.
        folder: whether a folder is written, not a file.
        settings: keyword arguments of `save` besides `on_error`; see `Writer`.
        load_settings: keyword arguments of `load` that the user may give.
        search: whether a missing image is always searched below the folder of the images.
    """

    module: str
    reads: str = ""
    writes: str = ""
    folder: bool = False
    settings: tuple[str, ...] = ()
    load_settings: tuple[str, ...] = ()
    search: bool = False

    @property
    def load(self) -> Callable[..., Iterator[Piece]]:
        """`load_NAME`: reads a source piece by piece."""
        return self._function("load")

    @property
    def parse(self) -> Callable[[Any], list[Draft]]:
        """`from_NAME`: parses a piece into drafts; pure."""
        return self._function("from")

    @property
    def save(self) -> Writer:
        """`save_NAME`: writes records."""
        return self._function("save")

    def _function(self, verb: str) -> Any:
        return getattr(import_module(f".{self.module}", __name__), f"{verb}_{self.module}")


FORMATS = {
    "rows": Format("rows", writes="stock ms-swift JSONL, one row per record", settings=("variant",)),
    "folder": Format("label_folders", "label folders: 0_real and 1_fake, nature and ai, or any names"),
    "x-aigd": Format("x_aigd", "X-AIGD: Parquet, polygons in seven categories"),
    "so-fake": Format("so_fake", "So-Fake-OOD, So-Fake-Set: Parquet, labels by name, masks"),
    "sid-set": Format("sid_set", "SID_Set of SIDA: Parquet, masks of tampered areas"),
    "labelme": Format(
        "labelme",
        "LabelMe: one JSON file per image, captions as descriptions",
        "one JSON file beside a copy of each image, captions as descriptions",
        folder=True,
        settings=("images", "link"),
    ),
    "coco": Format(
        "coco",
        "COCO: one JSON file, captions as attributes or category names",
        "one JSON file, captions as attributes",
        settings=("images",),
    ),
    "hf": Format(
        "hf",
        "Hugging Face Parquet: files of `export --to hf`, or any with a column of images",
        "Hugging Face Parquet with the images inside, and a data set card; for `datasets` and the hub",
        folder=True,
        settings=("images", "embed", "check", "shard_mb", "by_fold"),
        load_settings=("image_column", "label_column", "real_values", "fake_values"),
    ),
    "cvat": Format("cvat", "CVAT for images 1.1: XML, captions as attributes"),
    "label-studio": Format("label_studio", "Label Studio: JSON, captions as text areas of regions"),
    "via": Format("via", "VGG Image Annotator: JSON project or annotations"),
    "mllm-defake": Format(
        "mllm_defake",
        "FakeXplain's own rows: JSON Lines or lists of conversations with placeholders",
        load_settings=("box_order",),
        search=True,
    ),
    "fakeclue": Format("fakeclue", "FakeClue of FakeVLM: JSON, 1 is real; answers as explanation"),
    "synthscars": Format("synthscars", "SynthScars of LEGION: JSON, polygons with phrases"),
    "loki": Format("loki", "LOKI: JSON of open-ended questions, regions with descriptions"),
    "mmfr": Format("mmfr", "MMFR of FakeReasoning: *_reasoning.json, texts on attributes"),
    "yolo": Format(
        "yolo",
        writes="images, boxes in text files and data.yaml; no captions, no tags",
        folder=True,
        settings=("images", "link"),
    ),
    "masks": Format(
        "masks",
        writes="one PNG per image, 255 inside its regions and 0 elsewhere, and labels.csv",
        folder=True,
        settings=("images",),
    ),
    "folders": Format(
        "label_folders",
        writes="copies of the images in 0_real and 1_fake",
        folder=True,
        settings=("images", "link"),
    ),
}

READ = {name: format for name, format in FORMATS.items() if format.reads}
WRITTEN = {name: format for name, format in FORMATS.items() if format.writes}
