"""Claims of the paper that the toy world can test, and the verdict on each from the results of several seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

RESAMPLES = 2000
Result = Mapping[str, Any]
"""What `toy_results` keeps of a seed: sets -> systems -> values per image and metrics."""

MAIN, SFT, UNTUNED, STATIC_1, STATIC_05 = "FakeXplainer", "SFT", "No-FT", "GRPO ω_G=1", "GRPO ω_G=0.5"


class Claim(NamedTuple):
    """A metric of one system on one set exceeds that of another.

    Attributes:
        place: where the paper says it.
        text: what the paper says.
        metric: `accuracy`, `iou`, `boxes` (per answer about a fake image) or `box_area` (share of the image).
        more, less: (system, set) of either side.
        margin: how far the first may fall short; for claims that something costs little.
    """

    place: str
    text: str
    metric: str
    more: tuple[str, str]
    less: tuple[str, str]
    margin: float = 0.0


def _on(set: str, more: str, less: str) -> dict[str, Any]:
    return {"more": (more, set), "less": (less, set)}


CLAIMS = (
    Claim("Table 4", "SFT raises accuracy over no training", "accuracy", **_on("test", SFT, UNTUNED)),
    Claim("§5.3", "GRPO after SFT raises accuracy", "accuracy", **_on("test", MAIN, SFT)),
    Claim("§5.3", "GRPO after SFT raises IoU", "iou", **_on("test", MAIN, SFT)),
    Claim("Table 4", "progressive ω_G is more accurate than ω_G = 1", "accuracy", **_on("test", MAIN, STATIC_1)),
    Claim("Table 4", "progressive ω_G is more accurate than ω_G = 0.5", "accuracy", **_on("test", MAIN, STATIC_05)),
    Claim("Table 4", "progressive ω_G has a higher IoU than ω_G = 1", "iou", **_on("test", MAIN, STATIC_1)),
    Claim("Table 4", "progressive ω_G has a higher IoU than ω_G = 0.5", "iou", **_on("test", MAIN, STATIC_05)),
    Claim("§4.3", "ω_G = 1 from the start gives more boxes", "boxes", **_on("test", STATIC_1, MAIN)),
    Claim("§4.3", "ω_G = 1 from the start gives smaller boxes", "box_area", **_on("test", MAIN, STATIC_1)),
    *(
        Claim("Table 4", f"{part} is less accurate than all data", "accuracy", **_on("test", MAIN, part))
        for part in ("no-bbox", "no-caption", "no-tags", "label-only")
    ),
    Claim("§5.3", "without captions IoU falls", "iou", **_on("test", MAIN, "no-caption")),
    Claim("App. B", "SFT with the ViT frozen is less accurate", "accuracy", **_on("test", SFT, "SFT, ViT frozen")),
    Claim(
        "App. B",
        "SFT with the projector frozen is less accurate",
        "accuracy",
        **_on("test", SFT, "SFT, projector frozen"),
    ),
    Claim("§4.1", "GRPO needs SFT before it: accuracy", "accuracy", **_on("test", MAIN, "GRPO without SFT")),
    Claim(
        "App. C", "JPEG of quality 80 costs at most .01 accuracy", "accuracy", (MAIN, "jpeg-80"), (MAIN, "test"), 0.01
    ),
    Claim(
        "App. C", "JPEG of quality 30 costs at most .01 accuracy", "accuracy", (MAIN, "jpeg-30"), (MAIN, "test"), 0.01
    ),
    Claim("App. C", "cropping lowers IoU", "iou", (MAIN, "test"), (MAIN, "crop-0.8")),
    Claim(
        "App. C", "half the resolution does not lower IoU by over .01", "iou", (MAIN, "down-0.5"), (MAIN, "test"), 0.01
    ),
    Claim("App. D.1", "GRPO raises accuracy out of distribution", "accuracy", **_on("ood", MAIN, SFT)),
    Claim("App. D.1", "label-only is worse out of distribution", "accuracy", **_on("ood", MAIN, "label-only")),
    Claim("App. D.1", "no-bbox is worse out of distribution", "accuracy", **_on("ood", MAIN, "no-bbox")),
)


class Finding(NamedTuple):
    """What the results say about a claim.

    Attributes:
        claim: the claim.
        values: per seed, the metric of either side.
        difference: mean over seeds.
        low, high: 95 % interval of the difference.
        p: of the paired t-test over seeds, against a difference of -margin; None below three seeds.
        verdict: `holds`, `does not hold` or `cannot tell`.
    """

    claim: Claim
    values: tuple[tuple[float, float], ...]
    difference: float
    low: float
    high: float
    p: float | None
    verdict: str


def check(claim: Claim, results: Sequence[Result]) -> Finding | None:
    """Put a claim to the test; None where no seed has both sides.

    The interval resamples images within each seed and also, from three seeds on, the seeds themselves: it is the
    wider of the percentile bootstrap over images and Student's interval over seeds.
    """
    sides = [pair for pair in (_sides(claim, result) for result in results) if pair]
    if not sides:
        return None
    values = tuple((float(_means(more)), float(_means(less))) for more, less in sides)
    differences = [more - less for more, less in values]
    low, high = _over_images(sides)
    p = None
    if len(differences) >= 3:
        p = float(stats.ttest_1samp(differences, -claim.margin).pvalue)
        half = over_seeds(differences)
        low, high = (min(low, np.mean(differences) - half), max(high, np.mean(differences) + half))
    verdict = "holds" if low > -claim.margin else "does not hold" if high < -claim.margin else "cannot tell"
    return Finding(claim, values, float(np.mean(differences)), float(low), float(high), p, verdict)


def format_difference(difference: float, low: float, high: float) -> str:
    """A difference and its interval, as tables show them.

    >>> format_difference(0.0261, 0, 0.052)
    '+0.026 [+0.000, +0.052]'
    """
    return f"{difference:+.3f} [{low:+.3f}, {high:+.3f}]"


def over_seeds(values: Sequence[float]) -> float:
    """Half the width of Student's 95 % interval of the mean of at least two seeds."""
    return float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5)


def _sides(claim: Claim, result: Result) -> tuple[np.ndarray, np.ndarray] | None:
    """Values per image of both sides, image by image; a perturbed set has the images of the set it was made from."""
    found = []
    for system, name in (claim.more, claim.less):
        answers = result["sets"].get(name, {}).get(system)
        if answers is None or claim.metric not in answers:
            return None
        found.append(np.array(answers[claim.metric], float))
    return (found[0], found[1]) if len(found[0]) == len(found[1]) else None


def _means(values: np.ndarray) -> np.ndarray:
    """Means along the last axis of the values that there are; NaN where there is none."""
    with np.errstate(invalid="ignore"):
        return np.nansum(values, axis=-1) / np.isfinite(values).sum(axis=-1)


def _over_images(sides: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float]:
    """Percentile bootstrap of the mean difference, images resampled within each seed, both sides together."""
    rng = np.random.default_rng(0)
    means = np.zeros(RESAMPLES)
    for more, less in sides:
        drawn = rng.integers(0, len(more), (RESAMPLES, len(more)))
        means += _means(more[drawn]) - _means(less[drawn])
    low, high = np.nanpercentile(means / len(sides), (2.5, 97.5))
    return float(low), float(high)
