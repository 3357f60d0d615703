"""Predictions of methods that write no answer: tables of labels or scores, masks, boxes.

Each reader gives `BaselinePrediction`s as a stream: what a method said of one image, under the image's real path, by
which `predictions.join` finds its record. A file of predictions is made for the purpose, so whatever cannot be read in
it raises, and says where. An empty cell or null says that the method said nothing.

Two things no reader can see, and so it asks. Data sets number their classes both ways, so 1 and 0 are labels only once
`Convention.one_is` says which is which. And a column called `label` is often the truth, which would score 100 %:
beside scores it is read only where it is chosen by name.
"""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from converters.masks import to_mask
from converters.sink import path_in
from converters.source import check_numbers, files_below, load_json_items, need

from ..annotation import LABELS, NOTHING, Annotation, AnnotationError, Words
from ..answer import parse_answer
from ..boxes import Box
from ..images import image_key, open_image


class BaselinePrediction(NamedTuple):
    """What a method said of one image.

    Attributes:
        image: real path of the image.
        verdict: 'fake', 'real', or None where it gave none.
        score: the higher, the more likely fake, on any scale; None where it gave none.
        boxes: regions, x1 y1 x2 y2 in original pixels, as the file has them (they may reach out of the image); None
            where it said nothing of boxes.
        mask: path of the image that shows its region; None where it drew none.
        file, line: where it was read; line 0 where lines mean nothing.
    """

    image: str
    verdict: str | None = None
    score: float | None = None
    boxes: tuple[Box, ...] | None = None
    mask: str | None = None
    file: str = ""
    line: int = 0


@dataclass(frozen=True)
class Convention:
    """What a file's numbers mean.

    Attributes:
        one_is: the label 1, 'fake' or 'real', and 0 the other; None allows labels in words only.
        higher_is: what a higher score speaks for, 'fake' or 'real'.
        threshold: a score above it decides for `higher_is` where there is no label; None is 0.5, for scores in [0, 1].

    Raises:
        ValueError: neither 'fake' nor 'real', or a threshold that is not finite.

    >>> Convention(one_is="real").verdict("0"), Convention().verdict("AI-generated")
    ('fake', 'fake')
    """

    one_is: str | None = None
    higher_is: str = "fake"
    threshold: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("one_is", self.one_is or "fake"), ("higher_is", self.higher_is)):
            if value not in LABELS:
                raise ValueError(f"{name}: expected fake or real, found {value!r}")
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise ValueError(f"threshold: expected a finite number, found {self.threshold!r}")

    def verdict(self, label: object, field: str = "label") -> str | None:
        """The verdict of a label: words that `parse_answer` reads or, by `one_is`, 1 or 0.

        Raises:
            AnnotationError: it is neither.
        """
        if _is_empty(label):
            return None
        if isinstance(label, str) and (verdict := _verdict_of_words(label)):
            return verdict
        if (number := _number(label)) not in (0, 1):
            raise AnnotationError("a word for fake or real, or nothing", label, field=field)
        if self.one_is is None:
            raise AnnotationError("fake or real in words (or --one-is, which says what 1 means)", label, field=field)
        return self.one_is if number else _other(self.one_is)

    def verdict_of_score(self, score: float | None, field: str = "score") -> str | None:
        """The verdict of a score as the file has it.

        Raises:
            AnnotationError: the threshold is not given, and the score no probability.
        """
        if score is None:
            return None
        threshold = self.threshold
        if threshold is None:
            threshold = 0.5
            if not 0 <= score <= 1:
                expected = "a number in [0, 1] (or --threshold, for scores of another scale)"
                raise AnnotationError(expected, score, field=field)
        return self.higher_is if score > threshold else _other(self.higher_is)


def _other(label: str) -> str:
    return "real" if label == "fake" else "fake"


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _number(value: object) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None


@lru_cache(maxsize=1024)
def _verdict_of_words(words: str) -> str | None:
    return parse_answer(words).verdict


# Names of columns and fields ------------------------------------------------------------------------------------------

NAMES = {
    "image": ("image", "image_path", "img_path", "path", "file_path", "filepath", "file", "file_name", "filename"),
    "verdict": ("verdict", "prediction", "pred", "predicted", "predicted_label", "pred_label", "label"),
    "score": ("score", "prob", "probability", "p_fake", "prob_fake", "fake_prob"),
    "boxes": ("boxes", "bboxes"),
}
"""What is read -> names it goes by, in any case."""


