"""Frames of FaceForensics++ videos, which the tests encode: which frames, which labels, which groups, broken files."""

import json

import pytest
from PIL import Image

from converters.images.video_frames import every, per_video, video_groups
from tests.cli.command import fakexplain

av = pytest.importorskip("av")

FOLDERS = {
    "original_sequences/youtube": ["000", "003"],
    "manipulated_sequences/Deepfakes": ["000_003", "071_054"],
    "manipulated_sequences/NeuralTextures": ["003_000"],
}
FRAMES, RATE = 20, 10


def encode(path, frames=FRAMES):
    """A video whose frame n is a grey of brightness 10 n."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=RATE)
        stream.width, stream.height = 64, 48
        for n in range(frames):
            image = Image.new("RGB", (64, 48), (10 * n,) * 3)
            container.mux(stream.encode(av.VideoFrame.from_image(image)))
        container.mux(stream.encode(None))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ff") / "FaceForensics++"
    for name, videos in FOLDERS.items():
        for video in videos:
            encode(folder / name / "c23/videos" / f"{video}.mp4")
    encode(folder / "manipulated_sequences/Deepfakes/masks/videos/000_003.mp4")
    return folder


def read(out):
    return [json.loads(line) for line in (out / "annotations.jsonl").read_text().splitlines()]


def test_frames_labels_and_groups(source, tmp_path):
    out = tmp_path / "out"
    done = fakexplain("frames", source, "--out", out, "--per-video", "4")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    records = read(out)
    assert done.stdout.startswith(f"20 frames of 5 videos in {out}\n  2 groups of videos")
    by_video = {}
    for each in records:
        by_video.setdefault(each["video"].split("/", 1)[1], []).append(each)
    found = {
        name: [each[0].get(key) for key in ("label", "generator", "video_group")] for name, each in by_video.items()
    }
    assert found == {
        "Deepfakes/c23/videos/000_003": ["fake", "Deepfakes", "000"],
        "Deepfakes/c23/videos/071_054": ["fake", "Deepfakes", "054"],
        "NeuralTextures/c23/videos/003_000": ["fake", "NeuralTextures", "000"],
        "youtube/c23/videos/000": ["real", None, "000"],
        "youtube/c23/videos/003": ["real", None, "000"],
    }  # fmt: skip
    for frames in by_video.values():
        assert [each["seconds"] for each in frames] == [0.2, 0.7, 1.2, 1.7]
        for each in frames:
            with Image.open(out / each["image"]) as image:
                assert image.size == (64, 48)
                assert image.getpixel((20, 20))[0] == pytest.approx(100 * each["seconds"], abs=4)
    assert fakexplain("validate", out / "annotations.jsonl").returncode == 0
    split = tmp_path / "folds.jsonl"
    assert fakexplain("split", out / "annotations.jsonl", "--group-by", "video_group", "--out", split).returncode == 0
    folds = {}
    for line in split.read_text().splitlines():
        folds.setdefault(json.loads(line)["video_group"], set()).add(json.loads(line)["fold"])
    assert [len(each) for each in folds.values()] == [1, 1]


def test_every_some_seconds_and_no_overwriting(source, tmp_path):
    assert fakexplain("frames", source, "--out", tmp_path / "out", "--every", "0.5").returncode == 0
    assert [each["seconds"] for each in read(tmp_path / "out")[:4]] == [0.0, 0.5, 1.0, 1.5]
    before = (tmp_path / "out/annotations.jsonl").read_bytes()
    for extra, code in (([], 2), (["--force"], 0), (["--force", "--per-video", "3"], 2)):
        assert fakexplain("frames", source, "--out", tmp_path / "out", "--every", "0.5", *extra).returncode == code
    assert (tmp_path / "out/annotations.jsonl").read_bytes() == before
    assert fakexplain("frames", source, "--out", source / "frames").returncode == 2


def test_a_broken_video_is_reported_and_the_rest_goes_on(tmp_path):
    videos = tmp_path / "src/original_sequences/youtube/c23/videos"
    for name in ("000", "001", "002"):
        encode(videos / f"{name}.mp4")
    (videos / "001.mp4").write_bytes((videos / "000.mp4").read_bytes()[:500])
    (videos / "003.mp4").write_text("text")
    done = fakexplain("frames", tmp_path / "src", "--out", tmp_path / "out")
    assert done.returncode == 1
    errors = done.stderr.splitlines()
    for name, line in zip(("001", "003"), errors, strict=False):
        assert f"{videos}/{name}.mp4: expected a readable video" in line
    assert errors[-1] == f"error: 2 of 4 videos in {tmp_path / 'src'} are bad"
    assert {each["video"][-3:] for each in read(tmp_path / "out")} == {"000", "002"}
    assert not (tmp_path / "out/images/original_sequences/youtube/c23/videos/001").exists()


def test_no_video(tmp_path):
    encode(tmp_path / "src/videos/a.mp4", 2)
    done = fakexplain("frames", tmp_path / "src", "--out", tmp_path / "out")
    assert done.returncode == 1 and "expected videos in {original_sequences,manipulated_sequences}" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("count", [1, 2, 3, 7, 50])
def test_chosen_frames_are_different_and_within(count):
    for total in range(1, 60):
        chosen = per_video(count)([n / 25 for n in range(total)])
        assert len(chosen) == len({*chosen}) == min(count, total)
        assert min(chosen) >= 0 and max(chosen) < total


def test_periods_without_a_frame_are_skipped():
    assert every(1)([5.0, 5.5, 8.0, 8.9, 9.0]) == [0, 2, 4]


def test_chains_of_names_are_one_group():
    assert len({*video_groups(["000_001", "001_002", "002_003", "003"]).values()}) == 1
    assert video_groups(["clip", "01__walk", "01_02__walk__X"]) == {
        "clip": "clip", "01__walk": "person 01", "01_02__walk__X": "person 01",
    }  # fmt: skip
