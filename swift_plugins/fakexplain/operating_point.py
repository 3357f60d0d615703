"""The operating point: from an answer and its P(fake) to a decision, fake, real or unsure.

A model's own verdict is the likelier word of two. An operating point, which `fakexplain calibrate` measures on images
with known labels, decides by P(fake) instead: fake only above a threshold that real photographs seldom pass, real only
below the band in which nothing is decided.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from .atomic import atomic_file
from .errors import DataError
from .json_values import require
from .jsonl import decode_line, to_indented_json
from .paths import check_is_file

Decision = Literal["fake", "real", "unsure"]
DECISIONS: tuple[Decision, ...] = ("fake", "real", "unsure")
CONTRADICTION = "real_with_flaws"
"""Code of an answer that calls an image real and names flaws in it."""

WHENCE_P_FAKE = "run `swift infer` with --logprobs true --top_logprobs 2"

SMALLEST = 2.0**-24  # half the distance of 1 from the next smaller float32; models say nothing finer than that


@dataclass(frozen=True)
class OperatingPoint:
    """Where P(fake) decides, and what was measured there.

    Attributes:
        threshold: P(fake) above which an image is called fake.
        band: low and high; from low to high, both included, an image is unsure. `high` is the threshold.
        fpr: the wanted false positive rate, in (0, 1).
        bound: upper 95 % Clopper-Pearson bound of the false positive rate at the threshold.
        n_real: number of real images that it was measured on.
        false_positives: how many of them are called fake.
        temperature: T of sigmoid(logit(P) / T), which turns P(fake) into a calibrated probability.
        run: path of the run that it was measured on, as given.
        system: name of the system there.
    """

    threshold: float
    band: tuple[float, float]
    fpr: float
    bound: float
    n_real: int
    false_positives: int
    temperature: float
    run: str
    system: str

    def calibrated(self, p_fake: float) -> float:
        """The probability that an image is fake, among images such as those of the run.

        >>> point = OperatingPoint(0.9, (0.5, 0.9), 0.01, 0.02, 300, 2, 2.0, "runs/main", "7B")
        >>> round(point.calibrated(0.9), 6)  # odds of 9, whose square root is 3
        0.75
        """
        return sigmoid(logit(p_fake) / self.temperature)


def decide(
    verdict: str | None, p_fake: float | None, problems: Collection[str], operating_point: OperatingPoint | None
) -> Decision:
    """Decide about an image from the answer about it.

    Without an operating point, the model's own verdict decides; with one, P(fake) does, even against the verdict: the
    bound on false positives holds only so. What is not known is unsure: an answer without a readable verdict or, with
    an operating point, without P(fake). So is an answer that would count as real but contradicts itself by naming
    flaws: nothing is called real in spite of a flaw that the answer shows.

    Args:
        verdict: of the answer, 'fake', 'real' or None.
        p_fake: P(fake) of the answer, not calibrated; None if unknown.
        problems: codes of the answer (`answer.PROBLEMS`).
        operating_point: None decides by the verdict.

    >>> point = OperatingPoint(0.9, (0.5, 0.9), 0.01, 0.02, 300, 2, 1.0, "runs/main", "7B")
    >>> [decide("fake", p, (), point) for p in (0.95, 0.9, 0.5, 0.49, None)]
    ['fake', 'unsure', 'unsure', 'real', 'unsure']
    >>> decide("fake", None, (), None), decide(None, None, ("no_verdict",), None)
    ('fake', 'unsure')
    """
    if operating_point is not None:
        low, high = operating_point.band
        verdict = None if p_fake is None else "fake" if p_fake > high else "real" if p_fake < low else None
    if verdict == "fake":
        return "fake"
    return "real" if verdict == "real" and CONTRADICTION not in problems else "unsure"


def logit(p: float) -> float:
    """Log odds of a probability; those of 0 and 1 are as finite as float32 can tell them from 0 and 1.

    >>> logit(0.5), round(logit(1.0), 2)
    (0.0, 16.64)
    """
    p = min(max(p, SMALLEST), 1 - SMALLEST)
    return math.log(p / (1 - p))


def sigmoid(x: float) -> float:
    """The probability with these log odds."""
    return 1 / (1 + math.exp(-x)) if x >= 0 else 1 - 1 / (1 + math.exp(x))


# The file -------------------------------------------------------------------------------------------------------------

_WHAT = "an operating point that `fakexplain calibrate` wrote"


def write_operating_point(path: str | Path, point: OperatingPoint) -> None:
    """Write an operating point as JSON; the file appears whole."""
    with atomic_file(path) as partial:
        partial.write_text(to_indented_json(asdict(point)), encoding="utf-8")


def read_operating_point(path: str | Path) -> OperatingPoint:
    """Read an operating point; fields that it does not have are ignored.

    Raises:
        FileNotFoundError: no such file.
        DataError (a ValueError): the file is not as `write_operating_point` writes it; names file and field.
    """
    path = Path(path)
    check_is_file(path, _WHAT)
    try:
        return _operating_point(decode_line(path.read_bytes()))
    except DataError as error:
        raise error.at(str(path), 0) from None


_SHARE = "a number from 0 to 1"


def _operating_point(value: Any) -> OperatingPoint:
    found = {name: require(value, name, float, _SHARE) for name in ("threshold", "fpr", "bound")}
    band = require(value, "band", list, "[low, high]")
    for name, share in (*found.items(), *(("band", each) for each in band)):
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
            raise DataError(_SHARE, share, field=name)
    if len(band) != 2 or not band[0] <= band[1] == found["threshold"]:
        raise DataError(f"[low, high], low <= high, high = threshold = {found['threshold']}", band, field="band")
    temperature = require(value, "temperature", float, "a number above 0")
    if not 0 < temperature < math.inf:
        raise DataError("a number above 0", temperature, field="temperature")
    n_real, false_positives = (require(value, name, int, "a whole number") for name in ("n_real", "false_positives"))
    if not 0 <= false_positives <= n_real:
        raise DataError(f"from 0 to n_real, {n_real}", false_positives, field="false_positives")
    run, system = (require(value, name, str, "a text") for name in ("run", "system"))
    return OperatingPoint(
        **found,
        band=(band[0], band[1]),
        n_real=n_real,
        false_positives=false_positives,
        temperature=temperature,
        run=run,
        system=system,
    )
