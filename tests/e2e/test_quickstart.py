"""The quickstart: one annotations file through sft, rlhf, infer and score."""

import shlex

import numpy as np
import pytest
from PIL import Image

from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.scoring.run import load_run
from tests.e2e.conftest import omega_log, read_jsonl, run_quickstart

pytestmark = pytest.mark.e2e


def test_it_prints_one_table_of_both_stages(quickstart):
    table = quickstart.stdout.split("\n\n")[1].splitlines()
    assert table[0].split()[-2:] == ["SFT", "+GRPO"]
    assert table[1].split() == ["images", "24", "24"]


def test_its_scores_are_those_of_the_held_out_images(quickstart):
    run = load_run(quickstart.out / "run")
    assert list(run.systems) == ["SFT", "+GRPO"]
    assert (run.dataset, run.subset, run.records) == ("toy world", "fold0_test", 24)
    for result in run.systems.values():
        assert result["n"] == result["answered"] == 24 == result["fake"] + result["real"]


def test_its_scores_hold_p_fake_of_every_verdict(quickstart):
    for record in read_annotations(quickstart.out / "run" / "images.jsonl"):
        for answer in record.extra["answers"].values():
            assert (answer["p_fake"] is None) == (answer["verdict"] is None)
            # the verdict is the likelier of the two, because answers are greedy
            assert answer["p_fake"] is None or (answer["p_fake"] >= 0.5) == (answer["verdict"] == "fake")


def test_it_ends_with_a_report(quickstart):
    page = (quickstart.out / "report" / "report.html").read_text(encoding="utf-8")
    assert "FakeXplain on a toy world" in page
    assert {"fig4.svg", "diagnostics.svg", "fig10-1.svg"} <= {
        path.name for path in (quickstart.out / "report" / "figures").iterdir()
    }
    assert (quickstart.out / "report" / "tables" / "table1.tex").is_file()


def test_its_contact_sheet_shows_twelve_different_images(quickstart):
    assert (quickstart.out / "logs" / "sheet.log").read_text().startswith("12 images on ")
    with Image.open(quickstart.out / "contact_sheet.png") as sheet:
        pixels = np.asarray(sheet.convert("RGB"))
    column = pixels.shape[1] // 4
    cells = [pixels[:200, left : left + column] for left in range(0, 4 * column, column)]
    assert all(cell.std() > 20 for cell in cells)
    assert len({cell.tobytes() for cell in cells}) == 4


def test_it_shows_an_answer_and_draws_it(quickstart):
    best = (quickstart.out / "logs" / "answer.log").read_text().splitlines()
    answers = {line["images"][0]["path"].rsplit("/")[-1]: line for line in read_jsonl(quickstart.out / "grpo.jsonl")}
    assert "\n".join(best[1:]) == answers[f"{best[0]}.png"]["response"].rstrip("\n")
    assert "\n".join(best[1:]) in quickstart.stdout
    assert [path.stem for path in (quickstart.out / "answer").glob("*.png")] == [best[0]]


def test_the_loss_falls(quickstart):
    losses = [line["loss"] for line in read_jsonl(quickstart.out / "sft" / "logging.jsonl") if "loss" in line]
    assert sum(losses[-3:]) / 3 < 0.5 * losses[0]


def test_a_checkpoint_infers_with_nothing_but_its_path(quickstart):
    """The recipe names plugin, template and model type for training only."""
    commands = map(shlex.split, run_quickstart(quickstart.out, DRY_RUN="1").stdout.splitlines())
    infer = {words[words.index("--model") + 1].split("/")[-2]: words for words in commands if "infer" in words}
    assert {"sft", "grpo"} == infer.keys()
    for stage in ("sft", "grpo"):
        assert not {"--model_type", "--template", "--custom_register_path"} & set(infer[stage])
        answers = read_jsonl(quickstart.out / f"{stage}.jsonl")
        assert len(answers) == 24
        assert all(line["messages"][0]["role"] == "system" for line in answers)
        assert sum("<verdict>" in line["response"] for line in answers) >= 12


def test_omega_in_the_log_is_eq_2_to_the_bit(quickstart):
    weights = omega_log(quickstart.out / "grpo")
    total = len(weights)
    assert weights == {step: 0.5 + 0.5 * (step / total) for step in range(total)}


def test_the_rewards_are_logged_by_name(quickstart):
    first = read_jsonl(quickstart.out / "grpo" / "logging.jsonl")[0]
    for name in ("FxIoU", "FxLabel", "FxFormat"):
        assert 0 <= first[f"rewards/{name}/mean"] <= 1


def test_the_answers_are_measured_beside_their_rewards(quickstart):
    steps = [line for line in read_jsonl(quickstart.out / "grpo" / "logging.jsonl") if "reward" in line]
    assert len(steps) == 4
    for step in steps:
        assert {"fx/unreadable", "fx/no_variance", "fx/special_tokens"} <= step.keys()
        assert step["fx/no_variance"] == step["frac_reward_zero_std"]
        for name, weight in (("FxIoU", step["omega_G"]), ("FxLabel", 1), ("FxFormat", 1)):
            weighted = weight * step[f"rewards/{name}/mean"]
            assert step[f"fx/weighted/{name}"] == pytest.approx(weighted, abs=1e-7)  # the log has eight digits
        total = sum(step[f"fx/weighted/{name}"] for name in ("FxIoU", "FxLabel", "FxFormat"))
        assert total == pytest.approx(step["reward"], abs=1e-7)


def test_a_finished_stage_is_not_run_again(quickstart):
    again = run_quickstart(quickstart.out)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("done before") == len(quickstart.stdout.split("\n\n")[0].splitlines())
    assert again.stdout.split("\n\n")[1:] == quickstart.stdout.split("\n\n")[1:]
