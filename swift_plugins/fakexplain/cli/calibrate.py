"""`fakexplain calibrate`: choose the operating point of a system on a scored run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .app import OUT, SCORES, Force, app, check_free, say, show_stream

if TYPE_CHECKING:
    from ..scoring.calibration import Calibration


@app.command(rich_help_panel=SCORES)
def calibrate(
    run: Annotated[
        Path,
        typer.Argument(help="Run folder written by `fakexplain score --out`, with real images.", metavar="RUN"),
    ],
    output: Annotated[Path, typer.Option(*OUT, help="File to write the operating point to (JSON).")],
    fpr: Annotated[float, typer.Option(help="Wanted false positive rate: share of real images called fake.")] = 0.01,
    miss: Annotated[
        float | None,
        typer.Option(
            help="Wanted share of fake images called real, which sets where the unsure band begins.",
            show_default="the band begins at P(fake) 0.5",
        ),
    ] = None,
    system: Annotated[
        str | None, typer.Option(help="System of the run.", show_default="its only system", metavar="NAME")
    ] = None,
    force: Force = False,
) -> None:
    """Choose a threshold on P(fake) for a wanted false positive rate, an unsure band and a temperature.

    Calibrate on images that the model was not trained on and that are like those it will see. `fakexplain score` and
    `fakexplain detect` take the file as --operating-point. P(fake) needs `swift infer --logprobs true --top_logprobs
    2`.
    """
    from ..operating_point import write_operating_point
    from ..scoring.calibration import calibrate as choose
    from ..scoring.run import FILES, load_run

    for value, option in ((fpr, "--fpr"), (miss, "--miss")):
        if value is not None and not 0 < value < 1:
            raise typer.BadParameter(f"expected a rate between 0 and 1, found {value}", param_hint=option)
    check_free(output, force, run, *(run / name for name in FILES))
    loaded = load_run(run, show_stream)
    names = ", ".join(loaded.systems)
    if system is None and len(loaded.systems) > 1:
        raise typer.BadParameter(f"the run has several systems, name one of {names}", param_hint="--system")
    if system is not None and system not in loaded.systems:
        raise typer.BadParameter(f"expected one of {names}, found {system!r}", param_hint="--system")
    found = choose(loaded, system or next(iter(loaded.systems)), fpr, miss)
    write_operating_point(output, found.point)
    for line in _sentences(found, miss):
        say(line)
    say(f"operating point in {output}")


def _sentences(found: Calibration, miss: float | None) -> list[str]:
    from ..scoring.calibration import needed_images

    point = found.point
    real, fake = (found.decisions[label] for label in ("real", "fake"))
    bound = f"the 95 % upper bound of the false positive rate is {_percent(point.bound)}"
    lines = [
        f"{point.system}: threshold {point.threshold:.6g}, unsure from {point.band[0]:.6g} to {point.band[1]:.6g}",
        f"{point.false_positives} of {point.n_real} real images are called fake; {bound}",
    ]
    if point.bound > point.fpr:
        lines[-1] += (
            f": at least {needed_images(point.fpr)} real images are needed to show {_percent(point.fpr)} at 95 %"
        )
    if point.threshold == 1:
        lines.append("no image can be called fake: too many real images have a P(fake) of 1")
    for label, counts in (("real", real), ("fake", fake)):
        shares = ", ".join(f"{name} {count}" for name, count in counts.items())
        lines.append(f"{sum(counts.values())} {label} images: {shares}")
    if miss is not None and found.miss_bound is not None:
        said = f"the 95 % upper bound of the share of fake images called real is {_percent(found.miss_bound)}"
        if found.miss_bound > miss:
            said += f": at least {needed_images(miss)} fake images are needed to show {_percent(miss)}"
        lines.append(said)
    total = sum(real.values()) + sum(fake.values())
    if found.unknown:
        lines.append(f"without P(fake), and therefore unsure: {found.unknown} of {total} images")
    error = found.error
    how = "cross-validated" if error.held_out else "on the images that it was fitted on, too few of a label to hold out"
    lines.append(
        f"temperature {point.temperature:.3g}; expected calibration error {error.before:.3f}, after scaling "
        f"{error.after:.3f} ({how})"
    )
    return lines


def _percent(rate: float) -> str:
    """A small rate with as many digits as it needs: 1 %, 2.5 %, 0.05 %."""
    return f"{100 * rate:.{2 if rate < 0.1 else 3}g} %"