def _roles(names: Sequence[str], chosen: Mapping[str, str], roles: Sequence[str]) -> dict[str, int]:
    """Role -> place of the one name that has it.

    Raises:
        AnnotationError: a chosen name is not there, two go for one role, or `label` for the verdict beside a score.
    """
    plain = [name.strip().lower().replace(" ", "_").replace("-", "_") for name in names]
    places = {}
    for role in roles:
        if chosen.get(role) == "":
            continue
        known = [chosen[role]] if role in chosen else NAMES[role]
        found = [place for place, name in enumerate(names if role in chosen else plain) if name in known]
        if len(found) > 1 or (role in chosen and not found):
            expected = f"one of {', '.join(known)} (--column {role}=NAME names another)"
            raise AnnotationError(expected, Words(", ".join(names)), field=role)
        if found:
            places[role] = found[0]
    if {"score", "verdict"} <= places.keys() and "verdict" not in chosen and plain[places["verdict"]] == "label":
        expected = "a verdict (--column verdict=label takes the label for it, --column verdict= for the truth)"
        raise AnnotationError(expected, Words("label beside a score"), field="verdict")
    return places


def _said(
    value: Mapping[str, Any], at: Mapping[str, str], images: Path, convention: Convention, file: str, line: int = 0
) -> BaselinePrediction:
    """The prediction of a row or object: role -> value, and role -> the way to it."""
    score = None
    if not _is_empty(value.get("score")):
        score = _number(value["score"])
        if score is None or not math.isfinite(score):
            raise AnnotationError("a finite number, or nothing", value["score"], field=at["score"])
    if "verdict" in value:
        verdict = convention.verdict(value["verdict"], at["verdict"])
    else:
        verdict = convention.verdict_of_score(score, at.get("score", ""))
    if score is not None and convention.higher_is == "real":
        score = -score
    boxes = None if value.get("boxes") is None else _boxes(value["boxes"], at["boxes"])
    image = _image(images, value["image"], at["image"])
    return BaselinePrediction(image, verdict, score, boxes, None, file, line)


def _image(images: Path, name: object, field: str) -> str:
    """The real path of an image that a file names.

    Raises:
        AnnotationError: it is no name that a file can have, or not in UTF-8.
    """
    if not isinstance(name, str) or not name.strip() or "\0" in name:
        raise AnnotationError("the path of an image", name, field=field)
    try:
        name.encode()
        return image_key(images.absolute() / name)
    except UnicodeEncodeError:
        raise AnnotationError("the path of an image, in UTF-8", name, field=field) from None


def _check_is_file(path: Path, what: str) -> None:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected {what}, found {'a folder' if path.is_dir() else 'no such file'}")


# Labels and scores -------------------------------------------------------------------------------------------------


def read_label_csv(
    path: str | Path,
    images: str | Path,
    convention: Convention = Convention(),
    columns: Mapping[str, str] = {},
) -> Iterator[BaselinePrediction]:
    """Labels, scores or both of a table (NPR, DMD, ComFor, AfPr, AEROBLADE, DIRE, FakeVLM ...).

    Args:
        path: CSV in UTF-8, its first row the columns' names; commas, semicolons or tabs part the cells, whichever the
            first row has most of. Columns are found by `NAMES`; others are not read.
        images: folder that image paths are relative to.
        convention: what numbers mean. Without a column of verdicts they follow from the scores.
        columns: names to use in place of `NAMES`, under 'image', 'verdict' or 'score'; '' leaves that out.

    Raises:
        FileNotFoundError: no such file.
        AnnotationError (a ValueError): a column that is missing or doubtful, a cell that cannot be read, no row.
    """
    path = Path(path)
    _check_is_file(path, "a CSV file of labels or scores")
    # of bytes that are no UTF-8, those in names that are read are told where they stand
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        delimiter = max(",;\t", key=file.readline().count)
        file.seek(0)
        rows = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            names = next(rows, [])
            places = _roles(names, columns, ("image", "verdict", "score"))
            if "image" not in places or len(places) < 2:
                expected = "columns for the image and for a verdict or a score (--column ROLE=NAME names one)"
                raise AnnotationError(expected, Words(", ".join(names)) or NOTHING)
            at = {role: f"column {names[place]!r}" for role, place in places.items()}
            empty = True
            for row in rows:
                if not any(map(str.strip, row)):
                    continue
                empty = False
                if len(row) != len(names):
                    raise AnnotationError(f"{len(names)} cells, as the first row has", Words(str(len(row))))
                value = {role: row[place] for role, place in places.items()}
                yield _said(value, at, Path(images), convention, str(path), rows.line_num)
            if empty:
                raise AnnotationError("at least one prediction", Words("none"))
        except csv.Error as error:
            raise AnnotationError("CSV", Words(str(error))).at(str(path), rows.line_num) from None
        except AnnotationError as error:
            raise error.at(str(path), rows.line_num) from None


