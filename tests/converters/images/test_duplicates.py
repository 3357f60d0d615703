"""Duplicates: fingerprints of pictures that are the same or nearly so, and groups against a search by hand."""

import io
import random

import numpy as np
import pytest
from PIL import Image

from converters.images import duplicates
from converters.images.duplicates import Fingerprint, fingerprint, fingerprint_records, groups
from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.errors import DataError
from tests.converters.pictures import scene

RNG = np.random.default_rng(0)


def bits(one: Image.Image, other: Image.Image) -> int:
    return (fingerprint(one).phash ^ fingerprint(other).phash).bit_count()


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


class TestFingerprint:
    @pytest.mark.parametrize("seed", range(5))
    def test_compressed_and_scaled_pictures_are_near_and_others_far(self, seed):
        image = scene(seed)
        for other in (jpeg(image, 50), image.resize((128, 128)), image.resize((400, 300)), image.convert("L")):
            assert bits(image, other) <= duplicates.DISTANCE
            assert fingerprint(image).content != fingerprint(other).content
        assert bits(image, scene(seed + 100)) > 16
        assert bits(image, image.rotate(180)) > 16

    def test_the_same_pixels_are_the_same_however_they_are_stored(self, tmp_path):
        image = scene(0)
        exif = Image.Exif()
        exif[0x0112] = 6
        image.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
        image.save(tmp_path / "lossless.webp", lossless=True)
        clear = image.convert("RGBA")
        with Image.open(tmp_path / "turned.png") as turned, Image.open(tmp_path / "lossless.webp") as webp:
            assert fingerprint(image) == fingerprint(turned) == fingerprint(webp) == fingerprint(clear)
        image.putpixel((200, 7), tuple(255 - value for value in image.getpixel((200, 7))))
        assert fingerprint(image).content != fingerprint(clear).content

    def test_the_same_bytes_in_another_shape_are_another_image(self):
        assert fingerprint(Image.new("RGB", (8, 4))).content != fingerprint(Image.new("RGB", (4, 8))).content

    def test_records_in_order_and_bad_ones_reported(self, tmp_path):
        paths = [tmp_path / f"{index}.png" for index in range(12)]
        for index, path in enumerate(paths):
            scene(index, 64).save(path)
        paths[7].write_text("text")
        records = [
            Annotation(str(index), path.name, 64, 64, "real", path=path, file="a.jsonl", line=index)
            for index, path in enumerate(paths)
        ]
        with pytest.raises(DataError, match=r"^a\.jsonl:7: image: expected a readable image, found .*7\.png"):
            list(fingerprint_records(records))
        errors = []
        found = list(fingerprint_records(records, on_error=errors.append))
        assert [error.line for error in errors] == [7]
        assert found == [(i, fingerprint(scene(i, 64))) for i in range(12) if i != 7]


def by_hand(hashes: list[int | None], distance: int) -> list[int]:
    """Groups by walking from image to image."""
    group: dict[int, int] = {}
    for start in range(len(hashes)):
        if start in group:
            continue
        number, waiting = len(set(group.values())), [start]
        while waiting:
            here = waiting.pop()
            if here in group:
                continue
            group[here] = number
            waiting += [
                there
                for there, hash in enumerate(hashes)
                if None not in (hash, hashes[here]) and bin(hash ^ hashes[here]).count("1") <= distance
            ]
    return [group[index] for index in range(len(hashes))]


def of_hashes(hashes: list[int | None]) -> list[Fingerprint | None]:
    return [None if hash is None else Fingerprint(index, hash) for index, hash in enumerate(hashes)]


class TestGroups:
    @pytest.fixture(params=["numpy", "numpy below 2", "few pairs kept"])
    def way(self, request, monkeypatch):
        if request.param == "numpy below 2":
            monkeypatch.delattr(np, "bitwise_count", raising=False)
        if request.param == "few pairs kept":
            monkeypatch.setattr(duplicates, "_MAX_EDGES", 3)

    @pytest.mark.parametrize("distance", [0, 1, 2, 5, 6, 64])
    @pytest.mark.parametrize("seed", range(4))
    def test_they_are_those_of_a_search_by_hand(self, way, distance, seed):
        lot = random.Random(seed)
        hashes: list[int | None] = [lot.getrandbits(64) for _ in range(12)]
        for _ in range(60):  # chains of steps of a few bits
            changed = lot.choice([hash for hash in hashes if hash is not None])
            for _ in range(lot.randrange(5)):
                changed ^= 1 << lot.randrange(64)
            hashes.append(changed)
        lot.shuffle(hashes)
        hashes[5] = hashes[40] = None
        assert groups(of_hashes(hashes), distance).tolist() == by_hand(hashes, distance)

    def test_six_bits_are_near_and_seven_are_not(self, way):
        top = 2**64 - 1
        assert groups(of_hashes([top, top ^ 0b111111])).tolist() == [0, 0]
        assert groups(of_hashes([top, top ^ 0b1111111])).tolist() == [0, 1]

    def test_exact_duplicates_alone(self):
        marks = [Fingerprint(5, 0), Fingerprint(2**64 - 1, 0), None, Fingerprint(5, 0), None]
        assert groups(marks, None).tolist() == [0, 1, 2, 0, 3]
        assert groups(marks, 0).tolist() == [0, 0, 1, 0, 2]

    @pytest.mark.parametrize("distance", [None, 0, 6])
    def test_of_no_image_there_is_no_group(self, distance):
        assert groups([], distance).tolist() == []
        assert groups([None], distance).tolist() == [0]

    def test_many_alike_take_no_more_memory(self):
        import tracemalloc

        hashes = of_hashes(list(range(4096)))  # nearly all of 8 million pairs differ in at most 8 bits
        tracemalloc.start()
        assert set(groups(hashes, 8).tolist()) == {0}
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert highest < 150_000_000  # the pairs alone would be 64 MB, and their graph three times that


def test_ten_thousand_are_compared_in_a_second_or_so():
    import time

    hashes = [Fingerprint(0, int(each)) for each in RNG.integers(0, 2**63, 10_000, dtype=np.uint64)]
    start = time.process_time()
    assert len(set(groups(hashes).tolist())) == 10_000
    assert time.process_time() - start < 5
