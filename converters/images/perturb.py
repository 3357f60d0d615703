"""Images as they reach a detector in the wild: compressed, cropped, shrunk, blurred, noisy (Appendix C, Table 5).

Boxes follow the pixels: a crop shifts and clips them; a change of size scales them by the exact ratio of the sides in
whole pixels. Random choices depend only on the seed and the record's id, not on other records or their order.

An image is read as Pillow opens it, without applying its EXIF orientation (boxes are in those pixels), and flattened
on white; its EXIF data is dropped. Except for the chain's steps, a model sees the same values as in the original.
"""

from __future__ import annotations

import io
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any

from swift_plugins.fakexplain.annotation import Annotation, Region
from swift_plugins.fakexplain.errors import DataError, OnError, Unquoted, raise_error
from swift_plugins.fakexplain.images import check_wh, open_image
from swift_plugins.fakexplain.jsonl import decode_line
from swift_plugins.fakexplain.parallel import map_good
from swift_plugins.fakexplain.paths import check_is_file
from swift_plugins.fakexplain.pixels import flatten
from swift_plugins.fakexplain.region_lists import select_items

from ..drafts.draft import inner_path
from .chains import CODECS, Chain, Step


def random_generator(seed: int, id: str) -> Any:
    """The `numpy.random.Generator` for one record."""
    import numpy as np

    return np.random.default_rng(int.from_bytes(blake2b(f"{seed}\0{id}".encode(), digest_size=16).digest(), "big"))


def perturb(
    image: Any, annotation: Annotation, steps: Sequence[Step], rng: Any, min_visible: float = 0.0
) -> tuple[Any, Annotation]:
    """Perturb one image and its record.

    Args:
        image: `PIL.Image.Image` in any mode, with the record's size.
        annotation: its record.
        steps: at least one.
        rng: `numpy.random.Generator`; see `random_generator`.
        min_visible: drop a region if less than this fraction of its area survives; one without area is always dropped.

    Returns:
        The image, or the bytes of its file if the last step is a codec; and the record with its new size and boxes.
        A fake image stays fake and keeps its tags, even without a region.

    Raises:
        DataError: pixels with an unknown range, or an image too large for a codec; field `image`.

    >>> from PIL import Image
    >>> record = Annotation("a", "a.png", 8, 4, "fake", regions=(Region((2, 0, 8, 4), "Sign."),))
    >>> half, record = perturb(Image.new("L", (8, 4)), record, [Step("down", 0.5)], random_generator(0, "a"))
    >>> half.size, record.image_wh, record.regions
    ((4, 2), (4, 2), (Region(bbox=(1.0, 0.0, 4.0, 2.0), caption='Sign.'),))
    """
    pixels = flatten(image)
    profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA", "P") else None  # describes RGB values
    kept = [(index, region, 1.0) for index, region in enumerate(annotation.regions)]
    encoded = None
    for step in steps:
        if encoded is not None:
            pixels = open_image(io.BytesIO(encoded), "the encoded image", decode=True).convert("RGB")
        window, wh = _window_and_size(step, pixels.size, rng)
        pixels, encoded = _apply_step(step, pixels, window, wh, rng, profile)
        kept = [
            (index, moved, share * part)
            for index, region, share in kept
            for moved, part in _move_region(region, window, wh)
        ]
    if encoded is None and profile:
        pixels.info["icc_profile"] = profile
    kept = [each for each in kept if each[2] >= min_visible]
    regions = tuple(region for _, region, _ in kept)
    extra = select_items(annotation.extra, len(annotation.regions), [index for index, _, _ in kept])
    record = replace(annotation, width=wh[0], height=wh[1], regions=regions, extra=extra)
    return pixels if encoded is None else encoded, record


def _scale_side(side: int, share: float) -> int:
    return max(1, round(side * share))


def _window_and_size(step: Step, wh: tuple[int, int], rng: Any) -> tuple[tuple[int, int, int, int], tuple[int, int]]:
    """The window (x1, y1, x2, y2) of the image that a step keeps, and the width and height it scales the window to."""
    width, height = wh
    whole = (0, 0, width, height)
    if step.kind == "crop":
        inner = _scale_side(width, step.value), _scale_side(height, step.value)
        x, y = (int(rng.integers(0, side - part + 1)) for side, part in zip(wh, inner, strict=True))
        return (x, y, x + inner[0], y + inner[1]), inner
    if step.kind == "down":
        return whole, (_scale_side(width, step.value), _scale_side(height, step.value))
    if step.kind == "fit" and max(wh) > step.value:
        return whole, (_scale_side(width, step.value / max(wh)), _scale_side(height, step.value / max(wh)))
    return whole, wh


def _move_region(
    region: Region, window: tuple[int, int, int, int], wh: tuple[int, int]
) -> Iterator[tuple[Region, float]]:
    """The region in the window's new pixels, and the share of its area that survives; nothing if none survives."""
    x1, y1, x2, y2 = region.bbox
    left, top = max(x1, window[0]), max(y1, window[1])
    right, bottom = min(x2, window[2]), min(y2, window[3])
    if not (left < right and top < bottom):
        return
    part = (right - left) * (bottom - top) / ((x2 - x1) * (y2 - y1))
    width, height = window[2] - window[0], window[3] - window[1]
    xs = [(x - window[0]) * wh[0] / width for x in (left, right)]
    ys = [(y - window[1]) * wh[1] / height for y in (top, bottom)]
    if xs[0] < xs[1] and ys[0] < ys[1]:
        yield Region((xs[0], ys[0], xs[1], ys[1]), region.caption), part


