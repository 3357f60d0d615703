"""Figures as SVG: their content, and what they must not contain."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest

from swift_plugins.fakexplain.scoring.checkpoints import Checkpoint
from swift_plugins.fakexplain.scoring.metrics.bootstrap import Interval
from swift_plugins.fakexplain.scoring.metrics.keywords import Keyword
from swift_plugins.fakexplain.scoring.plots.curves import MOST_POINTS, arrange_panels, draw_training
from swift_plugins.fakexplain.scoring.plots.diagnostics import draw_diagnostics
from swift_plugins.fakexplain.scoring.plots.figures import draw_keywords, draw_preferences, draw_tags
from swift_plugins.fakexplain.scoring.plots.smoothing import average_neighbours, moving_mean
from swift_plugins.fakexplain.scoring.plots.svg import abbreviate, make_standalone, svg
from swift_plugins.fakexplain.scoring.plots.training import Log
from swift_plugins.fakexplain.scoring.plots.votes import Vote, count_votes
from swift_plugins.fakexplain.tags import TAGS

HARD = '$x_1$ & <script>alert(1)</script>" -- \\frac \0 \ud800 _'
VOTES = [Vote("Humans", HARD, "Humans"), Vote("_LEGION", "Humans", None), Vote("Humans", HARD, HARD)]
STEPS = range(1, 41)
GRPO = Log(
    HARD,
    {
        "reward": {step: 2 + step / 40 for step in STEPS},
        "rewards/FxLabel/mean": dict.fromkeys(STEPS, 0.75),
        "rewards/FxIoU/mean": {step: (step % 4) / 4 for step in STEPS},
        "eval_rewards/FxIoU/mean": {20: 0.5, 40: 0.75},
        "omega_G": {step: 0.5 + step / 80 for step in STEPS},
        "fx/boxes": {step: 3 - step / 20 for step in STEPS},
        "fx/box_area": dict.fromkeys(STEPS, 0.25),
        "eval_fx/box_area": {20: 0.5},
        "fx/weighted/FxIoU": dict.fromkeys(STEPS, 0.5),
    },
)
SFT = Log("_sft", {"loss": {1: 7.0, 2: float("nan"), 3: 6.0}, "token_acc": {1: 0.0, 2: 0.5}})
POINTS = {HARD: [Checkpoint(20, 0.5, None, Interval(0.25, 0.75)), Checkpoint(40, 0.75, 0.5)]}
WORDS = {"words": [Keyword("edge", 0.5, 0.25), Keyword(HARD, 0.0, 0.125)], HARD: [Keyword("depth of field", 0.5, 0)]}
TAG = {"gold": 3, "predicted": 2, "precision": None, "recall": 1.0, "accuracy_with": 0.75, "accuracy_without": 0.5}
NONE = dict.fromkeys(TAG) | {"gold": 0}

FIGURES: dict[str, Callable[[], str | None]] = {
    "fig3": lambda: draw_preferences(count_votes(VOTES)),
    "fig4": lambda: draw_training([SFT, GRPO], POINTS),
    "diagnostics": lambda: draw_diagnostics([SFT, GRPO]),
    "fig6": lambda: draw_keywords(WORDS),
    "fig10": lambda: draw_tags({TAGS[0]: TAG, TAGS[1]: NONE}, {TAGS[0]: (1.0, 0.9)}),
}


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    return {name: figure() or "" for name, figure in FIGURES.items()}


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text.encode())  # which it would not be with a half of a surrogate pair


def ids(text: str) -> list[str]:
    return [element.attrib["id"] for element in parsed(text).iter() if "id" in element.attrib]


def size(text: str) -> tuple[float, float]:
    root = parsed(text)
    return float(root.attrib["width"]), float(root.attrib["height"])


@pytest.mark.parametrize("name", FIGURES)
def test_is_an_accessible_picture(drawn: dict[str, str], name: str) -> None:
    root = parsed(drawn[name])
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.attrib["role"] == "img" and len(root.attrib["aria-label"]) > 40
    points = [float(side) for side in root.attrib["viewBox"].split()]
    assert points == pytest.approx([0, 0, *(0.75 * side for side in size(drawn[name]))], abs=0.1)
    assert drawn[name].endswith("</svg>\n") and not drawn[name].endswith("\n\n")


@pytest.mark.parametrize("name", FIGURES)
def test_contains_nothing_that_runs_loads_or_leaks(drawn: dict[str, str], name: str) -> None:
    tags = {element.tag.partition("}")[2] for element in parsed(drawn[name]).iter()}
    assert tags <= {"svg", "g", "defs", "path", "use", "clipPath", "rect", "pattern"}
    attributes = [item for element in parsed(drawn[name]).iter() for item in element.attrib.items()]
    assert not [key for key, _ in attributes if key.startswith("on") or key in ("style", "class")]
    references = [value for key, value in attributes if key.endswith("href")]
    references += [found for _, value in attributes for found in re.findall(r"url\(([^)]*)\)", value)]
    assert references and {"#" + id for id in ids(drawn[name])} == set(references)
    assert re.findall(r"https?://[^\"]*", drawn[name]) == ["http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"]
    assert "<!" not in drawn[name] and "<?" not in drawn[name]


def test_ids_are_unique_to_each_figure(drawn: dict[str, str]) -> None:
    other = draw_keywords({"words": [Keyword("hand", 0.5, 0.5)]}) or ""
    found = [id for text in (*drawn.values(), other) for id in ids(text)]
    assert len(found) == len(set(found))
    assert all(id.startswith(f"{name}-") for name, text in drawn.items() for id in ids(text))


@pytest.mark.parametrize("name", FIGURES)
def test_same_input_gives_same_bytes(drawn: dict[str, str], name: str) -> None:
    with matplotlib.rc_context({"font.size": 20, "axes.linewidth": 5, "svg.fonttype": "none", "svg.hashsalt": "other"}):
        assert FIGURES[name]() == drawn[name]
        assert matplotlib.rcParams["axes.linewidth"] == 5


@pytest.mark.parametrize("name", FIGURES)
def test_takes_the_pages_colour_or_is_black_on_white(drawn: dict[str, str], name: str) -> None:
    colours = set(re.findall(r'(?:fill|stroke)="([^"]*)"', drawn[name]))
    data = {"#0072b2", "#e69f00", "#009e73", "#d55e00"}
    assert "currentColor" in colours
    assert {colour for colour in colours if not colour.startswith("url(")} <= data | {"currentColor", "none"}
    alone = make_standalone(drawn[name])
    assert "currentColor" not in alone and "#010203" not in alone
    ground = parsed(alone)[0]
    assert ground.tag.endswith("rect") and ground.attrib == {"width": "100%", "height": "100%", "fill": "#ffffff"}


@pytest.mark.parametrize(
    "figure",
    [
        draw_preferences(count_votes([])),
        draw_training([]),
        draw_training([Log("a", {"kl": {1: 0.5}})], {"b": [], "c": [Checkpoint(1, None, None)]}),
        draw_diagnostics([]),
        draw_diagnostics([SFT, Log("a", {"reward": {1: 0.5}, "omega_G": {1: 0.5}})]),
        draw_keywords({}),
        draw_keywords({"words": []}),
        draw_tags({}),
        draw_tags(dict.fromkeys(TAGS, NONE), {TAGS[0]: (1.0, 0.9)}),
    ],
)
def test_no_data_gives_no_figure(figure: str | None) -> None:
    assert figure is None


@pytest.mark.parametrize("count", [2, 6])
def test_any_number_of_systems(count: int) -> None:
    names = [f"system {i} of a name that goes on and on" for i in range(count)]
    text = draw_preferences(count_votes([Vote(a, b, a) for a in names for b in names if a != b])) or ""
    assert size(text)[0] >= 614
    # a cell of each ordered pair: all were tied, one vote each way, so all have the blue of a half
    assert text.count('fill="#0072b2"') == count * (count - 1) and 'fill="#e69f00"' not in text


def test_a_cell_is_coloured_by_who_is_preferred() -> None:
    text = draw_preferences(count_votes([Vote("a", "b", "a")])) or ""
    # fully for a in its row, fully against b in its own: 0.08 + 1.04 · 0.5
    assert re.findall(r'fill="(#\w+)"[^>]*opacity="([\d.]+)"', text) == [("#0072b2", "0.6"), ("#e69f00", "0.6")]


def test_a_name_is_drawn_letter_by_letter() -> None:
    def letters(name: str) -> int:
        return (draw_training([Log(name, {"loss": {1: 1.0}})]) or "").count("<use ")

    # neither a formula nor hidden, as matplotlib would have names with dollars and a leading underscore
    assert letters("$x^2$") == letters("_abcd") == letters("abcde") == letters("abcd") + 1


def test_long_names_are_cut_in_their_middle() -> None:
    assert abbreviate("x" * 34) == "x" * 34
    assert abbreviate("a" * 40 + " step 1") == "a" * 17 + "…" + "a" * 9 + " step 1"
    assert len(abbreviate("ab" * 40, 7)) == 7


def test_only_quantities_with_data_have_a_panel() -> None:
    def height(*logs: Log, **scored: list[Checkpoint]) -> float:
        return size(draw_training(logs, scored) or "")[1]

    loss = Log("sft", {"loss": {1: 1.0}, "kl": {1: 1.0}})
    reward = Log("grpo", {"loss": {1: 0.0}, "reward": {1: 1.0}})  # whose loss says nothing
    omega = Log("grpo", {"reward": {1: 1.0}, "omega_G": {1: 1.0}})
    one, two = height(loss), height(loss, reward)
    assert two - one == pytest.approx(1.35 * 96, abs=0.1)
    assert (height(reward), height(omega)) == (one, two)
    assert height(reward, grpo=[Checkpoint(1, 0.5, None)]) == two


def test_measures_of_answers_have_a_panel_each_two_abreast() -> None:
    def height(*names: str) -> float:
        return size(draw_diagnostics([Log("a", {name: {1: 0.5} for name in names})]) or "")[1]

    one = height("fx/iou")
    assert height("fx/iou", "eval_fx/iou", "fx/boxes", "reward", "kl") == one
    assert height("fx/iou", "fx/boxes", "fx/weighted/Mine") == pytest.approx(one + 1.25 * 96, abs=0.1)
    label = parsed(draw_diagnostics([SFT, GRPO]) or "").attrib["aria-label"]
    titles = "boxes per answer, area per box, share of the frame, weighted reward FxIoU."
    assert label.endswith(f"over steps: {titles}") and "_sft" not in label


def test_a_run_keeps_its_colour_beside_one_without_measures() -> None:
    assert "#d55e00" in (draw_diagnostics([SFT, GRPO]) or "") and "#0072b2" in (draw_diagnostics([GRPO]) or "")


def test_evaluations_of_sft_are_drawn_with_the_scores_of_checkpoints() -> None:
    curves = {"loss": {1: 1.0}, "eval_accuracy": {1: 0.5}, "eval_iou": {1: 0.25}, "eval_format": {1: 1.0}}
    panels = arrange_panels([Log("sft", curves)], {"sft": [Checkpoint(1, 0.5, None)]}, {"sft": "SFT"})
    assert [each.quantity.title for each in panels] == ["accuracy", "IoU", "exact format", "loss"]


def test_checkpoints_join_the_log_with_the_same_name() -> None:
    def panels(logs: list[Log], run: str) -> list[tuple[str, str]]:
        stages = {log.name: log.stage for log in logs}
        points = {run: [Checkpoint(1, 0.5, None)]}
        return [(each.stage, each.quantity.title) for each in arrange_panels(logs, points, stages) if each.checkpoints]

    sft, grpo = Log("sft", {"loss": {1: 1.0}}), Log("grpo", {"reward": {1: 1.0}})
    assert panels([sft, grpo], "sft") == [("SFT", "accuracy"), ("SFT", "loss")]
    assert panels([sft, grpo], "other") == [("GRPO", "accuracy"), ("GRPO", "total reward")]
    assert panels([sft], "") == [("SFT", "accuracy"), ("SFT", "loss")]
    assert panels([], "") == [("GRPO", "accuracy")]


def test_two_logs_with_the_same_name() -> None:
    with pytest.raises(ValueError, match="expected a different name for each log, found a, a"):
        draw_training([Log("a", {"loss": {1: 1.0}}), Log("a", {"loss": {1: 2.0}})])


def test_moving_mean_reaches_as_far_on_both_sides() -> None:
    # 1, (1 + 2 + 9) / 3, (1 + 2 + 9 + 4 + 4) / 5, (9 + 4 + 4) / 3, 4
    assert moving_mean(np.array([1, 2, 9, 4, 4.0]), 2).tolist() == [1, 4, 4, 17 / 3, 4]
    line = np.arange(50.0)
    assert moving_mean(line, 4) == pytest.approx(line)


def test_moving_mean_skips_values_that_are_not_finite() -> None:
    mean = moving_mean(np.array([1, np.nan, 3, 5, 7.0]), 1)
    assert mean[[0, 2, 3, 4]].tolist() == [1, 4, 5, 7] and np.isnan(mean[1])


def test_neighbours_of_a_long_curve_are_averaged() -> None:
    steps, values = average_neighbours({step: float(step % 2) for step in range(1, 2 * MOST_POINTS + 1)}, MOST_POINTS)
    assert steps[:3].tolist() == [1.5, 3.5, 5.5] and len(steps) == MOST_POINTS
    assert set(values.tolist()) == {0.5}
    steps, values = average_neighbours({5: 1.0, 7: float("inf")}, MOST_POINTS)
    assert steps.tolist() == [5, 7] and values[0] == 1 and np.isnan(values[1])


def test_a_curve_of_any_length_is_a_small_picture() -> None:
    noisy = dict(enumerate(np.random.default_rng(0).random(50_000).tolist(), 1))
    assert len(draw_training([Log("a", {"loss": noisy})]) or "") < 100_000


def test_a_run_that_only_diverged() -> None:
    diverged = Log("a", {"loss": dict.fromkeys(range(20), float("nan"))})
    text = draw_training([diverged]) or ""
    assert size(text) == size(draw_training([Log("a", {"loss": dict.fromkeys(range(20), 1.0)})]) or "")
    assert "loss" in parsed(text).attrib["aria-label"] and "nan" not in text.lower()


def test_a_character_that_the_font_lacks_is_a_box() -> None:
    def glyphs(word: str) -> int:
        return (draw_keywords({"words": [Keyword(word, 0.5, 0.5)]}) or "").count("<use ")

    assert glyphs("手") == glyphs("a") == glyphs("ab") - 1


def test_the_label_is_escaped() -> None:
    text = svg(lambda figure: None, (1, 1), "x", '"><script>\n\0')
    assert parsed(text).attrib["aria-label"] == '"><script> \ufffd' and "<script>" not in text
