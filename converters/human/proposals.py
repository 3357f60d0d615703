"""A model's answers as proposals that annotators correct (App. H: "MLLMs were used to ... assist in generating
annotations"). Label Studio calls a proposal a prediction, and lets the annotation begin from it.

The images that the model doubts most come first: those without a readable answer, then those without P(fake), then by
the distance of P(fake) from the threshold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from swift_plugins.fakexplain.annotation import NO_FLAW, Region, check_caption, parse_record
from swift_plugins.fakexplain.answer import parse_answer
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.frames import FrameRule
from swift_plugins.fakexplain.images import image_key, open_image, orientation, upright_wh
from swift_plugins.fakexplain.jsonl import decode_line, read_lines
from swift_plugins.fakexplain.placing import place_regions, problems_in_frame
from swift_plugins.fakexplain.tags import TAG_WORDS

from ..images.fit import orient_box

_NO_CAPTION = "No caption."  # of `fakexplain detect`, where the model wrote none

_MISFITS = frozenset({"shares", "outside_frame", "beyond_frame"})


class AnswerText(Protocol):
    """An answer about an image: the image's real path, the text, P(fake) or None, and where the answer was read."""

    @property
    def image(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def p_fake(self) -> float | None: ...
    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int: ...


class Proposal(NamedTuple):
    """What a model says of an image.

    Attributes:
        image: real path of the image.
        wh: width and height of the image upright.
        verdict: fake, real, or None if the answer cannot be read.
        regions: boxes in pixels of the image upright; a caption is empty if the model wrote none that a record holds.
        tags: canonical tags.
        p_fake: P(fake), or None if unknown.
        misfits: whether the answer has boxes that do not fit the frame, as in another template's.
        file, line: where the answer was read.
    """

    image: str
    wh: tuple[int, int]
    verdict: str | None = None
    regions: tuple[Region, ...] = ()
    tags: tuple[str, ...] = ()
    p_fake: float | None = None
    misfits: bool = False
    file: str = ""
    line: int = 0


def propose(answer: AnswerText, rule: FrameRule) -> Proposal:
    """Read an answer as a proposal; regions and tags of one that calls the image real are left out.

    Args:
        answer: of `swift infer`.
        rule: frame rule of the run that wrote it.

    Raises:
        DataError: the image cannot be opened.
        ValueError: the template accepts no image of this shape.
    """
    try:
        with open_image(Path(answer.image), answer.image) as image:
            turn, stored_wh, wh = orientation(image), image.size, upright_wh(image)
    except DataError as error:
        raise error.at(answer.file, answer.line) from None
    read = parse_answer(answer.text)
    found = Proposal(answer.image, wh, read.verdict, p_fake=answer.p_fake, file=answer.file, line=answer.line)
    if read.verdict != "fake":
        return found
    frame = rule.frame(stored_wh)
    placed = place_regions(read.regions, frame)
    regions = [Region(orient_box(box, turn, stored_wh), _caption(text)) for box, text in placed if box]
    misfits = not _MISFITS.isdisjoint(problems_in_frame(read, frame))
    return found._replace(regions=tuple(regions), tags=read.tags, misfits=misfits)


def read_detections(path: Path) -> Iterator[Proposal]:
    """Yield the lines of `fakexplain detect` as proposals; their boxes are in pixels already.

    Raises:
        FileNotFoundError: no such file.
        DataError: a line is not one of `fakexplain detect`.
    """
    for number, raw in read_lines(path, "detections"):
        line: Any = None
        try:
            line = decode_line(raw)
            unread = isinstance(line, dict) and line.get("label", "") is None
            record = parse_record(line | {"label": "fake"} if unread else line, folder=path.parent)
            p_fake = line.get("p_fake")
            if p_fake is not None and not (type(p_fake) in (int, float) and 0 <= p_fake <= 1):
                raise DataError("a number from 0 to 1, or null", p_fake, field="p_fake")
        except DataError as error:
            id = line.get("id") if isinstance(line, dict) else None
            raise error.at(str(path), number, id if isinstance(id, str) else None) from None
        regions = tuple(Region(box, _caption(text)) for box, text in record.regions)
        verdict = None if unread else record.label
        key = image_key(record.path)
        found = Proposal(key, record.image_wh, verdict, regions, record.tags, p_fake)
        yield found._replace(file=str(path), line=number)


def _caption(text: str) -> str:
    """The caption, or the empty text if a record could not hold it, so that the annotator has to write one."""
    try:
        return "" if text in (_NO_CAPTION, NO_FLAW) else check_caption(text)
    except DataError:
        return ""


def doubt(proposal: Proposal | None, threshold: float) -> tuple[int, float]:
    """A key that sorts images by doubt, the greatest first.

    >>> image = Proposal("a.png", (8, 8), "fake")
    >>> found = [None, image._replace(verdict=None), image, image._replace(p_fake=0.5), image._replace(p_fake=0.9)]
    >>> [doubt(each, 0.5) for each in found]
    [(0, 0.0), (0, 0.0), (1, 0.0), (2, 0.0), (2, 0.4)]
    """
    if proposal is None or proposal.verdict is None:
        return 0, 0.0
    return (1, 0.0) if proposal.p_fake is None else (2, abs(proposal.p_fake - threshold))


def to_prediction(proposal: Proposal, model: str) -> dict[str, Any]:
    """The prediction of a task, for the labelling page of `fakexplain label-studio`.

    Args:
        proposal: with a verdict.
        model: its name, which the records keep as `proposed_by`.
    """
    size = {"original_width": proposal.wh[0], "original_height": proposal.wh[1], "image_rotation": 0}
    results: list[dict[str, Any]] = []
    for number, (box, caption) in enumerate(proposal.regions, 1):
        own = {"id": f"proposed-{number}", "to_name": "image", **size}
        place = _percentages(box, proposal.wh)
        shape = {"from_name": "regions", "type": "rectanglelabels", "value": place | {"rectanglelabels": ["flaw"]}}
        results.append(own | shape)
        if caption:
            results.append(own | {"from_name": "caption", "type": "textarea", "value": place | {"text": [caption]}})
    choices = {
        "tags": [TAG_WORDS[tag].capitalize() for tag in proposal.tags],
        "verdict": [proposal.verdict] if proposal.verdict else [],
    }
    results += [
        {"id": name, "from_name": name, "to_name": "image", "type": "choices", "value": {"choices": words}}
        for name, words in choices.items()
        if words
    ]
    known = {} if proposal.p_fake is None else {"score": proposal.p_fake}
    return {"model_version": model, **known, "result": results}


def _percentages(box: Sequence[float], wh: tuple[int, int]) -> dict[str, float]:
    """A box as Label Studio stores it: percentages of the image's sides."""
    x1, y1, x2, y2 = box
    across, down = 100 / wh[0], 100 / wh[1]
    sides = {"x": x1 * across, "y": y1 * down, "width": (x2 - x1) * across, "height": (y2 - y1) * down}
    return sides | {"rotation": 0}


def add_proposals(
    tasks: Iterable[tuple[str, dict[str, Any]]], proposals: Mapping[str, Proposal], model: str, threshold: float
) -> list[dict[str, Any]]:
    """Tasks with their predictions, those of doubtful images first; else in their order.

    Args:
        tasks: real path of the image, and the task.
        proposals: real path of the image -> the model's proposal.
        model: its name.
        threshold: P(fake) at which the model is in doubt.
    """
    found = [(proposals.get(key), task) for key, task in tasks]
    found.sort(key=lambda each: doubt(each[0], threshold))
    return [
        task | {"predictions": [to_prediction(proposal, model)]} if proposal and proposal.verdict else task
        for proposal, task in found
    ]
