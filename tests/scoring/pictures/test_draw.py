"""Pictures of single images: places of boxes, complete captions, and the panel that replaces a broken image."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFont

from swift_plugins.fakexplain.annotation import Annotation, Region
from swift_plugins.fakexplain.pictures import notes
from swift_plugins.fakexplain.pictures.colours import GOLD, PANEL, PRED
from swift_plugins.fakexplain.pictures.lettering import Pen, find_default_font, wrap_text
from swift_plugins.fakexplain.scoring.metrics.image import Scored
from swift_plugins.fakexplain.scoring.pictures.draw import draw_image
from tests.pictures.pixels import outline, spots

SIDE = 400
GAP = Pen(SIDE).leading
LONG = "Reflection that shows what is not there, " * 40 + "x" * 900


def record(folder: Path, wh: tuple[int, int] = (100, 100), *captions: str) -> Annotation:
    Image.new("RGB", wh).save(folder / "a.png")
    boxes = [(10.0 * i, 20.0, 10.0 * i + 30, 60.0) for i in range(1, 1 + len(captions))]
    regions = tuple(Region(box, caption) for box, caption in zip(boxes, captions, strict=True))
    return Annotation("a", "a.png", *wh, "fake", regions, ("texture_error",), path=folder / "a.png")


def said(*boxes: tuple[float, float, float, float], verdict: str = "fake", caption: str = "Sky.") -> Scored:
    return Scored("fake", verdict, iou=0.5, regions=tuple(Region(box, caption) for box in boxes), tags=())


def test_annotated_and_predicted_stand_side_by_side(tmp_path: Path):
    """100 -> 400: times 4. The second picture begins a picture and a gap further on."""
    picture, error = draw_image(
        record(tmp_path, (100, 100), "Rail."), {"ours": said((50, 50, 90, 90))}, longer_side=SIDE
    )
    assert error is None
    assert picture.width == 2 * SIDE + 3 * GAP
    left, right = GAP, SIDE + 2 * GAP
    assert outline(left + 40, GAP + 80, left + 159, GAP + 239) <= spots(picture, GOLD)
    orange = {spot for spot in spots(picture, PRED) if spot[1] < GAP + SIDE}
    assert {(right + 200, GAP + 200), (right + 359, GAP + 359)} <= orange
    assert all(x >= right for x, _ in orange)


def test_both_on_one_picture(tmp_path: Path):
    picture, _ = draw_image(
        record(tmp_path, (100, 100), "Rail."), {"ours": said((50, 50, 90, 90))}, longer_side=SIDE, overlaid=True
    )
    assert picture.width == SIDE + 2 * GAP
    assert outline(GAP + 40, GAP + 80, GAP + 159, GAP + 239) <= spots(picture, GOLD)
    assert (GAP + 200, GAP + 200) in spots(picture, PRED)


def test_every_system_has_a_picture(tmp_path: Path):
    answers = {"ours": said((1, 1, 9, 9)), "LEGION": None, "base": said(verdict="real")}
    picture, _ = draw_image(record(tmp_path), answers, longer_side=SIDE)
    assert picture.width == 4 * SIDE + 5 * GAP
    alone, _ = draw_image(record(tmp_path), {}, longer_side=SIDE)
    assert alone.width == SIDE + 2 * GAP


def test_all_words_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    written: list[str] = []

    def keep(text: str, *args) -> list[str]:
        lines = wrap_text(text, *args)
        written.extend(lines)
        return lines

    monkeypatch.setattr(notes, "wrap_text", keep)
    captions = [f"Caption {i}. {LONG}" for i in range(12)]
    picture, _ = draw_image(record(tmp_path, (300, 300), *captions), {}, longer_side=SIDE)
    for caption in captions:
        assert "".join(caption.split()) in "".join("".join(written).split())
    assert picture.height > SIDE + 12 * 20 * GAP  # and there is room for all of it


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=600), st.integers(20, 400))
def test_wrapping_never_loses_a_character(text: str, width: int):
    font = ImageFont.truetype(str(find_default_font()), 16)
    lines = wrap_text(text, width, font, None)
    assert "".join(lines) == text
    assert all(font.getlength(line) <= width or len(line) == 1 for line in lines)


@pytest.mark.parametrize("wh", [(1, 1), (32, 32), (2000, 50), (50, 2000)])
def test_any_shape_has_room_for_badges(tmp_path: Path, wh: tuple[int, int]):
    gold = record(tmp_path, wh)
    boxes = [(0, 0, wh[0], wh[1])] * 3 + [(0, 0, 1, 1)]
    picture, error = draw_image(gold, {"ours": said(*boxes)}, longer_side=SIDE)
    assert error is None
    assert picture.width == 2 * SIDE + 3 * GAP


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "I;16", "CMYK"])
def test_any_kind_of_image(tmp_path: Path, mode: str):
    Image.new(mode, (60, 40)).save(tmp_path / f"a.{'jpg' if mode == 'CMYK' else 'png'}")
    (path,) = tmp_path.glob("a.*")
    gold = Annotation("a", path.name, 60, 40, "real", path=path)
    assert draw_image(gold, {}, longer_side=SIDE)[1] is None


def test_a_broken_image_says_why(tmp_path: Path):
    gold = record(tmp_path, (100, 100), "Rail.")
    gold.path.write_bytes(b"nothing")
    picture, error = draw_image(gold, {"ours": said((50, 50, 90, 90))}, longer_side=SIDE)
    assert error is not None and "a readable image" in str(error)
    assert len(spots(picture, PANEL)) > 1000
    assert len(spots(picture, GOLD)) > 50  # the caption's badge is still there


def test_the_same_image_gives_the_same_picture(tmp_path: Path):
    gold, answers = record(tmp_path, (100, 100), "Rail."), {"ours": said((50, 50, 90, 90), (51, 51, 90, 90))}
    first, second = (draw_image(gold, answers, longer_side=SIDE)[0] for _ in range(2))
    assert first.tobytes() == second.tobytes()
