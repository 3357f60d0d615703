"""Records of several annotators."""


def rec(image, annotator=None, boxes=(), tags=(), label="fake", **changes):
    """A record of a 100x100 image; a box is its width, 10 high, from the upper left corner."""
    fields = {
        "id": f"{image}@{annotator}" if annotator else image,
        "image": f"images/{image}.png",
        "width": 100,
        "height": 100,
        "label": label,
        "regions": [{"bbox": [0, 0, width, 10], "caption": "Hand with six fingers."} for width in boxes],
        "tags": [f"{tag}_error" for tag in tags],
    }
    return fields | ({"annotator": annotator} if annotator else {}) | changes
