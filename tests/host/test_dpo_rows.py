"""Rows for DPO through ms-swift's own loader and template: each answer keeps its own boxes."""

import json

import pytest
from swift.dataset import load_dataset
from swift.template import TemplateInputs

from converters.human.votes import KeyLine, PairVote, dpo_rows
from swift_plugins.fakexplain.host.templates import register_templates
from tests.host.backbones import load_template, make_backbone
from tests.host.test_templates import forget_settings


def side(system, *regions, label="fake", tags=()):
    return {
        "system": system,
        "label": label,
        "regions": [{"bbox": box, "caption": caption} for box, caption in regions],
        "tags": list(tags),
    }


@pytest.fixture
def rows(tmp_path, annotations_file):
    """One row whose rejected answer has more boxes, one whose rejected answer has none."""
    sides = [
        {
            "left": side("Humans", ([0, 0, 60, 45], "Hand."), tags=["texture_error"]),
            "right": side("sft", ([60, 45, 120, 90], "Sign."), ([12, 9, 24, 18], "Eye.")),
        },
        {"left": side("sft", label="real"), "right": side("Humans", ([12, 9, 24, 18], "Eye."))},
    ]
    key = {}
    for index, each in enumerate(sides):
        line = {"id": "x", "image": f"images/fake-00{index}.png", "width": 120, "height": 90, **each}
        key[f"p{index}"] = KeyLine(line, str(annotations_file.parent / "key.jsonl"), 1)
    found, counts = dpo_rows([PairVote("p0", "left", "v01"), PairVote("p1", "right", "v01")], key)
    assert counts.rows == 2
    path = tmp_path / "dpo.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in found))
    return path


def test_ms_swift_keeps_every_row_and_both_answers_boxes(rows, tmp_path):
    dataset, _ = load_dataset(str(rows), strict=True, load_from_cache_file=False)
    assert len(dataset) == 2
    register_templates()
    template = load_template(make_backbone(tmp_path / "tiny", "qwen3_vl"), "qwen3_vl")
    template.set_mode("rlhf")
    texts = []
    for row in dataset:
        encoded = template.encode(TemplateInputs.from_dict(row))
        for name in ("chosen", "rejected"):
            ids, labels = encoded[f"{name}_input_ids"], encoded[f"{name}_labels"]
            answer = [id for id, label in zip(ids, labels, strict=True) if label != -100]
            texts.append(template.tokenizer.decode(answer, skip_special_tokens=True).strip())
    tail = "</think>\n<tag>none</tag>\n<verdict>fake</verdict>"
    assert texts == [
        "<think>\n[0, 0, 500, 500] Hand.\n</think>\n<tag>texture error</tag>\n<verdict>fake</verdict>",
        f"<think>\n[100, 100, 200, 200] Eye.\n[500, 500, 1000, 1000] Sign.\n{tail}",
        f"<think>\n[100, 100, 200, 200] Eye.\n{tail}",
        "<think>\nNo visible flaw.\n</think>\n<tag>none</tag>\n<verdict>real</verdict>",
    ]
    forget_settings()
