"""The choice of images for the gallery, and the data of each."""

from __future__ import annotations

import base64
import io
import random
import tracemalloc
from itertools import combinations
from pathlib import Path

import pytest
from PIL import Image

from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.scoring.report.gallery import LONGEST_ANSWER, Best, build_gallery
from swift_plugins.fakexplain.scoring.run import Run
from tests.scoring.runs import HAND, SIGN, answer, line, write_run


def ids(gallery) -> list[str]:
    return [image["id"] for image in gallery.images]


# Which ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def graded(tmp_path: Path) -> tuple[Run, list[dict]]:
    """300 images with answers of every grade by two systems with different strengths."""
    rng = random.Random(1)
    lines = []
    for index in range(300):
        label = "fake" if index % 3 else "real"
        answers = {
            name: answer(rng.choice(["fake", "real"]), rng.random() if label == "fake" else None, rng.random())
            for name in ("7B", "32B")
        }
        lines.append(line(f"i{index}", label, answers))
    return write_run(tmp_path, lines, ("7B", "32B")), lines


def by_grade(lines: list[dict], system: str, label: str) -> list[str]:
    """Sort from worst to best, by a formulation other than the gallery's."""
    keyed = []
    for each in lines:
        if each["label"] == label:
            said = each["answers"][system]
            points = 1000.0 if said["verdict"] == label else 0.0
            points += 100 * said["iou"] if label == "fake" else 100 * (1 - said["p_fake"])
            keyed.append((points, each["id"]))
    return [id for _, id in sorted(keyed)]


def test_the_best_and_the_worst_of_each_system_and_label_are_shown(graded):
    run, lines = graded
    shown = ids(build_gallery([run], limit=90))
    assert len(shown) == len(set(shown)) == 90
    for system in ("7B", "32B"):
        for label in ("fake", "real"):
            grades = by_grade(lines, system, label)  # nine lists take turns until there are 90
            assert {*grades[:10], *grades[-10:]} <= set(shown), (system, label)


def test_a_small_gallery_has_some_of_each_kind(graded):
    run, lines = graded
    shown = ids(build_gallery([run], limit=9))
    grades = [by_grade(lines, system, label) for system in ("7B", "32B") for label in ("fake", "real")]
    assert {each[end] for each in grades for end in (0, -1)} <= set(shown)
    assert len(shown) == 9


def test_images_stand_in_the_order_of_the_file(graded):
    run, lines = graded
    order = {each["id"]: index for index, each in enumerate(lines)}
    places = [order[id] for id in ids(build_gallery([run], limit=50))]
    assert places == sorted(places)


def test_the_seed_changes_random_choices_only(graded):
    run, lines = graded
    one, again, other = (build_gallery([run], limit=45, seed=seed) for seed in (0, 0, 1))
    assert one == again
    assert ids(one) != ids(other)
    grades = by_grade(lines, "7B", "fake")
    assert {*grades[:4], *grades[-4:]} <= set(ids(one)) & set(ids(other))


def test_each_image_can_be_chosen(tmp_path):
    lines = [line(f"i{index}") for index in range(30)]  # all alike
    run = write_run(tmp_path, lines)
    assert {id for seed in range(40) for id in ids(build_gallery([run], limit=5, seed=seed))} == {
        each["id"] for each in lines
    }


@pytest.mark.parametrize(("limit", "shown"), [(0, 0), (1, 1), (7, 7), (8, 8), (500, 8)])
def test_the_limit_holds(tmp_path, limit, shown):
    gallery = build_gallery([write_run(tmp_path, [line(f"i{index}") for index in range(8)])], limit=limit)
    assert (len(gallery.images), gallery.of) == (shown, 8)


def test_silence_is_worse_than_a_wrong_answer(tmp_path):
    lines = [line(f"i{index}", answers={"7B": answer("real", 0.1, 0.2)}) for index in range(20)]
    lines[5]["answers"]["7B"] = answer("fake", 0.1, 0.8)
    lines[13]["answers"]["7B"] = None
    run = write_run(tmp_path, lines)
    assert all({"i5", "i13"} <= set(ids(build_gallery([run], limit=3, seed=seed))) for seed in range(5))


def test_p_fake_decides_if_iou_is_unknown(tmp_path):
    lines = [line(f"i{index}", answers={"7B": answer("fake", None, index / 20)}) for index in range(20)]
    run = write_run(tmp_path, lines)
    assert all({"i0", "i19"} <= set(ids(build_gallery([run], limit=3, seed=seed))) for seed in range(5))


