"""The rewards as ms-swift calls them: `--reward_funcs fx_iou fx_label fx_format`, and `fx_match` for who wants it.

Each adapter reads its settings and the `solution` column, and hands one completion at a time to the pure functions of
`rewards`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from swift.rewards import ORM, orms
from swift.utils import get_env_args

from ..backbones import TEMPLATES
from ..frames import FrameRule, active_rule, frame_rule
from ..rewards import COLUMN, Gold, format_reward, iou_reward, label_reward, match_reward, parse_eta, read_gold


def find_rule(args: Any, user: str) -> FrameRule:
    """The frame rule of `args.template`, or else of the template that this process initialised.

    Raises:
        ValueError: that template's frame is not known; the message begins with the user of the rule.
    """
    template = getattr(args, "template", None)
    active = active_rule()
    if template is None and active is None:
        raise ValueError(
            f"{user}: the frame of the run's template is not known, so boxes cannot be compared; "
            f"pass --template {', '.join(TEMPLATES[:-1])} or {TEMPLATES[-1]}"
        )
    if active is not None and template in (None, active.template):
        return active
    return frame_rule(
        str(template),
        max_pixels=getattr(args, "max_pixels", None),
        norm_bbox=getattr(args, "norm_bbox", None),
    )


class FxReward(ORM):
    """Calls a reward function for each completion of a batch.

    Attributes:
        observe: called with the completions and golds of each batch, or None.
    """

    name: str
    observe: Callable[[Sequence[str], Sequence[Gold]], None] | None = None

    def score(self, text: str, gold: Gold) -> float | None:
        raise NotImplementedError

    def __call__(self, completions: Sequence[str], **columns: Any) -> list[float | None]:
        """Rewards of a batch.

        Args:
            completions: B texts.
            columns: the dataset's columns, each a list of B; `solution` is read.

        Raises:
            ValueError: `solution` is missing, of another length, or malformed.
        """
        solutions = columns.get(COLUMN)
        if solutions is None:
            raise ValueError(
                f"reward {self.name}: the rows have no column `{COLUMN}`; train on the dataset `fakexplained` or on "
                "the output of `fakexplain export`, with --remove_unused_columns false"
            )
        if len(solutions) != len(completions):
            raise ValueError(
                f"reward {self.name}: column `{COLUMN}` has {len(solutions)} rows for {len(completions)} completions"
            )
        golds = list(map(read_gold, solutions))
        if self.observe is not None:
            self.observe(completions, golds)
        return [self.score(text, gold) for text, gold in zip(completions, golds, strict=True)]


class FxIoU(FxReward):
    """`fx_iou`: R_G in the frame of the run's template.

    FX_IOU_ETA sets eta; FX_IOU_EMPTY sets the reward if neither side has a box.
    """

    name = "fx_iou"

    def __init__(self, args: Any = None, **kwargs: Any):
        super().__init__(args, **kwargs)
        self.eta = get_env_args("fx_iou_eta", parse_eta, 1.1)
        self.empty = get_env_args("fx_iou_empty", str, "one")
        if self.empty not in ("one", "skip"):
            raise ValueError(f"FX_IOU_EMPTY: expected 'one' or 'skip', found {self.empty!r}")
        self._rule = None if args is None else find_rule(args, self.name)  # without args, the template may come later

    @property
    def rule(self) -> FrameRule:
        """The frame rule of the template in use.

        Raises:
            ValueError: that template's frame is not known.
        """
        if self._rule is None:
            self._rule = find_rule(self.args, self.name)
        return self._rule

    def score(self, text: str, gold: Gold) -> float | None:
        return iou_reward(text, gold, self.rule, self.eta, self.empty)


class FxMatch(FxIoU):
    """`fx_match`: IoU of boxes matched one to one, as a further reward; the paper has none. FX_IOU_EMPTY as above."""

    name = "fx_match"

    def score(self, text: str, gold: Gold) -> float | None:
        return match_reward(text, gold, self.rule, self.empty)


class FxLabel(FxReward):
    """`fx_label`: R_C."""

    name = "fx_label"

    def score(self, text: str, gold: Gold) -> float:
        return label_reward(text, gold)


class FxFormat(FxReward):
    """`fx_format`: R_F."""

    name = "fx_format"

    def score(self, text: str, gold: Gold) -> float:
        return format_reward(text, gold)


def register_rewards() -> None:
    """Put the rewards into ms-swift's registry."""
    registry: dict[str, Callable[..., Any]] = orms
    for reward in (FxIoU, FxLabel, FxFormat, FxMatch):
        registry[reward.name] = reward
