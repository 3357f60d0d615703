"""Regions in YAML, TOML, Python, XML, HTML and Markdown, and on lines apart from their words: right, or named."""

from __future__ import annotations

import pytest

from swift_plugins.fakexplain.answer import parse_answer

A, B = (10.0, 20.0, 30.0, 40.0), (50.0, 60.0, 70.0, 80.0)
WATCH, RAIL = (A, "melted watch"), (B, "bent rail")
BOTH = (WATCH, RAIL)
BARE = ((A, ""), (B, ""))

YAML = [
    (
        "- bbox: [10, 20, 30, 40]\n  caption: melted watch\n- bbox: [50, 60, 70, 80]\n  caption: bent rail",
        BOTH,
        (),
        "a list",
    ),
    (
        "regions:\n  - bbox: [10, 20, 30, 40]\n    caption: melted watch\n"
        "  - bbox: [50, 60, 70, 80]\n    caption: bent rail",
        BOTH,
        (),
        "a list under a key",
    ),
    (
        "regions:\n- caption: melted watch\n  bbox:\n  - 10\n  - 20\n  - 30\n  - 40\n- caption: bent rail\n"
        "  bbox:\n  - 50\n  - 60\n  - 70\n  - 80",
        BOTH,
        (),
        "numbers on lines of their own",
    ),
    ("- bbox:\n    x1: 10\n    y1: 20\n    x2: 30\n    y2: 40\n  caption: melted watch", (WATCH,), (), "named sides"),
    ("- bbox: {x1: 10, y1: 20, x2: 30, y2: 40}\n  caption: melted watch", (WATCH,), (), "named sides in braces"),
    ("- bbox: 10, 20, 30, 40\n  caption: melted watch", (WATCH,), (), "no brackets"),
    ("flaws:\n  - description: >\n      melted\n      watch\n    bbox: [10, 20, 30, 40]", (WATCH,), (), "folded words"),
    ('- box: [10, 20, 30, 40]\n  issue: "melted watch"', (WATCH,), (), "quoted words"),
    ("- id: 1\n  severity: high\n  bbox: [10, 20, 30, 40]\n  caption: melted watch", (WATCH,), (), "further keys"),
    ("- bbox: [10, 20, 30, 40]\n  what is odd: melted watch", (WATCH,), (), "a key of its own for the words"),
    (
        "- {bbox: [10, 20, 30, 40], caption: melted watch}\n- {bbox: [50, 60, 70, 80], caption: bent rail}",
        BOTH,
        (),
        "items in braces",
    ),
    ("- caption: sign reads {A}\n  bbox: [10, 20, 30, 40]", ((A, "sign reads {A}"),), (), "braces in words"),
    (
        '[[flaw]]\nbox = [10, 20, 30, 40]\ncaption = "melted watch"\n\n[[flaw]]\nbox = [50, 60, 70, 80]\n'
        'caption = "bent rail"',
        BOTH,
        (),
        "TOML",
    ),
    ("[flaw]\nx1=10\ny1=20\nx2=30\ny2=40\ncaption=melted watch", (WATCH,), (), "an INI file"),
    ("bbox=10,20,30,40;caption=melted watch", (WATCH,), (), "pairs on a line"),
    ("- bbox: [10, 20, 30]\n  caption: melted watch", (), ("bad_box",), "three numbers"),
]
PYTHON = [
    (
        "[{'bbox': (10, 20, 30, 40), 'caption': \"the watch's face\"}, "
        "{'bbox': (50, 60, 70, 80), 'caption': 'bent rail'}]",
        ((A, "the watch's face"), RAIL),
        (),
        "dictionaries with tuples",
    ),
    ("[{'caption': 'sign reads {A}', 'bbox': (10, 20, 30, 40)}]", ((A, "sign reads {A}"),), (), "braces in a string"),
    ('[{"bbox_2d": [10, 20, 30, 40], "label": "sign reads {A"}]', ((A, "sign reads {A"),), (), "one brace in JSON"),
    ("[((10, 20, 30, 40), 'melted watch'), ((50, 60, 70, 80), 'bent rail')]", BOTH, (), "tuples, boxes first"),
    ("[('melted watch', (10, 20, 30, 40)), ('bent rail', (50, 60, 70, 80))]", BOTH, (), "tuples, words first"),
    ("add([10, 20, 30, 40], 'melted watch')\nadd([50, 60, 70, 80], 'bent rail')", BOTH, (), "arguments in order"),
    (
        "[Mention(bbox=(10.0, 20.0, 30.0, 40.0), caption='melted watch'), "
        "Mention(bbox=(50.0, 60.0, 70.0, 80.0), caption='bent rail')]",
        BOTH,
        (),
        "arguments by name",
    ),
    ("Box(x1=10, y1=20, x2=30, y2=40, label='melted watch (gold)')", ((A, "melted watch (gold)"),), (), "named sides"),
    ("dict(bbox=[10, 20, 30, 40], caption='melted watch')", (WATCH,), (), "a call of dict"),
    ("{(10, 20, 30, 40): 'melted watch', (50, 60, 70, 80): 'bent rail'}", BOTH, (), "boxes as keys"),
    ("{'melted watch': [10, 20, 30, 40], 'bent rail': [50, 60, 70, 80]}", BOTH, (), "boxes as values"),
    ("[[10, 20, 30, 40, 'melted watch']]", (), ("bad_box",), "words in the list of a box"),
    (
        "boxes = [[10, 20, 30, 40], [50, 60, 70, 80]]\ncaptions = ['melted watch', 'bent rail']",
        BOTH,
        (),
        "lists side by side",
    ),
    (
        '{"boxes": [[10, 20, 30, 40], [50, 60, 70, 80]], "labels": ["melted watch", "bent rail"]}',
        BOTH,
        (),
        "lists side by side in JSON",
    ),
    (
        '{"boxes": [[10, 20, 30, 40], [50, 60, 70, 80]], "labels": ["melted watch"]}',
        BARE,
        ("loose_words",),
        "lists of two lengths",
    ),
    ('{"bbox": [10, 20, 30, 40], "flaws": ["melted", "gold"]}', ((A, "melted, gold"),), (), "several words of a box"),
    ('{"bbox": [10, 20, 30, 40], "is wrong": 1, "seen_there": "melted watch"}', (WATCH,), (), "one unknown key"),
    (
        '{"bbox": [10, 20, 30, 40], "seen": "melted watch", "guess": "by a GAN"}',
        ((A, ""),),
        ("loose_words",),
        "two unknown keys",
    ),
    (
        '{"flaws": {"melted watch": {"bbox": [10, 20, 30, 40]}, "bent rail": {"bbox": [50, 60, 70, 80]}}}',
        BOTH,
        (),
        "words as keys",
    ),
    ('{"melted watch": {"x1": 10, "y1": 20, "x2": 30, "y2": 40}}', (WATCH,), (), "words as keys of sides"),
    (
        '{"bbox": [10, 20, 30, 40], "properties": {"caption": "melted watch"}}',
        ((A, ""),),
        ("loose_words",),
        "words further in",
    ),
]
XML = [
    (
        "<annotation>\n<object>\n  <name>melted watch</name>\n  <pose>Left</pose>\n  <bndbox>\n    <xmin>10</xmin>\n"
        "    <ymin>20</ymin>\n    <xmax>30</xmax>\n    <ymax>40</ymax>\n  </bndbox>\n</object>\n<object>\n"
        "  <name>bent rail</name>\n  <bndbox>\n    <xmin>50</xmin>\n    <ymin>60</ymin>\n    <xmax>70</xmax>\n"
        "    <ymax>80</ymax>\n  </bndbox>\n</object>\n</annotation>",
        BOTH,
        (),
        "VOC",
    ),
    (
        "<object><bndbox><xmin>10</xmin><xmax>30</xmax><ymin>20</ymin><ymax>40</ymax></bndbox>"
        "<name>melted watch</name></object>",
        (WATCH,),
        (),
        "VOC on one line, sides in another order",
    ),
    ("<xmin>10</xmin><ymin>20</ymin><xmax>30</xmax><ymax>40</ymax> melted watch", (WATCH,), (), "sides before words"),
    ("<object><name>watch</name><xmin>10</xmin><ymin>20</ymin></object>", (), ("bad_box",), "two sides"),
    (
        "<flaw>\n  <description>melted watch</description>\n  <bbox>[10, 20, 30, 40]</bbox>\n</flaw>\n"
        "<flaw>\n  <description>bent rail</description>\n  <bbox>[50, 60, 70, 80]</bbox>\n</flaw>",
        BOTH,
        (),
        "elements of boxes and words",
    ),
    (
        '<box label="watch" xtl="10.0" ytl="20.0" xbr="30.0" ybr="40.0">\n'
        '<attribute name="caption">melted face</attribute></box>',
        ((A, "watch melted face"),),
        (),
        "CVAT",
    ),
    ('<region x1="10" y1="20" x2="30" y2="40">melted watch</region>', (WATCH,), (), "attributes and content"),
    ('<region bbox="10 20 30 40" caption="melted watch"/>', (WATCH,), (), "a box in an attribute"),
    ('<rect x="10" y="20" width="20" height="20"><title>melted watch</title></rect>', (WATCH,), (), "SVG"),
    ('<area shape="rect" coords="10,20,30,40" alt="melted watch">', (WATCH,), (), "a map of HTML"),
    ('<polygon points="10,20 30,20 30,40" label="melted watch"/>', (), ("bad_box",), "an outline"),
]
MARKUP = [
    (
        '[10, 20, 30, 40] <span class="flaw">melted</span> watch<br>\n[50, 60, 70, 80] <b>bent</b> rail',
        BOTH,
        (),
        "elements of HTML",
    ),
    (
        '<table border="1"><tr><th>Box</th><th>Flaw</th></tr><tr><td>[10, 20, 30, 40]</td><td>melted watch</td></tr>'
        "<tr><td>[50, 60, 70, 80]</td><td>bent rail</td></tr></table>",
        BOTH,
        (),
        "a table of HTML",
    ),
    (
        "<ol>\n<li>melted watch <code>[10, 20, 30, 40]</code></li>\n<li>bent rail <code>[50, 60, 70, 80]</code></li>",
        BOTH,
        (),
        "a list of HTML",
    ),
    ("<p>[10, 20, 30, 40] melted watch</p>\n<p>[50, 60, 70, 80] bent rail</p>", BOTH, (), "paragraphs"),
    ("[10, 20, 30, 40] melted &lt;watch&gt; &amp; chain", ((A, "melted <watch> & chain"),), (), "entities"),
    ("[10, 20, 30, 40] *melted* __watch__\n- `bent` _rail_ [50, 60, 70, 80]", BOTH, (), "emphasis and code"),
    ("[10, 20, 30, 40] ***melted*** [watch](#face)", (WATCH,), (), "a link"),
    ("[10, 20, 30, 40] ~~frozen~~ melted <del>clock</del> watch", (WATCH,), (), "struck-out words"),
    ("* **melted watch** — [10, 20, 30, 40]\n* **bent rail** – [50, 60, 70, 80]", BOTH, (), "dashes"),
    ("| Box | Flaw |\n|:---|---:|\n| [10, 20, 30, 40] | *melted* watch |", (WATCH,), (), "a table of Markdown"),
    ("\\textbf{melted watch}: $[10, 20, 30, 40]$", (WATCH,), (), "LaTeX"),
    ("[10, 20, 30, 40] 5 * 3 * 2 tiles", ((A, "5 * 3 * 2 tiles"),), (), "signs that are no markup: stars"),
    ("[10, 20, 30, 40] a_b_c of x_y", ((A, "a_b_c of x_y"),), (), "signs that are no markup: lines"),
    ("[10, 20, 30, 40] arm < leg and leg > arm", ((A, "arm < leg and leg > arm"),), (), "signs that are no markup: <"),
    ("[10, 20, 30, 40] sign reads R&D", ((A, "sign reads R&D"),), (), "signs that are no markup: &"),
]
APART = [
    ("melted watch\n[10, 20, 30, 40]\nbent rail\n[50, 60, 70, 80]", BOTH, (), "words on the line before"),
    ("[10, 20, 30, 40]\nmelted watch\n[50, 60, 70, 80]\nbent rail", BOTH, (), "words on the line after"),
    (
        "I found two flaws.\n[10, 20, 30, 40]\nmelted watch\n[50, 60, 70, 80]\nbent rail",
        BOTH,
        (),
        "an introduction before words on the line after",
    ),
    (
        "I found two flaws.\nBox: [10, 20, 30, 40]\nmelted watch\nBox: [50, 60, 70, 80]\nbent rail",
        BOTH,
        (),
        "an introduction and words for boxes",
    ),
    ("**melted watch**\n[10, 20, 30, 40]\n\n**bent rail**\n[50, 60, 70, 80]", BOTH, (), "headings and blank lines"),
    ("1) melted watch\n   [10, 20, 30, 40]\n2) bent rail\n   [50, 60, 70, 80]", BOTH, (), "a numbered list"),
    (
        "melted:\n[10, 20, 30, 40]\nwatch\nbent:\n[50, 60, 70, 80]\nrail",
        BOTH,
        (),
        "words before and after",
    ),
    ("I see two flaws.\n[10, 20, 30, 40]\n[50, 60, 70, 80]", BARE, ("loose_words",), "words of no box"),
    (
        "melted watch [10, 20, 30, 40]\n[50, 60, 70, 80]\nThe rail is bent.",
        (WATCH, (B, "")),
        ("loose_words",),
        "words apart from one box",
    ),
    (
        "One.\nBox: [10, 20, 30, 40]\nTwo.\nThree.\nBox: [50, 60, 70, 80]\nFour.\nFive.\nSix.",
        ((A, "One. Two."), (B, "Three. Four. Five. Six.")),
        ("loose_words",),
        "lines that may belong to either box",
    ),
    ("Here is the flaw:\n[10, 20, 30, 40]\nThis image is fake.", ((A, ""),), (), "an introduction and a verdict"),
    ("10 20 30 40 melted watch", (), ("doubtful_box",), "numbers without commas"),
    ("melted watch\t10\t20\t30\t40", (), ("doubtful_box",), "numbers between tabs"),
]
ROWS = [*YAML, *PYTHON, *XML, *MARKUP, *APART]


@pytest.mark.parametrize(("text", "regions", "codes", "reason"), ROWS, ids=[row[3] for row in ROWS])
@pytest.mark.parametrize("shell", ["{}\n<verdict>fake</verdict>", "<think>\n{}\n</think>\n<verdict>fake.</verdict>"])
def test_regions_are_right_or_named(text, regions, codes, reason, shell):
    answer = parse_answer(shell.replace("{}", text), variant="full")
    assert answer.regions == regions
    assert answer.problems == codes
