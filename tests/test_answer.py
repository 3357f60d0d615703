from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from swift_plugins.fakexplain.annotation import NO_FLAW, Annotation, Region, check_caption
from swift_plugins.fakexplain.answer import PROBLEMS, Answer, parse_answer, render_answer, target_regions
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.frames import frame_rule
from swift_plugins.fakexplain.notations.limits import MAX_CHARACTERS, MAX_REGIONS
from swift_plugins.fakexplain.tags import TAG_WORDS, TAGS
from swift_plugins.fakexplain.variants import VARIANTS
from tests.answers import CLOCK, FRAGMENTS, FULL, HAND, REAL, swap


class Rounding:
    """A frame as large as the image."""

    def target_xyxy(self, xyxy_px):
        return tuple(round(v) for v in xyxy_px)


RECORD = Annotation(
    "flux-0001",
    "images/flux-0001.png",
    512,
    512,
    "fake",
    (Region(HAND, "Left hand with six fingers."), Region(CLOCK, "Clock face with illegible numerals.")),
    ("structure_attribute_error", "texture_error"),
)

# Rendering -----------------------------------------------------------------------------------------------------------

RENDERED = {
    "full": FULL,
    "no_bbox": """<think>
Clock face with illegible numerals.
Left hand with six fingers.
</think>
<tag>structure/attribute error, texture error</tag>
<verdict>fake</verdict>""",
    "no_caption": """<think>
[12, 8, 90, 60]
[34, 120, 210, 300]
</think>
<tag>structure/attribute error, texture error</tag>
<verdict>fake</verdict>""",
    "no_tags": """<think>
[12, 8, 90, 60] Clock face with illegible numerals.
[34, 120, 210, 300] Left hand with six fingers.
</think>
<verdict>fake</verdict>""",
    "label_only": "<verdict>fake</verdict>",
}


BOXES_IN_CAPTIONS = (
    "- Bent rail. [46,382,47,428]",
    "<loc0010><loc0020><loc0030><loc0040> Bent rail.",
    "Rail (1, 2), (3, 4)",
)


@pytest.mark.parametrize("line", BOXES_IN_CAPTIONS)
def test_a_box_in_a_line_of_an_answer_without_boxes_is_named_or_read(line):
    text = f"<think>\n{line}\n</think>\n<tag>none</tag>\n<verdict>fake</verdict>"
    exact = parse_answer(text, variant="no_bbox")
    assert exact.problems == () and exact.regions[0].bbox is None  # these may be words that a record has
    assert parse_answer(text, strict=True, variant="no_bbox") == parse_answer(text, strict=True) == exact
    assert parse_answer(text).regions == exact.regions and parse_answer(text).problems == ("doubtful_box",)
    (region,) = parse_answer(text, variant="full").regions
    assert region.bbox is not None and region.caption in ("Bent rail.", "Rail")


@pytest.mark.parametrize("variant", VARIANTS)
def test_render(variant):
    assert render_answer(RECORD, variant, Rounding()) == RENDERED[variant]


@pytest.mark.parametrize("variant", VARIANTS)
def test_render_placeholders(variant):
    text = render_answer(RECORD, variant)
    for box in ("[12, 8, 90, 60]", "[34, 120, 210, 300]"):
        text = text.replace("<bbox>", box, 1)
    assert text == RENDERED[variant]
    assert "<bbox>" not in text


def test_render_real_and_tags_alone():
    assert render_answer(Annotation("r", "r.png", 8, 8, "real")) == REAL
    tags_alone = Annotation("t", "t.png", 8, 8, "fake", (), ("artistic_style",))
    assert render_answer(tags_alone) == (
        f"<think>\n{NO_FLAW}\n</think>\n<tag>artistic style</tag>\n<verdict>fake</verdict>"
    )


def test_reading_order_is_by_y_then_x_and_stable():
    boxes = [(5.0, 9.0, 6.0, 10.0), (7.0, 1.0, 8.0, 2.0), (3.0, 1.0, 4.0, 2.0), (3.0, 1.0, 9.0, 9.0)]
    record = Annotation("a", "a.png", 99, 99, "fake", tuple(Region(b, str(i)) for i, b in enumerate(boxes)))
    assert [region.caption for region in target_regions(record)] == ["2", "3", "1", "0"]


@pytest.mark.parametrize("call", [lambda: render_answer(RECORD, "boxes"), lambda: parse_answer(FULL, variant="boxes")])
def test_unknown_variant_raises(call):
    with pytest.raises(
        ValueError, match="expected one of full, no_bbox, no_caption, no_tags, label_only, found 'boxes'"
    ):
        call()


# The exact reading ---------------------------------------------------------------------------------------------------


