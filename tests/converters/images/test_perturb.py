"""Perturbing: boxes against pixels found again, bytes against Pillow's, seeds, modes, files whole or not at all."""

import io
import json
import signal
import subprocess
import time

import numpy as np
import pytest
from PIL import Image, ImageFilter

from converters.images.chains import parse_chain
from converters.images.perturb import LostRegions, perturb, perturb_all, random_generator
from swift_plugins.fakexplain.annotation import Annotation, Region, read_annotations
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.pixels import flatten
from tests.cli.command import COMMAND, fakexplain, fakexplain_process
from tests.conftest import heed_interrupts, record, write_annotations_file


def annotation(wh, *boxes, id="a", **changes):
    """A fake image's record."""
    regions = tuple(Region(box, f"Flaw {index}.") for index, box in enumerate(boxes))
    return Annotation(id, "a.png", *wh, "fake", regions=regions, tags=("texture_error",), **changes)


def done(image, record, text, seed=0, min_visible=0.0):
    """What a chain makes of an image: the decoded result, and its record."""
    result, record = perturb(image, record, parse_chain(text).steps, random_generator(seed, record.id), min_visible)
    return Image.open(io.BytesIO(result)) if isinstance(result, bytes) else result, record


def photo(wh=(64, 48), mode="RGB"):
    """An image with detail in every channel."""
    values = np.random.default_rng(0).integers(0, 256, (wh[1], wh[0], 3), np.uint8)
    return Image.fromarray(values).filter(ImageFilter.GaussianBlur(2)).convert(mode)


class TestBoxes:
    """A red rectangle on blue is where its box says, before and after."""

    def found(self, image):
        """The tight box of what is red, by its pixels."""
        pixels = np.asarray(image.convert("RGB")).astype(int)
        ys, xs = np.nonzero(pixels[..., 0] > pixels[..., 2])
        return (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1) if len(xs) else None

    def painted(self, wh, box):
        image = Image.new("RGB", wh, "blue")
        image.paste("red", box)
        return image

    @pytest.mark.parametrize("seed", range(40))
    @pytest.mark.parametrize("share", [0.8, 0.31])
    def test_a_crop_moves_and_cuts_them_exactly(self, seed, share):
        box = (10, 15, 41, 33)
        image, record = done(self.painted((61, 47), box), annotation((61, 47), box), f"crop:{share}", seed)
        assert image.size == record.image_wh == (round(61 * share), round(47 * share))
        boxes = [region.bbox for region in record.regions]
        assert boxes == ([self.found(image)] if self.found(image) else [])

    @pytest.mark.parametrize(("wh", "box"), [((64, 48), (8, 12, 40, 30)), ((61, 47), (0, 0, 61, 21))])
    @pytest.mark.parametrize("text", ["down:0.5", "down:0.7", "fit:20", "fit:1000", "rescale:0.5", "crop:0.9+down:0.5"])
    def test_scaling_keeps_them_on_their_pixels(self, wh, box, text):
        image, record = done(self.painted(wh, box), annotation(wh, box), text)
        assert image.size == record.image_wh
        assert record.regions[0].bbox == pytest.approx(self.found(image), abs=0.51)  # an edge within its pixel

    def test_the_sides_are_scaled_by_what_they_became(self):
        _, record = done(
            Image.new("RGB", (61, 47)), annotation((61, 47), (0, 0, 61, 47), (6.1, 4.7, 30.5, 23.5)), "down:0.5"
        )
        assert record.image_wh == (30, 24)  # of 30.5 and 23.5, rounded
        assert record.regions[0].bbox == (0, 0, 30, 24)
        assert record.regions[1].bbox == pytest.approx((3, 2.4, 15, 12))

    @pytest.mark.parametrize("text", ["jpeg:30", "webp:50", "blur:3", "noise:20", "rescale:0.25", "social"])
    def test_they_stay_where_the_size_does(self, text):
        boxes = (0.0, 0.25, 7.5, 8.0), (10.1, 10.2, 63.9, 48.0)
        image, record = done(photo(), annotation((64, 48), *boxes), text)
        assert image.size == (64, 48) and [region.bbox for region in record.regions] == list(boxes)

    def test_what_a_crop_cuts_off_is_dropped_and_the_image_stays_fake(self):
        before = annotation((100, 100), (0, 0, 1, 1), (99, 99, 100, 100), (0, 40, 100, 60), generator="FLUX", fold=2)
        _, record = done(Image.new("RGB", (100, 100)), before, "crop:0.5")
        assert [region.caption for region in record.regions] == ["Flaw 2."]
        corner = annotation((100, 100), (0, 0, 1, 1), (99, 99, 100, 100))
        _, record = done(Image.new("RGB", (100, 100)), corner, "crop:0.5")
        assert (record.regions, record.label, record.tags) == ((), "fake", ("texture_error",))

    @pytest.mark.parametrize(("min_visible", "kept"), [(0, 2), (0.24, 2), (0.26, 1), (1, 1)])
    def test_min_visible_counts_the_share_left_after_the_whole_chain(self, min_visible, kept):
        class Corner:
            """Draws the window at the upper left corner."""

            integers = staticmethod(lambda low, high: low)

        boxes = (0, 0, 20, 20), (0, 0, 100, 100)  # 0.5 and 0.5 of either side: 0.25 x 0.25 = 1/16, but one crop: 1/4
        steps = parse_chain("crop:0.5+jpeg:90").steps
        _, record = perturb(Image.new("RGB", (100, 100)), annotation((100, 100), *boxes), steps, Corner, min_visible)
        assert len(record.regions) == kept
        steps = parse_chain("crop:0.5+down:0.5+crop:0.5").steps
        _, record = perturb(Image.new("RGB", (100, 100)), annotation((100, 100), *boxes), steps, Corner, 0.07)
        assert [region.caption for region in record.regions] == ["Flaw 0."]  # of the second, 1/16 is left

    def test_a_real_image_has_none(self):
        _, record = done(photo(), Annotation("a", "a.png", 64, 48, "real"), "crop:0.5+jpeg:30")
        assert (record.label, record.regions, record.image_wh) == ("real", (), (32, 24))


