"""Regions as other systems write them."""

from __future__ import annotations

import pytest

from swift_plugins.fakexplain.annotation import NO_FLAW, Region
from swift_plugins.fakexplain.answer import parse_answer
from swift_plugins.fakexplain.notations.captions import assign_words
from tests.answers import CLOCK, HAND

C, H = "Clock face with illegible numerals.", "Left hand with six fingers."
TWO = (Region(CLOCK, C), Region(HAND, H))
QWEN2_VL = (
    f"<|object_ref_start|>{C}<|object_ref_end|><|box_start|>(12,8),(90,60)<|box_end|>"
    f"<|object_ref_start|>{H}<|object_ref_end|><|box_start|>(34,120),(210,300)<|box_end|><|im_end|>"
)
QWEN25_VL = f"""```json
[
	{{"bbox_2d": [12, 8, 90, 60], "label": "{C}"}},
	{{"bbox_2d": [34, 120, 210, 300], "label": "{H}"}}
]
```"""
INDENTED = f"""[
  {{
    "label": "{C}",
    "bbox_2d": [
      12,
      8,
      90,
      60
    ]
  }},
  {{
    "label": "{H}",
    "bbox": [34.0, 120.0, 210.0, 300.0],
    "confidence": 0.9
  }}
]"""
EARLY = """<think>
clock<|box_start|>(12,8),(90,60)<|box_end|> illegible numerals;hand<|box_start|>(34,120),(210,300)<|box_end|> a; b;
</think>
<tag>The hand shows a structure attribute error, as fingers merge.</tag>
<tag>There is a texture error on the wall.</tag>
<verdict>generated</verdict>"""
REGIONS = [
    # text, regions, problems beside no_verdict, reason
    (QWEN2_VL, TWO, (), "Qwen2-VL tokens"),
    (QWEN25_VL, TWO, (), "Qwen2.5-VL JSON, fenced"),
    (QWEN25_VL.strip("`json\n"), TWO, (), "JSON, not fenced"),
    (INDENTED, TWO, (), "JSON over many lines, keys in another order, more keys"),
    (f"<think>\n{QWEN25_VL}\n</think>", TWO, (), "JSON in think"),
    (f"Here are the flaws:\n{QWEN25_VL}\nThat is all.", TWO, (), "JSON between words"),
    (QWEN25_VL[: QWEN25_VL.index("six")], (TWO[0], Region(HAND, "Left hand with")), (), "JSON cut short in a label"),
    (QWEN25_VL[: QWEN25_VL.index("210")], TWO[:1], (), "JSON cut short in a box"),
    (
        '{"bbox_2d": [12, 8, 90, 60], "label": "a \\"b\\" \\u00e9\\nc"}',
        (Region(CLOCK, 'a "b" é c'),),
        (),
        "JSON escapes",
    ),
    ('{"bbox_2d": [12, 8, 90, 60]}', (Region(CLOCK, ""),), (), "JSON without label"),
    ("[]", (), (), "an empty JSON list"),
    (f"<ref>{C}</ref><box>[[12, 8, 90, 60]]</box> <ref>{H}</ref><box>[[34, 120, 210, 300]]</box>", TWO, (), "InternVL"),
    (
        "<ref>Both</ref><box>[[12, 8, 90, 60], [34, 120, 210, 300]]</box>",
        (Region(CLOCK, "Both"), Region(HAND, "Both")),
        (),
        "InternVL, several boxes of one name",
    ),
    (
        "A <ref>clock</ref><box>[[12,8,90,60]]</box> and a <ref>hand</ref><box>[[34,120,210,300]]</box>.",
        (Region(CLOCK, "clock"), Region(HAND, "hand")),  # words outside <ref> belong to neither
        (),
        "InternVL, in prose",
    ),
    ("(12,8),(90,60)\n(34, 120) (210, 300)", (Region(CLOCK, ""), Region(HAND, "")), (), "points without tokens"),
    (f"1. [12,8,90,60]: {C}\n2. [34,120,210,300]: {H}", TWO, (), "a numbered list"),
    (f"- **{C}** [12, 8, 90, 60]\n- **{H}** [34, 120, 210, 300]", TWO, (), "a list in Markdown, boxes last"),
    (f"[12, 8, 90, 60] {C} [34, 120, 210, 300] {H}", TWO, (), "on one line, boxes first"),
    (f"{C} [12, 8, 90, 60], {H} [34, 120, 210, 300]", TWO, (), "on one line, boxes last"),
    (f"[12, 8, 90, 60] {C}; [34, 120, 210, 300] {H}", TWO, (), "on one line, semicolons"),
    ("<think>\n[12, 8, 90, 60] Clock\n[34, 12", (Region(CLOCK, "Clock"),), ("unclosed",), "cut short in a box"),
    ("[-12.5, 8e0, .5e2, +60.] a", (Region((-12.5, 8.0, 50.0, 60.0), "a"),), (), "floats, signs, exponents"),
    ("[0, 0, 1e308, 1e308] a", (Region((0.0, 0.0, 1e308, 1e308), "a"),), (), "huge and finite"),
    ("[0, 0, 1e309, 1] a", (), ("bad_box",), "infinite"),
    (f"[0, 0, {'9' * 401}, 1] a", (), ("bad_box",), "401 digits"),
    ("[nan, 0, 1, 1] a\n[12, 8, 90, 60] b", (Region(CLOCK, "b"),), ("bad_box",), "not a number"),
    ("[x1, y1, x2, y2] what is wrong", (), ("bad_box",), "the prompt's format"),
    ("[1, 2, 3] a\n[1, 2, 3, 4, 5] b", (), ("bad_box",), "three and five numbers"),
    ("[90, 8, 12, 60] a\n[12, 8, 90, 60] b", (Region(CLOCK, "b"),), ("inverted_box",), "inverted"),
    ("Seen in [1] and (2), at 3:4.", (), (), "brackets that are no boxes"),
    ("The hand (left) has six fingers.", (), (), "prose"),
    ("<think>\nClock face.\n- Hand.\n</think>", (Region(None, "Clock face."), Region(None, "Hand.")), (), "captions"),
    (f"<think>\n{NO_FLAW}\n</think>", (), (), "no flaw"),
]


