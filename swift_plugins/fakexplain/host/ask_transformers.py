"""Ask a published model about an image with transformers alone: ask_transformers.py FOLDER IMAGE [MAX_NEW_TOKENS]"""

import sys
from typing import Any

from PIL import Image, ImageOps
from transformers import AutoModelForImageTextToText, AutoProcessor


def ask_transformers(folder: str, path: str, max_new_tokens: int = 1024) -> str:
    """The model's answer, as it writes it."""
    processor = AutoProcessor.from_pretrained(folder)
    model: Any = AutoModelForImageTextToText.from_pretrained(folder, dtype="auto", device_map="auto")
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    question = {"type": "text", "text": "Is this image real or AI-generated?"}
    inputs = processor.apply_chat_template(
        [{"role": "user", "content": [{"type": "image", "image": image}, question]}],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
    ).to(model.device, model.dtype)
    written = model.generate(**inputs, max_new_tokens=max_new_tokens, do_sample=False)
    answer: str = processor.decode(written[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    return answer


if __name__ == "__main__":
    print(ask_transformers(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])))
