"""Doubts: a case that each warning is for and one beside it that is fine, bounded memory, and the two commands."""

import random
import tracemalloc
from dataclasses import replace

import pytest

from converters.quality.doubts import _MAX_VALUES, MIN_IMAGES, AcrossFolds, Doubts, balanced_accuracy, folder_label
from swift_plugins.fakexplain.annotation import Region, parse_record
from tests.cli.command import fakexplain
from tests.conftest import record, write_annotations_file
from tests.converters.pictures import scene


def warnings_of(records):
    doubts = Doubts()
    for line, each in enumerate(records, 1):
        doubts.add(parse_record(each, line=line))
    return list(doubts.warnings())


def boxes(index, *corners, caption="Region {}."):
    """A fake record of a 100x100 image."""
    regions = [{"bbox": list(each), "caption": caption.format(f"{index}.{n}")} for n, each in enumerate(corners)]
    return record(index, width=100, height=100, regions=regions)


def many(count, caption_of=lambda n: f"Region {n}.", regions=2):
    """Fake records with captions by the number of the region."""
    numbers = iter(range(count * regions))
    return [
        record(n, regions=[{"bbox": [0, 0, 9, 9], "caption": caption_of(next(numbers))} for _ in range(regions)])
        for n in range(count)
    ]


def both(fake, real, count=MIN_IMAGES):
    """So many fake and real images; the functions change the record of a number."""
    return [record(n, label, **change(n)) for n in range(count) for label, change in (("fake", fake), ("real", real))]


def wh(width, height):
    return {"width": width, "height": height, "regions": [], "tags": []}


def named(suffix, folder="images"):
    return lambda n: {"image": f"{folder}/{n}.{suffix}", "regions": [], "tags": []}