@pytest.mark.parametrize(("text", "regions", "problems", "reason"), REGIONS, ids=[row[3] for row in REGIONS])
def test_regions_in_other_notations(text, regions, problems, reason):
    answer = parse_answer(text)
    assert answer.regions == regions
    assert set(answer.problems) == {"no_verdict", *problems}
    assert parse_answer(f"{text}\n<verdict>fake</verdict>").regions == regions


G = Region(CLOCK, "clock")
SYSTEMS = [
    # text, regions, codes beside wording, reason
    ('[{"box_2d": [8, 12, 60, 90], "label": "clock"}]', (G,), ("y_first",), "Gemini: y first"),
    (
        '{"box_2d": {"ymin": 8, "xmin": 12, "ymax": 60, "xmax": 90}, "label": "clock"}',
        (G,),
        ("y_first",),
        "named sides",
    ),
    ('{"bbox_2d": {"x1": 12, "y1": 8, "x2": 90, "y2": 60}, "label": "clock"}', (G,), (), "an object of sides"),
    ('{"part": "clock", "xmin": 12, "ymin": 8, "xmax": 90, "ymax": 60}', (G,), (), "sides as keys"),
    ('{"name": "clock", "bbox": {"x": 12, "y": 8, "width": 78, "height": 52}}', (G,), (), "a corner and a size"),
    ("{'bbox': [12, 8, 90, 60], 'name': 'clock', 'score': 0.7}", (G,), (), "a dictionary of Python"),
    ('{"bbox": "12, 8, 90, 60", "label": "clock"}', (G,), (), "a box in a string"),
    (
        '[{"bbox_2d": [12, 8, 90, 60], "name": "clock", "reason": "It has 3 hands."}]',
        (Region(CLOCK, "clock It has 3 hands."),),
        (),
        "several keys of words",
    ),
    (
        '[{"bbox_2d": [12, 8, 90, 60], "label": "dial of [1, 2, 3, 4]"}]',
        (Region(CLOCK, "dial of [1, 2, 3, 4]"),),
        ("doubtful_box",),
        "a label",
    ),
    (
        "Boxes are [ymin, xmin, ymax, xmax].\n[8, 12, 60, 90] clock",
        (G,),
        ("y_first",),
        "the order as the text states it",
    ),
    ("<ref>clock</ref><box>12 8 90 60</box>", (G,), (), "MiniCPM-V"),
    ("clock <bbox>12 8 90 60</bbox>", (G,), (), "Doubao"),
    ("<|ref|>clock<|/ref|><|det|>[[12, 8, 90, 60]]<|/det|>", (G,), (), "DeepSeek-VL2"),
    (
        "A <|ref|>clock<|/ref|><|det|>[[12, 8, 90, 60]]<|/det|> melts. It is odd.",
        (Region(CLOCK, "A clock melts."),),
        (),
        "prose",
    ),
    ("<loc0008><loc0012><loc0060><loc0090> clock", (G,), ("y_first",), "PaliGemma: y first"),
    ("<p>clock</p> {<12><8><90><60>}", (G,), (), "MiniGPT-v2"),
    ("clock<|begin_of_box|>[12,8,90,60]<|end_of_box|>", (G,), (), "GLM"),
    ("clock: (12, 8) to (90, 60)", (G,), (), "two points and a word"),
    ("clock at top-left (12, 8), bottom-right (90, 60)", (Region(CLOCK, "clock at"),), (), "named corners"),
    ("［12，8，90，60］clock", (G,), (), "full-width signs"),
    ("[12 8 90 60] clock", (G,), (), "no commas"),
    ("[[12, 8], [90, 60]] clock", (G,), (), "two points in a list"),
    ("[12, 8, 90, 60) clock\n{34, 120, 210, 300} hand", (G, Region(HAND, "hand")), (), "brackets that do not match"),
    ("12, 8, 90, 60] clock", (G,), (), "one bracket"),
    ("Bounding box: 12, 8, 90, 60 - clock", (G,), (), "no bracket, after a word for a box"),
    ("clock: x1=12, y1=8, x2=90, y2=60", (G,), (), "sides in prose"),
    ("[12, 8, 90, 60 clock\n.", (), ("bad_box",), "no second bracket"),
    ("[12%, 8%, 90%, 60%] clock", (), ("bad_box",), "percentages"),
    ("<box>12 8 90</box> clock", (), ("bad_box",), "three numbers in an element"),
    ('{"bbox": [12, 8, 90], "label": "clock"}', (), ("bad_box",), "three numbers in an object"),
    ('[{"point_2d": [12, 8], "label": "clock"}]', (), ("point",), "a point in JSON"),
    ('<point x="12" y="8" alt="clock">clock</point>', (), ("point",), "a point of Molmo"),
    ("[0.12, 0.08, 0.9, 0.6] clock", (Region((0.12, 0.08, 0.9, 0.6), "clock"),), ("shares",), "shares of the image"),
    ("[12, 8, 90, 60] No flaw here.\n[34, 120, 210, 300] hand", (Region(HAND, "hand"),), ("rejected_box",), "a denial"),
    (
        "[12, 8, 90, 60] It looks fine, but has 3 hands.",
        (Region(CLOCK, "It looks fine, but has 3 hands."),),
        (),
        "a flaw after a denial",
    ),
    ("<think>Is [1, 2, 9, 9] odd?</think>\n[12, 8, 90, 60] clock", (G,), ("draft_boxes",), "a draft in think"),
    ("[12, 8, 90, 60] It reads (1, 2, 3, 4).", (Region(CLOCK, "It reads (1, 2, 3, 4)."),), ("doubtful_box",), "round"),
    ("[12, 8, 90, 60] It reads [1, 2, 3, 4].", (Region(CLOCK, "It reads [1, 2, 3, 4]."),), ("doubtful_box",), "square"),
    ("| 1 | clock | [12, 8, 90, 60] |\n| 2 | hand | [34, 120, 210, 300] |", (G, Region(HAND, "hand")), (), "a table"),
    ('- **"clock"** [12, 8, 90, 60]', (G,), (), "markup and quotes"),
    ("clock [12, 8, 90, 60] and hand [34, 120, 210, 300]", (G, Region(HAND, "hand")), (), "a joining word"),
    (
        "### clock\n- Box: [12, 8, 90, 60]\n- Flaw: melts\n### hand\n- Box: [34, 120, 210, 300]\n- Flaw: six fingers",
        (Region(CLOCK, "clock melts"), Region(HAND, "hand six fingers")),
        (),
        "boxes on lines of their own",
    ),
    (
        "<ref>钟</ref><box>(12,8),(90,60)</box>和<ref>手</ref><box>(34,120),(210,300)</box>",
        (Region(CLOCK, "钟"), Region(HAND, "手")),
        (),
        "Qwen-VL in Chinese",
    ),
]