# Masks ---------------------------------------------------------------------------------------------------------------


def read_masks(
    folder: str | Path,
    images: str | Path,
    annotations: Iterable[Annotation],
    labels: Iterable[BaselinePrediction] = (),
    min_area_share: float | None = None,
    threshold: int | None = None,
) -> Iterator[BaselinePrediction]:
    """Masks of a folder (SegFormer, ObjectFormer, LEGION, FakeShield ...).

    The mask of the image `a/b.jpg` is `a/b.png`, as `converters.masks` writes it; files other than PNG are not read,
    not even a `labels.csv`, for that of an exported folder holds the truth.

    Args:
        folder: the masks.
        images: folder that the masks' paths follow.
        annotations: the records, streamed.
        labels: the method's verdicts and scores, such as `read_label_csv` gives; kept in memory. With them an image
            needs no mask, for a method draws none where it sees nothing.
        min_area_share: in (0, 1]; an image is called fake if at least this share of its pixels is in the mask, and the
            share is its score. Not beside labels.
        threshold: of `load_mask`.

    Yields:
        In the records' order, those that have a mask or a label; then labels of other images, which `join` refuses.

    Raises:
        FileNotFoundError: no such folder.
        AnnotationError (a ValueError): a mask that is no record's, that two records share, or that cannot be read; no
            mask.
        ValueError: `min_area_share` beside labels, or out of range.
    """
    folder, images = Path(folder), Path(images)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder}: expected a folder of masks, found {'a file' if folder.exists() else 'none'}"
        )
    if min_area_share is not None and not 0 < min_area_share <= 1:
        raise ValueError(f"min_area_share: expected a number in (0, 1], found {min_area_share!r}")
    labelled = {label.image: label for label in labels}
    if labelled and min_area_share is not None:
        raise ValueError("min_area_share: expected no labels beside it, for both give verdicts")
    masks = dict.fromkeys((path for path in files_below(folder) if path.suffix == ".png"), "")  # -> its record's place
    if not masks:
        raise AnnotationError("at least one mask (.png)", Words("none")).at(str(folder), 0)
    for annotation in annotations:
        image = image_key(annotation.path)
        said = labelled.pop(image, None)
        mask = folder / path_in(images, annotation).with_suffix(".png")
        if mask in masks:
            place = f"{annotation.file}:{annotation.line}"
            if masks[mask]:
                found = Words(f"the records {masks[mask]} and {place}")
                raise AnnotationError("a mask of one image", found).at(str(mask), 0)
            masks[mask] = place
            said = said or BaselinePrediction(image, file=str(mask))
            if min_area_share is not None:
                share = float(load_mask(mask, annotation.image_wh, threshold).mean())
                said = said._replace(verdict="fake" if share >= min_area_share else "real", score=share)
            said = said._replace(mask=str(mask))
        if said:
            yield said
    if strangers := [mask for mask, place in masks.items() if not place]:
        found = Words(f"none for it{f' nor for {len(strangers) - 1} others' if strangers[1:] else ''}")
        raise AnnotationError(f"an image in {images} of a record", found).at(str(strangers[0]), 0)
    yield from labelled.values()


def load_mask(path: str | Path, image_wh: tuple[int, int], threshold: int | None = None) -> Any:
    """The pixels of an image that a mask shows.

    A mask of another size than its image is scaled, each pixel taking the nearest one's value, if it has the image's
    shape to a pixel; a method that squeezes images into squares has to stretch its masks back.

    Args:
        path: an image file of 8 bits a channel: grey, or colours that are all grey; opaque.
        image_wh: width and height of the image.
        threshold: 1 to 255; the least grey value in the mask. None is 128, and refuses masks that hold but 0 and 1.

    Returns:
        (height, width) numpy bool.

    Raises:
        AnnotationError (a ValueError): no image, another shape, other pixels than these, or 0 and 1 alone.
        ValueError: a threshold out of range.
    """
    import numpy as np
    from PIL import Image

    if threshold is not None and not 1 <= threshold <= 255:
        raise ValueError(f"threshold: expected 1 to 255, found {threshold!r}")
    try:
        with open_image(Path(path), Path(path).name, decode=True) as mask:
            grey = _grey(mask)
        (width, height), (w, h) = image_wh, grey.size
        if min(abs(w * height / width - h), abs(h * width / height - w)) > 1:
            raise AnnotationError(f"the shape of its {width}x{height} image", Words(f"{w}x{h}"), field="mask")
        if threshold is None and grey.getextrema()[1] == 1:
            expected = "values up to 255 (--mask-threshold 1 takes 1 for the mask)"
            raise AnnotationError(expected, Words("0 and 1 alone"), field="mask")
        if grey.size != image_wh:
            grey = grey.resize(image_wh, Image.Resampling.NEAREST)
        return np.asarray(grey) >= (128 if threshold is None else threshold)
    except AnnotationError as error:
        error.field = "mask"
        raise error.at(str(path), 0) from None


