from __future__ import annotations

import gc
import math
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swift_plugins.fakexplain.annotation import NO_FLAW, Region
from swift_plugins.fakexplain.answer import parse_answer
from swift_plugins.fakexplain.notations.captions import assign_words
from swift_plugins.fakexplain.notations.limits import MAX_CHARACTERS, MAX_REGIONS
from swift_plugins.fakexplain.tags import TAGS
from swift_plugins.fakexplain.variants import VARIANTS
from tests.answers import CLOCK, FRAGMENTS, FULL, HAND, REAL, swap

# Regions, verdicts, tags ---------------------------------------------------------------------------------------------

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


VERDICTS = [
    # text, verdict, problems, reason
    *((f"<verdict>{w}</verdict>", "fake", (), w) for w in ("generated", "Synthetic", "AI-generated", "AI generated.")),
    *((f"<verdict>{w}</verdict>", "real", (), w) for w in ("authentic", "REAL", " real\n", "This image is real.")),
    ("<Verdict>**Fake**</VERDICT>", "fake", (), "capitals and Markdown"),
    ("<verdict>not real</verdict>", "fake", (), "a negation"),
    ("<verdict>fa", None, ("no_verdict", "unclosed"), "cut short in the word"),
    ("<verdict>fake</verd", "fake", ("unclosed",), "cut short after the word"),
    ("<verdict>real or fake</verdict>", None, ("no_verdict",), "both words"),
    ("<verdict></verdict>", None, ("no_verdict",), "an empty block"),
    ("<verdict>" + "It is, it is, " * 20 + "real</verdict>", None, ("no_verdict",), "a speech"),
    ("<verdict>fake</verdict><verdict>generated</verdict>", "fake", (), "twice the same"),
    ("<verdict>real</verdict><verdict>fake</verdict>", None, ("conflicting_verdicts",), "both verdicts"),
    ("between <verdict> and </verdict>: real or fake. <verdict>fake</verdict>", "fake", (), "an echo of the prompt"),
    ("fake", "fake", ("bare_verdict",), "a bare word"),
    ("The image is AI-generated.", "fake", ("bare_verdict",), "a bare sentence"),
    ("Real.", "real", ("bare_verdict",), "a bare word with a point"),
    ("The image looks fake to me, because of the hand.", None, ("no_verdict",), "no guess from prose"),
    ("<answer>fake</answer>", "fake", ("bare_verdict",), "another block"),
    ("<verdict>maybe</verdict> fake", None, ("no_verdict",), "a word beside an unreadable block"),
]


@pytest.mark.parametrize(("text", "verdict", "problems", "reason"), VERDICTS, ids=[row[3] for row in VERDICTS])
def test_verdicts_in_other_words(text, verdict, problems, reason):
    answer = parse_answer(text)
    assert (answer.verdict, answer.problems) == (verdict, problems)
    assert parse_answer(text, strict=True).problems


WORDS_OF_VERDICTS = {
    "fake": [
        *("deepfake", "tampered", "photoshopped", "It isn't real.", "likely fake", "AI-Generated Image Detected"),
        *(
            "Real: 4%",
            "3 % real",
            "real=0",
            "P(real) = 0.1",
            "Fake: 0.51, real: 0.49",
            "Is it real? No.",
            "No, it is fake.",
        ),
        *('{"is_real": false}', '{"authentic": "no"}', '{"label": "ai", "confidence": 0.8}', "\\boxed{\\text{Fake}}"),
        *(
            "这是一张合成的图片。",
            "不真实",
            "图片不是real",
            "B) fake",
            "Label: generated by AI",
            "not real but AI",
            "ＡＩ",
        ),
    ],
    "real": [
        *(
            "not fake",
            "no deepfake",
            "human-made",
            "a real photograph",
            "No AI detected",
            "No, it is real.",
            "Fake: 0%",
        ),
        *(
            '{"is_fake": 0}',
            '{"ai_generated": false}',
            "1% fake",
            "AI: 2%",
            "不是AI生成的",
            "真实",
            "并非 fake",
            "Option A: Real",
        ),
        *("real, not AI-generated", "Is it AI? No", "Prediction: **real**", "non-AI", "real (97%)"),
    ],
    None: [
        *(
            "real ❌",
            "❌ fake",
            "!real",
            "real≠",
            "~~real~~",
            "<del>real</del> fake",
            "real?",
            "AI?",
            "AI-generated: 3/10",
        ),
        *(
            "real (4%)",
            "real or fake",
            "maybe fake",
            "hardly real",
            "not clearly fake",
            "prawdziwe",
            "фейкище",
            "partially real",
        ),
        *(
            "real-looking fake",
            "surreal",
            "real: 0.5",
            "1",
            "no",
            "{}",
            "真假难辨",
            "not edited",
            "fake, I am not sure",
            "No AI, no",
        ),
        *("is_fake", "score: 0.9", "un", "AI real")[1:],
    ],
}
STATED = [(words, verdict) for verdict, all_words in WORDS_OF_VERDICTS.items() for words in all_words]


