"""Any record comes back from each format that holds everything: boxes to the last bit, all fields, in order."""

import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters.convert import Place, convert
from converters.formats import FORMATS
from swift_plugins.fakexplain.annotation import ORIGIN, parse_record
from swift_plugins.fakexplain.tags import TAGS
from tests.converters.reading import pictures
from tests.converters.various import without_paths

WIDTH, HEIGHT = 40, 30
WORDS = st.text(st.characters(categories=("L", "N"), max_codepoint=0x9FFF), min_size=1, max_size=8)


@st.composite
def spans(draw, side):
    """Two different floats from 0 to a side, any distance apart."""
    low = draw(st.floats(0, side, exclude_max=True, allow_subnormal=False))
    high = draw(st.one_of(st.floats(low, side, exclude_min=True), st.just(math.nextafter(low, side))))
    return low, high


@st.composite
def regions(draw):
    (x1, x2), (y1, y2) = draw(spans(WIDTH)), draw(spans(HEIGHT))
    return {"bbox": [x1, y1, x2, y2], "caption": f"Flaw {draw(WORDS)}."}


@st.composite
def any_records(draw):
    """Records of one image each; the first region of a fake one is larger than a pixel, as shares of it are not."""
    found = []
    for index in range(draw(st.integers(1, 3))):
        fake = draw(st.booleans())
        record = {"id": f"r{index}", "image": f"images/{index}.png", "width": WIDTH, "height": HEIGHT}
        record |= {"label": "fake" if fake else "real", "seed": draw(st.integers(-9, 2**53))}
        if fake:
            whole = {"bbox": [0.1, 0.7, 30.3, 20.9], "caption": "Whole."}
            record["regions"] = [whole, *draw(st.lists(regions(), max_size=4))] if draw(st.booleans()) else []
            record["tags"] = draw(st.lists(st.sampled_from(list(TAGS)), unique=True))
        for name in draw(st.lists(st.sampled_from(ORIGIN), unique=True)):
            record[name] = f"by {draw(WORDS)}"
        if draw(st.booleans()):
            record["fold"] = draw(st.integers(0, 3))
        found.append(record)
    return found


@pytest.mark.parametrize("format", ["hf", "coco", "labelme"])
@settings(max_examples=40, deadline=None)
@given(rows=any_records())
def test_records_come_back(format, rows):
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        pictures(folder / "data", *(row["image"] for row in rows))
        before = [parse_record(row, folder=folder / "data", file="a.jsonl", line=1) for row in rows]
        target = folder / ("out" if FORMATS[format].folder else "out.json")
        if FORMATS[format].folder:
            target.mkdir()
        assert FORMATS[format].save(before, target, images=folder / "data") == len(rows)
        (folder / "new").mkdir()
        images = Place(target if format == "labelme" else folder / "data", "data")
        pieces, parse = FORMATS[format].load(target), FORMATS[format].parse
        after = list(convert(pieces, parse, images=images, written=Place(folder / "new", "new")))
    assert without_paths(after) == without_paths(before)
