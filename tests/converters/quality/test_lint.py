"""Warnings about captions: what is good stays without any, and each rule has its bad ones."""

import pytest

from converters.quality.lint import MAX_WORDS, RULES, lint
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
