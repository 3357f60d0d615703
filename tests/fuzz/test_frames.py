"""Model frames against the resize that ms-swift's templates call."""

import contextlib

import pytest
from PIL import Image

from swift_plugins.fakexplain.frames import FrameRule

pytestmark = pytest.mark.fuzz


def test_a_frame_is_the_size_the_host_resizes_to(fuzz):
    from qwen_vl_utils import smart_resize
    from swift.template.vision_utils import rescale_image

    def check(rng):
        factor = rng.choice((28, 32))
        fewest = rng.randint(1, 200)
        most = rng.randint(fewest, 2000)
        limit = rng.choice((None, rng.randint(2_000, 2_000_000)))
        image_wh = tuple(int(2 ** rng.uniform(0, 11)) for _ in range(2))
        rule = FrameRule("fx_qwen2_5_vl", factor=factor, min_tokens=fewest, max_tokens=most, max_pixels=limit)
        expected = None
        with contextlib.suppress(ValueError, ZeroDivisionError):  # the host fails on the image itself
            size = rescale_image(Image.new("L", image_wh), limit).size if limit else image_wh
            expected = smart_resize(size[1], size[0], factor, fewest * factor**2, most * factor**2)[::-1]
        if expected and min(expected):
            assert rule.frame(image_wh).frame_wh == expected, (rule, image_wh)
        else:
            with pytest.raises(ValueError, match="{}x{}".format(*image_wh)):
                rule.frame(image_wh)

    fuzz(check)


def test_a_target_box_maps_back(fuzz):
    def check(rng):
        rule = FrameRule("fx_qwen2_5_vl", factor=28, min_tokens=4, max_tokens=rng.randint(4, 16384))
        width, height = (rng.randint(28, 4000) for _ in range(2))
        if max(width, height) > 150 * min(width, height):
            return
        try:
            frame = rule.frame((width, height))
        except ValueError:
            return
        x1, x2 = sorted((rng.uniform(0, width), rng.uniform(0, width)))
        y1, y2 = sorted((rng.uniform(0, height), rng.uniform(0, height)))
        target = frame.target_xyxy((x1, y1, x2, y2))
        assert 0 <= target[0] < target[2] <= frame.frame_wh[0] and 0 <= target[1] < target[3] <= frame.frame_wh[1]
        for there, here, units, pixels in zip(
            frame.to_pixels(target), (x1, y1, x2, y2), frame.frame_wh * 2, frame.image_wh * 2, strict=True
        ):
            assert abs(there - here) * units / pixels <= 1.5 + 1e-6  # half a unit of rounding, a whole one of widening

    fuzz(check)