def test_every_run_has_its_share(tmp_path):
    runs = [
        write_run(tmp_path / "main", [line(f"i{index}") for index in range(50)]),
        write_run(tmp_path / "small", [line(f"i{index}") for index in range(4)], dataset="Other"),
        write_run(tmp_path / "jpeg", [line(f"i{index}") for index in range(50)], perturbation="jpeg:80"),
    ]
    gallery = build_gallery(runs, limit=30)
    assert gallery.sets == ["Main", "Other", "Main · jpeg:80"]
    assert gallery.of == 104
    sets = [image["set"] for image in gallery.images]
    assert {name: sets.count(name) for name in gallery.sets} == {"Main": 13, "Other": 4, "Main · jpeg:80": 13}


def test_answers_of_runs_on_one_set_are_combined_per_image(tmp_path):
    lines = [line(f"i{index}") for index in range(40)]
    other = [each | {"answers": {"NPR": answer("real", None, 0.1 * (each["id"] == "i7"))}} for each in lines]
    runs = [write_run(tmp_path / "a", lines), write_run(tmp_path / "b", other, ("NPR",))]
    gallery = build_gallery(runs, limit=10)
    assert gallery.systems == ["7B", "NPR"]
    assert (len(gallery.images), gallery.of) == (10, 40)
    assert all(image["answers"].keys() == {"7B", "NPR"} for image in gallery.images)
    assert "i7" in ids(gallery)


def test_checkpoints_are_left_out(tmp_path):
    names = ("7B", "7B checkpoint-100", "7B checkpoint-200")
    lines = [line(f"i{index}", answers={name: answer("fake", index / 9) for name in names}) for index in range(9)]
    states = [each | {"answers": {"7B checkpoint-300": None}} for each in lines]
    runs = [write_run(tmp_path / "a", lines, names), write_run(tmp_path / "b", states, ("7B checkpoint-300",))]
    gallery = build_gallery(runs)
    assert gallery.systems == ["7B"] and gallery.of == 9
    assert all(image["answers"].keys() == {"7B"} for image in gallery.images)


def test_best_keeps_no_more_than_it_returns():
    rng = random.Random(0)
    values = [rng.random() for _ in range(500)]
    best = Best(20)
    for index, value in enumerate(values):
        best.add((value,), 0.0, str(index))
        assert len(best.items()) <= 20
    assert best.items() == [str(values.index(value)) for value in sorted(values, reverse=True)[:20]]


def test_records_are_not_kept_in_memory(tmp_path):
    """Captions of 1.5 MB are read with far less memory."""
    region = HAND | {"caption": "Hand " + "x" * 3000}
    run = write_run(tmp_path, [line(f"i{index}", regions=[region]) for index in range(500)])
    build_gallery([run], limit=1)  # imports and compilation on first use do not count
    tracemalloc.start()
    try:
        build_gallery([run], limit=10)
        assert tracemalloc.get_traced_memory()[1] < 0.5e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (None, "answers: expected the prediction of each system, found None"),
        ({"7B": {"verdict": "fake"}}, "answers.7B.p_fake: expected a value, found nothing"),
        ({"7B": "fake"}, "answers.7B: expected an object, found 'fake'"),
    ],
)
def test_a_file_that_score_did_not_write_is_rejected(tmp_path, answers, words):
    run = write_run(tmp_path, [line("a"), line("b") | {"answers": answers}])
    with pytest.raises(DataError) as error:
        build_gallery([run])
    assert str(error.value).startswith(f"{tmp_path / 'images.jsonl'}:2: {words}")


# What ----------------------------------------------------------------------------------------------------------------


def shown(folder: Path, image: Image.Image | None = None, **changes) -> dict:
    """The gallery's data of one image."""
    record = line("a")
    if image:
        image.save(folder / "own.png")
        record |= {"image": "own.png", "width": image.width, "height": image.height, "regions": []}
    return build_gallery([write_run(folder, [record | changes])]).images[0]


def decoded(image: dict) -> Image.Image:
    head, _, body = image["src"].partition(",")
    assert head == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(body)))


@pytest.mark.parametrize(
    ("wh", "held", "seen"),
    [
        ((1456, 816), (480, 269), (480, 269)),  # scaled down
        ((816, 1456), (269, 480), (269, 480)),
        ((200, 100), (200, 100), (400, 200)),  # shown at twice its size, but stored at its own
        ((300, 150), (300, 150), (480, 240)),
        ((3000, 2), (480, 1), (480, 1)),
        ((1, 1), (1, 1), (2, 2)),
    ],
)
def test_an_image_is_not_stored_enlarged(tmp_path, wh, held, seen):
    image = shown(tmp_path, Image.new("RGB", wh, "teal"))
    assert decoded(image).size == held
    assert tuple(image["wh"]) == seen
    assert tuple(image["pixels"]) == wh


