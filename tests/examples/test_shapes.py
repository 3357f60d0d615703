"""Drawn shapes lie in their boxes, fill them and are listed in reading order."""

from __future__ import annotations

import pytest
import torch

from examples import shapes


def drawn(count: int = 64, seed: int = 0) -> shapes.Drawn:
    return shapes.draw(count, torch.Generator().manual_seed(seed))


def test_the_same_seed_draws_the_same():
    first, again, other = drawn(4), drawn(4), drawn(4, seed=1)
    assert torch.equal(first.images, again.images) and first.answers() == again.answers()
    assert first.answers() != other.answers()
    assert first.images.shape == (4, 3, 112, 112) and first.images.min() >= 0 and first.images.max() <= 1


def test_boxes_are_whole_inside_and_apart():
    batch = drawn(100)
    shown = batch.boxes[batch.shown]
    assert (shown[:, :2] >= 0).all() and (shown[:, 2:] <= shapes.SIDE).all()
    assert (shown[:, 2:] - shown[:, :2] >= 16).all()
    for boxes, there in zip(batch.boxes, batch.shown, strict=True):
        ones = boxes[there].tolist()
        for number, a in enumerate(ones):
            for b in ones[:number]:
                assert a[0] >= b[2] + 2 or b[0] >= a[2] + 2 or a[1] >= b[3] + 2 or b[1] >= a[3] + 2
    assert {0, 1, 2} <= set(batch.shown.sum(dim=1).tolist())


@pytest.mark.parametrize("form", range(len(shapes.FORMS)))
def test_each_form_touches_the_four_sides_of_its_box_and_nothing_beyond(form):
    side = 40
    axis = 2 * (torch.arange(-5, side + 5) + 0.5) / side - 1
    u, v = torch.meshgrid(axis, axis, indexing="xy")
    inside = shapes._form(u[None], v[None], torch.tensor([form]))[0]
    rows, columns = inside.any(dim=1).nonzero().flatten(), inside.any(dim=0).nonzero().flatten()
    assert 5 <= rows[0] <= 6 and 5 <= columns[0] <= 6
    assert side + 3 <= rows[-1] <= side + 4 and side + 3 <= columns[-1] <= side + 4


def test_a_plain_square_has_its_colour():
    batch = drawn(120)
    found = 0
    for image, boxes, names, shown in zip(batch.images, batch.boxes, batch.names, batch.shown, strict=True):
        for (x1, y1, x2, y2), (colour, fill, form), there in zip(boxes, names.tolist(), shown, strict=True):
            if there and shapes.FILLS[fill] == "plain" and shapes.FORMS[form] == "square":
                wanted = torch.tensor(list(shapes.COLOURS.values())[colour])
                assert (image[:, y1:y2, x1:x2].mean(dim=(1, 2)) - wanted).abs().max() < 0.1
                found += 1
    assert found > 1


def test_answers_are_in_reading_order():
    batch = shapes.Drawn(
        images=torch.zeros(2, 3, 112, 112),
        boxes=torch.tensor([[[50, 60, 80, 90], [60, 10, 90, 40], [5, 10, 30, 40], [0, 0, 9, 9]]] * 2),
        names=torch.tensor([[[0, 1, 3], [2, 0, 0], [7, 5, 5], [0, 0, 0]]] * 2),
        shown=torch.tensor([[True, True, True, False], [False] * 4]),
    )
    assert batch.answers() == [
        "[5, 10, 30, 40] Black bordered cross.\n"
        "[60, 10, 90, 40] Blue plain square.\n"
        "[50, 60, 80, 90] Red striped ring.\n",
        "No shape.\n",
    ]
