"""Results as plain text."""

from __future__ import annotations

from pathlib import Path

from swift_plugins.fakexplain.annotation import Annotation, Region, read_annotations
from swift_plugins.fakexplain.frames import frame_rule
from swift_plugins.fakexplain.scoring.predictions.answers import read_predictions
from swift_plugins.fakexplain.scoring.predictions.labels import BaselinePrediction
from swift_plugins.fakexplain.scoring.results import Resampling
from swift_plugins.fakexplain.scoring.score import AnswerSystem, build_system, score_systems
from swift_plugins.fakexplain.scoring.tables.terminal import render_table
from tests.scoring import forty

RULE = frame_rule("fx_qwen2_5_vl", env={})
FORTY = """\
                       ours   none
images                   40     40
answered                 38      0
without a verdict         1      0
accuracy              0.775  0.000
balanced accuracy     0.771  0.000
accuracy on fake      0.792  0.000
accuracy on real      0.750  0.000
precision of fake     0.864      —
F1 of fake            0.826  0.000
false positive rate   0.188  0.000
AUROC                 0.809      —
average precision     0.865      —
IoU                   0.708  0.000
box precision at 0.5  0.885      —
box recall at 0.5     0.821  0.000
box F1 at 0.5         0.852  0.000
IoU of matched boxes  0.870      —
BLEU-2                0.630  0.000
ROUGE-L               0.710  0.000
BLEU-2, matched       0.888      —
ROUGE-L, matched      0.957      —
exact tags            0.458  0.000
tag precision         0.850      —
tag recall            0.607  0.000
exact format          0.875  0.000
boxes per answer      1.130      —
annotated boxes       1.167  1.167
area per box          0.211      —
overlap of boxes      0.000      —

mean ± std. over folds           ours           none
accuracy                0.775 ± 0.050  0.000 ± 0.000
balanced accuracy       0.771 ± 0.042  0.000 ± 0.000
F1 of fake              0.826 ± 0.075  0.000 ± 0.000
false positive rate     0.188 ± 0.125  0.000 ± 0.000
AUROC                   0.812 ± 0.090              —
average precision       0.874 ± 0.091              —
IoU                     0.708 ± 0.160  0.000 ± 0.000
box F1 at 0.5           0.851 ± 0.117  0.000 ± 0.000
BLEU-2                  0.642 ± 0.211  0.000 ± 0.000
ROUGE-L                 0.722 ± 0.218  0.000 ± 0.000
exact tags              0.458 ± 0.160  0.000 ± 0.000
exact format            0.875 ± 0.096  0.000 ± 0.000

answers with  ours  none
no_verdict       1     0  no readable verdict
unknown_tag      1     0  a tag that is none of the six; skipped
unclosed         1     0  a block without its closing tag; read
layout           1     0  blocks missing, repeated, out of order, or not those of the variant; other line breaks or spaces

none against ours
McNemar: none alone is right on 0 images, ours alone on 31; p < 0.001"""  # noqa: E501


def test_without_intervals(tmp_path: Path):
    annotations, answers = forty.write(tmp_path)
    systems = {"ours": build_system(read_predictions(answers)), "none": AnswerSystem({})}
    results, comparisons = score_systems(read_annotations(annotations), systems, RULE, resampling=Resampling(0))
    assert render_table(results, comparisons) == FORTY


def test_with_intervals():
    """Four images: the better system is right on all, the other on half, so resampling plays no part."""
    records = [
        Annotation(
            str(i), f"{i}.png", 8, 8, label, (Region((0, 0, 4, 4), "Sky."),) * (label == "fake"), path=Path(f"{i}.png")
        )
        for i, label in enumerate(["fake", "real"] * 2)
    ]
    systems = {
        name: build_system(
            BaselinePrediction(str(Path.cwd() / record.image), verdict or record.label) for record in records
        )
        for name, verdict in (("always fake", "fake"), ("right", None))
    }
    results, comparisons = score_systems(records, systems, RULE, resampling=Resampling(20, level=0.9))
    assert (
        render_table(results, comparisons, 0.9)
        == """\
with 90 % intervals  always fake           right
images               4                     4
answered             4                     4
without a verdict    0                     0
accuracy             0.500 [0.500, 0.500]  1.000 [1.000, 1.000]
balanced accuracy    0.500 [0.500, 0.500]  1.000 [1.000, 1.000]
accuracy on fake     1.000 [1.000, 1.000]  1.000 [1.000, 1.000]
accuracy on real     0.000 [0.000, 0.000]  1.000 [1.000, 1.000]
precision of fake    0.500 [0.500, 0.500]  1.000 [1.000, 1.000]
F1 of fake           0.667 [0.667, 0.667]  1.000 [1.000, 1.000]
false positive rate  1.000 [1.000, 1.000]  0.000 [0.000, 0.000]
annotated boxes      1.000 [1.000, 1.000]  1.000 [1.000, 1.000]

right against always fake  difference          interval      p
accuracy                       +0.500  [+0.500, +0.500]  0.095
F1 of fake                     +0.333  [+0.333, +0.333]  0.095
McNemar: right alone is right on 2 images, always fake alone on 0; p 0.500"""
    )  # 2 / 21; 2 · (1/2)²


def test_no_record():
    results, comparisons = score_systems([], {"a": AnswerSystem({})}, RULE)
    assert (
        render_table(results, comparisons)
        == """\
                   a
images             0
answered           0
without a verdict  0"""
    )


def test_many_systems_are_compared_with_the_first():
    results, comparisons = score_systems([], {name: AnswerSystem({}) for name in "abcd"}, RULE)
    assert len(comparisons) == 6
    shown = render_table(results, comparisons)
    assert [line for line in shown.splitlines() if "against" in line] == ["b against a", "c against a", "d against a"]
    assert shown.endswith("Only comparisons with a are shown; a saved run and its report contain all pairs.")
