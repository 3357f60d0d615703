"""Records to draw: the answers of a run, and which records are chosen."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from swift_plugins.fakexplain.annotation import Annotation, Region
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.scoring.metrics.image import Scored
from swift_plugins.fakexplain.scoring.pictures.records import AnsweredRecord, attach_run_answers, sample, select_ids

REGIONS = [{"bbox": [1, 2, 3, 4], "caption": ""}]
ANSWER = {"verdict": "fake", "p_fake": None, "iou": 0.5, "regions": REGIONS, "tags": None, "problems": []}


def of_a_run(answers: object) -> Annotation:
    return Annotation("a", "a.png", 9, 9, "fake", extra={"answers": answers}, file="images.jsonl", line=7)


def test_answers_of_a_run():
    gold = of_a_run({"ours": ANSWER, "silent": None, "tags": ANSWER | {"tags": ["texture_error"]}, "other": ANSWER})
    ((record, answers),) = attach_run_answers([gold], ["ours", "silent", "lacking", "tags"])
    assert record is gold
    expected = Scored("fake", "fake", iou=0.5, regions=(Region((1, 2, 3, 4), ""),))
    assert answers == {
        "ours": expected,
        "silent": None,
        "lacking": None,
        "tags": expected._replace(tags=("texture_error",)),
    }


@pytest.mark.parametrize(
    "wrong",
    [
        "fake",
        [],
        {},
        {"verdict": "fake"},
        *({name: ANSWER[name] for name in ANSWER if name != lost} for lost in ANSWER),
        *(ANSWER | {"p_fake": p_fake} for p_fake in ("0.5", 2, True)),
        *(ANSWER | {"problems": problems} for problems in (None, {}, [1])),
        *(ANSWER | {"verdict": verdict} for verdict in (3, "FAKE", [])),
        *(ANSWER | {"iou": iou} for iou in ("0.5", 2, [])),
        *(ANSWER | {"tags": tags} for tags in (5, ["none"], [[]], "texture_error")),
        *(ANSWER | {"regions": regions} for regions in (None, "ab", [1], [{"bbox": None}])),
        *(
            ANSWER | {"regions": [{"bbox": bbox, "caption": ""}]}
            for bbox in ([1, 2], [1, 2, 3, 4, 5], ["a", 2, 3, 4], 7, [3, 2, 1, 4], [-1, 2, 3, 4], [0, 0, 10, 4], [])
        ),
        ANSWER | {"regions": [{"bbox": None, "caption": 3}]},
    ],
)
def test_an_invalid_answer_is_reported_with_its_place(wrong: object):
    message = r"^images.jsonl:7: answers\.ours[^ ]*: expected .*, found .*\(id 'a'\)$"
    with pytest.raises(DataError, match=message):
        list(attach_run_answers([of_a_run({"ours": wrong})], ["ours"]))


@pytest.mark.parametrize("answers", [None, [], "x"])
def test_a_run_without_answers_is_reported_with_its_place(answers: object):
    with pytest.raises(DataError, match="^images.jsonl:7: answers: expected the prediction of each system"):
        list(attach_run_answers([of_a_run(answers)], ["ours"]))


def test_records_of_ids_in_the_order_of_the_file():
    records: list[AnsweredRecord] = [(Annotation(id, "a.png", 9, 9, "real"), {}) for id in "abcd"]
    assert [record.id for record, _ in select_ids(records, ["d", "b"], Path("f.jsonl"))] == ["b", "d"]
    with pytest.raises(DataError, match="^--id: expected ids that exist in f.jsonl, found x, y$"):
        select_ids(records, ["y", "a", "x"], Path("f.jsonl"))


def test_each_item_is_as_likely_in_a_sample():
    """400 samples of 2 of 5: each item is in 160 of them, with a standard deviation below 10."""
    counts = Counter(item for seed in range(400) for item in sample("abcde", 2, seed))
    assert set(counts) == set("abcde") and all(120 < count < 200 for count in counts.values())