class TestPixels:
    @pytest.mark.parametrize(("kind", "quality"), [("jpeg", 80), ("jpeg", 30), ("jpeg", 100), ("webp", 80)])
    def test_a_codecs_bytes_are_pillows(self, kind, quality):
        result, _ = perturb(
            photo(), annotation((64, 48)), parse_chain(f"{kind}:{quality}").steps, random_generator(0, "a")
        )
        own = io.BytesIO()
        photo().save(own, kind, quality=quality)
        assert result == own.getvalue()

    def test_steps_follow_one_another(self):
        image, _ = done(photo(), annotation((64, 48)), "jpeg:20+blur:1+down:0.5")
        own = io.BytesIO()
        photo().save(own, "JPEG", quality=20)
        blurred = Image.open(own).filter(ImageFilter.GaussianBlur(1))
        assert image.tobytes() == blurred.resize((32, 24), Image.Resampling.LANCZOS).tobytes()
        once, twice = (done(photo(), annotation((64, 48)), text)[0] for text in ("jpeg:40", "jpeg:60+jpeg:40"))
        assert once.tobytes() != twice.tobytes()

    def test_rescaling_loses_detail_and_keeps_the_size(self):
        image, _ = done(photo(), annotation((64, 48)), "rescale:0.25")
        small = photo().resize((16, 12), Image.Resampling.LANCZOS)
        assert image.tobytes() == small.resize((64, 48), Image.Resampling.LANCZOS).tobytes()

    def test_noise_has_the_deviation_it_is_given(self):
        image, _ = done(Image.new("RGB", (256, 256), (128, 128, 128)), annotation((256, 256)), "noise:8")
        values = np.asarray(image).astype(float)
        assert values.std() == pytest.approx(8, rel=0.02) and values.mean() == pytest.approx(128, abs=0.1)

    @pytest.mark.parametrize("colour", ["black", "white"])
    def test_noise_does_not_wrap(self, colour):
        image, _ = done(Image.new("RGB", (64, 64), colour), annotation((64, 64)), "noise:20")
        assert abs(np.asarray(image).mean() - (0 if colour == "black" else 255)) < 12

    @pytest.mark.parametrize("text", ["down:0.5", "rescale:0.01", "crop:0.1", "fit:1", "blur:2", "jpeg:1+webp:1"])
    @pytest.mark.parametrize("wh", [(1, 1), (1, 9), (300, 1)])
    def test_tiny_images_keep_a_pixel(self, wh, text):
        image, record = done(Image.new("RGB", wh), annotation(wh, (0, 0, *wh)), text)
        assert image.size == record.image_wh and min(image.size) >= 1
        assert all(region.bbox[2] <= image.size[0] and region.bbox[3] <= image.size[1] for region in record.regions)
        assert record.regions