@pytest.mark.parametrize(("words", "verdict"), STATED, ids=[words for words, _ in STATED])
def test_a_verdict_is_understood_in_full_or_not_read(words, verdict):
    assert parse_answer(words).verdict == verdict
    block = parse_answer(f"<verdict>{words}</verdict>")
    assert block.verdict == verdict
    assert ("no_verdict" in block.problems) == (verdict is None)


@pytest.mark.parametrize("sign", ["❌", "!", "≠", "?", "~", "7", "ж", "不", "👎", "^", "%", "not"])
@pytest.mark.parametrize("word", ["real", "fake", "AI-generated"])
def test_what_is_not_understood_never_leaves_the_verdict_as_it_is(word, sign):
    plain = parse_answer(word).verdict
    assert parse_answer(f"{sign}{word}").verdict != plain
    assert parse_answer(f"{word} {sign}").verdict != plain


PLACES = [
    ("<think>The hand.</think>\n<answer>Fake</answer>", "fake", "bare_verdict"),
    ("<conclusion>real</conclusion>", "real", "bare_verdict"),
    ("Six fingers. \\boxed{AI-generated}", "fake", "bare_verdict"),
    ("Six fingers.\n<|begin_of_box|>fake<|end_of_box|>", "fake", "bare_verdict"),
    ("Six fingers.\n**Final verdict**: AI-generated", "fake", "bare_verdict"),
    ("## Conclusion\nThe image is not AI-generated. It has grain.", "real", "bare_verdict"),
    ("手有六根手指。\n结论：这张图片是假的。", "fake", "bare_verdict"),
    ('{"verdict": "fake", "reason": "The hand has 6 fingers."}', "fake", "bare_verdict"),
    ('{"is_fake": false, "reason": "Grain everywhere."}', "real", "bare_verdict"),
    ("This is a fake image. The hand has six fingers.", "fake", "sentence_verdict"),
    ("[CLS] The image is tampered.[SEG] The hand.", "fake", "sentence_verdict"),
    ("Yes, this image is AI-generated because the hand has six fingers.", "fake", "sentence_verdict"),
    ("The hand has six fingers. Therefore, this image is likely fake.", "fake", "sentence_verdict"),
    ("This is a fake image. So it is a real image.", None, "conflicting_verdicts"),
    ("This is a fake image. It is real. The hand.", None, "conflicting_verdicts"),
    ("Based on the analysis, this image is fake. The hand.", "fake", "sentence_verdict"),
    ('{"verdict": "fake", "bbox_2d": [], "label": "real"}', "fake", "bare_verdict"),
    ("<answer>fake</answer><answer>real</answer>", None, "conflicting_verdicts"),
    ("This image looks real, but it is not sharp.", None, "no_verdict"),
    ("<think>\nThis image is fake. The", None, "no_verdict"),
]


@pytest.mark.parametrize(("text", "verdict", "code"), PLACES, ids=[row[0][:40] for row in PLACES])
def test_verdicts_in_the_places_of_other_systems(text, verdict, code):
    answer = parse_answer(text, variant="full")
    assert answer.verdict == verdict
    assert code in answer.problems


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


STATES_REGIONS = [
    (FULL, True),
    (REAL, True),
    ("<verdict>real</verdict>", False),
    ("", False),
    ("garbage", False),
    ("<think>\nThe light is", False),  # cut short before it states anything
    ("<think>\nA harbour at noon.\n</think>\n<verdict>real</verdict>", True),
    ("A harbour at noon.\n</think>\n<verdict>real</verdict>", True),  # the prompt opened the block
    ("<think>ness 4 harbour</think> 77", False),  # an end of thinking, and no verdict: nothing is stated
    (f"{NO_FLAW} <verdict>real</verdict>", True),
    (f"{NO_FLAW} {NO_FLAW} or", False),  # an echo of the prompt
    ("(1,2),(3,4)", True),
]


