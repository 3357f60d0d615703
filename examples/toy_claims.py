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
        paper: the difference in the paper's tables, if they have it.
        why: what the result here comes from, as far as it was looked into; needed unless the claim holds.
    """

    place: str
    text: str
    metric: str
    more: tuple[str, str]
    less: tuple[str, str]
    margin: float = 0.0
    paper: str = "–"
    why: str = ""


def _on(set: str, more: str, less: str) -> dict[str, Any]:
    return {"more": (more, set), "less": (less, set)}


CLAIMS = (
    Claim(
        "Table 4",
        "SFT raises accuracy over no training",
        "accuracy",
        **_on("test", SFT, UNTUNED),
        paper="+0.159",
        why="untrained, the tiny backbone gives no verdict",
    ),
    Claim(
        "Table 4",
        "SFT alone raises IoU by at most .05",
        "iou",
        **_on("test", UNTUNED, SFT),
        margin=0.05,
        paper="+0.001",
        why="scale: a few drawn kinds of flaw are learned from examples alone",
    ),
    Claim(
        "Table 4",
        "GRPO after SFT raises accuracy",
        "accuracy",
        **_on("test", MAIN, SFT),
        paper="+0.089",
        why="the interval begins at 0; a gain like the paper's is excluded: SFT of drawn flaws leaves less to gain",
    ),
    Claim(
        "Table 4",
        "GRPO after SFT raises IoU",
        "iou",
        **_on("test", MAIN, SFT),
        paper="+0.317",
        why="the interval begins at 0; SFT boxes well already (two lines above)",
    ),
    Claim(
        "Table 4",
        "progressive ω_G is more accurate than ω_G = 1",
        "accuracy",
        **_on("test", MAIN, STATIC_1),
        paper="+0.045",
        why="no difference shows; one like the paper's is excluded",
    ),
    Claim(
        "Table 4",
        "progressive ω_G is more accurate than ω_G = 0.5",
        "accuracy",
        **_on("test", MAIN, STATIC_05),
        paper="+0.008",
        why="the paper's difference is smaller than the spread here",
    ),
    Claim(
        "Table 4",
        "progressive ω_G has a higher IoU than ω_G = 1",
        "iou",
        **_on("test", MAIN, STATIC_1),
        paper="+0.095",
        why="no difference shows; one like the paper's is excluded",
    ),
    Claim(
        "Table 4",
        "progressive ω_G has a higher IoU than ω_G = 0.5",
        "iou",
        **_on("test", MAIN, STATIC_05),
        paper="+0.137",
        why="no difference shows; one like the paper's is excluded",
    ),
    Claim(
        "§4.3",
        "ω_G = 1 from the start gives more boxes",
        "boxes",
        **_on("test", STATIC_1, MAIN),
        why="every ω_G leaves fewer and larger boxes than SFT, whose answers have four at most (table below)",
    ),
    Claim(
        "§4.3",
        "ω_G = 1 from the start gives smaller boxes",
        "box_area",
        **_on("test", MAIN, STATIC_1),
        why="as the line above",
    ),
    *(
        Claim(
            "Table 4",
            f"{part} is less accurate than all data",
            "accuracy",
            **_on("test", MAIN, part),
            paper=paper,
            why=why,
        )
        for part, paper, why in (
            ("no-bbox", "+0.030", ""),
            ("no-caption", "+0.040", "the seeds agree in sign; too few images to tell"),
            ("no-tags", "+0.020", "the seeds disagree"),
            ("label-only", "+0.045", ""),
        )
    ),
    Claim(
        "§5.3",
        "without captions IoU falls",
        "iou",
        **_on("test", MAIN, "no-caption"),
        paper="+0.095",
        why="the seeds disagree",
    ),
    Claim(
        "App. B",
        "SFT with the ViT frozen is less accurate",
        "accuracy",
        **_on("test", SFT, "SFT, ViT frozen"),
        why="two seeds of three agree; the third sees no difference",
    ),
    Claim(
        "App. B",
        "SFT with the projector frozen is less accurate",
        "accuracy",
        **_on("test", SFT, "SFT, projector frozen"),
        why="not looked into; perhaps pretraining on drawn shapes has fitted it already",
    ),
    *(
        Claim(
            "App. B",
            f"SFT with the {part} frozen raises accuracy over no training by at most .05",
            "accuracy",
            **_on("test", UNTUNED, f"SFT, {part} frozen"),
            margin=0.05,
            why="scale: untrained, the tiny backbone gives no verdict",
        )
        for part in ("ViT", "projector")
    ),
    Claim("§4.1", "GRPO needs SFT before it: accuracy", "accuracy", **_on("test", MAIN, "GRPO without SFT")),
    Claim(
        "App. C",
        "JPEG of quality 80 costs at most .01 accuracy",
        "accuracy",
        (MAIN, "jpeg-80"),
        (MAIN, "test"),
        0.01,
        "-0.003",
    ),
    Claim(
        "App. C",
        "JPEG of quality 30 costs at most .01 accuracy",
        "accuracy",
        (MAIN, "jpeg-30"),
        (MAIN, "test"),
        0.01,
        "-0.005",
        "the paper's loss and the margin are within the interval",
    ),
    Claim(
        "App. C",
        "cropping costs at most .02 accuracy",
        "accuracy",
        (MAIN, "crop-0.8"),
        (MAIN, "test"),
        0.02,
        "-0.020",
        "scale, at least in part: training has seen no image of this size",
    ),
    Claim("App. C", "cropping lowers IoU", "iou", (MAIN, "test"), (MAIN, "crop-0.8"), paper="+0.046"),
    *(
        Claim(
            "App. C",
            f"half the resolution does not lower {words} by over .01",
            metric,
            (MAIN, "down-0.5"),
            (MAIN, "test"),
            0.01,
            paper,
            "scale: training has seen images of one size; enlarged again, the loss is gone (next two lines)",
        )
        for metric, words, paper in (("accuracy", "accuracy", "-0.002"), ("iou", "IoU", "+0.002"))
    ),
    *(
        Claim(
            "App. C",
            f"half the resolution, enlarged again, does not lower {words} by over .01",
            metric,
            (MAIN, "rescale-0.5"),
            (MAIN, "test"),
            0.01,
            why="as many tokens as in training; the interval is wider than the margin",
        )
        for metric, words in (("accuracy", "accuracy"), ("iou", "IoU"))
    ),
    Claim(
        "App. D.1",
        "GRPO raises accuracy out of distribution",
        "accuracy",
        **_on("ood", MAIN, SFT),
        paper="+0.184 to +0.210",
        why="no difference shows; one like the paper's is excluded",
    ),
    *(
        Claim(
            "App. D.1",
            f"{part} is worse out of distribution",
            "accuracy",
            **_on("ood", MAIN, part),
            paper=paper,
            why=why,
        )
        for part, paper, why in (
            ("label-only", "+0.198 to +0.262", "the seeds disagree"),
            ("no-bbox", "+0.015 to +0.149", "the seeds agree in sign; too few to tell"),
        )
    ),
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
        values = None if answers is None else _values(answers, claim.metric)
        if values is None:
            return None
        found.append(values)
    return (found[0], found[1]) if len(found[0]) == len(found[1]) else None


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