def _apply_step(
    step: Step, pixels: Any, window: tuple[int, int, int, int], wh: tuple[int, int], rng: Any, profile: bytes | None
) -> tuple[Any, bytes | None]:
    """The image after the step; and the bytes of its file if the step is a codec."""
    from PIL import Image, ImageFilter

    lanczos = Image.Resampling.LANCZOS
    if step.kind in CODECS:
        file = io.BytesIO()
        try:
            pixels.save(file, step.kind, quality=step.value, icc_profile=profile)
        except (OSError, ValueError) as error:
            found = Unquoted(f"{pixels.size[0]}x{pixels.size[1]} pixels: {error}")
            raise DataError(f"an image that {step.kind} can hold", found, field="image") from None
        return pixels, file.getvalue()
    if step.kind == "rescale":
        small = _scale_side(wh[0], step.value), _scale_side(wh[1], step.value)
        return pixels.resize(small, lanczos).resize(wh, lanczos), None
    if step.kind == "blur":
        return pixels.filter(ImageFilter.GaussianBlur(step.value)), None
    if step.kind == "noise":
        import numpy as np

        values = np.asarray(pixels, np.float32)
        noise = rng.standard_normal(values.shape, np.float32) * np.float32(step.value)
        return Image.fromarray(np.rint(values + noise).clip(0, 255).astype(np.uint8)), None
    if window != (0, 0, *pixels.size):
        pixels = pixels.crop(window)
    return pixels if wh == pixels.size else pixels.resize(wh, lanczos), None


SETTINGS_FILE = "perturbation.json"
"""File in the folder of a perturbed set that says what the set was made from."""


def describe_set(annotations: Path, chain: Chain, seed: int, min_visible: float, subset: str = "all") -> dict[str, Any]:
    """Everything that a perturbed set depends on except the images: the contents of its `SETTINGS_FILE`.

    Raises:
        FileNotFoundError: no such annotations file.
    """
    check_is_file(annotations, "an annotations file (JSON Lines)")
    with open(annotations, "rb") as file:
        digest = file_digest(file)
    chosen = {} if subset == "all" else {"subset": subset}  # so that sets made before there were subsets stay finished
    return {"perturbation": chain.name, "seed": seed, "min_visible": min_visible, "annotations": digest, **chosen}


def file_digest(file: IO[bytes]) -> str:
    """Digest of a file's contents, as hexadecimal digits."""
    digest = blake2b(digest_size=16)
    while part := file.read(2**20):
        digest.update(part)
    return digest.hexdigest()


def is_finished(folder: Path, description: dict[str, Any]) -> bool:
    """Whether a folder holds the perturbed set of a description; a set appears only as a whole."""
    try:
        found: Any = decode_line((folder / SETTINGS_FILE).read_bytes())
    except (OSError, DataError):
        return False
    return bool(found == description)


@dataclass
class LostRegions:
    """Counts of regions that perturbing lost.

    Attributes:
        dropped: regions without enough area left.
        bare: fake images that lost all their regions.
    """

    dropped: int = 0
    bare: int = 0


def perturb_all(
    annotations: Iterable[Annotation],
    chain: Chain,
    folder: Path,
    *,
    seed: int = 0,
    min_visible: float = 0.0,
    lost: LostRegions | None = None,
    on_error: OnError = raise_error,
) -> Generator[Annotation, None, None]:
    """Write perturbed images on all cores, and yield their records in order.

    Closing the generator ends all writing.

    Args:
        annotations: the records.
        chain: the steps to apply to each.
        folder: images go to `images/ID` in it; none of them may exist. Image paths in records are relative to it.
        seed, min_visible: see `perturb`.
        lost: counts are added to it.
        on_error: called with the error of each bad record, which is skipped; by default the first is raised.

    Yields:
        Records with the extra field `perturbation`, which names the chain (after an earlier one, if any).

    Raises:
        DataError: an image that is missing, unreadable or of another size than its record states, or an id that
            gives no unique file name.
    """
    lost = lost or LostRegions()

    def perturb_one(annotation: Annotation) -> tuple[Annotation, int]:
        try:
            return _perturb_file(annotation, chain, folder, seed, min_visible), len(annotation.regions)
        except DataError as error:
            raise error.at_record(annotation) from None

    with closing(map_good(perturb_one, annotations, on_error)) as results:
        for record, before in results:
            lost.dropped += before - len(record.regions)
            lost.bare += before > 0 and not record.regions
            yield record


def _perturb_file(annotation: Annotation, chain: Chain, folder: Path, seed: int, min_visible: float) -> Annotation:
    """Write one perturbed image into a folder; return its record."""
    with open_image(annotation.path, str(annotation.path), decode=True) as image:
        check_wh(annotation.image_wh, image.size)
        rng = random_generator(seed, annotation.id)
        result, record = perturb(image, annotation, chain.steps, rng, min_visible)
    name = f"images/{inner_path(annotation.id, field='id')}{chain.suffix}"
    path = folder / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "xb") as file:
            if isinstance(result, bytes):
                file.write(result)
            else:
                result.save(file, "PNG", compress_level=4)  # a third of the default 6's time, 4% more bytes
    except (FileExistsError, NotADirectoryError):
        raise DataError("an id that gives a unique file name", annotation.id, field="id") from None
    earlier = annotation.extra.get("perturbation")
    names = f"{earlier}+{chain.name}" if earlier else chain.name
    return replace(record, image=name, extra=annotation.extra | {"perturbation": names})
