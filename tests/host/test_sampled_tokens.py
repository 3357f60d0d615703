"""Completions that hold tokens with a meaning of their own, through ms-swift's encoding and collation and real models.

The oracle of the forward pass is transformers' `generate`: made to sample the same ids one at a time, it gives the
logits that training must give for them.
"""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from peft import LoraConfig, get_peft_model
from PIL import Image
from swift import get_model_processor, get_template
from swift.rl_core.data import GRPOSample
from swift.rlhf_trainers.utils import collate_to_grpo_micro_batch, encode_sample
from transformers import AutoConfig, AutoModelForImageTextToText, LogitsProcessor, PreTrainedModel

from examples import tiny_model
from swift_plugins.fakexplain.frames import set_active_rule
from swift_plugins.fakexplain.host.sampled_tokens import TEXT_TOKENS
from swift_plugins.fakexplain.host.templates import register_templates
from tests.host.backbones import BACKBONES, folder_name, make_backbone

TOKENS = {
    "qwen": ("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>", "<|im_start|>", "<|endoftext|>"),
    "internvl": ("<IMG_CONTEXT>", "<video>", "<img>", "</img>", "<|im_start|>", "<|endoftext|>"),
    "glm": ("<|image|>", "<|video|>", "<|begin_of_image|>", "<|end_of_image|>", "<|assistant|>", "<|endoftext|>"),
    "minicpm": ("<|image_pad|>", "<|video_pad|>", "<image>", "</slice>", "<|im_start|>", "<|endoftext|>"),
}
ROLES = ("image", "video", "start", "end", "turn", "padding", "beyond the tokenizer")
PLAIN = [70, 71, 72, 73]
"""Ordinary tokens."""


@pytest.fixture(scope="module", autouse=True)
def _registered():
    register_templates()
    yield
    set_active_rule(None)


@pytest.fixture(scope="module")
def picture(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("pictures") / "a.png"
    Image.radial_gradient("L").resize((128, 96)).save(path)
    return str(path)


def add_weights(folder: Path, backbone: str) -> None:
    """Random weights for a backbone's folder, with four more rows than the tokenizer has tokens."""
    make_backbone(folder, backbone)
    config = AutoConfig.from_pretrained(folder)
    config.text_config.vocab_size += 4
    if "qwen2" in config.model_type:  # vLLM needs wider heads, this does not
        config.text_config.head_dim = 32
    torch.manual_seed(0)
    model: PreTrainedModel = AutoModelForImageTextToText.from_config(config)
    for parameter in model.parameters():  # larger than by default, so that every input shows in the logits
        torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(folder)


ALIKE = ("mimo_vl", "qwen3_8", "glm4_5v")
"""Backbones whose classes have the hooks of another's: by hand."""


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=[pytest.mark.slow] * (name in ALIKE)) for name in BACKBONES]
)
def run(request, tmp_path_factory):
    """The template and the model of a backbone, as a GRPO run has them, and ids with a meaning of their own."""
    folder = tmp_path_factory.mktemp(request.param)
    add_weights(folder, request.param)
    model_type = tiny_model.BACKBONES[folder_name(request.param)].model_type
    model, processor = get_model_processor(str(folder), torch_dtype=torch.float32, model_type=model_type)
    template = get_template(processor, template_type=f"fx_{request.param}")
    template.set_mode("train")
    template.model = model
    family = next((name for name in TOKENS if name in request.param), "qwen")
    ids = [template.tokenizer.get_vocab()[token] for token in TOKENS[family]]
    ids = dict(zip(ROLES, [*ids, len(template.tokenizer) + 1], strict=True))
    return SimpleNamespace(template=template, model=model, ids=ids)


def sample_of(picture: str, completion: list[int]) -> GRPOSample:
    messages = [{"role": "user", "content": "<image>Is it real?"}, {"role": "assistant", "content": ""}]
    return GRPOSample(messages=messages, images=[picture], response_token_ids=completion, add_eos=False)


def batch_of(run, picture: str, *completions: list[int]):
    """What ms-swift's GRPO trainer makes of completions: the model's inputs and the batch of the loss."""
    samples = [sample_of(picture, completion) for completion in completions]
    for sample in samples:
        sample.encoded = encode_sample(sample, run.template)
        sample.encoded.pop("_extra_kwargs", None)
    return collate_to_grpo_micro_batch(samples, run.template, device=torch.device("cpu"), use_logits_to_keep=True)