CASES = {
    "a share of the image as a box": ([boxes(0, (0.1, 0.2, 0.5, 0.9))],
        "1 images have only boxes of at most one pixel"),
    "the whole image in shares": ([boxes(0, (0, 0, 1, 1))], "(first: fake-000); shares of the image"),
    "one small box of two": ([boxes(0, (0, 0, 1, 1), (5, 5, 9, 9))], None),
    "a thin box": ([boxes(0, (0, 0, 0.5, 90))], None),
    "boxes above half": ([boxes(3, (0, 0, 100, 51), (0, 0, 90, 90))], "1 images have only boxes above half"),
    "a box of exactly half": ([boxes(0, (0, 0, 100, 50))], None),
    "one large box of two": ([boxes(0, (0, 0, 100, 99), (5, 5, 9, 9))], None),
    "small and large": ([boxes(0, (0, 0, 1, 1), (0, 0, 100, 99))], None),
    "a caption in a quarter of 20": (many(10, lambda n: "Hand." if n % 4 == 0 else f"{n}."),
        "'Hand.' is the caption of 5"),
    "a caption in a fifth of 20": (many(10, lambda n: "Hand." if n % 5 == 0 else f"{n}."), None),
    "a caption in all of 19": (many(19, lambda n: "Hand.", regions=1), None),
    "a caption in a quarter of 12,000": (many(6000, lambda n: "Hand." if n % 4 == 0 else f"{n}."),
        "is the caption of 3000 of"),
    "a real image under fake": ([record(0, "real", image="x/1_fake/a.png")],
        "1 real images lie in a folder named as fake"),
    "a fake image under real": ([record(0, image="Real Images/a.png")],
        "1 fake images lie in a folder named as real (f"),
    "the innermost folder counts": ([record(0, image="fake/real/a.png")], "fake-000"),
    "a folder that agrees": ([record(0, image="real/generated/a.png"), record(0,
        "real", image="0_real/a.png")], None),
    "a generator's name": ([record(0, image="RealVisXL/a.png"), record(1, image="real-esrgan/a.png")], None),
    "a name of both": ([record(0, image="real_vs_fake/a.png")], None),
    "a file's own name": ([record(0, image="images/real.png")], None),
    "sizes apart": (both(lambda n: wh(512, 512), lambda n: wh(640, 480)),
        "20 of 20 fake images are 512x512, such as fake-000"),
    "one size against many": (both(lambda n: wh(512, 512), lambda n: wh(600 + n, 400)), "the size of an image alone"),
    "small against large, all different": (both(lambda n: wh(100 + n, 99), lambda n: wh(2000 + n, 999)),
        "100% balanced"),
    "all different, of one kind": (both(lambda n: wh(100 + 2 * n, 99), lambda n: wh(101 + 2 * n, 99)), None),
    "one size": (both(lambda n: wh(64, 64), lambda n: wh(64, 64)), None),
    "sizes apart, but few": (both(lambda n: wh(512, 512), lambda n: wh(640, 480), MIN_IMAGES - 1), None),
    "sizes apart for two thirds": (both(lambda n: wh(512, 512), lambda n: wh(640 if n % 3 else 512, 512)), None),
    "formats apart": (both(named("png"), named("jpg")),
        "20 of 20 fake images are png, such as fake-000; 20 of 20 real"),
    "no suffix": (both(named("png"), lambda n: {"image": f"a.b/{n}"}), "are without a suffix, such as real-000"),
    "formats by two names": (both(named("jpeg"), named("JPG")), None),
    "only fakes": ([record(n) | wh(500 + n, 500) for n in range(50)], None),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_cases(name):
    records, expected = CASES[name]
    found = warnings_of(records)
    if expected is None:
        assert found == []
    else:
        [warning] = found
        assert expected in warning and len(warning) < 400


@pytest.mark.parametrize(
    ("folder", "label"),
    [
        ("0_real", "real"), ("REAL", "real"), ("authentic", "real"), ("real_images/n0144", "real"), ("1-fake", "fake"),
        ("AI-generated", "fake"), ("ai", "fake"), ("deepfakes", "fake"), ("generated_images", "fake"), ("", None),
        ("images", None), ("surreal", None), ("realistic", None), ("openai", None), ("real-world", None),
    ],
)  # fmt: skip
def test_names_of_folders(folder, label):
    assert folder_label(folder) == label


def test_balanced_accuracy_by_hand():
    """Half the sum of the larger shares: (20/20 + 5/25 ... ) over the values; rare values are one."""
    fake = {"a": [15, ""], "b": [5, ""]}
    real = {"a": [5, ""], "b": [19, ""], "c": [1, ""]}
    assert balanced_accuracy({"fake": fake, "real": real}) == pytest.approx((15 / 20 + 19 / 25 + 1 / 25) / 2)
    assert balanced_accuracy({"fake": fake, "real": {}}) == 0.5


def test_random_sizes_predict_nothing():
    """Labels drawn at random: whatever the number of different sizes, no warning."""
    draw = random.Random(0)
    for different in (1, 3, 30, 300, 3000):
        records = both(lambda n, d=different: wh(500 + draw.randrange(d), 500), lambda n: {}, 400)
        labels = ["fake", "real"] * 400
        draw.shuffle(labels)
        sizes = [{"width": each["width"], "height": 500} for each in records[::2] * 2]
        shuffled = [
            record(n, label, regions=[], tags=[], **size)
            for n, (label, size) in enumerate(zip(labels, sizes, strict=True))
        ]
        assert warnings_of(shuffled) == []


def test_text_from_the_file_stays_on_one_line():
    caption = "Hand\x1b[2J " + "x" * 500
    [warning] = warnings_of(many(10, lambda n: caption.replace("\x1b", "\u202e")))
    assert "\u202e" not in warning and len(warning) < 300
    [warning] = warnings_of([record(0, image="real/a.png", id="a\nb" + "x" * 500)])
    assert "\n" not in warning and len(warning) < 300


@pytest.mark.slow
def test_memory_does_not_grow_with_the_records():
    """Each record has a size, a suffix and captions of its own."""

    base = parse_record(record(0, regions=[]))

    def peak(count):
        doubts = Doubts()
        tracemalloc.start()
        for n in range(count):
            regions = (Region((0.0, 0.0, 9.0, 9.0), f"Region {n}."),)
            doubts.add(replace(base, id=str(n), width=500 + n, image=f"{n}/{n}.s{n}", regions=regions))
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    peak(5000)  # fills the cache of folders
    assert peak(15_000) < peak(10_000) * 1.1


def test_sizes_beyond_the_limit_are_judged_by_their_magnitude():
    records = both(lambda n: wh(100 + n, 99), lambda n: wh(20000 + n, 99), _MAX_VALUES + 500)
    [warning] = warnings_of(records)
    assert "the size of an image alone tells real from fake with 100% balanced accuracy" in warning


def test_near_duplicates_across_folds():
    found = AcrossFolds()
    for index, (fold, group) in enumerate([(0, "a"), (1, "a"), (1, "b"), (1, "b"), (2, ""), (None, "a"), (3, None)]):
        found.add(parse_record(record(index, fold=fold)), group)
    [warning] = found.warnings()
    assert warning.startswith(
        "2 images in 1 groups of near duplicates lie in different folds (fake-000 in 0 and fake-001 in 1)"
    )


class TestCommands:
    @pytest.fixture
    def doubtful(self, tmp_path):
        records = [record(n, image=f"images/real/{n}.png", fold=n % 4, class_name="x") for n in range(4)]
        (tmp_path / "images/real").mkdir(parents=True)
        path = write_annotations_file(tmp_path, records)
        for n in (0, 1, 3):
            scene(n % 2, 128).resize((120, 90)).save(tmp_path / f"images/real/{n}.png")
        scene(5, 128).resize((120, 90)).save(tmp_path / "images/real/2.png")
        return path

    @pytest.mark.parametrize("command", ["validate", "stats"])
    def test_warnings_change_neither_exit_code_nor_output(self, doubtful, annotations_file, command):
        done = fakexplain(command, doubtful)
        assert done.returncode == 0 and "warning" not in done.stdout
        [warning] = done.stderr.splitlines()
        assert warning.startswith(
            "warning: 4 fake images lie in a folder named as real (first: fake-000, fake-001, fake-002);"
        )
        fine = fakexplain(command, annotations_file)
        assert (fine.returncode, fine.stderr) == (0, "")

    @pytest.mark.parametrize("command", ["validate", "stats"])
    def test_duplicates_where_asked(self, doubtful, command):
        done = fakexplain(command, doubtful, "--duplicates")
        assert done.returncode == 0
        assert (
            "near duplicates lie in different folds (fake-001 in 1 and fake-003 in 3);" in done.stderr.splitlines()[1]
        )

    def test_without_folds_it_says_so(self, tmp_path):
        path = write_annotations_file(tmp_path, [record(0)])
        done = fakexplain("stats", path, "--duplicates")
        assert (done.returncode, done.stderr) == (
            0, "warning: no record has a fold, so near duplicates across folds were not looked for\n",
        )  # fmt: skip

    def test_an_unreadable_image_is_reported_once(self, doubtful):
        (doubtful.parent / "images/real/0.png").write_text("text")
        for command in ("validate", "stats"):
            done = fakexplain(command, doubtful, "--duplicates", "--keep-going")
            assert done.returncode == 1 and done.stderr.count("error: ") == 2, done.stderr
            assert done.stderr.endswith("of 4 records in " + str(doubtful) + " are bad\n"), done.stderr