def _grey(mask: Any) -> Any:
    """A mask in 8-bit grey."""
    import numpy as np

    if mask.mode in ("1", "L") and not mask.has_transparency_data:
        return mask.convert("L")
    if mask.mode not in ("1", "L", "LA", "P", "RGB", "RGBA"):
        raise AnnotationError("8 bits of grey a pixel", Words(f"mode {mask.mode}"))
    rgba = mask.convert("RGBA")
    pixels = np.asarray(rgba)
    if (pixels[..., 3] < 255).any():
        raise AnnotationError("no transparent pixel", Words("some"))
    if (pixels[..., 1:3] != pixels[..., :1]).any():
        raise AnnotationError("black, white and grey", Words("colours"))
    return rgba.getchannel("R")


def mask_iou(mask: Any, annotation: Annotation) -> float:
    """Intersection over union of a mask and a record's regions, counted in pixels.

    IoU(R, R_y) = |R ∩ R_y| / |R ∪ R_y|   (§3.3 and §4.2), R_y as `converters.masks.to_mask` draws it: a pixel is in a
    box if its centre is.

    Args:
        mask: (height, width) bool, in the pixels of the record's image.
        annotation: the record.

    Returns:
        Ratio in [0, 1]; 1 where both are empty, 0 where one is.

    Raises:
        ValueError: the mask has another size than the record's image.

    >>> import numpy as np
    >>> from swift_plugins.fakexplain.annotation import Region
    >>> record = Annotation("a", "a.png", 4, 2, "fake", (Region((0, 0, 2, 2), "Hand."),))
    >>> mask_iou(np.array([[1, 1, 1, 1], [0, 0, 0, 0]], bool), record)
    0.3333333333333333
    """
    import numpy as np

    gold = to_mask(annotation) > 0
    if mask.shape != gold.shape:
        raise ValueError(f"mask: expected {gold.shape[0]} rows of {gold.shape[1]} pixels, found {mask.shape}")
    either = int(np.count_nonzero(mask | gold))
    return int(np.count_nonzero(mask & gold)) / either if either else 1.0


# Boxes ---------------------------------------------------------------------------------------------------------------


def read_boxes_json(
    path: str | Path,
    images: str | Path,
    convention: Convention = Convention(),
    columns: Mapping[str, str] = {},
    fake_if_boxes: bool = False,
) -> Iterator[BaselinePrediction]:
    """Boxes of a JSON file: {image: [[x1, y1, x2, y2] ...]}, or a list of {image, boxes, verdict, score}.

    Args:
        path: the file. In a list, `boxes`, verdict and score may be missing; fields are found by `NAMES`.
        images: folder that image paths are relative to.
        convention: what numbers mean. Without a verdict it follows from the score.
        columns: names to use in place of `NAMES`, as for `read_label_csv`.
        fake_if_boxes: without verdict and score, an image with a box is called fake and one with an empty list real.

    Raises:
        FileNotFoundError: no such file.
        AnnotationError (a ValueError): not JSON, a field that is missing, doubtful or cannot be read, or boxes that are
            no x1 y1 x2 y2 in pixels; no image.
    """
    path, images = Path(path), Path(images)
    _check_is_file(path, "a JSON file of boxes")
    with open(path, "rb") as file:
        is_object = file.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
    empty = True
    try:
        for key, item in load_json_items(path, "" if is_object else "item"):
            empty = False
            if is_object:
                value, at = {"image": key, "boxes": item}, {"image": "image", "boxes": repr(key)}
            else:
                value, at = _fields(key, item, columns)
            said = _said(value, at, images, convention, str(path))
            if fake_if_boxes and said.verdict is None and said.score is None and said.boxes is not None:
                said = said._replace(verdict="fake" if said.boxes else "real")
            yield said
        if empty:
            raise AnnotationError("at least one prediction", Words("none"))
    except AnnotationError as error:
        raise error.at(str(path), 0) from None


