"""`fakexplain sheet` and `fakexplain draw`: what they write, and their exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.pictures.colours import GOLD, PRED
from swift_plugins.fakexplain.pictures.lettering import Pen
from tests.cli.command import fakexplain
from tests.pictures.pixels import spots

PLAIN = {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
GAP = Pen(240).leading  # around images with a longer side of 240


def test_sheet_with_and_without_predictions(annotations_file: Path, predictions: Path, tmp_path: Path):
    plain = fakexplain("sheet", annotations_file, "-o", tmp_path / "plain.png", "--limit", "3")
    assert plain.stdout.startswith("3 images on")
    done = fakexplain("sheet", annotations_file, "--predictions", predictions, "-o", tmp_path / "sheet.png")
    assert done.stdout.startswith("16 images on"), done.stderr
    with Image.open(tmp_path / "plain.png") as first, Image.open(tmp_path / "sheet.png") as second:
        assert (first.width, second.width) == (3 * 360 + 4 * 30, 4 * 360 + 5 * 30)  # cells, and gaps of a twelfth
        assert second.height > 4 * 270 + 5 * 30  # four rows of images of 120x90 and their notes
        assert spots(first, GOLD) and not spots(first, PRED)
        assert spots(second, GOLD) and spots(second, PRED)


def test_a_picture_for_each_image(annotations_file: Path, tmp_path: Path):
    done = fakexplain("draw", annotations_file, "-o", tmp_path / "drawn", "--limit", "5", "--longer-side", "240")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"5 images in {tmp_path / 'drawn'}\n"
    names = {path.name for path in (tmp_path / "drawn").iterdir()}
    assert len(names) == 5
    assert names <= {f"{each.id}.png" for each in read_annotations(annotations_file)}


def test_only_the_records_of_the_given_ids(annotations_file: Path, predictions: Path, tmp_path: Path):
    ids = ("--id", "fake-003", "--id", "real-001")
    more = ("--predictions", f"ours={predictions}", "--predictions", f"again={predictions}", "--longer-side", "240")
    done = fakexplain("draw", annotations_file, "-o", tmp_path / "drawn", *ids, *more)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["fake-003.png", "real-001.png"]
    with Image.open(tmp_path / "drawn/fake-003.png") as picture:
        assert picture.width == 3 * 240 + 4 * GAP  # annotated, and two systems


def test_a_run(annotations_file: Path, predictions: Path, tmp_path: Path):
    scored = ("score", f"ours={predictions}", f"other={predictions}", "--annotations", annotations_file)
    assert fakexplain(*scored, "--resamples", "0", "-o", tmp_path / "run").returncode == 0
    args = ("draw", tmp_path / "run", "--id", "fake-003", "--longer-side", "240")
    assert fakexplain(*args, "-o", tmp_path / "all").returncode == 0
    one = fakexplain(*args, "-o", tmp_path / "one", "--system", "ours", "--overlaid")
    assert one.returncode == 0, one.stderr
    with Image.open(tmp_path / "all/fake-003.png") as whole, Image.open(tmp_path / "one/fake-003.png") as overlaid:
        assert (whole.width, overlaid.width) == (3 * 240 + 4 * GAP, 240 + 2 * GAP)
        assert spots(overlaid, GOLD) and spots(overlaid, PRED)
    wrong = fakexplain(*args, "-o", tmp_path / "none", "--system", "theirs", **PLAIN)
    assert wrong.returncode == 2 and "expected ours, other, found theirs" in wrong.stderr
    many = fakexplain(*args, "-o", tmp_path / "none", "--overlaid", **PLAIN)
    assert many.returncode == 2 and "expected one system" in many.stderr


def test_a_broken_image_is_drawn_as_a_panel_and_reported(annotations_file: Path, tmp_path: Path):
    (annotations_file.parent / "images/fake-000.png").unlink()
    done = fakexplain("draw", annotations_file, "-o", tmp_path / "drawn", "--limit", "0", "--longer-side", "240")
    assert done.returncode == 1
    assert done.stdout.startswith("16 images in")
    assert "1 images could not be read; their pictures say why. The first: " in done.stderr
    assert "fake-000" in done.stderr
    assert len(list((tmp_path / "drawn").iterdir())) == 16


@pytest.mark.parametrize("source", ["annotations.jsonl", "run"])
def test_input_images_are_never_overwritten(source: str, tmp_path: Path):
    """Images often have the names of their records, as pictures do."""
    images = tmp_path / "images"
    images.mkdir()
    Image.new("RGB", (40, 40)).save(images / "a.png")
    before = (images / "a.png").read_bytes()
    record = {"id": "a", "image": "images/a.png", "width": 40, "height": 40, "label": "real"}
    (tmp_path / "annotations.jsonl").write_text(json.dumps(record) + "\n")
    if source == "run":
        (tmp_path / "p.jsonl").write_text(json.dumps({"response": "real", "images": [str(images / "a.png")]}) + "\n")
        scored = ("score", tmp_path / "p.jsonl", "--annotations", tmp_path / "annotations.jsonl", "--resamples", "0")
        assert fakexplain(*scored, "-o", tmp_path / "run").returncode == 0
    done = fakexplain("draw", tmp_path / source, "-o", images, "--force", **PLAIN)
    assert done.returncode == 2 and "holds an input image" in done.stderr
    assert (images / "a.png").read_bytes() == before


@pytest.mark.parametrize("command", ["draw", "sheet"])
def test_a_file_that_is_no_font(annotations_file: Path, tmp_path: Path, command: str):
    (tmp_path / "no.ttf").write_text("no font")
    done = fakexplain(command, annotations_file, "-o", tmp_path / "out.png", "--font", tmp_path / "no.ttf")
    assert done.returncode == 1
    assert f"{tmp_path / 'no.ttf'}: expected a font file, found one that cannot be read" in done.stderr


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("--id", "nobody"), 1, "--id: expected ids that exist in data/annotations.jsonl, found nobody"),
        (("--system", "a"), 2, "expected a run to choose from, found an annotations file"),
        (("--longer-side", "10"), 2, "240"),
        (("--font", "none.ttf"), 1, "none.ttf: expected a font file"),
        (("--predictions", "none.jsonl"), 1, "none.jsonl: expected predictions"),
        (("--out", "data"), 2, "holds an input"),
    ],
)
def test_what_draw_refuses(
    annotations_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args, code, message
):
    monkeypatch.chdir(tmp_path)
    done = fakexplain("draw", "data/annotations.jsonl", "-o", "drawn", *args, **PLAIN)
    assert done.returncode == code
    assert message in " ".join(done.stderr.split())
    assert not (tmp_path / "drawn").exists()


def test_an_answer_that_belongs_to_no_record(annotations_file: Path, tmp_path: Path):
    (tmp_path / "p.jsonl").write_text(json.dumps({"response": "fake", "images": ["/nowhere.png"]}) + "\n")
    done = fakexplain("draw", annotations_file, "--predictions", tmp_path / "p.jsonl", "-o", tmp_path / "drawn")
    assert done.returncode == 1 and "which none of the records has" in done.stderr
