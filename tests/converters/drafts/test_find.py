"""Finding images: paths, names written differently, folders of tools, by name alone, and never the image of another."""

import unicodedata

import pytest

from converters.drafts.draft import Draft
from converters.drafts.find import Finder
from swift_plugins.fakexplain.errors import DataError
from tests.converters.reading import pictures

NFD = unicodedata.normalize("NFD", "bé/é.png")


@pytest.mark.parametrize(
    ("image", "others", "file", "name", "how"),
    [
        ("a.png", (), "a.png", "a.png", "at its path"),
        ("a.png", (), "images/a.png", "a.png", "at its path"),
        ("b\\..\\a.png", (), "a.png", "a.png", "at its path"),
        ("bé/é.png", (), NFD, "bé/é.png", "renamed"),
        (NFD, (), "bé/é.png", NFD, "renamed"),
        ("Pics/A.PNG", (), "pics/a.png", "Pics/A.PNG", "renamed"),
        ("frame_07", (), "images/frame_07.PNG", "frame_07", "renamed"),
        ("train/a.png", ("a.png",), "a.png", "a.png", "renamed"),
        ("C:\\me\\proj\\pics\\a.png", (), "pics/a.png", "pics/a.png", "renamed"),
    ],
)
def test_an_image_is_found(tmp_path, image, others, file, name, how):
    pictures(tmp_path, file)
    found = Finder(tmp_path).find(Draft(image, others=others))
    assert (found.inner.as_posix(), str(found.name), found.how) == (file, name, how)
    assert (tmp_path / found.inner).is_file()


def test_the_name_as_it_is_goes_first(tmp_path):
    pictures(tmp_path, "ab12cd34-a.png", "a.png")
    found = Finder(tmp_path).find(Draft("ab12cd34-a.png", others=("a.png",)))
    assert str(found.inner) == "ab12cd34-a.png"


@pytest.mark.parametrize("image", ["/mnt/x/a.png", "D:\\a.png", "../a.png", "https://x.org/a.png", "labels/a.png"])
def test_by_its_name_alone_where_the_user_names_the_folder(tmp_path, image):
    pictures(tmp_path, "deep/er/a.png")
    with pytest.raises(DataError, match="--images"):
        Finder(tmp_path).find(Draft(image))
    found = Finder(tmp_path, search=True).find(Draft(image))
    assert (str(found.inner), found.how) == ("deep/er/a.png", "searched")
    pictures(tmp_path, "other/a.png")
    with pytest.raises(DataError, match=r"unique below --images, found 2 of the name a\.png: deep/er/a\.png, other"):
        Finder(tmp_path, search=True).find(Draft(image))


@pytest.mark.parametrize(
    ("drafts", "file"),
    [
        ([Draft("Train/a.png", others=("a.png",)), Draft("Test/a.png", others=("a.png",))], "a.png"),
        ([Draft("ab12cd34-a.png", others=("a.png",)), Draft("ef567890-a.png", others=("a.png",))], "a.png"),
        ([Draft("/x/a.png"), Draft("/y/a.png")], "deep/a.png"),
        ([Draft("A.PNG"), Draft("a.PNG")], "a.png"),
    ],
)
def test_an_image_that_two_may_claim_is_no_ones(tmp_path, drafts, file):
    pictures(tmp_path, file)
    finder = Finder(tmp_path, lambda: drafts, search=True)
    for draft in drafts:
        with pytest.raises(DataError):
            finder.find(draft)
    alone = Finder(tmp_path, lambda: drafts[:1] * 2, search=True)
    assert str(alone.find(drafts[0]).inner) == file
