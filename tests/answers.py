"""Answers in the exact format, and fragments of text that come near to it."""

from __future__ import annotations

from swift_plugins.fakexplain.annotation import NO_FLAW
from swift_plugins.fakexplain.answer import parse_answer

FULL = """<think>
[12, 8, 90, 60] Clock face with illegible numerals.
[34, 120, 210, 300] Left hand with six fingers.
</think>
<tag>structure/attribute error, texture error</tag>
<verdict>fake</verdict>"""
REAL = f"<think>\n{NO_FLAW}\n</think>\n<tag>none</tag>\n<verdict>real</verdict>"
CLOCK, HAND = (12.0, 8.0, 90.0, 60.0), (34.0, 120.0, 210.0, 300.0)

FRAGMENTS = [
    *("<think>", "</think>", "<tag>", "</tag>", "<verdict>", "</verdict>", "fake", "real", "none", ", ", "\n", " "),
    *("[", "]", "texture error", NO_FLAW, "[1, 2, 3, 4]", "[3, 4, 1, 2] x", "<|box_start|>(1,2),(3,4)<|box_end|>"),
    *("(1,2)", "(", ")", '{"bbox_2d": [1, 2, 3, 4], "label": "a\\"b"}', '"bbox_2d": [', '"label": "', "```json"),
    *("<ref>hand</ref>", "}", "{", "<box>[[1, 2, 3, 4]]</box>", "nan", "1e308", "-inf", "9" * 401, "\ud800", "\x00"),
    *("\u202e", "\x85", "\\", "<", "|>"),
]


def swap(old, new, text=FULL):
    assert text.count(old) >= 1
    return text.replace(old, new)


def answer(*lines: str, tags: str = "none", verdict: str = "fake") -> str:
    return "\n".join(
        ["<think>", *(lines or [NO_FLAW]), "</think>", f"<tag>{tags}</tag>", f"<verdict>{verdict}</verdict>"]
    )


def check_verdict(words: str, verdict: str | None) -> None:
    """Words state a verdict, or None, alone and in a verdict block."""
    assert parse_answer(words).verdict == verdict
    block = parse_answer(f"<verdict>{words}</verdict>")
    assert block.verdict == verdict
    assert ("no_verdict" in block.problems) == (verdict is None)
