"""The complete prompts: one system prompt per variant, and one question."""

from __future__ import annotations

from .annotation import NO_FLAW
from .tags import TAG_WORDS
from .variants import variant_named

QUESTION = "Is this image real or AI-generated?"

_TASK = "You inspect images and tell photographs from AI-generated images."
_REGIONS = {
    "full": "between <think> and </think>, one line for each flawed region, from top to bottom: "
    "[x1, y1, x2, y2] and what is wrong there, a noun first",
    "no_bbox": "between <think> and </think>, one line for each flawed region, from top to bottom: "
    "what is wrong there, a noun first",
    "no_caption": "between <think> and </think>, one line for each flawed region, from top to bottom: [x1, y1, x2, y2]",
}
_REGIONS["no_tags"] = _REGIONS["full"]
_TAGS = (
    "between <tag> and </tag>, what is wrong with the image as a whole, separated by commas, of: "
    + ", ".join(TAG_WORDS.values())
    + "; or none"
)
_VERDICT = "between <verdict> and </verdict>: real or fake"


def system_prompt(variant: str = "full") -> str:
    """The system prompt that asks for an answer of this variant.

    Raises:
        ValueError: no such variant.

    >>> system_prompt("label_only").partition(". ")[2]
    'Answer with, between <verdict> and </verdict>: real or fake.'
    """
    variant_parts = variant_named(variant)
    parts = []
    if variant_parts.regions:
        parts.append(f'{_REGIONS[variant]}, or "{NO_FLAW}" where there is none')
    if variant_parts.tags:
        parts.append(_TAGS)
    parts.append(_VERDICT)
    return f"{_TASK} Answer with, " + "; then, ".join(parts) + "."
