"""Records with all that a record can hold, for writing in a format and reading back."""

from converters.convert import Place, convert
from converters.formats import FORMATS
from swift_plugins.fakexplain.annotation import parse_record, to_record
from tests.converters.pictures import picture

RECORDS = [
    {
        "id": "flux-0001",
        "image": "images/a/v1.5 湖.png",
        "width": 40,
        "height": 20,
        "label": "fake",
        "regions": [
            {"bbox": [0.3, 0.7, 0.9, 1.1], "caption": 'Left hand with "six" fingers, naïve.'},
            {"bbox": [3.3333333333333335, 1e-05, 40.0, 20.0], "caption": "湖 without a shore."},
            {"bbox": [1.0, 2.0, 3.0, 4.0], "caption": "flaw"},
        ],
        "tags": ["texture_error", "perspective_error"],  # not in the order of TAGS
        "generator": "FLUX.1-dev",
        "family": "diffusion",
        "class_name": "tench",
        "annotator": "a07",
        "fold": 3,
        "seed": 7,
        "prompt": {"text": "a hand", "weights": [0.5, None, True]},
    },
    {"id": "photo", "image": "images/b.jpg", "width": 40, "height": 20, "label": "real", "generator": "camera"},
    {
        "id": "7",
        "image": "c.png",
        "width": 40,
        "height": 20,
        "label": "fake",
        "regions": [],
        "tags": ["other_anomaly"],
        "flags": ["hard case"],
    },
]


def various(folder, records=RECORDS):
    """The records, of an annotations file in the folder, and their images."""
    for record in records:
        picture(folder / record["image"])
    return [parse_record(record, folder=folder, file="annotations.jsonl", line=1) for record in records]


def without_paths(annotations):
    """All but where the images are."""
    return [to_record(annotation) | {"image": None} for annotation in annotations]


def read_back(format, source, images):
    """Records of a source in a format; nothing in it may have to be written anew."""
    reader = FORMATS[format]
    places = {"images": Place(images, str(images)), "written": Place(images / "none", "none")}
    return list(convert(reader.load(source), reader.parse, **places))