@pytest.mark.parametrize(("text", "states_regions"), STATES_REGIONS)
def test_whether_the_text_states_regions(text, states_regions):
    assert parse_answer(text, variant="full").states_regions is states_regions


def test_reasoning_of_a_real_verdict_is_no_region():
    text = "<think>\nThe hand looks fine.\n</think>\n<verdict>real</verdict>"
    assert parse_answer(text).regions == ()
    assert parse_answer(text, variant="full").problems == ()
    assert parse_answer(text, variant="no_bbox").problems == ("real_with_flaws",)


@pytest.mark.parametrize("end", range(len(FULL)))
def test_a_truncated_answer_keeps_what_came_before(end):
    text = FULL[:end]
    answer = parse_answer(text)
    boxes = [region.bbox for region in answer.regions if region.bbox]
    assert boxes == [box for box, mark in ((CLOCK, "60]"), (HAND, "300]")) if mark in text]
    assert answer.verdict == ("fake" if "<verdict>fake" in text else None)
    assert answer.problems


# Any text ------------------------------------------------------------------------------------------------------------

mixtures = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=4)), max_size=30).map("".join)


def check(text: str) -> None:
    """What holds of the answer in any text."""
    for variant in (None, *VARIANTS):
        strict, tolerant = parse_answer(text, True, variant), parse_answer(text, False, variant)
        assert strict.verdict in ("fake", "real", None)
        assert set(strict.tags) <= set(TAGS)
        assert len(set(strict.tags)) == len(strict.tags)
        for bbox, caption in strict.regions:
            caption.encode()
            assert caption == caption.strip()
            assert len(caption.splitlines()) <= 1
            if bbox is None:
                assert caption
            else:
                assert len(bbox) == 4
                assert all(isinstance(v, float) and math.isfinite(v) for v in bbox)
                assert bbox[0] < bbox[2]
                assert bbox[1] < bbox[3]
        assert set(tolerant.problems) == set(strict.problems) - {"wording", "extra_text", "layout"}
        assert (strict.verdict, strict.regions, strict.tags) == (tolerant.verdict, tolerant.regions, tolerant.tags)
        assert ("no_verdict" in strict.problems or "conflicting_verdicts" in strict.problems) == (
            strict.verdict is None
        )
        assert strict.states_regions or not strict.regions


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.text(st.characters(), max_size=200), mixtures))
def test_any_text_gives_an_answer(text):
    check(text)


NASTY = {
    "lone surrogates": "<think>\n[1, 2, 3, 4] \ud800\udfff\n</think>\n<tag>\ud800</tag>\n<verdict>\udc00fake</verdict>",
    "a surrogate escaped in JSON": '[{"bbox_2d": [1, 2, 3, 4], "label": "\\ud800 \\u0000"}]',
    "a broken escape in JSON": '[{"bbox_2d": [1, 2, 3, 4], "label": "\\u12 \\x"}]',
    "null bytes": FULL.replace(" ", "\x00"),
    "right to left": "\u202e" + FULL + "\u202c\u200f",
    "zero width": "\u200b".join(FULL),
    "5000 digits": swap("90", "9" * 5000),
    "1e308 and beyond": "[-1e308, -1e308, 1e308, 1e308] a [1e309, 1, 2, 3] b [1e-400, 0, 1e-5, 1] c",
    "not numbers": "[nan, NaN, inf, -Infinity] [infinity, 1, 2, 3] [0x1, 1, 2, 3] [1__2, 1, 2, 3] [., -, +, e]",
    "Unicode digits": "[١, ٢, ٣, ٤] a [①, ②, ③, ④] b [½, 1, 2, 3] c",
    "100,000 open brackets": "[" * 100_000,
    "nested JSON": '{"bbox_2d":' * 5000,
    "form feeds": FULL.replace("\n", "\f"),
    "combining": "e\u0301" * 500 + FULL,
    "capital I with dot": FULL.replace("i", "İ"),
}


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY)
def test_nasty_text_gives_an_answer(text):
    check(text)


# Bounds --------------------------------------------------------------------------------------------------------------