class TestModes:
    COLOUR = (200, 100, 50)

    @pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "LA", "1", "CMYK", "YCbCr", "HSV", "I;16", "I"])
    @pytest.mark.parametrize("text", ["jpeg:95", "noise:1", "down:0.5"])
    def test_every_mode_becomes_rgb_of_its_colour(self, mode, text):
        sixteen = mode.startswith("I")
        if sixteen:
            image = Image.fromarray(np.full((16, 16), 30000, np.uint16 if mode == "I;16" else np.int32))
        else:
            image = Image.new("RGB", (16, 16), self.COLOUR).convert(mode)
        assert image.mode == mode
        expected = (116, 116, 116) if sixteen else np.asarray(image.convert("RGB")).mean((0, 1))  # 30000 / 65535 * 255
        result, _ = done(image, annotation((16, 16)), text)
        assert result.mode == "RGB"
        assert np.abs(np.asarray(result).mean((0, 1)) - expected).max() < 4

    @pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
    def test_what_is_transparent_is_white(self, mode):
        image = Image.new("RGBA", (4, 2), (0, 0, 0, 0))
        image.putpixel((0, 0), (0, 0, 0, 255))
        shown = flatten(image.convert(mode) if mode != "P" else image.quantize(4))
        assert shown.getpixel((0, 0)) == (0, 0, 0) and shown.getpixel((3, 1)) == (255, 255, 255)

    @pytest.mark.parametrize("values", [np.zeros((2, 2), np.float32), np.full((2, 2), 70000, np.int32)])
    def test_pixels_of_an_unknown_range_are_an_error(self, values):
        with pytest.raises(DataError, match="image: expected 8 or 16 bits per channel"):
            flatten(Image.fromarray(values))

    def test_the_opened_image_is_not_changed(self):
        image = photo()
        image.info["dpi"] = (72, 72)
        perturb(image, annotation((64, 48)), parse_chain("noise:9").steps, random_generator(0, "a"))
        assert image.tobytes() == photo().tobytes() and image.info == {"dpi": (72, 72)}

    def test_a_size_that_a_codec_cannot_hold_is_an_error(self):
        with pytest.raises(DataError, match=r"image: expected an image that webp can hold, found 20000x1 pixels"):
            done(Image.new("RGB", (20000, 1)), annotation((20000, 1)), "webp:80")


def perturbed(folder, records, text, tmp_path, name="out", **settings):
    """Records of a chain and the bytes of their images, by id."""
    path = folder if folder.is_file() else write_annotations_file(folder, records)
    out = tmp_path / name
    out.mkdir()
    found = list(perturb_all(read_annotations(path), parse_chain(text), out, **settings))
    return {each.id: (each, (out / each.image).read_bytes()) for each in found}


