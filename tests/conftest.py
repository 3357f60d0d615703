"""Small annotations and images that several tests share."""

import json
import signal
from pathlib import Path

import pytest
from PIL import Image


def heed_interrupts() -> None:
    """For a child process before it starts: a shell that runs the tests in the background has it ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def record(index: int, label: str = "fake", **changes) -> dict:
    """A record of a 120x90 image."""
    regions = [
        {"bbox": [60.0, 50.5, 100.0, 80.0], "caption": "Hand with six fingers."},
        {"bbox": [10.0, 5.0, 50.0, 45.0], "caption": "Sign with illegible letters."},
    ]
    fake = label == "fake"
    return {
        "id": f"{label}-{index:03}",
        "image": f"images/{label}-{index:03}.png",
        "width": 120,
        "height": 90,
        "label": label,
        "regions": regions if fake else [],
        "tags": ["structure_attribute_error"] if fake else [],
        "generator": "paint" if fake else "camera",
        "class_name": f"class-{index % 5}",
    } | changes


def write_annotations_file(folder: Path, records: list[dict], name: str = "annotations.jsonl") -> Path:
    """An annotations file, and a grey image of the right size for each record."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for each in records:
        Image.new("RGB", (each["width"], each["height"]), "grey").save(folder / each["image"])
    path = folder / name
    path.write_text("".join(json.dumps(each) + "\n" for each in records))
    return path


@pytest.fixture
def annotations_file(tmp_path: Path) -> Path:
    """Eight fake and eight real images, two of each in every fold."""
    records = [record(index, label, fold=index % 4) for index in range(8) for label in ("fake", "real")]
    return write_annotations_file(tmp_path / "data", records)
