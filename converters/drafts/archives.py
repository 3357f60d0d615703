"""Unpack sources that come as ZIP archives, and write nothing outside the target folder."""

from __future__ import annotations

import lzma
import shutil
import zipfile
import zlib
from pathlib import Path

from swift_plugins.fakexplain.errors import DataError, Unquoted

from .draft import inner_path

MAX_GROWTH = 200  # maximum ratio of unpacked to packed size, for sizes above
LARGE, LARGE_IN_ALL = 2**26, 2**30  # bytes, of a member and of all members


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a ZIP archive into an empty folder.

    Raises:
        DataError: it is not an archive; a member would leave the folder, is a link, is encrypted or repeats a name; or
            the unpacked size is that of a decompression bomb. Then nothing is unpacked. Members that precede a broken
            one remain in the folder.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir() and not _is_of_macos(member)]
            targets = [folder.joinpath(*_check_member(member).parts) for member in members]
            _check_growth("all members", sum(each.file_size for each in members), archive.stat().st_size, LARGE_IN_ALL)
            if len(set(targets)) < len(targets):
                raise DataError("unique names of members", Unquoted("a repeated name"))
            for member, target in zip(members, targets, strict=True):
                target.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(member) as source, open(target, "wb") as sink:
                    shutil.copyfileobj(source, sink)
    except DataError as error:
        raise error.at(str(archive), 0) from None
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError("a ZIP archive", Unquoted(str(error))).at(str(archive), 0) from None


def _check_member(member: zipfile.ZipInfo) -> Path:
    path = Path(inner_path(member.orig_filename, field="member"))
    if (member.external_attr >> 16) & 0o170000 == 0o120000:
        raise DataError("a file", Unquoted(f"the link {member.filename}"), field="member")
    if member.flag_bits & 1:
        raise DataError("a file without a password", member.filename, field="member")
    _check_growth(member.filename, member.file_size, member.compress_size, LARGE)
    return path


def _check_growth(name: str, size: int, packed: int, large: int) -> None:
    if size > max(large, MAX_GROWTH * packed):
        found = Unquoted(f"{name}: {size:,} bytes from {packed:,}")
        raise DataError(f"at most {MAX_GROWTH} unpacked bytes per packed byte", found, field="member")


def _is_of_macos(member: zipfile.ZipInfo) -> bool:
    """Whether a member is metadata that macOS adds for each file."""
    return member.filename.startswith("__MACOSX/")