class TestFiles:
    def test_what_is_drawn_depends_on_seed_and_id_alone(self, tmp_path):
        records = [record(index) for index in range(6)]
        path = write_annotations_file(tmp_path / "data", records)
        for each in records:
            photo((120, 90)).save(tmp_path / "data" / each["image"])
        text = "crop:0.5+noise:5"
        first = perturbed(path, records, text, tmp_path, "a")
        assert len({image for _, image in first.values()}) == 6  # one picture, six windows
        path.write_text("".join(json.dumps(each) + "\n" for each in reversed(records[2:])))
        second = perturbed(path, records, text, tmp_path, "b")
        assert len(second) == 4
        for id, (each, image) in second.items():
            assert image == first[id][1] and each.regions == first[id][0].regions
        third = perturbed(path, records, text, tmp_path, "c", seed=1)
        assert all(third[id][1] != image for id, (_, image) in second.items())

    def test_records_keep_what_they_had(self, tmp_path):
        before = record(0, fold=3, generator="FLUX", mine={"a": [1]})
        ((each, image),) = perturbed(tmp_path / "data", [before], "down:0.5+jpeg:30", tmp_path).values()
        assert (each.id, each.generator, each.fold, each.class_name) == ("fake-000", "FLUX", 3, "class-0")
        assert each.extra == {"mine": {"a": [1]}, "perturbation": "down:0.5+jpeg:30"}
        assert (each.image, each.image_wh) == ("images/fake-000.jpg", (60, 45))
        assert Image.open(io.BytesIO(image)).format == "JPEG"

    def test_a_second_perturbation_is_noted_after_the_first(self, tmp_path):
        before = record(0, perturbation="jpeg:30")
        ((each, _),) = perturbed(tmp_path / "data", [before], "crop:0.9", tmp_path).values()
        assert each.extra["perturbation"] == "jpeg:30+crop:0.9"

    def test_exif_neither_turns_the_image_nor_goes_along(self, tmp_path):
        write_annotations_file(tmp_path / "data", [record(0)])
        exif = Image.Exif()
        exif[0x0112] = 6
        photo((120, 90)).save(tmp_path / "data/images/fake-000.png", exif=exif)
        for index, text in enumerate(("jpeg:80", "down:0.9", "webp:80")):
            path = tmp_path / "data/annotations.jsonl"
            ((each, image),) = perturbed(path, [], text, tmp_path, str(index)).values()
            with Image.open(io.BytesIO(image)) as opened:
                assert opened.size == each.image_wh and opened.width > opened.height
                assert not opened.getexif()

    @pytest.mark.parametrize("text", ["jpeg:80", "down:0.9", "webp:80", "noise:3", "jpeg:80+blur:1"])
    def test_a_profile_of_the_colours_goes_along(self, tmp_path, text):
        from PIL import ImageCms

        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        path = write_annotations_file(tmp_path / "data", [record(0)])
        photo((120, 90)).save(tmp_path / "data/images/fake-000.png", icc_profile=profile)
        ((_, image),) = perturbed(path, [], text, tmp_path, "rgb").values()
        assert Image.open(io.BytesIO(image)).info["icc_profile"] == profile
        photo((120, 90), "L").save(tmp_path / "data/images/fake-000.png", icc_profile=profile)
        ((_, image),) = perturbed(path, [], text, tmp_path, "grey").values()
        assert "icc_profile" not in Image.open(io.BytesIO(image)).info

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"image": "none.png"}, r"annotations.jsonl:1: image: expected an image file"),
            ({"width": 121}, r":1: width, height: expected the size of the image, 120x90, found 121x90"),
            ({"id": "../a"}, r":1: id: expected a relative path that stays inside"),
        ],
    )
    def test_a_bad_record_says_where(self, tmp_path, changes, message):
        path = write_annotations_file(tmp_path / "data", [record(0), record(1)])
        path.write_text("".join(json.dumps(each) + "\n" for each in (record(0) | changes, record(1))))
        with pytest.raises(DataError, match=message):
            perturbed(path, [], "jpeg:80", tmp_path)
        errors = []
        assert list(perturbed(path, [], "jpeg:80", tmp_path, "b", on_error=errors.append)) == ["fake-001"]
        assert len(errors) == 1

    def test_two_ids_of_one_file_are_an_error(self, tmp_path):
        path = write_annotations_file(tmp_path / "data", [record(0)])
        path.write_text("".join(json.dumps(record(0, id=id)) + "\n" for id in ("a/b", "a//b")))
        with pytest.raises(DataError, match=r"id: expected an id that gives a unique file name, found 'a/"):
            perturbed(path, [], "jpeg:80", tmp_path)

    def test_what_is_lost_is_counted(self, tmp_path):
        corner = {"bbox": [0, 0, 1, 1], "caption": "Corner."}
        other = {"bbox": [119, 89, 120, 90], "caption": "Corner."}
        records = [record(0, regions=[corner, other]), record(1, regions=[]), record(2, "real")]
        lost = LostRegions()
        perturbed(tmp_path / "data", records, "crop:0.5", tmp_path, lost=lost)
        assert lost == LostRegions(dropped=2, bare=1)


