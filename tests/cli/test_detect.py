"""`fakexplain detect`: what it prints and writes, and what it refuses. The servers break in between."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.operating_point import OperatingPoint, write_operating_point
from tests.cli.command import fakexplain, fakexplain_process
from tests.cli.detections import FAKE, LOGPROBS, OURS, lines_of, says
from tests.conftest import record, write_annotations_file
from tests.detect.servers import REAL, chat, serve

pytestmark = pytest.mark.e2e


def test_an_answer_for_people(photos):
    with serve(says(FAKE, LOGPROBS)) as (url, _):
        done = fakexplain("detect", photos / "a.png", "--url", url, *OURS)
    assert done.returncode == 0, done.stderr
    first, *rest = done.stdout.splitlines()
    assert first.startswith(f"{photos}/a.png: fake (P(fake) 90.0 %, ")
    assert rest == ["  [30, 30, 60, 60] Hand with six fingers.", "  tags: structure/attribute error"]
    assert done.stderr.startswith("1 images: 1 fake, 0 real, 0 unsure; ")


def test_json_is_a_record_in_pixels_of_the_image(photos):
    with serve(says(FAKE, LOGPROBS)) as (url, _):
        done = fakexplain("detect", photos, "--url", url, *OURS, "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == 6
    assert lines[0].pop("seconds") >= 0
    assert lines[0].pop("p_fake") == pytest.approx(0.9)
    assert lines[0] == {
        "id": f"{photos}/a.png",
        "image": f"{photos}/a.png",
        "width": 120,
        "height": 90,
        "label": "fake",
        "regions": [{"bbox": [30.0, 30.0, 60.0, 60.0], "caption": "Hand with six fingers."}],
        "tags": ["structure_attribute_error"],
        "verdict": "fake",
        "answer": FAKE,
        "problems": [],
    }


@pytest.mark.parametrize(
    "text",
    ["", "I cannot see the image.", "<verdict>maybe</verdict>", "<verdict>real</verdict><verdict>fake</verdict>"],
)
def test_no_verdict_is_unsure_and_no_record(text, photos, tmp_path):
    with serve(says(text)) as (url, _):
        done = fakexplain("detect", photos / "a.png", photos / "b.png", "--url", url, *OURS, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    for line in lines_of(tmp_path / "out"):
        assert (line["label"], line["verdict"], line["regions"], line["tags"]) == (None, "unsure", [], [])
        assert line["problems"]


def test_commands_skip_and_count_lines_without_a_label(tmp_path):
    path = write_annotations_file(tmp_path, [record(0), record(1), record(2, "real")])
    unsure = record(3) | {"label": None, "regions": [], "tags": [], "verdict": "unsure"}
    path.write_text(path.read_text() + json.dumps(unsure) + "\n")
    assert [each.id for each in read_annotations(path)] == ["fake-000", "fake-001", "real-002"]
    for command in (["validate", path], ["stats", path], ["split", path, "-o", tmp_path / "s.jsonl"]):
        done = fakexplain(*command)
        assert done.returncode == 0, done.stderr
        assert done.stderr.count(f"{path}: 1 lines whose label is null were skipped") == 1


def test_out_holds_records_pictures_and_a_page(photos, tmp_path):
    out = tmp_path / "out"
    with serve(says(FAKE, LOGPROBS)) as (url, _):
        done = fakexplain("detect", photos, "--url", url, *OURS, "--out", out)
    assert done.returncode == 0, done.stderr
    assert f"6 images in {out / 'gallery.html'}" in done.stdout
    assert [each.path.resolve().name for each in read_annotations(out / "detections.jsonl")] == [
        f"{name}.png" for name in "abcdef"
    ]
    assert fakexplain("validate", out / "detections.jsonl").returncode == 0
    pictures = sorted((out / "pictures").iterdir())
    assert len(pictures) == len(list((out / "thumbnails").iterdir())) == 6
    with Image.open(pictures[0]) as picture:
        assert picture.width > 768
    page = (out / "gallery.html").read_text()
    assert page.count("<article") == 6
    for picture in pictures:
        assert f'href="pictures/{picture.name.replace("%", "%25")}"' in page


def test_hostile_text_is_only_text_on_the_page_and_the_terminal(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    name = "a\n\x1b[31m<script>alert(1)</script>".replace("/", "\u2215") + ".png"
    Image.new("RGB", (30, 30)).save(folder / name)
    text = "<think>\n[0, 0, 20, 20] <b onclick='x'>Bold\x1b[2J</b>\n</think>\n<tag>none</tag>\n<verdict>fake</verdict>"
    with serve(says(text)) as (url, _):
        done = fakexplain("detect", folder, "--url", url, *OURS)
        assert "\x1b" not in done.stdout
        assert done.stdout.splitlines()[0].startswith(f"{folder}/a\\n\\x1b[31m<script>")
        done = fakexplain("detect", folder, "--url", url, *OURS, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "out" / "gallery.html").read_text()
    assert "<script" not in page and "<b onclick" not in page and "&lt;script&gt;" in page


def test_bad_images_are_reported_and_the_rest_go_on(photos, tmp_path):
    (photos / "a.png").write_text("text")
    (photos / "b.png").write_bytes(b"")
    Image.new("RGB", (30_000, 10)).save(photos / "c.png")
    whole = (photos / "d.png").read_bytes()
    (photos / "d.png").write_bytes(whole[: len(whole) // 2])
    (photos / "e.png").unlink()
    os.mkfifo(photos / "e.png")
    bomb = b"P5 60000 60000 255\n"
    (photos / "g.png").write_bytes(bomb)
    with serve(says(FAKE)) as (url, requests):
        done = fakexplain(
            "detect", *(photos / f"{name}.png" for name in "abcdefgh"), "--url", url, *OURS, "--out", tmp_path / "out"
        )
    assert done.returncode == 1
    errors = done.stderr.splitlines()
    assert [Path(each.removeprefix("error: ").partition(":")[0]).name for each in errors[:-1]] == [
        f"{name}.png" for name in "abcdegh"
    ]
    assert errors[-1] == "error: 7 images could not be examined"
    assert [each["id"] for each in lines_of(tmp_path / "out")] == [f"{photos}/f.png"]
    assert len(requests) == 1


@pytest.fixture
def turned(tmp_path: Path) -> Path:
    """A JPEG of 120x90 pixels that EXIF turns to 90x120."""
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.jpg"
    Image.effect_noise((120, 90), 60).convert("RGB").save(path, exif=exif)
    return path


def test_a_line_of_an_image_that_exif_turns_names_an_upright_copy(turned, photos, tmp_path):
    out, before = tmp_path / "out", turned.read_bytes()
    with serve(says(FAKE)) as (url, _):
        options = ("detect", turned, photos / "a.png", "--url", url, *OURS, "--out", out, "--no-pictures")
        assert fakexplain(*options).returncode == 0
    first, second = lines_of(out)
    assert (first["id"], first["width"], first["height"], first["image"]) == (
        str(turned),
        90,
        120,
        f"upright/{next((out / 'upright').iterdir()).name}",
    )
    assert (second["image"], len(list((out / "upright").iterdir()))) == ("../photos/a.png", 1)
    with Image.open(out / first["image"]) as copy, Image.open(turned) as image:
        assert copy.tobytes() == image.transpose(Image.Transpose.ROTATE_270).tobytes()
        assert not copy.getexif()
    assert turned.read_bytes() == before

    lines = out / "detections.jsonl"
    for command in (
        ("validate", lines),
        ("draw", lines, "--out", tmp_path / "drawn"),
        ("sheet", lines, "--out", tmp_path / "sheet.png"),
        ("export", lines, "--to", "labelme", "--out", tmp_path / "labelme"),
    ):
        done = fakexplain(*command)
        assert done.returncode == 0, done.stdout + done.stderr
    with serve(says(FAKE)) as (url, _):
        options = ("detect", photos / "a.png", "--url", url, *OURS, "--out", out, "--no-pictures", "--force")
        assert fakexplain(*options).returncode == 0
    assert not (out / "upright").exists()


LINES = "[9, 9, 90, 80] Hand with six fingers.\n" * 2000


@pytest.mark.parametrize(
    "text, regions",
    [(FAKE + "[1, 2, 3, 4] " * 750_000, 128), (FAKE.replace("<think>\n", f"<think>\n{LINES}"), 2001)],
    ids=["ten megabytes", "two thousand regions"],
)
def test_an_answer_without_end_is_drawn_in_seconds(text, regions, photos, tmp_path):
    start = time.monotonic()
    with serve(says(text)) as (url, _):
        done = fakexplain("detect", photos / "a.png", "--url", url, *OURS, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - start < 60  # without bounds it takes minutes
    (line,) = lines_of(tmp_path / "out")
    assert (len(line["regions"]), len(line["answer"])) == (regions, len(text))
    assert ("too_long" in line["problems"]) == (regions == 128)


@pytest.mark.parametrize(
    "args, code, message",
    [
        ([], 2, "expected a model, or --url with a server"),
        (["--model", "none/such/folder"], 1, "none/such/folder: expected the folder of model, found no such folder"),
        (["--model", "{photos}"], 1, "--template: expected the template that the model was trained with, because"),
        (["--model", "{photos}/a.png"], 1, "a.png: expected the folder of a model, found a file"),
        (["--model", "{lora}"], 1, "--model: expected a whole model (--adapters takes LoRA adapters, --model then"),
        (["--adapters", "{lora}"], 1, "expected the base model as --model, found adapters of /no/such/base, which is"),
        (["--adapters", "{photos}"], 1, "--adapters: expected LoRA adapters, found no adapter_config.json"),
        (["--url", "http://127.0.0.1:9/v1"], 1, "--template: expected the template that the model was trained with"),
        (["--url", "localhost:8000", *OURS], 2, "expected an address such as http://localhost:8000/v1"),
        (["--url", "http://127.0.0.1:9/v1", "--template", "x"], 1, "template 'x': its model frame is not known"),
        (["--model", "{lora}", "--template", "fx_qwen3_vl"], 1, "expected a whole model"),
        (["--adapters", "{lora}", "--template", "fx_qwen3_vl"], 1, "--template: expected fx_qwen2_5_vl, as args.json"),
        (["--model", "{lora}", "--out", "{photos}/out"], 1, "expected a whole model"),
        (["--url", "http://127.0.0.1:9/v1", *OURS, "--out", "{photos}/out"], 2, "whose images are examined"),
        (["--url", "http://127.0.0.1:9/v1", *OURS, "--out", "{lora}"], 2, "holds files of something else"),
    ],
)
def test_what_is_refused(args, code, message, photos, tmp_path):
    lora = tmp_path / "lora"
    lora.mkdir()
    (lora / "adapter_config.json").write_text("{}")
    (lora / "args.json").write_text(json.dumps({"template": "fx_qwen2_5_vl", "model": "/no/such/base"}))
    words = [each.format(photos=photos, lora=lora) for each in args]
    done = fakexplain("detect", photos, *words, COLUMNS="400")
    assert done.returncode == code
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_the_settings_of_the_folder_count(photos, tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    args = {"template": "fx_qwen2_5_vl", "max_pixels": 4000, "model_kwargs": {"image_min_token_num": 1}}
    args["dataset"] = ["fakexplained:fold0_train__no_bbox#100", "alpaca"]
    (model / "args.json").write_text(json.dumps(args))
    with serve(says("<verdict>real</verdict>")) as (url, requests):
        done = fakexplain("detect", photos / "a.png", "--url", url, "--model", model, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    settings = json.loads((tmp_path / "out" / "detect.json").read_text())
    assert (settings["variant"], settings["frame"]["min_tokens"], settings["frame"]["max_pixels"]) == (
        "no_bbox",
        1,
        4000,
    )
    assert requests[0]["messages"][0]["content"] == settings["system"]
    assert "[x1, y1, x2, y2]" not in settings["system"]


def test_help_is_there_at_once():
    code = "import sys; from swift_plugins.fakexplain.cli import commands; import swift_plugins.fakexplain.detect.run"
    heavy = "assert not {'torch', 'swift', 'transformers', 'httpx'} & set(sys.modules), sorted(sys.modules)"
    subprocess.run([sys.executable, "-c", f"{code}; {heavy}"], check=True)
    assert fakexplain_process("detect", "--help").returncode == 0


def test_an_operating_point_decides_and_belongs_to_the_settings(photos, tmp_path):
    point = tmp_path / "point.json"
    write_operating_point(point, OperatingPoint(0.95, (0.5, 0.95), 0.01, 0.02, 300, 2, 1.0, "runs/main", "7B"))
    out = tmp_path / "out"
    with serve(says(FAKE, LOGPROBS)) as (url, _):
        first = ("detect", photos, "--url", url, *OURS, "--out", out, "--no-pictures")
        done = fakexplain(*first, "--operating-point", point)
        assert done.returncode == 0, done.stderr
        assert fakexplain(*first, "--operating-point", point).returncode == 0  # nothing is left to do
        other = fakexplain(*first)
    assert {(line["label"], line["verdict"]) for line in lines_of(out)} == {("fake", "unsure")}
    assert other.returncode == 1
    assert "operating_point: expected None, as this run has it" in other.stderr


def test_samples_are_asked_for_beside_the_greedy_answer(photos):
    def answer(handler):
        handler.send_json(chat(FAKE if handler.requests[-1]["temperature"] else REAL, None))

    with serve(answer) as (url, requests):
        done = fakexplain(
            "detect", photos / "a.png", "--url", url, *OURS, "--samples", 2, "--temperature", 0.7, "--json"
        )
    (line,) = [json.loads(each) for each in done.stdout.splitlines()]
    assert [each["temperature"] for each in requests] == [0, 0.7, 0.7]
    assert (line["label"], line["samples"], line["region_confidences"]) == ("fake", 3, [0.5])
    assert line["agreement"] == pytest.approx(2 / 3)
