"""What readers of annotation tools are tested with: grey images, drafts without images, memory."""

import tracemalloc

from PIL import Image

from converters.drafts.choices import Changes, Choices, settle_label, settle_regions
from converters.formats import FORMATS


def pictures(folder, *names):
    """Grey images of 40x30."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), "grey").save(folder / name)


def drafts(format, source):
    """Drafts of all pieces of a source."""
    reader = FORMATS[format]
    return [draft for piece in reader.load(source) for draft in reader.parse(piece.data)]


def settle(drafts, wh=(40, 30), choices=None):
    """Raise what converting would: an error of a region or the label that no choice covers."""
    for draft in drafts:
        settle_regions(draft, wh, choices or Choices(), Changes())
        settle_label(draft, draft.tags, "fake", choices or Choices(), Changes())


def peak_of_reading(format, source, count):
    """Most bytes held at one time while a source is read, draft by draft; it must have `count`."""
    reader = FORMATS[format]
    tracemalloc.start()
    try:
        found = sum(len(reader.parse(piece.data)) for piece in reader.load(source))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == count
    return peak