VALID = [
    # text, the one variant it is (None: several), reason
    *((text, variant, f"as rendered: {variant}") for variant, text in RENDERED.items()),
    (REAL, None, "real"),
    (swap("real", "fake", REAL), None, "fake without region or tag: a record may say so"),
    (f"  \n{FULL}\n\n", "full", "blanks around it"),
    (swap("12, 8, 90, 60", "12, 200, 90, 260"), "full", "regions in another order"),
    (swap("[12, 8, 90, 60]", "[0, 0, 999999999, 1]"), "full", "nine digits"),
    (swap("Clock face", "时钟 – “clock” & a<b > c | d [x]"), "full", "a caption in any script"),
    (f"<think>\n{NO_FLAW}\n</think>\n<verdict>real</verdict>", "no_tags", "real, without tags"),
]
CONTAINING_NO_FLAW = {"full", "no_bbox", "no_caption"}


@pytest.mark.parametrize(("text", "only", "reason"), VALID, ids=[row[2] for row in VALID])
def test_exact_answers(text, only, reason):
    assert parse_answer(text, strict=True).problems == ()
    expected = {only} if only else CONTAINING_NO_FLAW
    assert {v for v in VARIANTS if parse_answer(text, strict=True, variant=v).problems == ()} == expected
    for variant in VARIANTS:
        other = parse_answer(text, strict=True, variant=variant)
        assert other.problems == (() if variant in expected else ("layout",))
        assert parse_answer(text, variant=variant) == parse_answer(text) == parse_answer(text, strict=True)


INVALID = [
    # text, a code that tells why, reason
    ("", "no_verdict", "nothing"),
    (swap("<think>\n", "<think>"), "layout", "no line break after think"),
    (swap("\n</think>", "</think>"), "layout", "no line break before the end of think"),
    (swap("</think>\n", "</think>"), "layout", "no line break after the end of think"),
    (swap("\n", "\r\n"), "layout", "Windows line breaks"),
    (swap("\n[34", "\n\n[34"), "layout", "an empty line"),
    (swap("[12, 8,", " [12, 8,"), "layout", "an indented line"),
    (swap("60] ", "60]  "), "layout", "two blanks before a caption"),
    (swap("60] Clock face with illegible numerals.", "60]"), "layout", "a region without caption among others"),
    (swap("[12, 8, 90, 60] ", ""), "layout", "a region without box among others"),
    (swap("Clock face", "Clock\x85face"), "layout", "a line break in a caption"),
    (swap("[34, 120, 210, 300] Left hand with six fingers.", NO_FLAW), "layout", "no flaw, after a flaw"),
    (swap("Left hand with six fingers.", NO_FLAW), "rejected_box", "no flaw, as a caption"),
    (swap("Left hand", "<image> Left hand"), "layout", "a placeholder in a caption"),
    (swap("Left hand", "<|im_end|> Left hand"), "layout", "a special token in a caption"),
    (swap("Left hand", "[1, 2, 3, 4] Left hand"), "layout", "two boxes in a line"),
    (swap("Clock face", "[sic] Clock face", RENDERED["no_bbox"]), "layout", "a bracket that begins a caption, no box"),
    (swap("Clock face", "[open face"), "layout", "a bracket that begins a caption and does not end"),
    (swap("12, 8, 90, 60", "12,8,90,60"), "wording", "no blanks in a box"),
    (swap("12, 8, 90, 60", "12.0, 8, 90, 60"), "wording", "a decimal point"),
    (swap("12, 8, 90, 60", "-12, 8, 90, 60"), "wording", "a negative number"),
    (swap("12, 8, 90, 60", "+12, 8, 90, 60"), "wording", "a plus sign"),
    (swap("12, 8, 90, 60", "012, 8, 90, 60"), "wording", "a leading zero"),
    (swap("12, 8, 90, 60", "1_2, 8, 90, 60"), "wording", "an underscore"),
    (swap("12, 8, 90, 60", "１２, 8, 90, 60"), "wording", "full-width digits"),
    (swap("12, 8, 90, 60", "12, 8, 1234567890, 60"), "wording", "ten digits"),
    (swap("[12, 8, 90, 60]", "(12, 8, 90, 60)"), "wording", "round brackets"),
    (swap("12, 8, 90, 60", "12, 8, 90"), "bad_box", "three numbers"),
    (swap("12, 8, 90, 60", "12, 8, 90, 60, 7"), "bad_box", "five numbers"),
    (swap("12, 8, 90, 60", "12, 8, 90, nan"), "bad_box", "not a number"),
    (swap("12, 8, 90, 60", "12, 8, 90, " + "9" * 401), "bad_box", "401 digits"),
    (swap("12, 8, 90, 60", "12, 8, 90, " + "9" * 5000), "bad_box", "more digits than int() reads"),
    (swap("12, 8, 90, 60", "90, 8, 12, 60"), "inverted_box", "x2 < x1"),
    (swap("12, 8, 90, 60", "12, 8, 90, 8"), "inverted_box", "no height"),
    (swap("12, 8, 90, 60", "90, 8, 12, 60", RENDERED["no_caption"]), "inverted_box", "x2 < x1, without captions"),
    (swap(", texture error", ", shiny"), "unknown_tag", "a seventh tag"),
    (swap(", texture error", ""), None, "one tag is fine"),
    (swap(", texture error", ", structure/attribute error"), "layout", "a tag twice"),
    (swap(", texture error", ",texture error"), "layout", "no blank between tags"),
    (swap("structure/attribute error", "structure_attribute_error"), "wording", "a tag's canonical name"),
    (swap("texture error", "Texture error"), "wording", "a capital"),
    (swap("structure/attribute error, texture error", ""), "layout", "an empty tag block"),
    (swap("structure/attribute error", "none"), "layout", "none, and a tag"),
    (swap("<verdict>fake", "<verdict>real"), "real_with_flaws", "real with regions"),
    (swap("<tag>none", "<tag>texture error", REAL), "real_with_flaws", "real with a tag"),
    (swap(">fake<", ">generated<"), "wording", "another word"),
    (swap(">fake<", ">Fake<"), "wording", "a capital in the verdict"),
    (swap(">fake<", "> fake <"), "wording", "blanks in the verdict"),
    (swap(">fake<", ">maybe<"), "no_verdict", "no verdict"),
    (swap("</verdict>", ""), "unclosed", "cut short"),
    (swap("<verdict>fake</verdict>", ""), "no_verdict", "no verdict block"),
    (swap("<think>", "<THINK>"), "layout", "a tag in capitals"),
    ("Sure! " + FULL, "extra_text", "words before"),
    (FULL + "\nI hope this helps.", "extra_text", "words after"),
    (FULL + "<|im_end|>", "extra_text", "an end token"),
    (FULL + "\n" + FULL, "layout", "twice"),
    (FULL + "\n<verdict>real</verdict>", "conflicting_verdicts", "a second verdict"),
    (FULL + "\n<verdict>fake</verdict>", "layout", "the same verdict again"),
    (swap("<think>\n", "<think>\n<think>\n"), "layout", "think in think"),
    ("\n".join(FULL.split("\n")[4:] + FULL.split("\n")[:4]), "layout", "think last"),
    ("fake", "bare_verdict", "a bare word"),
    (f"```\n{FULL}\n```", "extra_text", "fenced"),
]


