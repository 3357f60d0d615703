"""Rows of the stored Parquet sources, changed and written anew."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from converters.convert import Place, convert
from converters.formats import FORMATS


def png(wh, colour="grey", kind="PNG"):
    """The bytes of an image of one colour."""
    out = io.BytesIO()
    Image.new("RGB", wh, colour).save(out, kind)
    return out.getvalue()


def mask(wh, *boxes, value=255, mode="L"):
    """The bytes of a mask that is `value` inside boxes x1, y1, x2, y2."""
    image = Image.new(mode, wh, 0)
    for box in boxes:
        image.paste(value, box)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def change(source, target, *, rows=lambda rows: rows, without=(), names=None):
    """Write a Parquet file's rows anew.

    Args:
        rows: called with them, returns those to write.
        without: columns to skip.
        names: of the labels, in place of those the metadata gives; an empty list leaves no metadata.
    """
    table = pq.read_table(source).drop_columns(list(without))
    schema = table.schema
    if names is not None:
        note = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
        schema = schema.with_metadata({b"huggingface": json.dumps(note).encode()} if names else None)
    pq.write_table(pa.Table.from_pylist(rows(table.to_pylist()), schema=schema), target)
    return target


def records(format, source, tmp_path, **settings):
    """Records of a source; its images go to `tmp_path`/images."""
    (tmp_path / "images").mkdir(exist_ok=True)
    places = {"images": Place(tmp_path, "source"), "written": Place(tmp_path / "images", "images")}
    return list(convert(FORMATS[format].load(source), FORMATS[format].parse, **(places | settings)))
