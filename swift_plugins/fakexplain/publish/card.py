"""The model card of a published folder: README.md, with the metadata that Hugging Face reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..backbones import Backbone
from ..detect.model_settings import ModelSettings
from ..errors import DataError, Unquoted
from ..frames import FrameRule
from ..page_templates import load_template
from ..prompts import QUESTION
from ..scoring.metrics.definitions import MEANINGS, METRIC_LABELS
from ..scoring.systems import Result
from ..scoring.tables.ours import estimate, interval_notes
from ..scoring.tables.render import to_markdown
from ..scoring.tables.table import Column, Row, Table, printable_line

if TYPE_CHECKING:
    from ..scoring.run import Run

CARD = "README.md"
_METRICS = (
    *("accuracy", "accuracy_fake", "accuracy_real", "false_positive_rate", "auroc", "iou", "box_f1"),
    *("bleu2", "rouge_l", "tags_exact", "format_rate"),
)
"""Those of the card and of its `model-index`."""

_TRAINING = {
    "rlhf_type": "stage",
    "tuner_type": "weights that were trained",
    "lora_rank": "LoRA rank",
    "lora_alpha": "LoRA alpha",
    "freeze_vit": "vision encoder frozen",
    "freeze_aligner": "projector frozen",
    "learning_rate": "learning rate",
    "num_train_epochs": "epochs",
    "max_steps": "steps, if above 0",
    "per_device_train_batch_size": "rows or answers per device",
    "gradient_accumulation_steps": "gradient accumulation",
    "global_world_size": "devices",
    "lr_scheduler_type": "schedule",
    "warmup_ratio": "warm-up",
    "weight_decay": "weight decay",
    "reward_funcs": "rewards",
    "reward_weights": "weights of the rewards",
    "num_generations": "answers per image (G)",
    "beta": "β",
    "seed": "seed",
    "torch_dtype": "numbers",
}


@dataclass(frozen=True)
class CardFacts:
    """What a card is written from.

    Attributes:
        name: of the model.
        licence: of the backbone, as Hugging Face names it.
        base_model: the backbone's name on the hub, or None.
        backbone: its row.
        settings: of the model.
        rule: its frame rule.
        sizes: variables of the environment that decide the size of an image.
        limits: fewest and most pixels of an image after resizing; None if the model's own processor decides.
        args: of the last training.
        tried: library -> its version, for those that gave the same answer; empty without a check.
        result: scores of the model, with the run that they are of.
        data: what the model was trained on, in words; None if not named.
    """

    name: str
    licence: str
    base_model: str | None
    backbone: Backbone
    settings: ModelSettings
    rule: FrameRule
    sizes: Mapping[str, str]
    limits: tuple[int, int] | None
    args: Mapping[str, Any]
    tried: Mapping[str, str] = field(default_factory=dict)
    result: tuple[Run, Result] | None = None
    data: str | None = None


def choose_system(run: Run, system: str | None) -> Result:
    """The scores of a system of a run.

    Raises:
        DataError (a ValueError): no such system, or several and none chosen.
    """
    names = ", ".join(run.systems)
    if system is None and len(run.systems) > 1:
        raise DataError(f"one of {names}, because the run has several systems", Unquoted("none"), field="--system")
    result = next(iter(run.systems.values())) if system is None else run.systems.get(system)
    if result is None:
        raise DataError(f"one of {names}", system, field="--system")
    return result


def write_model_card(facts: CardFacts) -> str:
    """The card as Markdown, metadata first."""
    from huggingface_hub import ModelCardData

    data = ModelCardData(
        language="en",
        license=facts.licence,
        base_model=facts.base_model,
        pipeline_tag="image-text-to-text",
        library_name="transformers",
        tags=["ai-generated-image-detection", "visual-grounding", "fakexplain", "ms-swift"],
        model_name=facts.name,
        eval_results=_eval_results(*facts.result) if facts.result else None,
    )
    text = load_template(Path(__file__).with_name("card.md")).render(
        facts=facts,
        question=QUESTION,
        programs=_programs(),
        sizes="".join(f"{name}={value} " for name, value in facts.sizes.items()),
        patch=facts.rule.factor // 2,
        limits=facts.limits and " to ".join(f"{limit:,}" for limit in facts.limits),
        requirements=_requirements(),
        training=_training(facts.args),
        tables=_tables(*facts.result) if facts.result else [],
        run=facts.result and facts.result[0],
        dataset=facts.result and printable_line(facts.result[0].dataset),
    )
    return f"---\n{data.to_yaml()}\n---\n\n{text}"


def _eval_results(run: Run, result: Result) -> list[Any]:
    from huggingface_hub import EvalResult

    return [
        EvalResult(
            task_type="image-text-to-text",
            task_name="explained detection of AI-generated images",
            dataset_type="fakexplained",
            dataset_name=printable_line(run.dataset),
            dataset_split=run.subset,
            metric_type=metric,
            metric_name=METRIC_LABELS.get(metric, metric),
            metric_value=round(result[metric], 4),
        )
        for metric in _METRICS
        if result[metric] is not None
    ]


def _tables(run: Run, result: Result) -> list[str]:
    metrics = [
        Row(METRIC_LABELS[metric], [estimate(result, metric), MEANINGS[metric]])
        for metric in _METRICS
        if result[metric] is not None
    ]
    groups = {f"{name} (fake)": group for name, group in result["generators"].items()}
    if result["real_images"]:
        groups["real images"] = result["real_images"]
    rows = [
        Row(printable_line(name), [group["n"], estimate(group, "accuracy"), estimate(group, "iou")])
        for name, group in groups.items()
    ]
    columns = [Column("Images"), Column("Accuracy"), Column("IoU")]
    notes = interval_notes([run])
    tables = [Table("metrics", "All images", [Column("Value"), Column("Meaning")], metrics, notes, "Metric")]
    if rows:
        tables.append(Table("generators", "By generator", columns, rows))
    return [to_markdown(each) for each in tables]


def _training(args: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the last training was set to, in words."""
    rows = []
    for name, words in _TRAINING.items():
        value = args.get(name)
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        text = {"True": "yes", "False": "no"}.get(text, text)
        if name.startswith("lora") and args.get("tuner_type") != "lora":
            continue
        if value not in (None, [], "") and "/" not in text and "\\" not in text:  # no path of the training's machine
            rows.append((words, printable_line(text)))
    return rows


def _programs() -> dict[str, str]:
    """Library -> the program that asks a published model with it."""
    folder = Path(__file__).parents[1] / "host"
    return {name: (folder / f"ask_{name}.py").read_text(encoding="utf-8") for name in ("transformers", "vllm")}


def _requirements() -> list[str]:
    """What `pip install` needs for the code in the folder: this package's own requirements, as installed here."""
    try:
        needed = [each for each in requires("fakexplain-swift") or () if "extra ==" not in each]
    except PackageNotFoundError:  # used without being installed
        needed = ["ms-swift", "torch", "torchvision", "transformers", "qwen-vl-utils", "msgspec"]
    names = [re.split(r"[^\w.-]", each)[0] for each in needed]
    return [f"{name}=={found}" for name in names if (found := package_version(name))]


def package_version(name: str) -> str | None:
    """Version of an installed package, without its local part; None if it is not installed."""
    try:
        return version(name).partition("+")[0]
    except PackageNotFoundError:
        return None