@pytest.mark.parametrize(("text", "code", "reason"), INVALID, ids=[row[2] for row in INVALID])
def test_inexact_answers(text, code, reason):
    problems = parse_answer(text, strict=True).problems
    assert (code in problems) if code else problems == ()
    assert set(problems) <= set(PROBLEMS)
    if code:
        assert all(parse_answer(text, strict=True, variant=variant).problems for variant in VARIANTS)


def slowly_exact(text: str, variant: str) -> bool:
    """The grammar once more, line by line and without a pattern."""
    lines = text.strip().split("\n")
    if lines[-1] not in ("<verdict>fake</verdict>", "<verdict>real</verdict>"):
        return False
    flaws = False
    if variant != "no_tags" and variant != "label_only":
        if len(lines) < 2 or not (lines[-2].startswith("<tag>") and lines[-2].endswith("</tag>")):
            return False
        names = lines.pop(-2)[len("<tag>") : -len("</tag>")].split(", ")
        if names != ["none"]:
            flaws = True
            if len(set(names)) != len(names) or not set(names) <= set(TAG_WORDS.values()):
                return False
    if variant == "label_only":
        return len(lines) == 1
    if len(lines) < 4 or lines[0] != "<think>" or lines[-2] != "</think>":
        return False
    regions = lines[1:-2]
    if regions == [NO_FLAW]:
        return lines[-1] == "<verdict>fake</verdict>" or not flaws
    for line in regions:
        if variant != "no_bbox":
            box, bracket, line = line.partition("]")
            numbers = box.removeprefix("[").split(", ")
            if not (box.startswith("[") and bracket and len(numbers) == 4):
                return False
            if not all(n.isascii() and n.isdigit() and len(n) <= 9 and str(int(n)) == n for n in numbers):
                return False
            x1, y1, x2, y2 = map(int, numbers)
            if x1 >= x2 or y1 >= y2:
                return False
            if variant == "no_caption":
                if line:
                    return False
                continue
            if not line.startswith(" "):
                return False
            line = line[1:]
        try:
            if check_caption(line) != line:
                return False
        except DataError:
            return False
    return lines[-1] == "<verdict>fake</verdict>"


# Properties ----------------------------------------------------------------------------------------------------------


def is_caption(text: str) -> bool:
    try:
        return check_caption(text) == text
    except DataError:
        return False


