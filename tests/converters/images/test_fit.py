"""Geometry of turning and fitting: against pixels that Pillow turned, and by hand."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from converters.images.fit import fit, orient_box, parse_size


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_box_is_turned_as_its_pixels_are(turn):
    image = Image.new("L", (9, 5))
    image.paste(255, (1, 1, 4, 3))
    image.getexif()[0x0112] = turn
    upright = np.asarray(ImageOps.exif_transpose(image))
    rows, columns = np.nonzero(upright)
    expected = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert orient_box((1, 1, 4, 3), turn, (9, 5)) == expected


@pytest.mark.parametrize(
    ("source_wh", "wh", "how", "seen", "place"),
    [
        ((1000, 500), (512, 512), "crop", (250, 0, 750, 500), (0, 0, 512, 512)),
        ((500, 1001), (512, 512), "crop", (0, 250.5, 500, 750.5), (0, 0, 512, 512)),
        ((300, 200), (100, 50), "crop", (0, 25, 300, 175), (0, 0, 100, 50)),
        ((1024, 1024), (512, 512), "crop", (0, 0, 1024, 1024), (0, 0, 512, 512)),
        ((1000, 500), (512, 512), "pad", (0, 0, 1000, 500), (0, 128, 512, 384)),
        ((500, 1001), (512, 512), "pad", (0, 0, 500, 1001), (128, 0, 384, 512)),
        ((1, 5000), (8, 8), "pad", (0, 0, 1, 5000), (3, 0, 4, 8)),
        ((1000, 500), (512, 512), "stretch", (0, 0, 1000, 500), (0, 0, 512, 512)),
    ],
)
def test_what_is_kept_and_where_it_goes(source_wh, wh, how, seen, place):
    way = fit(source_wh, wh, how)
    assert way.seen == seen and way.place == place
    assert way.crops == (seen != (0, 0, *source_wh)) and way.pads == (place != (0, 0, *wh))
    assert way.fit_image(Image.new("RGB", source_wh)).size == wh


@pytest.mark.parametrize(
    ("source_wh", "how", "box", "new", "share"),
    [
        ((1000, 500), "crop", (300, 100, 500, 200), (51.2, 102.4, 256, 204.8), 1),
        ((1000, 500), "crop", (200, 100, 300, 200), (0, 102.4, 51.2, 204.8), 0.5),
        ((1000, 500), "crop", (0, 0, 1000, 500), (0, 0, 512, 512), 0.5),
        ((1000, 500), "crop", (0, 0, 250, 500), None, 0),
        ((1000, 500), "pad", (0, 0, 1000, 500), (0, 128, 512, 384), 1),
        ((1000, 500), "stretch", (100, 100, 200, 200), (51.2, 102.4, 102.4, 204.8), 1),
        ((333, 777), "stretch", (1.1, 2.2, 333, 777), (1.1 * 512 / 333, 2.2 * 512 / 777, 512, 512), 1),
    ],
)
def test_boxes_go_with_the_pixels(source_wh, how, box, new, share):
    found, kept = fit(source_wh, (512, 512), how).fit_box(box)
    assert kept == pytest.approx(share, abs=1e-12)
    if new is not None:
        assert found == pytest.approx(new, abs=1e-9)
        assert 0 <= found[0] < found[2] <= 512 and 0 <= found[1] < found[3] <= 512


@pytest.mark.parametrize("how", ["crop", "pad", "stretch"])
def test_a_box_is_never_outside(how):
    """Not by the last digit of a float either: on 100x142, 1000x667 would end at 100.00000000000001."""
    for width in range(100, 400, 3):
        for height in (101, 142, 397):
            box, _ = fit((1000, 667), (width, height), how).fit_box((0, 0, 1000, 667))
            assert 0 <= box[0] < box[2] <= width and 0 <= box[1] < box[3] <= height


def test_an_image_of_the_right_size_keeps_its_pixels():
    image = Image.effect_noise((64, 48), 90).convert("RGB")
    for how in ("crop", "pad", "stretch"):
        assert fit(image.size, image.size, how).fit_image(image).tobytes() == image.tobytes()


@pytest.mark.parametrize("text", ["", "0", "x512", "512x", "1x2x3", "-5", "5.5", "16385", "٣", "512 "])
def test_what_is_no_size(text):
    with pytest.raises(ValueError, match="expected a size such as 512 or 640x480"):
        parse_size(text)
