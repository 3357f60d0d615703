"""Duplicates among images: the same pixels, or nearly the same picture.

The perceptual hash of a picture is pHash: the 64 lowest frequencies of its 32x32 brightness, each above or below the
median. Scaling, recompression, more light or less colour change few of the 64 bits; cropping changes many; mirroring
changes half of them. Measured on 35 photographs and generated images (bits differ in even numbers because half of them
are set):

    at most ... bits differ        4     6     8    10
    JPEG quality 20 to 90       100%  100%  100%  100%
    scaled to half, to 256x256  100%  100%  100%  100%
    20% brighter                 89%  100%  100%  100%
    2% cropped                   89%   94%   97%   97%
    5% cropped                   29%   57%   80%   89%
    10% cropped                   0%    6%   26%   43%

Of 529,935 pairs of different 96x96 crops of them, 221 differ in at most 6 bits. Nearly all are pairs of empty walls or
skies: the hash of a picture without structure is noise.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.errors import DataError, OnError, raise_error
from swift_plugins.fakexplain.parallel import map_good
from swift_plugins.fakexplain.pixels import load_display_image, to_display_image

DISTANCE = 6
"""Bits that may differ between near duplicates, by default."""

_MAX_EDGES = 2**21  # pairs of duplicates held in memory at once: 32 MB


class Fingerprint(NamedTuple):
    """The values by which two images are compared.

    Attributes:
        content: 64-bit digest of size and pixels; equal for images that look exactly alike.
        phash: 64-bit perceptual hash.
    """

    content: int
    phash: int


def fingerprint(image: Any) -> Fingerprint:
    """Compute the fingerprint of an opened image, upright, in sRGB and on white.

    >>> from PIL import Image
    >>> grey = Image.linear_gradient("L")
    >>> fingerprint(grey) == fingerprint(grey.convert("RGB"))
    True
    """
    import imagehash

    image = to_display_image(image).image
    content = blake2b(image.tobytes(), digest_size=8, salt=image.width.to_bytes(8, "big"))
    return Fingerprint(int.from_bytes(content.digest(), "big"), int(str(imagehash.phash(image)), 16))


def fingerprint_records(
    annotations: Iterable[Annotation], *, on_error: OnError = raise_error
) -> Iterator[tuple[int, Fingerprint]]:
    """Line and fingerprint of each record's image, in order, on all cores.

    Args:
        annotations: the records; a few are read ahead.
        on_error: called with the error of each image that cannot be read, which is skipped; by default the first is
            raised.

    Raises:
        DataError: an image cannot be read; field `image`.
    """

    def fingerprint_one(annotation: Annotation) -> tuple[int, Fingerprint]:
        try:
            return annotation.line, fingerprint(load_display_image(annotation.path, str(annotation.path)).image)
        except DataError as error:
            raise error.at_record(annotation) from None

    return map_good(fingerprint_one, annotations, on_error)


def group_records(
    annotations: Iterable[Annotation],
    distance: int = DISTANCE,
    *,
    on_error: OnError = raise_error,
) -> Callable[[Annotation], str | None]:
    """Group records of near-duplicate images; the names of the groups do not depend on the records' order.

    Args:
        annotations: the records of one file, in its order, read once.
        distance: bits of the perceptual hash in which near duplicates may differ.
        on_error: called with the error of each image that cannot be read; by default the first is raised.

    Returns:
        A function that takes a record and returns the name of its group, the empty string if its image has no
        duplicate, or None if its image could not be read.

    Raises:
        DataError: an image cannot be read; field `image`.
    """
    import numpy as np

    lines, hashes = array("Q"), array("Q")
    for line, each in fingerprint_records(annotations, on_error=on_error):
        lines.append(line)
        hashes.append(each.phash)
    of_line = groups((Fingerprint(0, phash) for phash in hashes), distance)
    sizes = np.bincount(of_line)
    least = np.full(len(sizes), np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(least, of_line, np.frombuffer(hashes, np.uint64))

    def group_of(annotation: Annotation) -> str | None:
        index = bisect_left(lines, annotation.line)
        if index == len(lines) or lines[index] != annotation.line:
            return None
        group = of_line[index]
        return f"near duplicates of {least[group]:016x}" if sizes[group] > 1 else ""

    return group_of


def groups(fingerprints: Iterable[Fingerprint | None], distance: int | None = DISTANCE) -> Any:
    """Find the group of each image: images that are duplicates of one another, directly or along a chain.

    All pairs are compared, one image with all others at a time. Time grows with the square of the number of images
    (100,000 images: seconds), memory by some 100 bytes per image.

    Args:
        fingerprints: one per image, read once; None is a duplicate of nothing.
        distance: bits of the perceptual hash in which near duplicates may differ, 0 to 64; None finds only exact
            duplicates.

    Returns:
        (N,) integers: the group of each image, numbered from 0 in the order of first images. An image without
        duplicates forms its own group.

    >>> a, b, c = Fingerprint(1, 0b0000), Fingerprint(2, 0b0011), Fingerprint(3, 0b1111)
    >>> groups([a, c, b, c], distance=2).tolist()
    [0, 0, 0, 0]
    >>> groups([a, c, b, c], distance=1).tolist()
    [0, 1, 2, 1]
    """
    import numpy as np

    keys, absent = array("Q"), array("Q")
    for index, each in enumerate(fingerprints):
        if each is None:
            absent.append(index)
            keys.append(0)
        else:
            keys.append(each.content if distance is None else each.phash)
    values, of_image = np.unique(np.frombuffer(keys, np.uint64), return_inverse=True)
    labels = (_connected(values, distance) if distance else np.arange(len(values)))[of_image]
    labels[np.frombuffer(absent, np.uint64)] = len(values) + np.arange(len(absent))
    _, first, of_label = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[of_label]


def _connected(hashes: Any, distance: int) -> Any:
    """The connected component of each distinct hash; hashes that differ in few bits are joined."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    def components() -> Any:
        pairs = np.concatenate(edges, axis=1)
        graph = coo_array((np.ones(pairs.shape[1], bool), (pairs[0], pairs[1])), shape=(len(hashes), len(hashes)))
        return connected_components(graph, directed=False)[1]

    edges, count = [np.zeros((2, 0), np.int32)], 0
    for index in range(len(hashes) - 1):
        near = np.flatnonzero(_count_bits(hashes[index + 1 :] ^ hashes[index]) <= distance).astype(np.int32)
        if not len(near):
            continue
        edges.append(np.stack([np.full_like(near, index), near + index + 1]))
        count += len(near)
        if count > _MAX_EDGES:  # keep only enough pairs to join each component
            _, first, labels = np.unique(components(), return_index=True, return_inverse=True)
            edges, count = [np.stack([np.arange(len(hashes)), first[labels]]).astype(np.int32)], 0
    return components()


def _count_bits(words: Any) -> Any:
    """Number of set bits in each unsigned 64-bit integer."""
    import numpy as np

    if hasattr(np, "bitwise_count"):
        return np.bitwise_count(words)
    return _bit_counts()[words.view(np.uint16)].reshape(-1, 4).sum(axis=1)  # numpy below 2


@lru_cache
def _bit_counts() -> Any:
    """Number of set bits in each 16-bit integer."""
    import numpy as np

    return np.unpackbits(np.arange(2**16, dtype=np.uint16).view(np.uint8).reshape(-1, 2), axis=1).sum(axis=1)