def forward(run, inputs, model=None):
    """The logits of a forward pass with the host's hook, and what reached the language model."""
    seen = {}

    def keep(module, args, kwargs):
        seen.update(kwargs)

    model = model or run.model
    handle = run.model.model.language_model.register_forward_pre_hook(keep, with_kwargs=True)
    run.template.register_post_encode_hook([model])
    try:
        return model(**{key: value for key, value in inputs.items() if key != "labels"}).logits, seen
    finally:
        run.template.remove_post_encode_hook()
        handle.remove()


def log_probs(logits, inputs, batch):
    """Per-token log probabilities of the completions, as the trainer takes them."""
    kept = batch.logits_to_keep
    ids = inputs["input_ids"][:, -kept:]
    return logits[:, -kept - 1 : -1].log_softmax(-1).gather(-1, ids[..., None])[..., 0]


def test_a_sampled_token_is_text(run, picture):
    places = [(id, (0, 2)) for id in run.ids.values()] + [(run.ids["image"], row) for row in ((1,), (3,), range(4))]
    sampled = [[id if index in row else plain for index, plain in enumerate(PLAIN)] for id, row in places]
    others = [[80], [81] * 6]  # shorter and longer, so that rows are padded
    inputs, batch = batch_of(run, picture, *sampled, *others)
    plain_inputs, plain_batch = batch_of(run, picture, *[PLAIN] * len(places), *others)

    # the trainer's side: the ids that were sampled, the same masks
    assert torch.equal(batch.completion_mask, plain_batch.completion_mask)
    begin = inputs["input_ids"].shape[1] - 6
    same = torch.ones_like(inputs["input_ids"], dtype=torch.bool)
    for row, (_, indices) in enumerate(places):
        for key in ("input_ids", "labels"):
            assert inputs[key][row, begin : begin + 4].tolist() == sampled[row]
        same[row, [begin + index for index in indices]] = False
    for key in ("input_ids", "labels"):
        assert torch.equal(inputs[key][same], plain_inputs[key][same])

    # the model's side: the same positions and features, and the token's own embedding
    run.model.train()
    logits, seen = forward(run, inputs)
    with torch.no_grad():
        _, plain_seen = forward(run, plain_inputs)
    for one, plain in ((inputs, plain_inputs), (seen, plain_seen)):
        if one.get("position_ids") is not None:
            assert torch.equal(one["position_ids"], plain["position_ids"])
    assert torch.equal(seen["inputs_embeds"][same], plain_seen["inputs_embeds"][same])
    own = run.model.get_input_embeddings().weight[inputs["input_ids"][~same]]
    assert torch.equal(seen["inputs_embeds"][~same], own)
    if "visual_pos_masks" in seen:
        assert torch.equal(seen["visual_pos_masks"], plain_seen["visual_pos_masks"])
        for features, plain in zip(seen["deepstack_visual_embeds"], plain_seen["deepstack_visual_embeds"], strict=True):
            assert torch.equal(features, plain)

    loss = -(log_probs(logits, inputs, batch) * batch.completion_mask).mean()
    assert loss.isfinite()
    run.model.zero_grad()
    loss.backward()
    assert all(each.grad is None or each.grad.isfinite().all() for each in run.model.parameters())
    assert (run.model.get_input_embeddings().weight.grad[[*run.ids.values()]].abs().sum(-1) > 0).all()


class Sample(LogitsProcessor):
    """Makes `generate` sample these ids."""

    def __init__(self, ids: list[int]):
        self.ids = iter(ids)

    def __call__(self, input_ids, scores):
        forced = torch.full_like(scores, -torch.inf)
        forced[:, next(self.ids)] = 0
        return forced


def test_log_probabilities_are_those_of_generation(run, picture):
    """So the ratio of the policy that trains to the one that sampled begins at 1."""
    *special, _padding, beyond = run.ids.values()
    completion = [*PLAIN, *special, *PLAIN, beyond]
    inputs, batch = batch_of(run, picture, completion, [*completion[:6], *PLAIN, *completion])
    run.model.eval()
    run.model.model.rope_deltas = None
    with torch.no_grad():
        trained = log_probs(forward(run, inputs)[0], inputs, batch)[0, : len(completion)]
        run.template.set_mode("transformers")
        try:
            prompt = run.template.encode({"messages": sample_of(picture, []).messages[:1], "images": [picture]})
            prompt = run.template.data_collator([prompt])
        finally:
            run.template.set_mode("train")
        prompt.pop("labels", None)
        generated = run.model.generate(
            **prompt,
            max_new_tokens=len(completion),
            do_sample=False,
            eos_token_id=run.template.tokenizer.eos_token_id,
            logits_processor=[Sample(completion)],
            output_logits=True,
            return_dict_in_generate=True,
        )
    assert generated.sequences[0, prompt["input_ids"].shape[1] :].tolist() == completion
    rollout = torch.cat(generated.logits).log_softmax(-1)[range(len(completion)), completion]
    assert rollout.std() > 0.1
    torch.testing.assert_close(trained, rollout, atol=1e-4, rtol=1e-4)