@pytest.mark.parametrize(("text", "regions", "codes", "reason"), SYSTEMS, ids=[row[3] for row in SYSTEMS])
def test_boxes_of_other_systems(text, regions, codes, reason):
    answer = parse_answer(f"{text}\n<verdict>fake</verdict>", variant="full")
    assert answer.regions == regions
    assert answer.problems == codes


def test_plain_boxes_may_be_y_first():
    text = "[8, 12, 60, 90] clock"
    for answer in (f"<think>\n{text}\n</think>\n<tag>none</tag>\n<verdict>fake</verdict>", f"{text}\n"):
        assert parse_answer(answer, y_first=True).regions == (G,)
    assert parse_answer('{"box_2d": [8, 12, 60, 90], "label": "clock"}', y_first=True).regions == (G,)


WORDS = [
    # text before each box, text after the last, captions, reason
    (["", " a ", " b "], " c", ["a", "b", "c"], "boxes first"),
    (["a ", " b ", " c "], "", ["a", "b", "c"], "words first"),
    (["a ", " b; c ", " d "], " e", ["a b", "c", "d e"], "a semicolon ends the words of the box before it"),
    (["", " a\nb ", " c "], " d", ["a", "b", "c d"], "each line begins in its own way"),
    (["x\n", " a\n\n", " b\ny\n"], "", ["a", "b", ""], "lines without a box belong to none"),
    ([""], "\na", [""], "words on the next line"),
    (["- **a** "], " b\nc", ["a b"], "words before and after the only box"),
    ([], "a", [], "no box"),
]


