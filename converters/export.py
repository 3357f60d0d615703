"""Records to export in an outside format, and the folder of their images."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from swift_plugins.fakexplain.annotation import Annotation, read_annotations
from swift_plugins.fakexplain.errors import DataError, OnError
from swift_plugins.fakexplain.images import check_image, image_key
from swift_plugins.fakexplain.paths import resolve_folder


def each_with_image(records: Iterable[Annotation], on_error: OnError) -> Iterator[Annotation]:
    """Yield the records that have a readable image of the right size.

    Args:
        records: the records.
        on_error: called with the error of each other record.
    """
    for record in records:
        try:
            check_image(record)
        except DataError as error:
            on_error(error)
        else:
            yield record


def images_folder(annotations: Path) -> Path:
    """An annotations file's folder, or its nearest parent that contains all images; bad records are skipped."""
    folder = resolve_folder(annotations.parent)
    common = str(folder)
    last = None
    for record in read_annotations(annotations, on_error=lambda _: None):
        if (parent := record.path.parent) != last:  # mostly, records of one folder follow each other
            common, last = os.path.commonpath((common, image_key(parent))), parent
    return annotations.parent if common == str(folder) else Path(common)
