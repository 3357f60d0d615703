"""What one sees while it trains, on two processes: the numbers are those of the answers, and change nothing."""

import pytest

from swift_plugins.fakexplain.frames import frame_rule
from swift_plugins.fakexplain.rewards import format_reward, iou_reward, label_reward, read_gold
from tests.e2e.conftest import PLUGIN, grpo, read_jsonl

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

RANKS = {"NPROC_PER_NODE": "2", "OMP_NUM_THREADS": "1", "ACCELERATE_TORCH_DEVICE": "cpu"}
ON_TWO_RANKS = ("--ddp_backend", "gloo", "--use_cpu", "true")


def test_sft_keeps_the_checkpoint_with_the_best_iou(quickstart, tmp_path, warm):
    """24 rows in batches of 2 times 5: six rows of the last batch are repeated, and must not count."""
    quickstart.swift(
        *("sft", "--model", quickstart.checkpoint("sft"), "--model_type", "qwen2_5_vl", "--torch_dtype", "float32"),
        *(
            "--custom_register_path",
            PLUGIN,
            "--template",
            "fx_qwen2_5_vl",
            "--strict",
            "true",
            "--check_model",
            "false",
        ),
        *("--dataset", "fakexplained:fold0_train", "--val_dataset", "fakexplained:fold0_test"),
        *("--tuner_type", "full", "--max_length", 1024, "--learning_rate", 1e-4, "--per_device_train_batch_size", 4),
        *("--gradient_accumulation_steps", 1, "--max_steps", 6, "--eval_steps", 2, "--save_steps", 2),
        *("--predict_with_generate", "true", "--max_new_tokens", 48, "--per_device_eval_batch_size", 5),
        *("--eval_metric", "fx", "--remove_unused_columns", "false", "--metric_for_best_model", "iou"),
        *("--greater_is_better", "true", "--load_best_model_at_end", "true", "--save_total_limit", 3),
        *("--report_to", "none", "--add_version", "false", "--output_dir", tmp_path, *ON_TWO_RANKS),
        programs=warm,
        **RANKS,
    )
    lines = read_jsonl(tmp_path / "logging.jsonl")
    evaluated = {int(line["global_step/max_steps"].split("/")[0]): line for line in lines if "eval_iou" in line}
    assert evaluated.keys() == {2, 4, 6}
    for step, line in evaluated.items():
        answers = read_jsonl(tmp_path / f"checkpoint-{step}" / "predict.jsonl")
        assert len(answers) == 30
        assert {name: line[f"eval_{name}"] for name in ("accuracy", "iou", "format")} == pytest.approx(
            means_anew(answers)
        )
    best = max(evaluated, key=lambda step: (evaluated[step]["eval_iou"], -step))
    assert lines[-1]["best_model_checkpoint"] == str(tmp_path / f"checkpoint-{best}")
    assert lines[-1]["best_metric"] == pytest.approx(evaluated[best]["eval_iou"])


def means_anew(answers: list[dict]) -> dict[str, float]:
    """The means over images, each with its own row's gold; of an image answered twice the first answer counts."""
    rule = frame_rule("fx_qwen2_5_vl")
    first: dict[str, tuple] = {}
    for row in answers:
        first.setdefault(row["images"][0]["path"], (row["response"], read_gold(row["solution"])))
    pairs = first.values()
    assert len(pairs) == 24
    fakes = [(text, gold) for text, gold in pairs if gold.label == "fake"]
    return {
        "accuracy": sum(label_reward(*pair) for pair in pairs) / 24,
        "iou": sum(iou_reward(*pair, rule, eta=1.0) for pair in fakes) / len(fakes),
        "format": sum(format_reward(*pair) for pair in pairs) / 24,
    }


def test_grpo_trains_alike_with_and_without_diagnostics(quickstart, tmp_path, warm):
    """Two updates per generation, two steps per log; and an evaluation, over 24 images of 4 answers each."""
    runs = {}
    for callbacks in (["fx_omega_g"], ["fx_omega_g", "fx_diagnostics"]):
        out = tmp_path / "-".join(callbacks)
        quickstart.swift(
            *grpo(quickstart.checkpoint("sft"), out, *ON_TWO_RANKS, "--callbacks", *callbacks, "--max_steps", 4),
            *("--per_device_train_batch_size", 4, "--num_iterations", 2, "--save_strategy", "no", "--logging_steps", 2),
            *("--val_dataset", "fakexplained:fold0_test", "--eval_strategy", "steps", "--eval_steps", 4),
            *("--per_device_eval_batch_size", 16),
            programs=warm,
            **RANKS,
        )
        runs[callbacks[-1]] = [line for line in read_jsonl(out / "logging.jsonl") if "global_step/max_steps" in line]
    for without, measured in zip(runs["fx_omega_g"], runs["fx_diagnostics"], strict=True):
        extra = measured.keys() - without.keys()
        assert all(name.removeprefix("eval_").startswith("fx/") for name in extra)
        scored = "reward" in measured or "eval_reward" in measured  # else its steps used completions of an earlier one
        assert len(extra) >= 8 if scored else not extra
        timed = {name for name in without if any(word in name for word in ("time", "per_second", "speed"))}
        assert {name: measured[name] for name in without.keys() - timed} == {
            name: without[name] for name in without.keys() - timed
        }
    (evaluated,) = [line for line in runs["fx_diagnostics"] if "eval_reward" in line]
    # half of the images are fake, so the mean over all answers is that of the two accuracies
    both = evaluated["eval_fx/accuracy_fake"] + evaluated["eval_fx/accuracy_real"]
    assert both / 2 == pytest.approx(evaluated["eval_rewards/FxLabel/mean"])
