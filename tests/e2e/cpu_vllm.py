"""A plugin for tests alone: lets vLLM's CPU engine take new weights.

oneDNN packs weights away when the engine starts, and a sync then finds nothing to write to; without it they stay.
"""

import vllm._custom_ops

vllm._custom_ops._supports_onednn = False
