"""Contact sheets: every image with its boxes in their place, or a panel that says why it is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageChops

from swift_plugins.fakexplain.annotation import Annotation, Region
from swift_plugins.fakexplain.frames import frame_rule
from swift_plugins.fakexplain.pictures.colours import GOLD, PANEL, PAPER, PRED, RIGHT, WRONG
from swift_plugins.fakexplain.scoring.pictures import sheet as sheets
from swift_plugins.fakexplain.scoring.pictures.sheet import contact_sheet
from tests.pictures.pixels import outline, spots

RULE = frame_rule("fx_qwen2_5_vl", env={})
BLACK = (0, 0, 0)
MARGIN = 30  # of a sheet with cells of 360: a twelfth


def picture(folder: Path, name: str, wh: tuple[int, int], mode: str = "RGB") -> Path:
    Image.new(mode, wh).save(folder / name)
    return folder / name


def fake(
    path: Path, wh: tuple[int, int], *boxes: tuple[float, float, float, float], caption: str = "Rail."
) -> Annotation:
    regions = tuple(Region(box, caption) for box in boxes)
    return Annotation(path.stem, path.name, *wh, "fake", regions, ("texture_error",), path=path)


@pytest.mark.parametrize("wh", [(1, 1), (1, 400), (2, 3), (30, 2000)])
def test_smallest_and_thinnest_pictures(tmp_path: Path, wh: tuple[int, int]):
    record = fake(picture(tmp_path, "a.png", wh), wh, (0, 0, *wh))
    assert contact_sheet([(record, None)], tmp_path / "sheet.png", cell=64) == [None]


def test_sheet(tmp_path: Path):
    """Two columns of three images: boxes land where they lie in an image that is scaled and set in the middle."""
    square = fake(picture(tmp_path, "square.png", (120, 120)), (120, 120), (30, 30, 90, 60))
    tall = fake(picture(tmp_path, "tall.png", (512, 1024)), (512, 1024), (128, 256, 384, 768))
    real = Annotation("real", "real.png", 100, 100, "real", path=picture(tmp_path, "real.png", (100, 100)))
    # 512x1024 is 504x1036 to the model, so 126..378 is 128..384 across and 259..777 is 256..768 down
    said = "<think>\n[126, 259, 378, 777] Bent rail.\n</think>\n<tag>none</tag>\n<verdict>fake</verdict>"
    out = tmp_path / "new" / "sheet.png"
    assert contact_sheet([(square, "real"), (tall, said), (real, None)], out, rule=RULE, columns=2) == [None] * 3
    assert [path.name for path in out.parent.iterdir()] == ["sheet.png"]
    sheet = Image.open(out).convert("RGB")
    assert sheet.width == 2 * 360 + 3 * MARGIN
    top = next(y for y in range(sheet.height) if sheet.getpixel((MARGIN, y)) == BLACK)  # below the legend

    # 120 -> 360: times 3
    assert outline(MARGIN + 90, top + 90, MARGIN + 269, top + 179) <= spots(sheet, GOLD)
    # 1024 -> 360: 180x360 in the middle of the second column; 128/512*180 = 45, 256/1024*360 = 90
    left = 2 * MARGIN + 360 + 90
    edge = outline(left + 45, top + 90, left + 134, top + 269)
    blue, orange = (len(edge & spots(sheet, colour)) / len(edge) for colour in (GOLD, PRED))
    assert blue > 0.15
    assert orange > 0.4
    assert sheet.getpixel((left - 5, top + 5)) == PANEL
    marks = [
        spots(sheet.crop((x, top + 361, x + 24, top + 400)), colour)
        for x in (MARGIN, 2 * MARGIN + 360)
        for colour in (RIGHT, WRONG)
    ]
    assert [bool(mark) for mark in marks] == [False, True, True, False]
    again = tmp_path / "again.png"
    contact_sheet([(square, "real"), (tall, said), (real, None)], again, rule=RULE, columns=2)
    assert again.read_bytes() == out.read_bytes()


def test_sheet_of_annotations_alone_does_not_mention_predictions(tmp_path: Path):
    record = fake(picture(tmp_path, "a.png", (120, 120)), (120, 120), (30, 30, 90, 60))
    contact_sheet([(record, None)], tmp_path / "sheet.png")
    sheet = Image.open(tmp_path / "sheet.png").convert("RGB")
    assert spots(sheet, GOLD)
    assert not any(spots(sheet, colour) for colour in (PRED, RIGHT, WRONG))


def test_answer_about_a_region_off_the_image_keeps_its_letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The remaining box keeps the mark of its caption, b, although a is not drawn."""
    drawn = []
    monkeypatch.setattr(sheets, "draw_boxes", lambda canvas, gold, pred, pen: drawn.append((list(gold), list(pred))))
    record = fake(picture(tmp_path, "a.png", (120, 120)), (120, 120), (0, 60, 60, 90), (0, 0, 30, 30))
    said = "<think>\n[600, 0, 700, 9] Off.\n[0, 0, 30, 30] On.\n</think>\n<tag>none</tag>\n<verdict>fake</verdict>"
    contact_sheet([(record, said)], tmp_path / "sheet.png", rule=RULE)
    assert drawn == [(["1", "2"], ["b"])]


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda path: path.unlink(), "image: expected an image file, found no file"),
        (lambda path: path.write_bytes(path.read_bytes()[:60]), "image: expected a readable image, found"),
        (
            lambda path: Image.new("RGB", (7, 7)).save(path),
            "width, height: expected the size of the image, 7x7, found 120x120",
        ),
    ],
)
def test_unreadable_image_becomes_a_panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, break_it, message: str):
    path = picture(tmp_path, "a.png", (120, 120))
    break_it(path)
    written = []
    write = sheets.Notes.write
    monkeypatch.setattr(
        sheets.Notes, "write", lambda self, text, **how: written.append(text) or write(self, text, **how)
    )
    (error,) = contact_sheet([(fake(path, (120, 120), (0, 0, 9, 9)), "real")], tmp_path / "sheet.png", rule=RULE)
    assert error and str(error).startswith(message)
    assert any(text.startswith(message) for text in written)
    assert spots(Image.open(tmp_path / "sheet.png").convert("RGB"), PANEL)


def test_no_images_or_no_frame_rule_is_an_error(tmp_path: Path):
    with pytest.raises(ValueError, match="at least one image"):
        contact_sheet([], tmp_path / "sheet.png")
    record = fake(picture(tmp_path, "a.png", (120, 120)), (120, 120))
    with pytest.raises(ValueError, match="frame rule"):
        contact_sheet([(record, "fake")], tmp_path / "sheet.png")
    assert not (tmp_path / "sheet.png").exists()


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "I;16", "CMYK"])
def test_every_mode_of_an_image(tmp_path: Path, mode: str):
    path = tmp_path / ("a.tiff" if mode == "CMYK" else "a.png")
    Image.new(mode, (40, 40)).save(path)
    record = Annotation("a", path.name, 40, 40, "real", path=path)
    contact_sheet([(record, None)], tmp_path / "sheet.png", cell=80)
    if mode in ("LA", "RGBA"):  # transparent pixels show the paper
        sheet = Image.open(tmp_path / "sheet.png").convert("RGB")
        assert (
            ImageChops.difference(
                sheet.crop((6, sheet.height - 60, 86, sheet.height - 40)), Image.new("RGB", (80, 20), PAPER)
            ).getbbox()
            is None
        )