def test_lora(run, picture):
    """The hook is then called with peft's model around the backbone."""
    completion = [PLAIN[0], run.ids["image"], PLAIN[1]]
    inputs, batch = batch_of(run, picture, completion)
    run.model.eval()
    with torch.no_grad():
        expected = log_probs(forward(run, inputs)[0], inputs, batch)
        lora = get_peft_model(run.model, LoraConfig(target_modules=["q_proj"])).eval()
        try:
            torch.testing.assert_close(log_probs(forward(run, inputs, lora)[0], inputs, batch), expected)
        finally:
            lora.unload()


def test_a_batch_without_such_tokens_is_the_hosts(run, picture):
    inputs, _ = batch_of(run, picture, PLAIN, [80, run.ids["turn"]])
    assert TEXT_TOKENS not in inputs
    inputs, _ = batch_of(run, picture, PLAIN, [80, run.ids["image"]])
    assert inputs[TEXT_TOKENS].nonzero().tolist() == [[1, inputs["input_ids"].shape[1] - 3]]


def test_packed_rows(run, picture):
    """Without padding, rows stand one after the other in one."""
    run.template.padding_free = True
    try:
        packed = []
        for token in (PLAIN[1], run.ids["image"]):
            samples = [sample_of(picture, ids) for ids in ([PLAIN[0], token], PLAIN, [token])]
            packed.append(run.template.data_collator([encode_sample(sample, run.template) for sample in samples]))
    finally:
        run.template.padding_free = False
    plain, special = packed
    changed = plain["input_ids"] != special["input_ids"]
    assert changed.sum() == 2
    assert torch.equal(changed, special[TEXT_TOKENS])
    for key in {"position_ids", "text_position_ids"} & plain.keys():
        assert torch.equal(plain[key], special[key])


def test_a_completion_without_ids_has_one_target(run, picture):
    """The host drops padding tokens, so that one which ends a completion at once leaves nothing."""
    pad = run.template.tokenizer.pad_token_id
    inputs, batch = batch_of(run, picture, [], PLAIN)
    assert batch.logits_to_keep == len(PLAIN)
    assert batch.completion_mask.tolist() == [[1, 0, 0, 0], [1, 1, 1, 1]]
    assert inputs["input_ids"][0, -4] == pad
    with torch.no_grad():
        assert log_probs(forward(run, inputs)[0], inputs, batch).isfinite().all()


def test_prompts_are_encoded_as_the_host_encodes_them(run, picture):
    sample = sample_of(picture, PLAIN)
    encoded = encode_sample(sample, run.template, encode_prompt_only=True)
    assert min(encoded["input_ids"]) >= 0
    run.template.set_mode("transformers")
    try:
        own = run.template.encode({"messages": sample.messages[:1], "images": [picture]})
    finally:
        run.template.set_mode("train")
    assert encoded["input_ids"] == own["input_ids"]
    assert own["input_ids"].count(run.ids["image"]) > 1


@pytest.mark.parametrize(
    ("completion", "special"),
    [
        ([*PLAIN, "stop"], 0),  # it ends there
        (["stop"], 0),
        ([], 0),
        ([*PLAIN, "turn"], 1),
        (["image", *PLAIN], 1),
        (["stop", *PLAIN], 1),
        ([*PLAIN, ROLES[-1], "stop"], 1),
    ],
)
def test_completions_with_special_tokens_are_counted(run, picture, completion, special):
    run.template.take_counts()
    ids = run.ids | {"stop": run.template.template_meta.stop_token_id}
    batch_of(run, picture, [ids.get(token, token) for token in completion], PLAIN)
    assert run.template.take_counts() == [special, 2]
    assert run.template.take_counts() == [0, 0]
