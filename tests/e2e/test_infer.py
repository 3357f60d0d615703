"""`swift infer` by vLLM gives the answers transformers gives."""

import pytest

from tests.e2e.conftest import read_jsonl

pytestmark = pytest.mark.e2e


def test_vllm_and_transformers_agree(quickstart, tmp_path):
    answers = {}
    for backend in ("transformers", "vllm"):
        path = tmp_path / f"{backend}.jsonl"
        quickstart.swift(
            *("infer", "--model", quickstart.checkpoint("sft"), "--val_dataset", "fakexplained:fold0_test#20"),
            *("--infer_backend", backend, "--max_new_tokens", 64, "--temperature", 0, "--result_path", path),
            *("--vllm_enforce_eager", "true", "--vllm_max_model_len", 1024, "--vllm_gpu_memory_utilization", 0.2),
            VLLM_CPU_KVCACHE_SPACE="1",
        )
        answers[backend] = {line["images"][0]["path"]: line["response"] for line in read_jsonl(path)}
    assert len(answers["vllm"]) == 20
    assert answers["vllm"].keys() == answers["transformers"].keys()
    same = sum(answers["vllm"][image] == answers["transformers"][image] for image in answers["vllm"])
    assert same >= 19
