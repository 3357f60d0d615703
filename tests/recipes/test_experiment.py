"""Experiments: what each trains and compares, in which order, and what is done again after it was stopped."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from examples.toy_curves import setting_names
from swift_plugins.fakexplain.backbones import TEMPLATES
from swift_plugins.fakexplain.frames import frame_rule
from swift_plugins.fakexplain.scoring.tables.published import paper_table
from tests.recipes.dry_run import ROOT, commands, option, run

pytestmark = pytest.mark.e2e

EXPERIMENTS = ("table1", "table2", "table3", "table4", "table5", "table6", "table7", "full", "fig4", "claims")


def printed(world: dict[str, str], name: str, cwd: Path, **env: str) -> list[tuple[list[str], dict[str, str]]]:
    done = run("experiment.sh", {**world, "OUT": "out", **env}, name, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return commands(done.stdout)


def swift(found: list[tuple[list[str], dict[str, str]]], command: str) -> list[tuple[list[str], dict[str, str]]]:
    return [(words, env) for words, env in found if words[:2] == ["swift", command]]


def folder(words: list[str]) -> str:
    return option(words, "--output_dir").removeprefix("out/")


@pytest.fixture
def real(world: dict[str, str]) -> dict[str, str]:
    """The variables of a run on data, without a model chosen by hand."""
    return {name: value for name, value in world.items() if name not in ("MODEL", "SFT", "GRPO", "EXPERIMENT", "OUT")}


def test_settings_have_the_papers_names():
    names = setting_names()
    assert set(paper_table(6).columns) <= set(names.values())
    assert len(set(names.values())) == len(names)


def test_table_4_trains_each_stage_once_and_from_the_right_model(real, tmp_path):
    found = printed(real, "table4", tmp_path)
    sft = {folder(words): words for words, _ in swift(found, "sft")}
    own = "qwen2.5-vl-32b-fold0"
    parts = ("no-bbox", "no-caption", "no-tags", "label-only")
    others = {f"qwen2.5-vl-{size}-fold0/sft" for size in ("3b", "7b")}
    assert set(sft) == {f"{own}/sft", *(f"{own}/sft-{part}" for part in parts), *others}
    assert option(sft[f"{own}/sft-no-bbox"], "--dataset") == "fakexplained:fold0_train__no_bbox"
    assert len(swift(found, "sft")) == len(sft)

    grpo = {folder(words): (words, env) for words, env in swift(found, "rlhf")}
    started = {name: option(words, "--model") for name, (words, _) in grpo.items()}
    assert started[f"{own}/grpo-progressive"] == f"out/{own}/sft/merged"
    assert started[f"{own}/grpo-omega-1"] == f"out/{own}/sft/merged"
    assert started[f"{own}/grpo-no-tags"] == f"out/{own}/sft-no-tags/merged"
    weights = {name: (env["FX_OMEGA_G_START"], env["FX_OMEGA_G_END"]) for name, (_, env) in grpo.items()}
    assert weights[f"{own}/grpo-progressive"] == ("0.5", "1")
    assert (weights[f"{own}/grpo-omega-1"], weights[f"{own}/grpo-omega-0.5"]) == (("1", "1"), ("0.5", "0.5"))
    assert set(grpo) == {
        *(f"{own}/grpo-{name}" for name in ("progressive", "omega-1", "omega-0.5", *parts)),
        *(f"qwen2.5-vl-{size}-fold0/grpo-progressive" for size in ("3b", "7b")),
    }
    order = [words[1] for words, _ in found if words[0] == "swift" and words[1] != "export"]
    assert order == sorted(order, key=["sft", "rlhf", "infer"].index)

    models = [option(words, "--model") for words, _ in swift(found, "infer")]
    assert models.count("Qwen/Qwen2.5-VL-32B-Instruct") == 1 and f"out/{own}/sft/merged" in models
    scores = [words for words, _ in found if words[:2] == ["fakexplain", "score"]]
    assert [option(words, "--subset") for words in scores] == [
        f"fold0_test{end}" for end in ("", "__no_bbox", "__no_caption", "__no_tags", "__label_only")
    ]
    systems = [word.partition("=out")[0] for words in scores for word in words if "=out" in word]
    assert {"SFT, qwen2.5-vl-32b", "GRPO ω_G=0.5, qwen2.5-vl-32b", "FakeXplainer, qwen2.5-vl-3b"} < set(systems)
    assert len(systems) == len(models) == 11


def test_table_1_pools_four_folds(real, tmp_path):
    found = printed(real, "table1", tmp_path)
    assert [option(words, "--dataset") for words, _ in swift(found, "sft")] == [
        f"fakexplained:fold{fold}_train" for fold in range(4)
    ]
    (score,) = [words for words, _ in found if words[:2] == ["fakexplain", "score"]]
    assert option(score, "--subset") == "all"
    assert [word for word in score if word.startswith("FakeXplainer=")] == [
        f"FakeXplainer=out/qwen2.5-vl-32b-fold{fold}/answers/progressive-test.jsonl" for fold in range(4)
    ]


def test_table_2_gives_each_backbone_its_template_and_frame(real, tmp_path):
    found = printed(real, "table2", tmp_path)
    templates = {option(words, "--model_type"): option(words, "--template") for words, _ in swift(found, "sft")}
    assert templates == {"internvl": "fx_internvl_hf", "ovis2_5": "fx_ovis2_5", "qwen2_5_vl": "fx_qwen2_5_vl"}
    (score,) = [words for words, _ in found if words[:2] == ["fakexplain", "score"]]
    frames = [score[index + 1] for index, word in enumerate(score) if word == "--frame"]
    assert "No-FT, internvl3-8b=norm1000" in frames and "FakeXplainer, ovis2.5-9b=norm1000" in frames
    assert not [frame for frame in frames if "mimo" in frame or "qwen" in frame]
    of_the_image = {name for name in TEMPLATES if not frame_rule(name).norm1000}
    assert of_the_image == {"fx_qwen2_5_vl", "fx_mimo_vl"}  # the recipe gives all others --frame


def test_table_6_answers_every_set_and_keeps_its_name(real, tmp_path):
    sets = {"OOD": f"fakeclue={tmp_path} mmfr={tmp_path}"}
    found = printed(real, "table6", tmp_path, **sets)
    scores = [words for words, _ in found if words[:2] == ["fakexplain", "score"]]
    names = list(dict.fromkeys(option(words, "--dataset") for words in scores))
    assert names == ["FakeXplained", "FakeClue", "MMFR-Dataset"]  # a report's first run is of the main data set
    assert {option(words, "--subset") for words in scores} >= {"all", "all__label_only"}
    clue = next(words for words in scores if option(words, "--dataset") == "FakeClue")
    assert option(clue, "--annotations") == "out/ood/fakeclue/data/annotations.jsonl"
    assert len(swift(found, "infer")) == 3 * 9


def test_table_5_perturbs_the_held_out_images(real, tmp_path):
    found = printed({**real, "FOLD": "2"}, "table5", tmp_path)
    (perturb,) = [words for words, _ in found if words[:2] == ["fakexplain", "perturb"]]
    assert option(perturb, "--subset") == "fold2_test"
    annotations = [env["FAKEXPLAINED"] for _, env in swift(found, "infer")]
    assert [Path(path).parent.name for path in annotations][1:] == ["jpeg-80", "jpeg-30", "crop-0.8", "down-0.5"]


def test_other_arguments_of_both_stages(real, tmp_path):
    full = printed(real, "full", tmp_path)
    tuned = {folder(words): option(words, "--tuner_type") for words, _ in [*swift(full, "sft"), *swift(full, "rlhf")]}
    assert set(tuned.values()) == {"lora", "full"}
    assert [name for name, tuner in tuned.items() if tuner == "full"] == [
        f"qwen2.5-vl-32b-fold0/{run}" for run in ("sft-full-parameter", "grpo-full-parameter")
    ]
    claims = printed({**real, "OOD": f"mmfr={tmp_path}"}, "claims", tmp_path)
    frozen = {folder(words): words for words, _ in swift(claims, "sft")}
    assert option(frozen["qwen2.5-vl-32b-fold0/sft-frozen-vit"], "--freeze_vit") == "true"
    assert option(frozen["qwen2.5-vl-32b-fold0/sft-frozen-projector"], "--freeze_aligner") == "true"
    (alone,) = [words for words, _ in swift(claims, "rlhf") if folder(words).endswith("grpo-alone")]
    assert option(alone, "--model") == "Qwen/Qwen2.5-VL-32B-Instruct"


def test_each_stage_can_have_arguments_of_its_own(real, tmp_path):
    found = printed({**real, "TOY": "1", "COMPARE": "with-match new-photos"}, "claims", tmp_path)
    (sft, other), (match, new) = swift(found, "sft"), swift(found, "rlhf")
    assert [folder(words).rpartition("/")[2] for words, _ in (sft, other, match, new)] == [
        "sft", "sft-new-photos", "grpo-with-match", "grpo-new-photos",
    ]  # fmt: skip

    def last(words: list[str], name: str) -> list[str]:
        """What follows the last time that an option is named, which counts."""
        return words[len(words) - words[::-1].index(name) :]

    assert last(match[0], "--reward_funcs")[3] == "fx_match" and last(match[0], "--reward_weights")[3] == "1"
    datasets = [last(words, "--dataset") for words, _ in (sft, other, new)]
    assert [[word for word in words if word.startswith("fakexplained:")] for words in datasets] == [
        ["fakexplained:fold0_train"],
        ["fakexplained:fold1_test", "fakexplained:fold2_test"],
        ["fakexplained:fold3_test"],
    ]


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("", {}, "expected table1 to table7, full, fig4 or claims, found ''"),
        ("table9", {}, "expected table1 to table7, full, fig4 or claims, found 'table9'"),
        ("table3", {}, "OOD is not set: expected SET=DIR of each out-of-distribution set"),
        ("table3", {"OOD": "nothing=/tmp"}, "SET: expected one of fakeclue"),
        ("claims", {"COMPARE": "sft magic"}, "setting: expected one of progressive untuned sft"),
        ("table4", {"FAKEXPLAINED": ""}, "FAKEXPLAINED is not set"),
        ("table4", {"BACKBONE": "llava"}, "BACKBONE: expected one of qwen2.5-vl-3b"),
    ],
)
def test_what_is_refused(real, tmp_path, name, changes, message):
    done = run("experiment.sh", {**real, **changes}, *filter(None, [name]), cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr and done.stdout == ""


SWIFT = """#!/usr/bin/env bash
echo "swift $* devices=${CUDA_VISIBLE_DEVICES:-}" >> "$CALLS"
all=" $* "
[[ $all != *"${FAILS:-nothing}"* ]] || { echo "no such luck"; exit 3; }
while (($#)); do
  [[ $1 != --output_dir ]] || out=$2
  [[ $1 != --result_path ]] || echo '{}' > "$2"
  shift
done
if [[ -n ${out:-} && $out != */merged ]]; then
  for step in ${STEPS:-500 1000}; do
    mkdir -p "$out/checkpoint-$step"
    echo '{}' > "$out/checkpoint-$step/adapter_config.json"
    printf '{\\n  "best_model_checkpoint": "%s",\\n  "global_step": %s,\\n  "max_steps": %s,\\n  "x": 1\\n}\\n' \\
      "$out/checkpoint-500" "$step" "${MAX_STEPS:-1000}" > "$out/checkpoint-$step/trainer_state.json"
  done
fi
[[ $all != *"${ABORTS:-nothing}"* ]] || exit 134
"""

FAKEXPLAIN = """#!/usr/bin/env bash
[[ $1 != split ]] || while (($#)); do
  [[ $1 != --out ]] || { mkdir -p "${2%/*}" && touch "$2"; }
  shift
done
"""


@pytest.fixture
def pretend(real: dict[str, str], tmp_path: Path):
    """Run an experiment with programs that only note their arguments; return the notes of `swift`, and the process."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "swift").write_text(SWIFT)
    (programs / "python").write_text("#!/usr/bin/env bash\n")
    (programs / "fakexplain").write_text(FAKEXPLAIN)
    for program in programs.iterdir():
        program.chmod(0o755)
    calls = tmp_path / "calls"

    def start(name: str, **env: str) -> tuple[list[str], subprocess.CompletedProcess[str]]:
        calls.write_text("")
        variables = {key: value for key, value in real.items() if key != "DRY_RUN"}
        chosen = {**variables, "OUT": str(tmp_path / "out"), "CALLS": str(calls), **env}
        command = ["bash", str(ROOT / "recipes/experiment.sh"), name]
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            command, env={"PATH": path, **chosen}, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        return calls.read_text().splitlines(), done

    return start


def kinds(calls: list[str]) -> list[str]:
    return [call.split()[1] for call in calls]


def test_the_best_checkpoint_is_merged_and_nothing_runs_twice(pretend, tmp_path):
    calls, done = pretend("full")
    assert done.returncode == 0, done.stderr
    assert kinds(calls) == ["sft", "export", "sft", "export", "rlhf", "export", "rlhf", "export", "infer", "infer"]
    assert "checkpoint-500 --merge_lora true" in calls[1]
    assert done.stdout.splitlines()[-1] == f"Report: {tmp_path}/out/full/report/report.html"
    calls, done = pretend("full")
    assert done.returncode == 0 and calls == []
    calls, done = pretend("table4")  # shares the SFT and the progressive GRPO of its own size
    assert kinds(calls).count("sft") == 2 + 4 and kinds(calls).count("rlhf") == 2 + 2 + 4


def test_a_killed_training_goes_on_from_its_last_whole_checkpoint(pretend, tmp_path):
    _, done = pretend("full", FAILS="rlhf")
    run = tmp_path / "out/qwen2.5-vl-32b-fold0/grpo-progressive"
    assert done.returncode == 1 and "no such luck" in done.stderr and "grpo-progressive failed" in done.stderr
    for step in (9, 20, 100):
        (run / f"checkpoint-{step}").mkdir(parents=True)
        if step != 100:  # killed while it was written
            (run / f"checkpoint-{step}/trainer_state.json").write_text("{}")
    calls, done = pretend("full")
    assert done.returncode == 0, done.stderr
    (resumed,) = [call for call in calls if "grpo-progressive " in call and "swift rlhf" in call]
    assert f"--resume_from_checkpoint {run}/checkpoint-20 " in resumed + " "
    assert kinds(calls).count("sft") == 0
    # on the toy world, from the start: so the numbers are those of a run that nothing stopped
    other = {"TOY": "1", "OUT": str(tmp_path / "toy")}
    pretend("full", **other, FAILS="sft")
    toy = tmp_path / "toy/qwen2.5-vl-3b-fold0/sft-lora/checkpoint-9"
    toy.mkdir(parents=True)
    (toy / "trainer_state.json").write_text("{}")
    calls, done = pretend("full", **other)
    assert done.returncode == 0, done.stderr
    assert "--resume_from_checkpoint" not in calls[0] and not toy.exists()


@pytest.mark.parametrize(("steps", "code"), [("1000", 0), ("2000", 1)])
def test_training_that_fails_after_its_last_step_is_done(steps, code, pretend, tmp_path):
    """As when a process aborts on its way out, or is killed before its mark is set."""
    calls, done = pretend("full", ABORTS=" sft ", MAX_STEPS=steps)
    assert done.returncode == code, done.stderr
    assert kinds(calls).count("export") == (4 if code == 0 else 0)
    (tmp_path / "out/qwen2.5-vl-32b-fold0/sft/trained").unlink(missing_ok=True)
    (tmp_path / "out/logs/qwen2.5-vl-32b-fold0-sft.done").unlink(missing_ok=True)
    calls, done = pretend("full")
    assert done.returncode == 0, done.stderr
    assert kinds(calls).count("sft") == (0 if code == 0 else 2)


def test_runs_side_by_side_have_gpus_of_their_own(pretend):
    calls, done = pretend("table1", JOBS="2", GPUS="4")
    assert done.returncode == 0, done.stderr
    devices = [re.search(r"devices=(.*)", call)[1] for call in calls if call.split()[1] == "sft"]
    assert sorted(devices) == ["0,1,2,3", "0,1,2,3", "4,5,6,7", "4,5,6,7"]


def test_other_settings_do_not_mix(pretend):
    assert pretend("full")[1].returncode == 0
    _, done = pretend("full", SEED="7")
    assert done.returncode == 2 and "holds a run with other settings" in done.stderr
