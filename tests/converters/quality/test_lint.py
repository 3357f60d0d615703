"""Warnings about captions: what is good stays without any, and each rule has its bad ones."""

import time

import pytest

from converters.quality.lint import MAX_WORDS, RULES, lint
from converters.quality.personal import find_personal, words_of_names
from examples.toy_flaws import KINDS
from swift_plugins.fakexplain.annotation import Annotation, Region

GOOD = """
Left hand with six fingers.
Clock face with illegible numerals.
A flamingo with three legs.
Bird feathers with a metallic appearance.
Repetitive patterns on a blanket.
Blurred or illegible text.
Broken mountain body, lava flow disconnected.
Key not inserted into the correct keyhole.
Eyes of different colours, looking past each other.
The dog's tail growing out of its shoulder.
Dog tail that grows out of the shoulder.
Rope passing through the solid pole.
Overly smooth skin without pores.
Overly soft look of the fur.
Very long neck, bent twice.
Only three strings on the violin.
Missing handle of the teapot.
Twisted spokes, some of which end in the air.
Wheel whose spokes do not meet at the hub.
Fish scales shaped like leaves.
Text that looks like letters but spells no word.
Neck longer than is natural.
Background buildings leaning in different directions.
Hair blending into the background.
No pupil in the left eye.
Six toes on the left paw.
Cut of the sandwich not matching its halves.
Can of soda with a mirrored logo.
What appears to be a spoon, growing out of the bowl.
Strange blend of a cat and a dog.
Obviously wrong direction of the shadow.
Too many fingers.
Patch pasted from elsewhere with a hard seam.
Upper left corner of the mouth torn.
Photo frame hanging in mid-air.
Signature-like scribble.
左手有六根手指。
""".strip().splitlines()

NOT_A_NOUN_PHRASE = """
The hand has six fingers.
There is an extra finger on the hand.
There's no shadow.
It looks weird.
Looks fake.
This is not how a bird looks.
Text is illegible.
Fingers are fused together.
Very blurry and smooth.
Blurry and distorted.
Wrongly drawn.
Shows a hand with six fingers.
Showing six fingers.
We can see that the shadow falls the wrong way.
In the corner a cup floats.
The cat's ears do not match.
Ears don’t match.
Legs merge into the ground.
Wheel melts into the road.
The spokes end in the air.
Because the light comes from the left.
Not realistic at all.
Strange and unnatural.
Should have five fingers.
Seems to float.
The branches disappear behind nothing.
Eyes look in different directions.
The dog has five legs, which is wrong.
With too many toes.
If you zoom in the text is nonsense.
42
""".strip().splitlines()


def warnings(*captions, box=(0, 0, 40, 40)):
    """Rules and fields of a 100x100 image's captions."""
    regions = tuple(Region(box, caption) for caption in captions)
    return [warning[:2] for warning in lint(Annotation("a", "a.png", 100, 100, "fake", regions))]


@pytest.mark.parametrize("caption", GOOD + [caption for kind in KINDS for caption in kind.captions])
def test_a_good_caption_has_no_warning(caption):
    assert warnings(caption) == []


@pytest.mark.parametrize("caption", NOT_A_NOUN_PHRASE)
def test_a_sentence_or_a_mere_judgement_is_no_noun_phrase(caption):
    assert warnings(caption) == [("regions[0].caption", "noun-phrase")]


@pytest.mark.parametrize(
    ("rule", "caption"),
    [
        ("short", "Blurry."),
        ("short", "Watermark"),
        ("elsewhere", "Noise all over the image."),
        ("elsewhere", "Shadow on the left side of the image."),
        ("elsewhere", "Colours of the whole picture too bright."),
        ("elsewhere", "Grain in this photo."),
        ("elsewhere", "Lighting odd overall."),
        ("elsewhere", "Leaves unlike those elsewhere."),
        ("elsewhere", "Blurred people in the background."),
        ("elsewhere", "Watermark in the lower-right corner."),
        ("long", "Hand " + "with a finger " * 10 + "too many."),
        ("unfinished", "Left hand with"),
        ("unfinished", "Left hand with a."),
        ("unfinished", "Left hand, six fingers,"),
        ("unfinished", "Left hand (six fingers, of which"),
        ("markup", "Hand at [10, 20] with six fingers."),
        ("markup", "Hand at (0.5,0.25) with six fingers."),
        ("markup", "**Hand** with six fingers."),
        ("markup", "Hand with <b>six</b> fingers."),
        ("markup", "Hand as on https://example.com shown."),
    ],
)
def test_each_rule_has_its_captions(rule, caption):
    assert warnings(caption) == [("regions[0].caption", rule)]
    assert rule in RULES


