"""Who annotates what: even shares, the overlap, the control sample, and what `qc` makes of it."""

import csv
import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters.human.assignment import assign, assignment_counts, draw_share
from tests.cli.command import fakexplain
from tests.converters.pictures import picture

PLAIN = {"COLUMNS": "300", "NO_COLOR": "1", "TERM": "dumb"}
shares = st.sampled_from([0, 0.05, 0.1, 0.5, 1])


def spread(counts):
    return max(counts) - min(counts)


@given(st.lists(st.sampled_from("abc"), min_size=9, max_size=60), st.integers(2, 9), shares, shares, st.integers(0, 99))
def test_shares_are_even_and_stratified(strata, annotators, overlap, control, seed):
    found = assign(strata, annotators, overlap=overlap, control=control, seed=seed)
    assert [each.index for each in found] == [*range(len(strata))]
    assert all(len({*each.annotators}) == len(each.annotators) for each in found)
    images, controls, _ = zip(*assignment_counts(found, annotators), strict=True)
    assert spread(images) <= 1 and spread(controls) <= 1
    chosen = {share: Counter() for share in ("control", "shared")}
    for each in found:
        chosen["control"][strata[each.index]] += each.control
        chosen["shared"][strata[each.index]] += len(each.annotators) > 1
    for share, counts in ((control, chosen["control"]), (overlap, chosen["shared"])):
        assert abs(counts.total() - share * len(strata)) <= 0.5
        assert all(abs(counts[each] - share * strata.count(each)) < 1 for each in {*strata})


def test_another_seed_deals_anew_and_pairs_of_annotators_vary():
    strata = ["a", "b"] * 200
    found = assign(strata, 5, overlap=0.5, seed=1)
    assert found == assign(strata, 5, overlap=0.5, seed=1) != assign(strata, 5, overlap=0.5, seed=2)
    pairs = Counter(frozenset(each.annotators) for each in found if len(each.annotators) > 1)
    assert len(pairs) == 10 and spread(pairs.values()) < 25  # all pairs, of 200 shared images


def test_control_and_overlap_are_independent_of_each_other():
    found = assign(["a"] * 400, 4, overlap=0.5, control=0.5)
    assert 60 < sum(each.control and len(each.annotators) > 1 for each in found) < 140


def test_one_annotator_needs_no_overlap():
    assert {each.annotators for each in assign(["a"] * 3, 1)} == {(0,)}
    with pytest.raises(ValueError, match="an overlap needs 2 annotators or more"):
        assign(["a"] * 3, 1, overlap=0.1)
    with pytest.raises(ValueError, match="at least one image per annotator, found 1 for 2"):
        assign(["a"], 2)


def test_the_largest_remainders_get_what_rounding_leaves():
    strata = ["a"] * 3 + ["b"] * 4 + ["c"] * 13
    counts = Counter(strata[index] for index in draw_share(strata, 0.25, "0"))  # 0.75, 1, 3.25
    assert counts == {"a": 1, "b": 1, "c": 3}


@pytest.fixture
def tasks(tmp_path):
    """Forty tasks of two generators, the doubtful first."""
    path = tmp_path / "tasks.json"
    found = []
    for index in range(40):
        picture(tmp_path / f"data/images/{index:02}.png")
        data = {"image": f"/data/local-files/?d=images/{index:02}.png", "generator": ["VAR", "DiT"][index % 2]}
        found.append({"data": data | {"id": f"x/{index:02}"}, "predictions": [{"model_version": "sft", "result": []}]})
    path.write_text(json.dumps(found))
    return path


def annotated(tasks, regions):
    """The tasks of a file as Label Studio exports them, all by one person of a machine of their own."""
    value = {"x": 0, "y": 0, "width": 50, "height": 50, "rotation": 0, "rectanglelabels": ["flaw"]}
    size = {"original_width": 40, "original_height": 20}
    box = size | {"id": "r", "from_name": "regions", "to_name": "image", "type": "rectanglelabels", "value": value}
    text = {"id": "r", "from_name": "caption", "to_name": "image", "type": "textarea", "value": {"text": ["Hand."]}}
    verdict = {"id": "v", "from_name": "verdict", "to_name": "image", "type": "choices", "value": {"choices": ["fake"]}}
    result = [*([box, text] if regions else []), verdict]
    return [task | {"predictions": [], "annotations": [{"completed_by": 1, "result": result}]} for task in tasks]


