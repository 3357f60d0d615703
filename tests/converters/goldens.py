"""Stored sources of the outside formats, and the records each must give, byte for byte."""

from pathlib import Path

from converters.convert import Place, convert
from converters.drafts.draft import folder_of
from converters.formats import FORMATS
from swift_plugins.fakexplain.annotation import write_annotations

ASSETS = Path(__file__).parents[1] / "assets"


def check_golden(format: str, tmp_path: Path, **settings) -> None:
    """Convert tests/assets/FORMAT/source*, in process; its records must be those of expected.jsonl beside it.

    Image paths in expected.jsonl begin with `source/` where the image stayed in its place (that folder is the source
    itself, or the one it lies in) and with `images/` where it was written anew. `settings` go to `convert`.
    """
    folder = ASSETS / format
    (source,) = folder.glob("source*")
    out, written = tmp_path / "annotations.jsonl", tmp_path / "images"
    written.mkdir()
    reader = FORMATS[format]
    places = {"images": Place(folder_of(source), "source"), "written": Place(written, "images")}
    write_annotations(out, convert(reader.load(source), reader.parse, **(places | settings)))
    assert out.read_text("utf-8").splitlines() == (folder / "expected.jsonl").read_text("utf-8").splitlines()
    assert out.read_bytes() == (folder / "expected.jsonl").read_bytes()