@pytest.mark.parametrize(("width", "expected"), [(49, [("regions[0].caption", "elsewhere")]), (50, [])])
def test_a_box_of_half_the_image_may_speak_of_it(width, expected):
    assert warnings("Noise all over the image.", box=(0, 0, width, 100)) == expected


@pytest.mark.parametrize(("words", "expected"), [(MAX_WORDS, []), (MAX_WORDS + 1, [("regions[0].caption", "long")])])
def test_a_caption_may_have_thirty_words(words, expected):
    assert warnings(" ".join(["Finger"] * words)) == expected


def test_a_caption_many_times_is_reported_once():
    hand, eye = "Hand with six fingers.", "Eye without a pupil."
    assert warnings(eye, hand, eye, hand) == []
    assert warnings(eye, hand, eye, hand.upper(), hand) == [("regions[1].caption", "repeated")]


def test_a_warning_says_why():
    (warning,) = lint(Annotation("a", "a.png", 100, 100, "fake", (Region((0, 0, 10, 10), "Fur has seams."),)))
    assert warning == ("regions[0].caption", "noun-phrase", "a sentence, by its verb 'has'", "Fur has seams.")


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("e-mail", "Hand that eve.b+c@mail.example.co.uk found."),
        ("e-mail", "Hand (ask eve@example.org)."),
        ("handle", "Hand drawn by @eve_b."),
        ("phone", "Hand, call +49 30 1234567."),
        ("phone", "Hand, call 030/1234567."),
        ("phone", "Hand, call (555) 123-4567."),
        ("phone", "Hand, call 1-800-555-1234."),
        ("name", "Hand that Eve marked."),
        ("name", "Hand, says SCHMIDT."),
    ],
)
def test_personal_information_in_captions_and_in_other_texts(rule, text):
    names = words_of_names(["Eve Schmidt"])
    region = Region((0, 0, 40, 40), text)
    assert [each.rule for each in lint(Annotation("a", "a.png", 100, 100, "fake", (region,)), names)] == [rule]
    other = Annotation("a", "a.png", 100, 100, "real", extra={"notes": [{"text": text}], "seed": 7})
    (warning,) = lint(other, names)
    assert (warning.field, warning.rule, warning.caption) == ("notes[0].text", rule, text)


@pytest.mark.parametrize(
    "text",
    [
        "Clock face that reads 10:11:12.",
        "Stamp of 2024-01-13 upside down.",
        "Number plate 123 456 789.",
        "Ruler with marks 0.00000001 apart.",
        "Sign with an @ instead of a letter.",
        "Evening light without a source.",
        "Poster of 10 20 30 40 50.",
        "Box at 12, 34, 56, 78.",
    ],
)
def test_numbers_and_signs_that_are_not_personal(text):
    assert [*find_personal(text, words_of_names(["Eve Schmidt", "a01", "7"]))] == []


def test_a_number_of_something_is_no_telephone_number():
    assert [*lint(Annotation("a", "a.png", 8, 8, "real", extra={"uid": "0123456789"}))] == []


def test_patterns_take_time_in_proportion_to_the_text():
    began = time.perf_counter()
    for text in ("a." * 50_000, "0 " * 50_000, "a@" * 50_000, "@a" * 50_000, "((((" * 20_000, "a_" * 50_000):
        list(find_personal(text, {"eve"}))
    assert time.perf_counter() - began < 4
