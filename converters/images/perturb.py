"""Images as they reach a detector in the wild: compressed, cropped, shrunk, blurred, noisy (Appendix C, Table 5).

Boxes follow the pixels: they are shifted and cut by a crop, and scaled by the whole numbers of pixels a side had and
has. What is drawn at random depends on the seed and the record's id alone, neither on other records nor on their order.

An image is taken as Pillow opens it, without its EXIF orientation (boxes are in those pixels) and flattened on white;
its EXIF is left behind. Apart from the chain, a model is shown the values that it is shown of the original.
"""

from __future__ import annotations

import io
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from swift_plugins.fakexplain.annotation import Annotation, Region
from swift_plugins.fakexplain.errors import DataError, OnError, Unquoted, raise_error
from swift_plugins.fakexplain.images import open_image
from swift_plugins.fakexplain.parallel import map_ordered
from swift_plugins.fakexplain.pixels import flatten

from ..drafts.draft import inner_path
from .chains import CODECS, Chain, Step


def generator(seed: int, id: str) -> Any:
    """The `numpy.random.Generator` of one record."""
    import numpy as np

    return np.random.default_rng(int.from_bytes(blake2b(f"{seed}\0{id}".encode(), digest_size=16).digest(), "big"))


def perturb(
    image: Any, annotation: Annotation, steps: Sequence[Step], rng: Any, min_visible: float = 0.0
) -> tuple[Any, Annotation]:
    """One image and its record, perturbed.

    Args:
        image: `PIL.Image.Image` of any mode, of the record's size.
        annotation: its record.
        steps: of a chain, at least one.
        rng: `numpy.random.Generator`; see `generator`.
        min_visible: regions with a smaller share of their area left are dropped, and always those with none.

    Returns:
        The image, or the bytes of its file where the last step is a codec; and the record with its new size and boxes.
        A fake image stays fake and keeps its tags, also without a region.

    Raises:
        DataError: pixels of a range that is not known, or an image larger than a codec can hold; field `image`.

    >>> from PIL import Image
    >>> record = Annotation("a", "a.png", 8, 4, "fake", regions=(Region((2, 0, 8, 4), "Sign."),))
    >>> half, record = perturb(Image.new("L", (8, 4)), record, [Step("down", 0.5)], generator(0, "a"))
    >>> half.size, record.image_wh, record.regions
    ((4, 2), (4, 2), (Region(bbox=(1.0, 0.0, 4.0, 2.0), caption='Sign.'),))
    """
    pixels = flatten(image)
    profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA", "P") else None  # of RGB values
    left = [(region, 1.0) for region in annotation.regions]
    held = None
    for step in steps:
        if held is not None:
            pixels = open_image(io.BytesIO(held), "the encoded image", decode=True).convert("RGB")
        window, wh = _view(step, pixels.size, rng)
        pixels, held = _pixels(step, pixels, window, wh, rng, profile)
        left = [(moved, share * part) for region, share in left for moved, part in _moved(region, window, wh)]
    if held is None and profile:
        pixels.info["icc_profile"] = profile
    regions = tuple(region for region, share in left if share >= min_visible)
    return pixels if held is None else held, replace(annotation, width=wh[0], height=wh[1], regions=regions)


def _share(side: int, share: float) -> int:
    return max(1, round(side * share))


def _view(step: Step, wh: tuple[int, int], rng: Any) -> tuple[tuple[int, int, int, int], tuple[int, int]]:
    """The window (x1, y1, x2, y2) of the image that a step keeps, and the size it gives that."""
    width, height = wh
    whole = (0, 0, width, height)
    if step.kind == "crop":
        inner = _share(width, step.value), _share(height, step.value)
        x, y = (int(rng.integers(0, side - part + 1)) for side, part in zip(wh, inner, strict=True))
        return (x, y, x + inner[0], y + inner[1]), inner
    if step.kind == "down":
        return whole, (_share(width, step.value), _share(height, step.value))
    if step.kind == "fit" and max(wh) > step.value:
        return whole, (_share(width, step.value / max(wh)), _share(height, step.value / max(wh)))
    return whole, wh


def _moved(region: Region, window: tuple[int, int, int, int], wh: tuple[int, int]) -> Iterator[tuple[Region, float]]:
    """The region in the window's new pixels and the share of its area that is left; nothing where none is."""
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


def _pixels(
    step: Step, pixels: Any, window: tuple[int, int, int, int], wh: tuple[int, int], rng: Any, profile: bytes | None
) -> tuple[Any, bytes | None]:
    """The step's image; and its file's bytes where the step is a codec."""
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
        small = _share(wh[0], step.value), _share(wh[1], step.value)
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


@dataclass
class Report:
    """What became of the regions: counts.

    Attributes:
        dropped: regions of which nothing, or too little, was left.
        bare: fake images that lost all of theirs.
    """

    dropped: int = 0
    bare: int = 0


@dataclass
class _Done:
    annotation: Annotation | None = None
    error: DataError | None = None
    report: Report = field(default_factory=Report)


def perturb_all(
    annotations: Iterable[Annotation],
    chain: Chain,
    folder: Path,
    *,
    seed: int = 0,
    min_visible: float = 0.0,
    report: Report | None = None,
    on_error: OnError = raise_error,
) -> Generator[Annotation, None, None]:
    """Perturbed records, in order, as an annotations file in a folder holds them; the images are written there.

    Closing it ends all writing.

    Args:
        annotations: the records.
        chain: what is done to each.
        folder: images go to its `images/ID`; it must hold none of them.
        seed, min_visible: see `perturb`.
        report: counts are added to it.
        on_error: called with the error of each bad record; without it the first raises.

    Yields:
        Records with the extra field `perturbation`, which names the chain (after an earlier one, if there was one).

    Raises:
        DataError: an image that is missing, cannot be read or has another size than its record says, or an id
            that is no name for a file of its own.
    """
    report = report or Report()

    def finish(annotation: Annotation) -> _Done:
        try:
            return _finish(annotation, chain, folder, generator(seed, annotation.id), min_visible)
        except DataError as error:
            return _Done(error=error.at(annotation.file, annotation.line, annotation.id))

    with closing(map_ordered(finish, annotations)) as finished:
        for done in finished:
            if done.error is not None:
                on_error(done.error)
            elif done.annotation is not None:
                report.dropped += done.report.dropped
                report.bare += done.report.bare
                yield done.annotation


def _finish(annotation: Annotation, chain: Chain, folder: Path, rng: Any, min_visible: float) -> _Done:
    with open_image(annotation.path, str(annotation.path), decode=True) as image:
        if image.size != annotation.image_wh:
            found = Unquoted(f"{annotation.width}x{annotation.height}")
            expected = f"the image's own {image.size[0]}x{image.size[1]} pixels"
            raise DataError(expected, found, field="width, height")
        result, record = perturb(image, annotation, chain.steps, rng, min_visible)
    name = f"images/{inner_path(annotation.id, field='id')}{chain.suffix}"
    path = folder / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "xb") as file:
            if isinstance(result, bytes):
                file.write(result)
            else:
                result.save(file, "PNG", compress_level=4)  # a third of the usual 6's time, 4% more bytes
    except (FileExistsError, NotADirectoryError):
        raise DataError("an id that names a file of its own", annotation.id, field="id") from None
    earlier = annotation.extra.get("perturbation")
    names = f"{earlier}+{chain.name}" if earlier else chain.name
    report = Report(len(annotation.regions) - len(record.regions))
    report.bare = int(bool(annotation.regions) and not record.regions)
    return _Done(replace(record, image=name, extra=annotation.extra | {"perturbation": names}), report=report)
