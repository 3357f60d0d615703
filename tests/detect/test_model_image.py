"""The pixels a model gets are those that the host would make of the same file, whatever is opened and however large."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from swift_plugins.fakexplain.detect.model_image import load_model_image, to_model_rgb, to_sent_size
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.frames import FrameRule, frame_rule

RULE = frame_rule("fx_qwen2_5_vl", env={})
NOISE = Image.effect_noise((90, 60), 80).convert("RGB")


@given(st.integers(20, 400), st.integers(20, 400), st.sampled_from([None, 9_000, 50_176]), st.sampled_from([4, 16]))
@settings(max_examples=25, deadline=None)
def test_the_size_is_that_of_the_host_to_the_pixel(width, height, max_pixels, min_tokens):
    """The oracle is what the template of Qwen2.5-VL calls: `rescale_image`, then `fetch_image`."""
    from qwen_vl_utils import fetch_image
    from swift.template.vision_utils import rescale_image

    rule = FrameRule("fx_qwen2_5_vl", min_tokens=min_tokens, max_tokens=300, max_pixels=max_pixels)
    image = Image.effect_noise((width, height), 80).convert("RGB")
    limits = {"min_pixels": min_tokens * 784, "max_pixels": 300 * 784}
    expected = fetch_image({"image": rescale_image(image, max_pixels), **limits})
    sent = to_sent_size(image, rule.frame(image.size), rule, max_pixels)
    assert sent.size == expected.size
    assert sent.tobytes() == expected.tobytes()
    again = fetch_image({"image": sent, **limits})  # the host, and a server, leave it as it is
    assert again.tobytes() == expected.tobytes()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"])
def test_modes_are_those_of_the_host(mode, tmp_path):
    from swift.template.vision_utils import load_image

    path = tmp_path / ("a.tif" if mode in ("CMYK", "YCbCr") else "a.png")
    image = NOISE.convert(mode)
    if mode in ("LA", "RGBA"):
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    image.save(path)
    with Image.open(path) as opened:
        assert to_model_rgb(opened).tobytes() == load_image(str(path)).tobytes()


def test_the_norm1000_frame_leaves_the_size_to_the_model():
    rule = frame_rule("fx_qwen3_vl", env={})
    assert to_sent_size(NOISE, rule.frame(NOISE.size), rule, None) is NOISE
    assert to_sent_size(NOISE, rule.frame(NOISE.size), rule, 1350).size == (45, 30)


def test_sixteen_bits_are_scaled_not_cut(tmp_path):
    Image.linear_gradient("L").convert("I;16").point(lambda value: value * 256).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "I;16"
        assert len(to_model_rgb(image).convert("L").getcolors()) > 200


def test_an_image_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    NOISE.save(tmp_path / "a.jpg", exif=exif)
    image = load_model_image(tmp_path / "a.jpg", RULE, shown_side=30)
    assert image.image_wh == (60, 90)
    assert image.pixels.size == image.frame.frame_wh == (56, 84)
    assert image.shown.size == (20, 30)


@pytest.mark.parametrize(
    "size, message", [((6000, 10), "whose sides differ at most 200 to 1"), ((10, 6000), "at most 200 to 1")]
)
def test_a_shape_that_no_model_takes(size, message, tmp_path):
    Image.new("RGB", size).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=message):
        load_model_image(tmp_path / "a.png", RULE)


def test_numbers_of_no_known_range(tmp_path):
    Image.new("F", (8, 8)).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match="8 or 16 bits per channel"):
        load_model_image(tmp_path / "a.tif", RULE)