class TestCommand:
    def test_sets_side_by_side(self, annotations_file, tmp_path):
        done = fakexplain("perturb", annotations_file, "--paper", "crop:0.5+webp:60", "-o", tmp_path / "out")
        assert done.returncode == 0, done.stderr
        folders = ["jpeg-80", "jpeg-30", "crop-0.8", "down-0.5", "crop-0.5_webp-60"]
        lines = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
        assert lines == [f"16 records in {tmp_path / 'out' / name / 'annotations.jsonl'}" for name in folders]
        for name in folders:
            assert fakexplain("validate", tmp_path / "out" / name / "annotations.jsonl").returncode == 0
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(folders)

    def test_the_same_bytes_each_time_and_no_overwriting_without_force(self, annotations_file, tmp_path):
        args = ["perturb", annotations_file, "crop:0.5+noise:4", "messenger", "-o", tmp_path / "out", "--seed", 3]
        assert fakexplain_process(*args).returncode == 0
        files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
        before = {path: path.read_bytes() for path in files}
        again = fakexplain(*args, COLUMNS="300", NO_COLOR="1", TERM="dumb")
        assert again.returncode == 2 and "already exists; --force overwrites it" in again.stderr
        assert fakexplain(*args, "--force").returncode == 0
        assert {path: path.read_bytes() for path in files} == before and len(files) == 36

    def test_keep_going_tells_each_bad_record_once(self, annotations_file, tmp_path):
        (annotations_file.parent / "images/fake-000.png").write_text("text")
        args = ["perturb", annotations_file, "jpeg:80", "down:0.5", "-o", tmp_path / "out"]
        done = fakexplain(*args)
        assert done.returncode == 1 and not list((tmp_path / "out").iterdir())
        done = fakexplain(*args, "--keep-going")
        assert done.returncode == 1
        assert done.stdout.count("15 records in") == 2
        first, last = done.stderr.splitlines()
        assert "image: expected a readable image" in first
        assert last == f"error: 1 of 16 records in {annotations_file} are bad"

    @pytest.mark.parametrize(
        ("args", "message"),
        [
            (["jpg:80", "-o", "x"], "expected social, messenger or KIND:VALUE of jpeg"),
            (["down:2", "-o", "x"], "expected down: followed by a fraction between 0 and 1, found 'down:2'"),
            (["jpeg:80"], "expected a folder to write"),
            (["-o", "x"], "expected a perturbation such as jpeg:80, or --paper"),
            (["jpeg:80", "jpeg:80.0", "-o", "x"], "expected each perturbation once"),
            (["--paper", "down:0.5", "-o", "x"], "expected each perturbation once"),
            (["jpeg:80", "-o", "x", "--min-visible", "2"], "Invalid value for '--min-visible'"),
        ],
    )
    def test_bad_usage(self, annotations_file, monkeypatch, tmp_path, args, message):
        monkeypatch.chdir(tmp_path)
        done = fakexplain("perturb", annotations_file, *args, COLUMNS="300", NO_COLOR="1", TERM="dumb")
        assert done.returncode == 2 and message in done.stderr
        assert not (tmp_path / "x").exists()

    def test_an_interrupt_keeps_what_was_finished_and_leaves_nothing_half_written(self, tmp_path):
        path = write_annotations_file(tmp_path / "data", [record(0)])
        path.write_text("".join(json.dumps(record(0, id=f"a{index}")) + "\n" for index in range(4000)))
        out = tmp_path / "out"
        command = [*COMMAND, "perturb", path, "down:0.1", "noise:3", "-o", out]
        with subprocess.Popen([*map(str, command)], preexec_fn=heed_interrupts, stderr=subprocess.PIPE) as process:
            while process.poll() is None and not list(out.glob(".noise-3.*.partial/noise-3/images")):
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            errors = process.communicate()[1]
        assert process.returncode == 130, errors
        assert [each.name for each in out.iterdir()] == ["down-0.1"]
        assert sum(1 for _ in read_annotations(out / "down-0.1/annotations.jsonl")) == 4000

    def test_the_same_command_goes_on_with_the_sets_that_are_missing(self, tmp_path):
        path = write_annotations_file(tmp_path / "data", [record(0)])
        out = tmp_path / "out"
        assert fakexplain("perturb", path, "down:0.5", "-o", out).returncode == 0
        before = (out / "down-0.5/images/fake-000.png").stat()
        done = fakexplain("perturb", path, "down:0.5", "jpeg:80", "-o", out)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == [
            f"{out / 'down-0.5'}: finished before",
            f"1 records in {out / 'jpeg-80/annotations.jsonl'}",
        ]
        assert (out / "down-0.5/images/fake-000.png").stat() == before
        for changes in (["--seed", 3], ["--min-visible", 0.5]):
            done = fakexplain("perturb", path, "down:0.5", "blur:1", "-o", out, *changes, COLUMNS="300")
            assert done.returncode == 2 and "already exists" in done.stderr
        with open(path, "a") as file:
            file.write("\n")
        done = fakexplain("perturb", path, "down:0.5", "blur:1", "-o", out, COLUMNS="300")
        assert done.returncode == 2 and "already exists" in done.stderr
        assert not (out / "blur-1").exists()
