"""omega_G(t), the weight of the IoU reward during training (§4.3, eq. 2); `host.callbacks` sets it.

The weight depends only on the step, so nothing is saved and a resumed run continues with the right weight.
"""

from __future__ import annotations

IOU_REWARD = "fx_iou"
LOG_NAME = "omega_G"


def omega_g(step: int, max_steps: int, start: float = 0.5, end: float = 1.0) -> float:
    """Weight of the IoU reward at a step.

    omega_G(t) = start + (end - start) * t / T   (eq. 2, where start = 0.5 and end = 1)

    Args:
        step: t, optimizer steps done; 0 at the first.
        max_steps: T, optimizer steps of the whole run.
        start, end: weight at t = 0 and at t = T.

    Raises:
        ValueError: T is not positive, which means that the length of the run is unknown.

    >>> omega_g(0, 100), omega_g(50, 100), omega_g(100, 100)
    (0.5, 0.75, 1.0)
    """
    if max_steps <= 0:
        raise ValueError(
            f"fx_omega_g: the schedule needs to know how many steps the run has, found {max_steps}; "
            "set --max_steps where the dataset is streamed"
        )
    return start + (end - start) * (step / max_steps)