def _fields(at: str, item: Any, columns: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Role -> value, and role -> the way to it."""
    if not isinstance(item, dict):
        raise AnnotationError("an object with image and boxes", item, field=at)
    if "image_id" in item and "bbox" in item:
        raise AnnotationError("image and boxes (--coco FILE reads COCO results)", item, field=at)
    names = list(item)
    try:
        places = _roles(names, columns, tuple(NAMES))
    except AnnotationError as error:
        error.field = f"{at}.{error.field}"
        raise
    if "image" not in places or len(places) < 2:
        raise AnnotationError("an image, and boxes, a verdict or a score", item, field=at)
    value = {role: item[names[place]] for role, place in places.items()}
    return value, {role: f"{at}.{names[place]}" for role, place in places.items()}


def _boxes(boxes: Any, at: str) -> tuple[Box, ...]:
    if not isinstance(boxes, list):
        raise AnnotationError("a list of boxes [x1, y1, x2, y2]", boxes, field=at)
    kept = []
    for index, box in enumerate(boxes):
        place = f"{at}[{index}]"
        x1, y1, x2, y2 = _four(box, "four numbers x1, y1, x2, y2", place)
        if x1 > x2 or y1 > y2:
            raise AnnotationError("x1 <= x2 and y1 <= y2 (not x, y, width, height)", box, field=place)
        if x1 < x2 <= 1 and y1 < y2 <= 1:
            raise AnnotationError("pixels of the original image, not shares of it", box, field=place)
        kept.append((x1, y1, x2, y2))
    return tuple(kept)


def _four(box: Any, expected: str, at: str) -> Box:
    if not isinstance(box, list) or len(box) != 4:
        raise AnnotationError(expected, box, field=at)
    check_numbers(box, expected, at)
    a, b, c, d = map(float, box)
    return a, b, c, d


def read_coco_results(
    path: str | Path,
    images: str | Path,
    coco: str | Path,
    min_score: float = -math.inf,
    fake_if_boxes: bool = False,
) -> Iterator[BaselinePrediction]:
    """Boxes of COCO's format of results: a list of {image_id, bbox: [x, y, width, height], score}.

    Args:
        path: the results; categories are not read. They are kept in memory.
        images: folder that image paths are relative to.
        coco: COCO annotations whose `images` have the ids and file names. Each of these has a prediction, for results
            say that nothing was found in an image by not naming it.
        min_score: boxes below it are left out.
        fake_if_boxes: an image with a box left is called fake, one without real. The highest score of an image's boxes
            is not its own: with no box there is none.

    Yields:
        In the order of `images`.

    Raises:
        FileNotFoundError: no such file.
        AnnotationError (a ValueError): not JSON, a field that is missing or wrong, an id that is no image's or two's.
    """
    path, images, coco = Path(path), Path(images), Path(coco)
    _check_is_file(path, "a JSON file of COCO results")
    _check_is_file(coco, "a JSON file of COCO annotations")
    names: dict[int | str, str] = {}
    try:
        for at, image in load_json_items(coco, "images.item"):
            id = need(image, "id", (int, str), "the image's id", at)
            if id in names:
                raise AnnotationError("an id of its own", id, field=f"{at}.id")
            name = need(image, "file_name", str, "the path of the image", at)
            names[id] = _image(images, name, f"{at}.file_name")
        if not names:
            raise AnnotationError("at least one image", NOTHING, field="images")
    except AnnotationError as error:
        raise error.at(str(coco), 0) from None
    boxes: dict[int | str, list[Box]] = defaultdict(list)
    try:
        for at, result in load_json_items(path):
            id = need(result, "image_id", (int, str), f"the id of an image of {coco}", at)
            if id not in names:
                raise AnnotationError(f"the id of an image of {coco}", id, field=f"{at}.image_id")
            expected = "four numbers x, y, width, height"
            box = need(result, "bbox", list, expected, at)
            x, y, width, height = _four(box, expected, f"{at}.bbox")
            if width < 0 or height < 0:
                raise AnnotationError("a width and a height of at least 0", box, field=f"{at}.bbox")
            score = need(result, "score", float, "a number", at)
            check_numbers([score], "a number", f"{at}.score")
            if score >= min_score:
                boxes[id].append((x, y, x + width, y + height))
    except AnnotationError as error:
        raise error.at(str(path), 0) from None
    for id, image in names.items():
        kept = tuple(boxes.get(id, ()))
        verdict = ("fake" if kept else "real") if fake_if_boxes else None
        yield BaselinePrediction(image, verdict, None, kept, file=str(path))
