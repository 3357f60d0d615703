"""The paper's generators: Table 1's rows, and names as people write them."""

from collections import Counter

import pytest

from swift_plugins.fakexplain.generators import FAMILIES, GENERATORS, family_of, generator_of


def test_table_1_has_15_diffusion_models_and_4_of_each_other_family():
    assert Counter(GENERATORS.values()) == {"diffusion": 15, "gan": 4, "dit": 4, "other": 4}
    assert set(GENERATORS.values()) == set(FAMILIES)


@pytest.mark.parametrize("name", GENERATORS)
def test_every_generator_is_found_in_any_dress(name):
    bare = "".join(c for c in name if c.isalnum())
    for spelling in (name, name.upper(), name.lower().replace(" ", "-"), name.replace("-", "_"), bare, f"some/{name}"):
        assert generator_of(spelling) == name
        assert family_of(spelling) == GENERATORS[name]


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("flux1 dev", "FLUX.1-dev"),
        ("FLUX dev", "FLUX.1-dev"),
        ("FLUX.1 [schnell]", "FLUX.1-schnell"),
        ("Stable Diffusion 1.5", "SD 1.5"),
        ("stable-diffusion-v1-4", "SD 1.4"),
        ("SDv2.1", "SD 2.1"),
        ("stable_diffusion_3.5_large_turbo", "SD 3.5 Large Turbo"),
        ("Midjourney 5", "Midjourney v5"),
        ("MJ v4", "Midjourney v4"),
        ("DALL·E 3", "DALL-E 3"),
        ("PixArt-α", "PixArtAlpha"),
        ("PixArtΣ", "PixArtSigma"),  # lower case writes a final sigma another way
        ("VQ-Diffusion", "VQDM"),
    ],
)
def test_other_spellings(spelling, name):
    assert generator_of(spelling) == name


@pytest.mark.parametrize(
    ("line", "family"), [("Midjourney", "diffusion"), ("DALL-E", "diffusion"), ("PixArt", "dit"), ("StyleGAN", "gan")]
)
def test_a_name_of_several_versions_has_a_family_but_is_no_generator(line, family):
    assert generator_of(line) is None and family_of(line) == family


@pytest.mark.parametrize("name", ["", "camera", "various", "SD 1.6", "Midjourney v6", "FLUX.1-devil", "GAN", "dits"])
def test_what_is_not_of_the_paper_has_none(name):
    assert generator_of(name) is None and family_of(name) is None