CAPTIONS = [
    *("a < b", "[sic] hand", "[1e5, 2, 3, 4] x", "1. [2", "; [", "<| a", "b |>"),
    *("> b |>", "</think", "x <tag", "{", "n"),
]
captions = st.one_of(
    st.text(min_size=1, max_size=40).map(str.strip),
    st.sampled_from(CAPTIONS),
).filter(is_caption)


@st.composite
def records(draw):
    label = draw(st.sampled_from(["fake", "fake", "fake", "real"]))
    regions = []
    for _ in range(draw(st.integers(0, 6)) if label == "fake" else 0):
        x1, y1 = draw(st.integers(0, 4000)), draw(st.integers(0, 4000))
        x2, y2 = x1 + draw(st.integers(1, 4000)), y1 + draw(st.integers(1, 4000))
        regions.append(Region((float(x1), float(y1), float(x2), float(y2)), draw(captions)))
    tags = draw(st.lists(st.sampled_from(TAGS), unique=True)) if label == "fake" else []
    return Annotation("a", "a.png", 8000, 8000, label, tuple(regions), tuple(tags))


@settings(max_examples=200, deadline=None)
@given(records(), st.sampled_from(VARIANTS))
@example(Annotation("a", "a", 9, 9, "fake", (Region(CLOCK, "<| a"), Region(HAND, "b |>"))), "full")
@example(Annotation("a", "a", 9, 9, "fake", (Region(CLOCK, "</think"), Region(HAND, ">"))), "no_bbox")
def test_parse_is_the_inverse_of_render(record, variant):
    text = render_answer(record, variant, Rounding())
    regions = target_regions(record) if variant != "label_only" else ()
    without = {"no_bbox": {"bbox": None}, "no_caption": {"caption": ""}}.get(variant, {})
    expected = Answer(
        verdict=record.label,
        regions=tuple(region._replace(**without) for region in regions),
        tags=record.tags if variant not in ("no_tags", "label_only") else (),
        problems=(),
        states_regions=variant != "label_only",
    )
    assert parse_answer(text, strict=True, variant=variant) == expected
    assert parse_answer(text, strict=True) == expected
    assert parse_answer(text) == expected
    assert parse_answer(text, variant=variant) == expected


@pytest.mark.parametrize("template", ["qwen2_5_vl", "mimo_vl", "qwen3_vl"])
@pytest.mark.parametrize("image_wh", [(512, 512), (1023, 777), (4000, 300)])
def test_parse_is_the_inverse_of_render_in_a_model_frame(template, image_wh):
    frame = frame_rule(template, env={}).frame(image_wh)
    boxes = [(0.0, 0.0, 0.25, 0.25), (10.5, 20.25, 100.0, 200.75), (1.0, 1.0, *map(float, image_wh))]
    record = Annotation("a", "a.png", *image_wh, "fake", tuple(Region(box, "Bent rail.") for box in boxes))
    answer = parse_answer(render_answer(record, frame=frame), strict=True, variant="full")
    assert answer.problems == ()
    assert [region.bbox for region in answer.regions] == [frame.target_xyxy(r.bbox) for r in target_regions(record)]


@settings(max_examples=600, deadline=None)
@given(
    st.sampled_from([*RENDERED.values(), REAL]),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 9), st.sampled_from(["", *FRAGMENTS])), max_size=2),
)
@example(text="<verdict>fake</verdict>", edits=[(0, 9, "")])  # a block that does not begin
def test_exact_reading_takes_the_grammar_and_nothing_else(text, edits):
    for start, length, fragment in edits:
        text = text[:start] + fragment + text[start + length :]
    exact = {variant for variant in VARIANTS if slowly_exact(text, variant)}
    assert {v for v in VARIANTS if not parse_answer(text, strict=True, variant=v).problems} == exact
    assert (not parse_answer(text, strict=True).problems) == bool(exact)


def test_an_exact_answer_is_read_up_to_the_longest():
    regions = "<think>\n" + "[1, 2, 3, 4] a\n" * 3 * MAX_REGIONS + "</think>\n<tag>none</tag>\n<verdict>fake</verdict>"
    assert len(parse_answer(regions, strict=True).regions) == 3 * MAX_REGIONS
    assert parse_answer(regions, strict=True).problems == ()
    assert parse_answer(FULL + "\n" * MAX_CHARACTERS, strict=True).problems == ()
    longest = "<think>\n" + "a" * (MAX_CHARACTERS - 57) + "\n</think>\n<tag>none</tag>\n<verdict>fake</verdict>"
    assert len(longest) == MAX_CHARACTERS
    assert parse_answer(longest, strict=True).problems == ()
    assert "too_long" in parse_answer(swap("<think>\n", "<think>\na", longest), strict=True).problems
