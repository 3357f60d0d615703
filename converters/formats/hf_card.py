"""The data set card of exported Parquet files, and the types of their columns in the words of the `datasets` library.

Types are written as every version of the library since 2.14 reads them, so lists of values are sequences.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from swift_plugins.fakexplain.annotation import ORIGIN
from swift_plugins.fakexplain.tags import TAGS

LABEL_NAMES = ("real", "fake")
"""The names of the ClassLabel `label`; its column holds their indices."""

_TEXT = {"dtype": "string", "_type": "Value"}
_NUMBER = {"dtype": "int32", "_type": "Value"}
_BOX = {"feature": {"dtype": "float64", "_type": "Value"}, "length": 4, "_type": "Sequence"}


def features(*, embed: bool) -> dict[str, Any]:
    """The features of the columns, as `datasets.Features.from_dict` reads them.

    Args:
        embed: whether `image` holds the bytes of a file, or else its path.
    """
    return {
        "id": _TEXT,
        "image": {"_type": "Image"} if embed else _TEXT,
        "width": _NUMBER,
        "height": _NUMBER,
        "label": {"names": [*LABEL_NAMES], "_type": "ClassLabel"},
        "regions": [{"bbox": _BOX, "caption": _TEXT}],
        "tags": {"feature": _TEXT, "_type": "Sequence"},
        **dict.fromkeys(ORIGIN, _TEXT),
        "fold": _NUMBER,
        "extra": _TEXT,
    }


_FEATURES = """\
  - name: id
    dtype: string
  - name: image
    dtype: {image}
  - name: width
    dtype: int32
  - name: height
    dtype: int32
  - name: label
    dtype:
      class_label:
        names:
          '0': real
          '1': fake
  - name: regions
    list:
    - name: bbox
      sequence: float64
      length: 4
    - name: caption
      dtype: string
  - name: tags
    sequence: string
"""

_TEXT_COLUMN = "  - name: {name}\n    dtype: string\n"

_CARD = """\
---
task_categories:
- image-classification
- object-detection
tags:
- ai-generated-image-detection
dataset_info:
  features:
{features}  splits:
{splits}configs:
- config_name: default
  data_files:
{files}---

# Explained detection of AI-generated images

{count:,} images, each with its verdict, the flawed regions with a caption each, and tags of the whole image. Written by
`fakexplain export --to hf`; `fakexplain convert hf` makes an annotations file of it again.

| column | contents |
|---|---|
| `id` | unique |
| `image` | {image} |
| `width`, `height` | pixels |
| `label` | `real` or `fake` |
| `regions` | flawed regions of a fake image, each `bbox` (x1, y1, x2, y2 in pixels) and `caption` (one line) |
| `tags` | any of {tags} |
| `generator`, `family` | the generator of the image, and its family |
| `class_name` | the class that the image shows |
| `annotator` | who annotated it |
| `fold` | 0 to 3, for cross-validation |
| `extra` | further fields, as a JSON object |

A missing value is null. Add a licence and the images' origin to this card before you publish it.
"""


def write_card(counts: Mapping[str, int], *, embed: bool) -> str:
    """The card, README.md, with the metadata that `datasets` and the hub read.

    Args:
        counts: split -> number of its records.
        embed: as in `features`.
    """
    columns = _FEATURES.format(image="image" if embed else "string")
    columns += "".join(_TEXT_COLUMN.format(name=name) for name in ORIGIN)
    columns += "  - name: fold\n    dtype: int32\n" + _TEXT_COLUMN.format(name="extra")
    return _CARD.format(
        features=columns,
        splits="".join(f"  - name: {split}\n    num_examples: {count}\n" for split, count in counts.items()),
        files="".join(f"  - split: {split}\n    path: data/{split}-*.parquet\n" for split in counts),
        count=sum(counts.values()),
        image="the file as it was" if embed else "path of the file, relative to the folder of the images",
        tags=", ".join(f"`{tag}`" for tag in TAGS),
    )
