"""The paper's generators and their families.

App. A.1 speaks of 28 generators; Table 1 lists these 27, under the families of App. A.1.
"""

from __future__ import annotations

import re
from functools import lru_cache

FAMILIES = ("diffusion", "gan", "dit", "other")

GENERATORS = {
    "DALL-E 2": "diffusion",
    "DALL-E 3": "diffusion",
    "DDIM": "diffusion",
    "DDPM": "diffusion",
    "FLUX.1-dev": "diffusion",
    "FLUX.1-schnell": "diffusion",
    "GLIDE": "diffusion",
    "Midjourney v4": "diffusion",
    "Midjourney v5": "diffusion",
    "SD 1.4": "diffusion",
    "SD 1.5": "diffusion",
    "SD 2.1": "diffusion",
    "SD 3.5 Large": "diffusion",
    "SD 3.5 Large Turbo": "diffusion",
    "VQDM": "diffusion",
    "BigGAN": "gan",
    "GALIP": "gan",
    "VQGAN": "gan",
    "StyleGAN-XL": "gan",
    "PixArtAlpha": "dit",
    "PixArtDelta": "dit",
    "PixArtSigma": "dit",
    "DiT": "dit",
    "VAR": "other",
    "Infinity": "other",
    "MaskGIT": "other",
    "LlamaGen": "other",
}
"""Generator, as Table 1 spells it and in its order -> family."""

# Names without a version in App. A.1, and other spellings; normalised as by `_key`.
_LINES = {"dalle": "diffusion", "midjourney": "diffusion", "sd": "diffusion", "pixart": "dit", "stylegan": "gan"}
_SPELLINGS = (
    (r"v(?=\d)", ""),
    (r"stablediffusion", "sd"),
    (r"^mj(?=\d|$)", "midjourney"),
    (r"^flux(?=dev|schnell)", "flux1"),
    (r"^vqdiffusion$", "vqdm"),
    ("α", "alpha"),
    ("δ", "delta"),
    ("σ", "sigma"),
)


def generator_of(name: str) -> str | None:
    """Return the generator of Table 1 for a name, in the spelling of the table, or None.

    Case, spaces, punctuation, a `v` before a version and the owner in `owner/model` are ignored.

    >>> [generator_of(name) for name in ("flux1 dev", "Stable Diffusion v1.5", "stabilityai/stable-diffusion-2-1")]
    ['FLUX.1-dev', 'SD 1.5', 'SD 2.1']
    >>> generator_of("SD 15 Large") is None
    True
    """
    return _GENERATORS.get(_key(name))


def family_of(generator: str) -> str | None:
    """Return the family of one of the paper's generators, or None; the name without a version is enough.

    >>> [family_of(name) for name in ("Stable Diffusion", "PixArt-Σ", "vq-gan", "LLAMAGEN", "camera")]
    ['diffusion', 'dit', 'gan', 'other', None]
    """
    name = generator_of(generator)
    return GENERATORS[name] if name else _LINES.get(_key(generator))


@lru_cache(maxsize=1024)
def _key(name: str) -> str:
    """Letters and digits only, in one spelling."""
    key = re.sub(r"[\W_]", "", name.rsplit("/", 1)[-1].casefold())
    for pattern, spelling in _SPELLINGS:
        key = re.sub(pattern, spelling, key)
    return key


_GENERATORS = {_key(name): name for name in GENERATORS}