def test_too_long_a_text_is_read_in_part():
    late = "<think>\n" + "x" * MAX_CHARACTERS + "\n</think>\n<verdict>fake</verdict>"
    assert parse_answer(late).problems == ("no_verdict", "unclosed", "too_long")
    many = "[1,2,3,4]\n" * (MAX_REGIONS + 1)
    assert len(parse_answer(many).regions) == MAX_REGIONS
    assert parse_answer(many).problems == ("no_verdict", "too_long")
    assert "too_long" not in parse_answer("[1,2,3,4]\n" * MAX_REGIONS).problems
    for item in ("<loc0001><loc0002><loc0003><loc0004>", "<1><2><3><4>", "- box: [1,2,3,4]\n  text: a\n\n\n\n"):
        assert "too_long" not in parse_answer(item * 9).problems
        assert "too_long" in parse_answer(item * (MAX_REGIONS + 1)).problems
    assert "too_long" in parse_answer("<think>" + "a\n" * (MAX_REGIONS + 1)).problems


UNITS = [
    *("<think>", "</think>", "<verdict>", "<verdict>fake", "<tag>", "<tag>texture error", "[1,", "[", "(", "(1,2),"),
    *("{", "<|box_start|>(", '{"bbox_2d": [', '"bbox_2d":', '"label": "', "```json", "<ref>", "<|", "<", "\n", " "),
    *("1", "- 1. ", "[1, 2, 3, 4] a\n", "[1,2,3,4]", "(1,2) ", '{"bbox":[1,2,3,4],"label":"x"}', "a\n", "<\n"),
    *("[x]\n", "texture error ", "\\", '{"bbox": "label": "', "[1 ", "(1,2)" + " " * 60, "<think>\n", "\ud800"),
    *("[nan,nan,nan,nan]", "<x1>1</x1>", "- box: [1, 2, 3, 4]\n  caption: x\n", "f(bbox=(1, 2, 3, 4), caption='x') "),
    *("[a](#b) *a* `b` ", "Box: [1, 2, 3, 4]\na\n", '{"a b": {"x1": 1, "y1": 2, "x2": 3, "y2": 4}} '),
]
SHELLS = [
    ("", ""),
    ("<think>\n", "\n</think>\n<tag>none</tag>\n<verdict>fake</verdict>"),
    ("<tag>", "</tag>"),
    ('{"bbox": [1, 2, 3, 4], "label": "', ""),
    ("[", ""),
    ("(1, 2)", "x"),
]


def seconds(text: str, limit: float) -> float:
    """Processor time of the worse of the two ways to read; the best of a few tries, for the machine may be busy."""
    best = math.inf
    gc.disable()  # as timeit does
    for _ in range(8):
        times = []
        for strict in (True, False):
            start = time.thread_time()
            parse_answer(text, strict=strict, variant="full")
            times.append(time.thread_time() - start)
        best = min(best, max(times))
        if best < limit:
            break
    gc.enable()
    return best


@pytest.mark.parametrize("shell", SHELLS, ids=[repr(a) for a, _ in SHELLS])
@pytest.mark.parametrize("unit", UNITS, ids=repr)
def test_time_is_linear(unit, shell):
    def text(size):
        return shell[0] + unit * (size // len(unit)) + shell[1]

    # twice what it takes on a machine at its usual pace
    assert seconds(text(1_000_000), 0.1) < 0.1
    assert seconds(text(16 * 1024), 0.015) < 0.015
    # Within what is read: ten times the text in at most thirty times the time (a quadratic reader takes a hundred).
    tenth = max(seconds(text(9_000), 0), 1e-4)
    assert seconds(text(90_000), 30 * tenth) < 30 * tenth


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[{"bbox": ["10%", "20%", "30%", "40%"], "label": "rail"}]', "bad_box"),
        ("Rail: (6.5%, 23%) to (41%, 58.5%)", "doubtful_box"),
        ("34;120;210;300 - bent rail", "doubtful_box"),
        ("x=34, y=120, width=176, height=180: bent rail", "doubtful_box"),
        ("The rail from x=34 to x=210 and y=120 to y=300 is bent.", "doubtful_box"),
        ("| x1 | y1 | x2 | y2 |\n|---|---|---|---|\n| 34 | 120 | 210 | 300 |", "doubtful_box"),
    ],
)
def test_numbers_of_a_box_that_is_not_read_are_named(text, code):
    answer = parse_answer(f"<think>\n{text}\n</think>\n<verdict>fake.</verdict>", variant="full")
    assert answer.regions == () and code in answer.problems


@pytest.mark.parametrize("text", ["- [ ] real\n- [x] fake", "[] fake", "☐ real"])
def test_an_option_that_is_not_checked_is_no_verdict(text):
    assert parse_answer(text).verdict is None
