"""Image paths in the tasks of Label Studio.

- `/data/local-files/?d=a/b.png`: the path after `d=`, relative to the folder that Label Studio served files from
  (LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT), which is then the folder of the images.
- `/data/upload/12/ab12cd34-b.png`: ab12cd34-b.png, else b.png. Label Studio put the eight digits before the name,
  replaced spaces with `_`, and removed characters that it considers unsafe.
- `s3://BUCKET/a/b.png`, `gs://…`, `azure-blob://…`: the path within the bucket.
- `http://…`: the image is on the web, so it may be found only by its name; but a URL of Label Studio's own files is
  read as above.
- any other: a path in the folder of the images.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote

from swift_plugins.fakexplain.errors import DataError

_BUCKETS = ("s3", "gs", "azure-blob")
_UPLOAD = re.compile(r"/data/upload/(?:\d+/)?([0-9a-f]{8}-)?(.+)", re.DOTALL)
_LOCAL = re.compile(r"/data/local-files/?$")


def local_paths(url: str, at: str) -> tuple[str, ...]:
    """The paths in the folder of the images that a task's URL may mean, the likeliest first.

    Args:
        url: the path or URL in the task.
        at: path to it in the file, for the error.

    Raises:
        DataError: the image is in the task itself.

    >>> local_paths("/data/upload/12/ab12cd34-b.png", "data.image")
    ('ab12cd34-b.png', 'b.png')
    """
    scheme, colon, rest = url.partition("://")
    if colon and scheme in _BUCKETS:
        return (rest.partition("/")[2],)
    path, _, query = (f"/{rest.partition('/')[2]}" if colon else url).partition("?")
    if path.startswith("/") and _LOCAL.search(path):
        return (parse_qs(query).get("d", [""])[0],)
    if path.startswith("/") and (upload := _UPLOAD.search(path)):
        prefix, name = upload[1] or "", unquote(upload[2])
        return (prefix + name, name) if prefix else (name,)
    if url.startswith("data:"):
        raise DataError("an image in the folder of the images; save it there, and write its path here", url, field=at)
    return (url,)
