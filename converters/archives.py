"""Sources that come as a ZIP archive: unpacked beside their place, and nothing outside it."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from swift_plugins.fakexplain.annotation import AnnotationError, Words

from .source import inner_path

MOST = 200  # how many times larger than its packed self a member may be once it is larger than
LARGE = 64 * 2**20  # bytes


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a ZIP archive into an empty folder.

    Raises:
        AnnotationError: it is no archive, or a member would leave the folder, is a link, is encrypted, has another's
            name, or grows so much that it must be a bomb; nothing is unpacked then.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
            targets = [folder.joinpath(*_checked(member).parts) for member in members]
            if len(set(targets)) < len(targets):
                raise AnnotationError("one member of each name", Words("a name twice"))
            for member, target in zip(members, targets, strict=True):
                target.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(member) as source, open(target, "wb") as sink:
                    shutil.copyfileobj(source, sink)
    except AnnotationError as error:
        raise error.at(str(archive), 0) from None
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise AnnotationError("a ZIP archive", Words(str(error))).at(str(archive), 0) from None


def _checked(member: zipfile.ZipInfo) -> Path:
    path = Path(inner_path(member.orig_filename, field="member"))
    if (member.external_attr >> 16) & 0o170000 == 0o120000:
        raise AnnotationError("a file", Words(f"the link {member.filename}"), field="member")
    if member.flag_bits & 1:
        raise AnnotationError("a file without a password", member.filename, field="member")
    if member.file_size > max(LARGE, MOST * member.compress_size):
        size = f"{member.filename}: {member.file_size:,} bytes out of {member.compress_size:,}"
        raise AnnotationError(f"at most {MOST} bytes out of each", Words(size), field="member")
    return path
