"""`swift infer` by vLLM gives the answers that transformers gives."""

import pytest

from tests.e2e.conftest import TOKENS, read_jsonl

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def answers(path):
    """Image path -> answer."""
    return {line["images"][0]["path"]: line["response"] for line in read_jsonl(path)}


def test_vllm_and_transformers_agree(quickstart, tmp_path):
    quickstart.swift(
        *("infer", "--model", quickstart.checkpoint("sft"), "--val_dataset", "fakexplained:fold0_test"),
        *("--infer_backend", "vllm", "--max_new_tokens", TOKENS, "--temperature", 0),
        *("--result_path", tmp_path / "vllm.jsonl", "--vllm_enforce_eager", "true"),
        *("--vllm_max_model_len", 1024, "--vllm_gpu_memory_utilization", 0.2),
        VLLM_CPU_KVCACHE_SPACE="1",
    )
    vllm, transformers = answers(tmp_path / "vllm.jsonl"), answers(quickstart.out / "sft.jsonl")
    assert len(vllm) == 24
    assert vllm.keys() == transformers.keys()
    assert sum(vllm[image] == transformers[image] for image in vllm) >= 23
