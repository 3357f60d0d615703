"""ZIP archives: what is unpacked, and what is refused."""

import io
import zipfile

import pytest

from converters.convert_source import is_archive
from converters.drafts import archives
from converters.drafts.archives import unpack
from swift_plugins.fakexplain.errors import DataError


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "a/../../b.png", "C:/a.png", "..\\a.png"])
def test_a_member_that_would_leave_the_folder_is_refused(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        archive.writestr("good.png", b"1")
        archive.writestr(name, b"2")
    (tmp_path / "to").mkdir()
    with pytest.raises(DataError, match=r"s\.zip: member: expected a relative path that stays inside"):
        unpack(tmp_path / "s.zip", tmp_path / "to")
    assert not list((tmp_path / "to").iterdir())


def test_a_bomb_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "s.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(2**27))
    with pytest.raises(DataError, match=r"expected at most 200 unpacked bytes per packed byte, found bomb: 134,2"):
        unpack(tmp_path / "s.zip", tmp_path)


def test_many_small_bombs_are_one(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "LARGE_IN_ALL", 2**22)
    with zipfile.ZipFile(tmp_path / "s.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for index in range(8):
            archive.writestr(f"{index}", bytes(2**20))
    with pytest.raises(
        DataError, match=r"expected at most 200 unpacked bytes per packed byte, found all members: 8,388,608"
    ):
        archives.unpack(tmp_path / "s.zip", tmp_path)


def test_what_macos_adds_is_passed_over(tmp_path):
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        archive.writestr("a.json", b"[]")
        archive.writestr("__MACOSX/._a.json", b"x")
    unpack(tmp_path / "s.zip", tmp_path / "to")
    assert [path.name for path in (tmp_path / "to").rglob("*")] == ["a.json"]


def test_a_broken_member_is_an_error(tmp_path):
    with zipfile.ZipFile(tmp_path / "s.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(range(256)) * 99)
    raw = bytearray((tmp_path / "s.zip").read_bytes())
    raw[31:60] = bytes(29)
    (tmp_path / "s.zip").write_bytes(raw)
    with pytest.raises(DataError, match=r"s\.zip: expected a ZIP archive"):
        unpack(tmp_path / "s.zip", tmp_path / "to")


def test_a_link_is_refused(tmp_path):
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(DataError, match="member: expected a file, found the link link"):
        unpack(tmp_path / "s.zip", tmp_path)


def test_a_file_that_is_no_archive_is_refused(tmp_path):
    (tmp_path / "s.zip").write_bytes(io.BytesIO(b"text").read())
    with pytest.raises(DataError, match=r"s\.zip: expected a ZIP archive"):
        unpack(tmp_path / "s.zip", tmp_path)


def test_a_folder_is_no_archive_whatever_its_name(tmp_path):
    (tmp_path / "a.zip").mkdir()
    (tmp_path / "b.ZIP").touch()
    assert [is_archive(tmp_path / name) for name in ("a.zip", "b.ZIP", "b.json")] == [False, True, False]