def test_from_tasks_to_the_verdicts_of_qc(tasks, tmp_path):
    out = tmp_path / "assigned"
    done = fakexplain(
        "label-studio", "assign", tasks, "--annotators", 3, "--overlap", 0.25, "--control", 0.3, "-o", out
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["annotator", "images", "control", "shared"]
    assert [line.split()[0] for line in lines[1:4]] == ["a01", "a02", "a03"]
    assert lines[-1] == f"40 images in {out}: 12 in the control sample, 10 with two annotators"
    assert sorted(path.name for path in out.iterdir()) == [
        *("assignment.csv", "control.json", "page.xml", "tasks-a01.json", "tasks-a02.json", "tasks-a03.json"),
    ]
    control = json.loads((out / "control.json").read_text())
    assert len(control) == 12 and all(task.keys() == {"data"} for task in control)  # no model's opinion for the team
    rows = list(csv.DictReader((out / "assignment.csv").read_text().splitlines()))
    assert len(rows) == 50 and sum(row["control"] == "1" for row in rows) == sum(
        int(line.split()[2]) for line in lines[1:4]
    )

    files = []
    for name in ("a01", "a02", "a03", "control"):
        file = out / ("control.json" if name == "control" else f"tasks-{name}.json")
        given = json.loads(file.read_text())
        images = [task["data"]["image"] for task in given]
        assert images == sorted(images)  # the order of the doubts
        assert all("control" not in json.dumps(task) for task in given)  # nobody sees what is compared
        (tmp_path / f"{name}.json").write_text(json.dumps(annotated(given, regions=name != "a03")))
        source = ("label-studio", tmp_path / f"{name}.json", "--images", tmp_path / "data")
        done = fakexplain("convert", *source, "-o", tmp_path / f"{name}.jsonl")
        assert done.returncode == 0, done.stderr
        files.append(tmp_path / f"{name}.jsonl")
    assert json.loads(files[0].read_text().splitlines()[0])["id"].endswith("@a01")
    done = fakexplain("merge", *files[:3], "-o", tmp_path / "all.jsonl")
    assert done.returncode == 0, done.stderr
    done = fakexplain("qc", tmp_path / "all.jsonl", "--reference", files[3], "--no-lint", "-o", tmp_path / "qc")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "qc/qc.json").read_text())
    verdicts = {each["annotator"]: each["verdict"] for each in found["annotators"]}
    assert verdicts == {"a01": "accept", "a02": "accept", "a03": "reject"}
    assert found["references_not_met"] == 0 and found["between"]["images"] == 10


def test_tasks_without_generators_are_dealt_too(tasks, tmp_path):
    found = [{"data": {"image": task["data"]["image"]}} for task in json.loads(tasks.read_text())]
    tasks.write_text(json.dumps(found))
    done = fakexplain("label-studio", "assign", tasks, "--annotators", 2, "--control", 0, "-o", tmp_path / "out")
    assert done.returncode == 0 and "no task names a generator" in done.stderr
    assert not (tmp_path / "out/control.json").exists()


@pytest.mark.parametrize(
    ("text", "args", "code", "message"),
    [
        ("[]", [], 1, "tasks.json: expected tasks that `fakexplain label-studio` wrote, found no task"),
        ('[{"image": "a.png"}]', [], 1, "tasks.json: [0].data: expected the data of a task, found nothing"),
        ('[{"data": {"image": "a.png"}}]', [], 2, "expected at least one image per annotator, found 1 for 2"),
        ('[{"data": {"image": "a.png"}}]', ["--overlap", "2"], 2, "less than or equal to 1"),
    ],
)
def test_bad_usage(tmp_path, text, args, code, message):
    (tmp_path / "tasks.json").write_text(text)
    command = ("label-studio", "assign", tmp_path / "tasks.json", "--annotators", 2, "-o", tmp_path / "out", *args)
    done = fakexplain(*command, **PLAIN)
    assert done.returncode == code and message in done.stderr and not (tmp_path / "out").exists()
