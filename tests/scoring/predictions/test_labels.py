"""Tables of labels and scores: the meaning of each cell, and rejected tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.scoring.predictions.labels import BaselinePrediction, Convention, read_label_csv


def table(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "npr.csv"
    path.write_bytes(text.encode(encoding))
    return path


def said(path: Path, *args: Any, **named: Any) -> list[tuple[str | None, float | None]]:
    return [(each.verdict, each.score) for each in read_label_csv(path, path.parent, *args, **named)]


@pytest.mark.parametrize(
    ("text", "convention", "expected"),
    [
        ("image,label\na.png,fake\nb.png,Real\nc.png,AI-generated\nd.png,\n", {}, ["fake", "real", "fake", None]),
        ("image,verdict\na.png,<verdict>fake</verdict>\nb.png,The image is real.\n", {}, ["fake", "real"]),
        ("label,image\n1,a.png\n0,b.png\n1.0,c.png\n", {"one_is": "fake"}, ["fake", "real", "fake"]),
        ("label,image\n1,a.png\n0,b.png\nfake,c.png\n", {"one_is": "real"}, ["real", "fake", "fake"]),
        ("image,prob\na.png,0.5\nb.png,0.51\nc.png,\n", {}, [("real", 0.5), ("fake", 0.51), None]),
        ("image,prob\na.png,0.5\nb.png,0.51\n", {"higher_is": "real"}, [("fake", -0.5), ("real", -0.51)]),
        ("image,score\na.png,-3.5\nb.png,-2e0\n", {"threshold": -3}, [("real", -3.5), ("fake", -2.0)]),
        ("image,score\na.png,-3.5\nb.png,-2\n", {"threshold": -3, "higher_is": "real"}, [("fake", 3.5), ("real", 2.0)]),
        # a column of verdicts has precedence over scores of any scale
        ("image,pred,score\na.png,fake,-7\nb.png,,0.9\n", {}, [("fake", -7.0), (None, 0.9)]),
    ],
)
def test_labels_and_scores(tmp_path: Path, text: str, convention: dict[str, Any], expected: list):
    path = table(tmp_path, text)
    pairs = [each if isinstance(each, tuple) else (each, None) for each in expected]
    assert said(path, Convention(**convention)) == pairs


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_dialects_and_names_of_columns(tmp_path: Path, delimiter: str, end: str, encoding: str):
    rows = [["Filename", "epoch", "P Fake"], ['"湖, naïve.png"', "3", "0.25"], [], ["b.png", "3", "1"], ["", "", ""]]
    path = table(tmp_path, "".join(delimiter.join(row) + end for row in rows), encoding)
    assert list(read_label_csv(path, tmp_path / "images")) == [
        BaselinePrediction(str(tmp_path / "images" / "湖, naïve.png"), "real", 0.25, file=str(path), line=2),
        BaselinePrediction(str(tmp_path / "images" / "b.png"), "fake", 1.0, file=str(path), line=4),
    ]


def test_images_are_identified_by_the_file_on_disk(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.png").touch()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "b.png").symlink_to("real/a.png")
    path = table(tmp_path, f"image,label\nlink/a.png,fake\nreal/../b.png,fake\n{tmp_path}/real/a.png,fake\n")
    assert {each.image for each in read_label_csv(path, tmp_path)} == {str((tmp_path / "real" / "a.png").resolve())}


def test_label_may_be_the_truth(tmp_path: Path):
    """A file of scores beside the truth must not be taken for a perfect method."""
    path = table(tmp_path, "image,label,prob\na.png,fake,0.1\n")
    with pytest.raises(DataError, match=r"npr.csv:1: verdict: expected a verdict \(--column verdict=label .*"):
        said(path)
    assert said(path, columns={"verdict": ""}) == [("real", 0.1)]
    assert said(path, columns={"verdict": "label"}) == [("fake", 0.1)]
    assert said(path, columns={"score": ""}) == [("fake", None)]


def test_the_truth_of_an_exported_folder_of_masks_is_not_a_prediction(tmp_path: Path):
    path = tmp_path / "labels.csv"
    path.write_text("image,mask,label\na.png,a.png,fake\n")
    with pytest.raises(DataError, match="found label beside a mask"):
        list(read_label_csv(path, tmp_path))
    (found,) = read_label_csv(path, tmp_path, columns={"verdict": "label"})
    assert found.verdict == "fake"


def test_columns_chosen_by_name(tmp_path: Path):
    path = table(tmp_path, "id,image,path,out,prob,p_fake\n1,a.png,b.png,real,0.1,0.9\n")
    with pytest.raises(DataError, match=r"npr.csv:1: image: expected one of image, .* found id, image, path, out"):
        said(path)
    (found,) = read_label_csv(path, tmp_path, columns={"image": "path", "verdict": "out", "score": "p_fake"})
    assert (Path(found.image).name, found.verdict, found.score) == ("b.png", "real", 0.9)
    with pytest.raises(DataError, match="npr.csv:1: score: expected one of p_real .*, found id, image"):
        said(path, columns={"image": "path", "score": "p_real"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", " expected columns for the image and for a verdict or a score .* found nothing"),
        ("image\na.png\n", "1: expected columns for the image and for a verdict or a score .* found image"),
        ("name,label\na.png,fake\n", "1: expected columns for the image .* found name, label"),
        ("image,label\n", "1: expected at least one prediction, found none"),
        (
            "image,label,pred\na.png,real,fake\n",
            "1: verdict: expected one of verdict, prediction, .* found image, label, pred",
        ),
        (
            "image,label\na.png,fake\nb.png,1\n",
            "3: column 'label': expected fake or real in words .*--one-is.* found '1'",
        ),
        ("image,label\na.png,2\n", "2: column 'label': expected a word for fake or real, or nothing, found '2'"),
        (
            "image,label\na.png,nature\n",
            "2: column 'label': expected a word for fake or real, or nothing, found 'nature'",
        ),
        ("image,Prob\na.png,high\n", "2: column 'Prob': expected a finite number, or nothing, found 'high'"),
        ("image,prob\na.png,nan\n", "2: column 'prob': expected a finite number, or nothing, found 'nan'"),
        ("image,prob\na.png,1e999\n", "2: column 'prob': expected a finite number, or nothing, found '1e999'"),
        (
            "image,prob\na.png,0.2\nb.png,1.5\n",
            r"3: column 'prob': expected a number in \[0, 1\] .*--threshold.* found 1.5",
        ),
        ("image,label\n ,fake\n", "2: column 'image': expected the path of an image, found ' '"),
        ("image,label\na.png,fake,0.5\n", "2: expected 2 cells, as the first row has, found 3"),
        ("image,label\na.png\n", "2: expected 2 cells, as the first row has, found 1"),
        ('image,label\n"a.png,fake\nb.png,real\n', "3: expected CSV, found unexpected end of data"),
        ('image,label\n"a"b.png,fake\n', "2: expected CSV, found "),
    ],
)
def test_a_bad_table_is_reported_with_its_place(tmp_path: Path, text: str, message: str):
    with pytest.raises(DataError, match=rf"npr\.csv:{message}"):
        said(table(tmp_path, text))


def test_names_that_are_not_utf_8(tmp_path: Path):
    path = table(tmp_path, "image,label,note\na.png,real,é\né.png,fake,\n", "latin-1")
    with pytest.raises(DataError, match="npr.csv:3: column 'image': expected the path of an image, in UTF-8, found"):
        said(path)


def test_nul_in_a_name(tmp_path: Path):
    with pytest.raises(DataError, match=r"npr.csv:2: "):
        said(table(tmp_path, "image,label\na\0.png,real\n"))


def test_no_file(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="none: expected a .* file of .*, found no such file"):
        list(read_label_csv(tmp_path / "none", tmp_path))
    with pytest.raises(FileNotFoundError, match="found a folder"):
        list(read_label_csv(tmp_path, tmp_path))


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"one_is": "ai"}, "one_is: expected fake or real, found 'ai'"),
        ({"higher_is": "yes"}, "higher_is: expected fake or real, found 'yes'"),
        ({"threshold": float("nan")}, "threshold: expected a finite number, found nan"),
    ],
)
def test_an_invalid_convention(named: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        Convention(**named)


def test_tables_are_read_as_a_stream(tmp_path: Path):
    path = table(tmp_path, "image,label\na.png,fake\nb.png,perhaps\n")
    predictions = read_label_csv(path, tmp_path)
    assert next(predictions).verdict == "fake"
    with pytest.raises(DataError, match="npr.csv:3"):
        next(predictions)
