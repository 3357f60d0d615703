"""Blind pairs for a study of preferences (Fig. 3): two explanations of one image, drawn alike, sides by chance.

A task names neither system, and nor do its pictures. Who wrote which side is in the key, a file of its own, which stays
with the team until the votes are in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.jsonl import write_jsonl
from swift_plugins.fakexplain.mentions import RegionLike
from swift_plugins.fakexplain.parallel import map_ordered
from swift_plugins.fakexplain.paths import path_from
from swift_plugins.fakexplain.pictures.colours import GOLD
from swift_plugins.fakexplain.pictures.lettering import Pen
from swift_plugins.fakexplain.pictures.notes import Notes
from swift_plugins.fakexplain.pictures.overlay import load_picture
from swift_plugins.fakexplain.pictures.panels import draw_regions, put_side_by_side

from ..formats.label_studio_tasks import local_url, write_tasks

COMPARE_PAGE = Path(__file__).with_name("compare.xml")
_TASKS, _KEY, _PICTURES = "tasks.json", "key.jsonl", "pictures"
PAIR_SIDES = ("left", "right")


class Answered(Protocol):
    """What a system says of an image; boxes in pixels of the image."""

    @property
    def verdict(self) -> str | None: ...
    @property
    def regions(self) -> Sequence[RegionLike]: ...
    @property
    def tags(self) -> Sequence[str] | None: ...


class Explanation(NamedTuple):
    """What is shown of an answer: verdict, regions and tags; none of the latter two if the verdict is real."""

    verdict: str | None
    regions: tuple[RegionLike, ...] = ()
    tags: tuple[str, ...] = ()


def explanation_of(answer: Answered) -> Explanation:
    """The explanation of an answer."""
    if answer.verdict == "real":
        return Explanation("real")
    regions = sorted(answer.regions, key=lambda region: (region.bbox or (0, 0))[1::-1])  # reading order
    return Explanation(answer.verdict, tuple(regions), tuple(answer.tags or ()))


def annotated_explanation(record: Annotation) -> Explanation:
    """The explanation of an annotator."""
    regions = sorted(record.regions, key=lambda region: region.bbox[1::-1])
    return Explanation(record.label, tuple(regions), record.tags)


class BlindPair(NamedTuple):
    """Two explanations of one image.

    Attributes:
        record: of the image.
        systems: names of the systems on the left and on the right.
        sides: their explanations.
    """

    record: Annotation
    systems: tuple[str, str]
    sides: tuple[Explanation, Explanation]


@dataclass
class Pairing:
    """Pairs in the order of their tasks, and the numbers of those left out.

    Attributes:
        pairs: the pairs.
        unanswered: pairs of which a system has no answer.
        same: pairs of which both explanations are the same.
    """

    pairs: list[BlindPair] = field(default_factory=list)
    unanswered: int = 0
    same: int = 0


def make_pairs(explained: Iterable[tuple[Annotation, Mapping[str, Explanation | None]]], seed: int = 0) -> Pairing:
    """Pair every two systems on every image; the order of pairs and sides is random.

    Args:
        explained: records, each with every system's explanation, None without an answer.
        seed: the same seed gives the same pairs.
    """
    found = Pairing()
    for record, systems in explained:
        for one, other in combinations(systems, 2):
            left, right = (one, other) if _rank(seed, "side", record.id, one, other)[0] % 2 else (other, one)
            sides = systems[left], systems[right]
            if sides[0] is None or sides[1] is None:
                found.unanswered += 1
            elif sides[0] == sides[1]:
                found.same += 1
            else:
                found.pairs.append(BlindPair(record, (left, right), (sides[0], sides[1])))
    found.pairs.sort(key=lambda pair: _rank(seed, "order", pair.record.id, *sorted(pair.systems)))
    return found


def _rank(*parts: object) -> bytes:
    return blake2b("\0".join(map(str, parts)).encode(), digest_size=8).digest()


def draw_explanation(record: Annotation, explanation: Explanation, longer_side: int) -> Any:
    """Draw an explanation: the image with numbered boxes; below it verdict, captions and tags. The same for any system.

    Args:
        record: of the image, which is opened.
        explanation: what is drawn.
        longer_side: longer side of the image in pixels.

    Returns:
        A `PIL.Image.Image`.

    Raises:
        DataError: the image is missing, unreadable, or its size differs from the record.
    """
    pen = Pen(longer_side)
    marks = {str(number): region for number, region in enumerate(explanation.regions, 1)}
    notes = Notes(pen, brief=False)
    notes.heading(f"verdict: {explanation.verdict or 'none'}")
    notes.regions(marks, GOLD)
    notes.tags("tags", explanation.tags)
    picture = draw_regions(load_picture(record, longer_side), record.image_wh, marks, {}, pen)
    return put_side_by_side([picture], [[notes.image()]], pen)


def save_pairs(pairs: Sequence[BlindPair], folder: Path, out: Path, root: Path, longer_side: int) -> Iterator[str]:
    """Write the page, the tasks, their pictures and the key.

    Args:
        pairs: the pairs.
        folder: existing folder to write to.
        out: its final path.
        root: the folder that Label Studio serves files from.
        longer_side: longer side of an image in pixels.

    Yields:
        The name of each pair, once its pictures are written.

    Raises:
        DataError: an image cannot be read.
        ValueError: `out` is not below the root.
    """
    names = [f"p{number:0{len(str(len(pairs)))}}" for number in range(1, len(pairs) + 1)]
    tasks = [
        {
            "data": {"pair": name}
            | {side: local_url(out / _PICTURES / f"{name}-{side}.png", root) for side in PAIR_SIDES}
        }
        for name in names
    ]
    (folder / _PICTURES).mkdir()

    def save(item: tuple[str, BlindPair]) -> str:
        name, pair = item
        for side, explanation in zip(PAIR_SIDES, pair.sides, strict=True):
            picture = draw_explanation(pair.record, explanation, longer_side)
            picture.save(folder / _PICTURES / f"{name}-{side}.png", compress_level=1)
        return name

    yield from map_ordered(save, zip(names, pairs, strict=True))
    (folder / "page.xml").write_bytes(COMPARE_PAGE.read_bytes())
    write_tasks(folder / _TASKS, tasks)
    write_jsonl(folder / _KEY, (_key_line(name, pair, out) for name, pair in zip(names, pairs, strict=True)))


def _key_line(name: str, pair: BlindPair, out: Path) -> dict[str, Any]:
    record = pair.record
    size = {"width": record.width, "height": record.height}
    sides = {
        side: {
            "system": system,
            "label": each.verdict,
            "regions": [{"bbox": region.bbox, "caption": region.caption} for region in each.regions],
            "tags": each.tags,
        }
        for side, system, each in zip(PAIR_SIDES, pair.systems, pair.sides, strict=True)
    }
    return {"pair": name, "id": record.id, "image": path_from(out, record.path), **size, **sides}
