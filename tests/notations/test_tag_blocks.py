"""Tags in other words."""

from __future__ import annotations

import pytest

from swift_plugins.fakexplain.answer import parse_answer

TAG_BLOCKS = [
    # text, tags, problems, reason
    (
        "<tag>texture error</tag><tag>artistic style</tag>",
        ("texture_error", "artistic_style"),
        (),
        "one block for each",
    ),
    ("<tag>Wrong Texture; Unrecognizable Objects</tag>", ("texture_error", "unknown_object"), (), "the paper's names"),
    ("<tag>texture_error, texture error</tag>", ("texture_error",), (), "the same twice"),
    ("<tag>texture error, shiny</tag>", ("texture_error",), ("unknown_tag",), "one unknown"),
    ("<tag>shiny and new</tag>", (), ("unknown_tag",), "prose that names none"),
    ("<tag>None.</tag>", (), (), "none"),
    ("<tag>No perspective error, no texture error</tag>", (), ("denied_tag",), "both denied"),
    ("<tag>There isn't any texture error; artistic style</tag>", ("artistic_style",), ("denied_tag",), "one denied"),
    ("<tag>The hand is not right: a texture error</tag>", ("texture_error",), (), "a negation of something else"),
    ("<tag></tag>", (), (), "empty"),
    ("<tag>perspective errors\n<verdict>", ("perspective_error",), ("unclosed",), "cut short"),
    ("texture error", (), (), "outside a block"),
]


@pytest.mark.parametrize(("text", "tags", "problems", "reason"), TAG_BLOCKS, ids=[row[3] for row in TAG_BLOCKS])
def test_tags_in_other_words(text, tags, problems, reason):
    answer = parse_answer(text)
    assert answer.tags == tags
    assert set(answer.problems) == {"no_verdict", *problems}
