"""Libraries that print only errors, because their words must not mix with answers."""

from __future__ import annotations

QUIET = {
    "LOG_LEVEL": "ERROR",
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
}
"""Variables of the environment, to be set before ms-swift, vLLM or transformers is imported."""
