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
        metric: `accuracy`, `iou`, or of fake images `boxes` (per answer), `box_area` (mean share of the image) or
            `boxed` (sum of the boxes' shares).
        more, less: (system, set) of either side.
        margin: how far the first may fall short; for claims that something costs or gains little.
        paper: the difference in the paper's tables, from the lowest to the highest; empty if they have none.
        why: what the result here comes from, as far as it was looked into.
    """

    place: str
    text: str
    metric: str
    more: tuple[str, str]
    less: tuple[str, str]
    margin: float = 0.0
    paper: tuple[float, ...] = ()
    why: str = ""


def _on(name: str, more: str, less: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Both sides of a claim about two systems on one set."""
    return (more, name), (less, name)


CROP, HALF, AGAIN = ((MAIN, name) for name in ("crop-0.8", "down-0.5", "rescale-0.5"))
UNCHANGED = (MAIN, "test")
MUTE = "untrained, the tiny backbone gives no verdict"
ONE_SIZE = "training has seen images of one size; enlarged again, they lose little or nothing (next two lines)"
FITTED = "perhaps because pretraining on drawn shapes has fitted it already, which was not tested"
FEW_KINDS = "here SFT alone learns to box; perhaps because flaws are of a few drawn kinds, which was not tested"
CLAIMS = (
    Claim(
        "Table 4", "SFT raises accuracy over no training", "accuracy", *_on("test", SFT, UNTUNED), 0, (0.159,), MUTE
    ),
    Claim(
        "Table 4", "SFT alone raises IoU by at most .05", "iou", *_on("test", UNTUNED, SFT), 0.05, (0.001,), FEW_KINDS
    ),
    Claim("Table 4", "GRPO after SFT raises accuracy", "accuracy", *_on("test", MAIN, SFT), 0, (0.089,)),
    Claim(
        "Table 4", "GRPO after SFT raises IoU", "iou", *_on("test", MAIN, SFT), 0, (0.317,),
        "SFT's IoU here is above the paper's final one",
    ),
    *(
        Claim("Table 4", f"progressive ω_G {words} than ω_G = {omega}", metric, *_on("test", MAIN, static), 0, (paper,))
        for words, metric, static, omega, paper in (
            ("is more accurate", "accuracy", STATIC_1, "1", 0.045),
            ("is more accurate", "accuracy", STATIC_05, "0.5", 0.008),
            ("has a higher IoU", "iou", STATIC_1, "1", 0.095),
            ("has a higher IoU", "iou", STATIC_05, "0.5", 0.137),
        )
    ),
    Claim(
        "§4.3", "ω_G = 1 from the start gives more boxes", "boxes", *_on("test", STATIC_1, MAIN),
        why="every ω_G leaves fewer and larger boxes than SFT (next table)",
    ),
    Claim("§4.3", "ω_G = 1 from the start gives smaller boxes", "box_area", *_on("test", MAIN, STATIC_1)),
    *(
        Claim("Table 4", f"{part} is less accurate than all data", "accuracy", *_on("test", MAIN, part), 0, (paper,))
        for part, paper in (("no-bbox", 0.030), ("no-caption", 0.040), ("no-tags", 0.020), ("label-only", 0.045))
    ),
    Claim("§5.3", "without captions IoU falls", "iou", *_on("test", MAIN, "no-caption"), 0, (0.095,)),
    Claim("App. B", "SFT with the ViT frozen is less accurate", "accuracy", *_on("test", SFT, "SFT, ViT frozen")),
    Claim(
        "App. B", "SFT with the projector frozen is less accurate", "accuracy",
        *_on("test", SFT, "SFT, projector frozen"), why=FITTED,
    ),
    *(
        Claim(
            "App. B", f"SFT with the {part} frozen gains at most .05 accuracy", "accuracy",
            *_on("test", UNTUNED, f"SFT, {part} frozen"), 0.05, why=MUTE,
        )
        for part in ("ViT", "projector")
    ),
    Claim("§4.1", "GRPO needs SFT before it: accuracy", "accuracy", *_on("test", MAIN, "GRPO without SFT")),
    *(
        Claim(
            "App. C", f"JPEG of quality {quality} costs at most .01 accuracy", "accuracy",
            (MAIN, f"jpeg-{quality}"), UNCHANGED, 0.01, (paper,),
        )
        for quality, paper in ((80, -0.003), (30, -0.005))
    ),
    Claim(
        "App. C", "cropping costs at most .02 accuracy", "accuracy", CROP, UNCHANGED, 0.02, (-0.020,),
        "training has seen no image of this size",
    ),
    Claim("App. C", "cropping lowers IoU", "iou", UNCHANGED, CROP, 0, (0.046,)),
    Claim("App. C", "half the size costs at most .01 accuracy", "accuracy", HALF, UNCHANGED, 0.01, (-0.002,), ONE_SIZE),
    Claim("App. C", "half the size costs at most .01 IoU", "iou", HALF, UNCHANGED, 0.01, (0.002,), ONE_SIZE),
    Claim("App. C", "half the size, enlarged again, costs at most .01 accuracy", "accuracy", AGAIN, UNCHANGED, 0.01),
    Claim("App. C", "half the size, enlarged again, costs at most .01 IoU", "iou", AGAIN, UNCHANGED, 0.01),
    Claim("App. D.1", "GRPO raises accuracy out of distribution", "accuracy", *_on("ood", MAIN, SFT), 0, (0.184, 0.21)),
    *(
        Claim("App. D.1", f"{part} is worse out of distribution", "accuracy", *_on("ood", MAIN, part), 0, paper)
        for part, paper in (("label-only", (0.198, 0.262)), ("no-bbox", (0.015, 0.149)))
    ),
)  # fmt: skip


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

    The interval spans the percentile bootstrap over images, both sides together, and from three seeds on Student's
    interval over seeds.

    Raises:
        ValueError: the two sides of a seed are about different numbers of images.
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


def explain(finding: Finding) -> str:
    """Say what the numbers of a finding leave open, and then the claim's `why`."""
    claim, parts = finding.claim, []
    if finding.verdict != "holds" and claim.paper:
        inside = any(finding.low <= value <= finding.high for value in claim.paper)
        parts.append(f"the interval {'includes' if inside else 'excludes'} the paper's difference")
    signs = {more - less > -claim.margin for more, less in finding.values}
    if finding.verdict == "cannot tell" and len(finding.values) > 1:
        parts.append(f"the seeds {'agree' if len(signs) == 1 else 'differ'} in sign")
    return "; ".join([*parts, *filter(None, [claim.why])]) or "–"


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
        values = None if answers is None else _values(answers, claim.metric)
        if values is None:
            return None
        found.append(values)
    if len(found[0]) != len(found[1]):
        raise ValueError(f"seed {result['seed']}: {claim.more} and {claim.less} are about different numbers of images")
    return found[0], found[1]


def _values(answers: Mapping[str, Any], metric: str) -> np.ndarray | None:
    """(n,) values of a metric; None without it."""
    if metric == "boxed":
        boxes, area = (_values(answers, name) for name in ("boxes", "box_area"))
        return None if boxes is None or area is None else boxes * np.nan_to_num(area)
    return np.array(answers[metric], float) if metric in answers else None


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
