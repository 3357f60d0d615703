"""Files of a source: paths in it, its one file, its images."""

import pytest

from converters.drafts.draft import inner_path, only_file
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.images import image_files
from tests.converters.pictures import OUTSIDE, picture


@pytest.mark.parametrize("name", OUTSIDE)
def test_paths_that_lead_outside_are_refused(name):
    with pytest.raises(DataError, match="expected a relative path that stays inside"):
        inner_path(name)


def test_linked_folders_are_entered_and_loops_are_not(tmp_path):
    picture(tmp_path / "store/real/a.jpg")
    picture(tmp_path / "data/b.JPE", kind="JPEG")
    picture(tmp_path / "data/.hidden/c.png")
    (tmp_path / "data/0_real").symlink_to(tmp_path / "store/real")
    (tmp_path / "data/0_real/up").symlink_to(tmp_path / "data")
    names = [path.relative_to(tmp_path).as_posix() for path in image_files(tmp_path / "data")]
    assert names == ["data/0_real/a.jpg", "data/b.JPE"]


def test_a_folder_with_several_candidates_is_an_error(tmp_path):
    for name in ("a.json", "b.json"):
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=r"expected one \*\.json; .* found 2: a\.json, b\.json"):
        only_file(tmp_path, "*.json")