def test_transparent_pixels_become_white(tmp_path):
    picture = decoded(shown(tmp_path, Image.new("RGBA", (40, 40), (0, 0, 0, 0))))
    assert (picture.format, picture.mode, picture.getpixel((20, 20))) == ("JPEG", "RGB", (255, 255, 255))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.unlink(), "image: expected an image file, found no file"),
        (lambda path: path.write_bytes(path.read_bytes()[:60]), "image: expected a readable image, found"),
        (lambda path: Image.new("RGB", (9, 9)).save(path), "width, height: expected the size of the image, 9x9"),
    ],
)
def test_an_unreadable_image_has_everything_except_its_picture(tmp_path, spoil, words):
    run = write_run(tmp_path, [line("a")])
    spoil(tmp_path / "grey.png")
    image = build_gallery([run]).images[0]
    assert "src" not in image
    assert image["refused"].startswith(words)
    assert [region["caption"] for region in image["regions"]] == [SIGN["caption"], HAND["caption"]]
    assert image["answers"]["7B"]["verdict"] == "fake"


def test_regions_have_marks_and_places_in_the_shown_picture(tmp_path):
    pred = [HAND, {"bbox": None, "caption": "Shadow."}, {"bbox": [0.0, 0.0, 120.0, 90.0], "caption": ""}]
    image = shown(tmp_path, answers={"7B": answer("fake", 0.5, regions=pred)})
    assert image["wh"] == (240, 180)
    assert [(each["mark"], each["box"]) for each in image["regions"]] == [
        ("1", (20, 10, 100, 90)),  # in reading order
        ("2", (120, 101, 200, 160)),
    ]
    said = image["answers"]["7B"]["regions"]
    assert [(each["mark"], each["caption"], each["box"]) for each in said] == [
        ("a", "Hand with six fingers.", (120, 101, 200, 160)),
        ("b", "Shadow.", None),
        ("c", "", (0, 0, 240, 180)),
    ]
    assert [each["badge"] is None for each in said] == [False, True, False]


def test_badges_stay_in_the_picture_and_apart(tmp_path):
    rng = random.Random(2)
    pred = []
    for _ in range(30):
        x, y = rng.uniform(0, 800), rng.uniform(0, 800)
        pred.append({"bbox": [x, y, x + rng.uniform(5, 200), y + rng.uniform(5, 200)], "caption": "Knob."})
    image = shown(tmp_path, Image.new("RGB", (1000, 1000)), answers={"7B": answer("fake", 0.1, regions=pred)})
    badges = [each["badge"] for each in image["answers"]["7B"]["regions"]]
    assert len(badges) == 30
    for x1, y1, x2, y2 in badges:
        assert 0 <= x1 < x2 <= 480 and 0 <= y1 < y2 <= 480
    for a, b in combinations(badges, 2):
        assert min(a[2], b[2]) <= max(a[0], b[0]) or min(a[3], b[3]) <= max(a[1], b[1])


def test_a_long_answer_is_cut(tmp_path):
    texts = ["short", "x" * (LONGEST_ANSWER + 1000)]
    lines = [
        line(str(index), answers={"7B": answer(None, 0.0, problems=["no_verdict"], text=text)})
        for index, text in enumerate(texts)
    ]
    said = [image["answers"]["7B"]["text"] for image in build_gallery([write_run(tmp_path, lines)]).images]
    assert said == ["short", "x" * LONGEST_ANSWER + "… and 1000 more characters"]


@pytest.mark.parametrize("key", ["a", "grey.png"])
def test_votes_are_found_by_id_or_path(tmp_path, key):
    run = write_run(tmp_path, [line("a"), line("b", image="./grey.png")])
    votes = {key: {"people": 0.4, "model": 0.5, "neutral": 0.1}}
    assert [image["votes"] for image in build_gallery([run], votes=votes).images] == [votes[key], None]


def test_a_system_that_gives_verdicts_alone_is_shown(tmp_path):
    answers = {"NPR": answer("fake", None, 0.9, tags=None), "7B": None}
    gallery = build_gallery([write_run(tmp_path, [line("a", answers=answers)], ("NPR", "7B"))])
    assert gallery.images[0]["answers"] == answers
