"""The outside formats by name: what reads each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ..drafts.draft import Draft, Piece
from .coco import from_coco, load_coco
from .cvat import from_cvat, load_cvat
from .fakeclue import from_fakeclue, load_fakeclue
from .folder import from_folder, load_folder
from .label_studio import from_label_studio, load_label_studio
from .labelme import from_labelme, load_labelme
from .loki import from_loki, load_loki
from .mllm_defake import from_mllm_defake, load_mllm_defake
from .mmfr import from_mmfr, load_mmfr
from .sid_set import from_sid_set, load_sid_set
from .so_fake import from_so_fake, load_so_fake
from .synthscars import from_synthscars, load_synthscars
from .via import from_via, load_via
from .x_aigd import from_x_aigd, load_x_aigd


class Format(NamedTuple):
    """How one format is read.

    Attributes:
        load: reads a source piece by piece.
        parse: makes drafts of a piece; pure.
        words: what it is, for the help text.
    """

    load: Callable[..., Iterator[Piece]]
    parse: Callable[[Any], list[Draft]]
    words: str


FORMATS = {
    "folder": Format(load_folder, from_folder, "label folders: 0_real and 1_fake, nature and ai, or any names"),
    "x-aigd": Format(load_x_aigd, from_x_aigd, "X-AIGD: Parquet, polygons in seven categories"),
    "so-fake": Format(load_so_fake, from_so_fake, "So-Fake-OOD, So-Fake-Set: Parquet, labels by name, masks"),
    "sid-set": Format(load_sid_set, from_sid_set, "SID_Set of SIDA: Parquet, masks of what was tampered with"),
    "labelme": Format(load_labelme, from_labelme, "LabelMe: a JSON file for each image, captions as descriptions"),
    "coco": Format(load_coco, from_coco, "COCO: one JSON file, captions as attributes or category names"),
    "cvat": Format(load_cvat, from_cvat, "CVAT for images 1.1: XML, captions as attributes"),
    "label-studio": Format(
        load_label_studio, from_label_studio, "Label Studio: JSON, captions as text areas of regions"
    ),
    "via": Format(load_via, from_via, "VGG Image Annotator: JSON project or annotations"),
    "mllm-defake": Format(load_mllm_defake, from_mllm_defake, "FakeXplain's early rows: JSONL with placeholders"),
    "fakeclue": Format(load_fakeclue, from_fakeclue, "FakeClue of FakeVLM: JSON, 1 is real; answers as explanation"),
    "synthscars": Format(load_synthscars, from_synthscars, "SynthScars of LEGION: JSON, polygons with phrases"),
    "loki": Format(load_loki, from_loki, "LOKI: JSON of open-ended questions, regions with descriptions"),
    "mmfr": Format(load_mmfr, from_mmfr, "MMFR of FakeReasoning: *_reasoning.json, texts on attributes"),
}
