"""Sources that come as a ZIP archive: unpacked beside their place, and nothing outside it."""

from __future__ import annotations

import lzma
import shutil
import zipfile
import zlib
from pathlib import Path

from swift_plugins.fakexplain.errors import DataError, Unquoted

from .draft import inner_path

_MOST_TIMES = 200  # how many times larger than its packed self a member may be once it is larger than
LARGE, LARGE_IN_ALL = 2**26, 2**30  # bytes


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a ZIP archive into an empty folder.

    Raises:
        DataError: it is no archive, or a member would leave the folder, is a link, is encrypted, has another's
            name, or it grows so much that it must be a bomb; then nothing is unpacked, except where a member turns out
            to be broken.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir() and not _is_of_macos(member)]
            targets = [folder.joinpath(*_checked(member).parts) for member in members]
            _check_growth("in all", sum(each.file_size for each in members), archive.stat().st_size, LARGE_IN_ALL)
            if len(set(targets)) < len(targets):
                raise DataError("one member of each name", Unquoted("a name twice"))
            for member, target in zip(members, targets, strict=True):
                target.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(member) as source, open(target, "wb") as sink:
                    shutil.copyfileobj(source, sink)
    except DataError as error:
        raise error.at(str(archive), 0) from None
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError("a ZIP archive", Unquoted(str(error))).at(str(archive), 0) from None


def _checked(member: zipfile.ZipInfo) -> Path:
    path = Path(inner_path(member.orig_filename, field="member"))
    if (member.external_attr >> 16) & 0o170000 == 0o120000:
        raise DataError("a file", Unquoted(f"the link {member.filename}"), field="member")
    if member.flag_bits & 1:
        raise DataError("a file without a password", member.filename, field="member")
    _check_growth(member.filename, member.file_size, member.compress_size, LARGE)
    return path


def _check_growth(name: str, size: int, packed: int, large: int) -> None:
    if size > max(large, _MOST_TIMES * packed):
        found = Unquoted(f"{name}: {size:,} bytes out of {packed:,}")
        raise DataError(f"at most {_MOST_TIMES} bytes out of each", found, field="member")


def _is_of_macos(member: zipfile.ZipInfo) -> bool:
    """Whether it is what macOS packs beside each file."""
    return member.filename.startswith("__MACOSX/")
