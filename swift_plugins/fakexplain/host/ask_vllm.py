"""Ask a published model about an image with vLLM alone: ask_vllm.py FOLDER IMAGE [MAX_TOKENS [ENGINE_ARGUMENTS]]"""

import json
import sys
from typing import Any

from PIL import Image, ImageOps
from vllm import LLM


def ask_vllm(folder: str, path: str, max_tokens: int = 1024, **engine: Any) -> str:
    """The model's answer, as it writes it."""
    llm = LLM(folder, **{"max_model_len": 8192, "limit_mm_per_prompt": {"image": 1, "video": 0}, **engine})
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    question = {"type": "text", "text": "Is this image real or AI-generated?"}
    messages: Any = [{"role": "user", "content": [{"type": "image_pil", "image_pil": image}, question]}]
    how = llm.get_default_sampling_params()  # the model's own repetition penalty, which the others apply too
    how.temperature, how.max_tokens = 0, max_tokens
    answers = llm.chat(messages, how, use_tqdm=False)
    return answers[0].outputs[0].text


if __name__ == "__main__":
    print(ask_vllm(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:4]), **json.loads(" ".join(sys.argv[4:]) or "{}")))
