"""Perturbations by name: what is read, how folders are called, what is refused."""

import pytest

from converters.images.chains import PAPER_CHAINS, PRESETS, Step, parse_chain


@pytest.mark.parametrize(
    ("text", "name", "folder", "suffix"),
    [
        ("jpeg:80", "jpeg:80", "jpeg-80", ".jpg"),
        ("webp:80.0", "webp:80", "webp-80", ".webp"),
        ("crop:0.80", "crop:0.8", "crop-0.8", ".png"),
        ("jpeg:30+down:0.5", "jpeg:30+down:0.5", "jpeg-30_down-0.5", ".png"),
        ("social+blur:1.5", "social+blur:1.5", "social_blur-1.5", ".png"),
        ("messenger", "messenger", "messenger", ".jpg"),
    ],
)
def test_names(text, name, folder, suffix):
    chain = parse_chain(text)
    assert (chain.name, chain.folder, chain.suffix) == (name, folder, suffix)
    assert parse_chain(name) == chain


def test_a_preset_is_its_chain():
    for name, chain in PRESETS.items():
        assert parse_chain(name).steps == parse_chain(chain).steps
    assert parse_chain("messenger").steps == (Step("fit", 800), Step("jpeg", 60), Step("jpeg", 40))
    assert [parse_chain(name).name for name in PAPER_CHAINS] == ["jpeg:80", "jpeg:30", "crop:0.8", "down:0.5"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jpg:80", "expected social, messenger or KIND:VALUE of jpeg, webp, .*, found 'jpg:80'"),
        ("", "found ''"),
        ("jpeg:80+", "found ''"),
        ("jpeg", "expected jpeg: followed by a whole number from 1 to 100, found 'jpeg'"),
        ("jpeg:0", "from 1 to 100"),
        ("jpeg:101", "from 1 to 100"),
        ("jpeg:80.5", "a whole number"),
        ("webp:-1", "from 1 to 100"),
        ("crop:0", "expected crop: followed by a fraction between 0 and 1, found 'crop:0'"),
        ("crop:1", "between 0 and 1"),
        ("crop:80", "between 0 and 1"),
        ("down:2", "between 0 and 1"),
        ("rescale:1.0", "between 0 and 1"),
        ("fit:0", "from 1 to 65535"),
        ("blur:0", "between 0 and 100"),
        ("blur:nan", "between 0 and 100"),
        ("noise:inf", "between 0 and 255"),
        ("noise:1e1", "between 0 and 255"),
        ("noise: 8", "between 0 and 255"),
    ],
)
def test_what_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse_chain(text)