@pytest.mark.parametrize(("gaps", "tail", "captions", "reason"), WORDS, ids=[row[3] for row in WORDS])
def test_words_belong_to_a_box_on_their_line(gaps, tail, captions, reason):
    assert assign_words(gaps, tail) == captions


def test_the_authors_early_rows():
    answer = parse_answer(EARLY)
    assert answer.verdict == "fake"
    assert answer.regions == (Region(CLOCK, "clock illegible numerals"), Region(HAND, "hand a; b"))
    assert answer.tags == ("structure_attribute_error", "texture_error")
    assert answer.problems == ()
    assert parse_answer(EARLY, strict=True).problems == ("wording",)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[{"bbox": ["10%", "20%", "30%", "40%"], "label": "rail"}]', "bad_box"),
        ("Rail: (6.5%, 23%) to (41%, 58.5%)", "doubtful_box"),
        ("34;120;210;300 - bent rail", "doubtful_box"),
        ("x=34, y=120, width=176, height=180: bent rail", "doubtful_box"),
        ("The rail from x=34 to x=210 and y=120 to y=300 is bent.", "doubtful_box"),
        ("| x1 | y1 | x2 | y2 |\n|---|---|---|---|\n| 34 | 120 | 210 | 300 |", "doubtful_box"),
        ("(box 34 120 210 300)", "doubtful_box"),
        ('((rect 34 120 210 300) (caption "bent rail"))', "doubtful_box"),
        ("34 120 210 300 bent rail", "doubtful_box"),
    ],
)
def test_numbers_of_a_box_that_is_not_read_are_named(text, code):
    answer = parse_answer(f"<think>\n{text}\n</think>\n<verdict>fake.</verdict>", variant="full")
    assert answer.regions == () and code in answer.problems


@pytest.mark.parametrize("variant", [None, "full"])
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("(box 34 120 210 300)", "doubtful_box"),
        ("34 120 210 300 bent rail", "doubtful_box"),
        ('{"point_2d": [34, 120], "label": "bent rail"}', "point"),
        ('{"outline": [[34, 120, 210, 300, 90, 80]], "label": "bent rail"}', "bad_box"),
    ],
)
def test_a_line_in_place_of_a_region_line_is_named(line, code, variant):
    """Its layout is that of an answer without boxes, so its words are a caption there."""
    text = f"<think>\n{line}\n</think>\n<tag>none</tag>\n<verdict>fake</verdict>"
    answer = parse_answer(text, variant=variant)
    assert [region.bbox for region in answer.regions if region.bbox] == []
    assert answer.problems == (code,)
    assert parse_answer(text, variant="no_bbox").problems == ()
