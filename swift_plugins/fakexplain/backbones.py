"""The backbones with a chat template here: one row for each, and all that differs between them.

`frames` reads a row's frame, `annotation` the tokens that no caption may hold, and `host.templates` makes the template.
`tests/host` holds each row to what ms-swift encodes with the release's own processor class. Pure: no ms-swift here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple


class Turns(NamedTuple):
    """How the messages of a chat follow each other in a prompt.

    Attributes:
        start: before the first message.
        before: before the name of a role.
        after: after it.
        end: after a message.
    """

    start: str = ""
    before: str = "<|im_start|>"
    after: str = "\n"
    end: str = "<|im_end|>\n"


CHATML = Turns()


@dataclass(frozen=True)
class Backbone:
    """One row.

    Attributes:
        models: the models it is for.
        host: ms-swift's template that it extends.
        proven: on a model with the release's classes and random weights, on a CPU: 'grpo', stock `swift sft`,
            `swift rlhf` and `swift infer` run with it; 'forward', loss and gradients of a batch, and log probabilities
            equal to those of generation; 'encode', the prompt alone, because the model's code is on the hub and not in
            transformers.
        patch: pixels per side of a patch, if ms-swift resizes the image to whole tokens before anything else reads it.
        norm_bbox: ms-swift's name for the frame if the run does not set it.
        places: the tokens that stand for features of an image and, where it has one of its own, of a video in the
            prompt. None at all: ms-swift marks the places with negative numbers, which no token has.
        special_tokens: of the tokenizer, in another form than <|...|>.
        constants: tokens `<|name|>` that the host's class holds as constant ids, in attributes `name_token`.
        gap: text that ms-swift writes after an image in every mode but vLLM's.
        vllm_settings: settings of the host's template that it does not pass to vLLM -> name of vLLM's argument.
        vllm_fixed: settings of the host's template that vLLM cannot be told -> the value that it goes by; None stands
            for that of the model's processor.
        pads: ms-swift gives text to the model's processor, which switches the tokenizer's padding on for the call: no
            other thread may use the tokenizer then.
        image: what stands for an image in the text that the model's own processor gets.
        turns: the messages of its prompts.
    """

    models: str
    host: str
    proven: Literal["grpo", "forward", "encode"]
    patch: int | None = None
    norm_bbox: Literal["none", "norm1000"] = "norm1000"
    places: tuple[str, ...] = ("<|image_pad|>", "<|video_pad|>")
    special_tokens: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()
    gap: str = ""
    vllm_settings: tuple[tuple[str, str], ...] = ()
    vllm_fixed: tuple[tuple[str, int | None], ...] = ()
    pads: bool = False
    image: str = "<|vision_start|><|image_pad|><|vision_end|>"
    turns: Turns = CHATML


_INTERNVL_TOKENS = ("<img>", "</img>", "<IMG_CONTEXT>", "<quad>", "</quad>", "<ref>", "</ref>", "<box>", "</box>")
_GLM_TOKENS = ("[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>")
_GLM_PLACES = ("<|image|>", "<|video|>")
_GLM_IMAGE = "<|begin_of_image|><|image|><|end_of_image|>"
_GLM_TURNS = Turns(start="[gMASK]<sop>", before="<|", after="|>\n", end="")
_MINICPM_TOKENS = (
    *("<image>", "</image>", "<image_id>", "</image_id>", "<slice>", "</slice>", "<point>", "</point>"),
    *("<unk>", "<s>", "</s>", "<im_start>", "<im_end>", "<im_patch>", "<unit>", "</unit>"),
)
_OVIS_TOKENS = (
    *("<ovis_visual_atom>", "<ovis_image>", "<ovis_image_start>", "<ovis_image_end>"),
    *("<ovis_video>", "<ovis_video_start>", "<ovis_video_end>", "<image>", "<video>"),
)

BACKBONES = {
    "qwen2_5_vl": Backbone("Qwen2.5-VL", "qwen2_5_vl", "grpo", patch=14, norm_bbox="none"),
    "mimo_vl": Backbone("MiMo-VL", "mimo_vl", "forward", patch=14, norm_bbox="none"),
    "qwen3_vl": Backbone("Qwen3-VL", "qwen3_vl", "grpo", patch=16),
    "qwen3_5": Backbone("Qwen3.5, Qwen3.6", "qwen3_5", "grpo", patch=16),
    "qwen3_8": Backbone("Qwen3.8", "qwen3_8", "forward", patch=16),
    "internvl_hf": Backbone(
        "InternVL3 and InternVL3.5 in transformers' format (-hf, -HF)",
        "internvl_hf",
        "grpo",
        places=("<IMG_CONTEXT>", "<video>"),
        special_tokens=(*_INTERNVL_TOKENS, "<video>"),
        gap="\n",
        image="<IMG_CONTEXT>\n",
    ),
    "internvl3": Backbone(
        "InternVL3",
        "internvl2_5",
        "encode",
        places=("<IMG_CONTEXT>",),
        special_tokens=_INTERNVL_TOKENS,
        vllm_settings=(("max_num", "max_dynamic_patch"),),
    ),
    "internvl3_5": Backbone(
        "InternVL3.5",
        "internvl3_5",
        "encode",
        places=("<IMG_CONTEXT>",),
        special_tokens=_INTERNVL_TOKENS,
        vllm_settings=(("max_num", "max_dynamic_patch"),),
    ),
    "glm4v": Backbone(
        "GLM-4.1V",
        "glm4v",
        "grpo",
        places=_GLM_PLACES,
        special_tokens=_GLM_TOKENS,
        constants=("begin_of_image", "end_of_image", "begin_of_video", "end_of_video"),
        image=_GLM_IMAGE,
        turns=_GLM_TURNS,
    ),
    "glm4_5v": Backbone(
        "GLM-4.5V, GLM-4.6V, GLM-4.6V-Flash",
        "glm4_5v",
        "grpo",
        places=_GLM_PLACES,
        special_tokens=_GLM_TOKENS,
        image=_GLM_IMAGE,
        turns=_GLM_TURNS,
    ),
    "minicpmv4_6": Backbone(
        "MiniCPM-V-4.6",
        "minicpmv4_6",
        "grpo",
        special_tokens=_MINICPM_TOKENS,
        vllm_fixed=(("max_slice_nums", None),),
        pads=True,
        image="<|image_pad|>\n",
    ),
    "ovis2_5": Backbone(
        "Ovis2.5",
        "ovis2_5",
        "encode",
        places=(),
        special_tokens=_OVIS_TOKENS,
        gap="\n",
        vllm_fixed=(("min_pixels", 448 * 448), ("max_pixels", 1792 * 1792)),
    ),
}
"""Name of a template without `fx_` -> its row."""

TEMPLATES = tuple(f"fx_{name}" for name in BACKBONES)
"""The templates; the stock templates that they extend have the same frames."""

_NEWER = "needs a newer transformers than 5.12.1"
_OTHER_THOUGHT = "thinks in a form of its own, which ms-swift does not switch off"
REFUSED = {
    "step3_vl": _OTHER_THOUGHT,
    "gemma3_vision": "GRPO of Gemma does not work in ms-swift 4.6",
    "gemma3n": "GRPO of Gemma does not work in ms-swift 4.6",
    "gemma4": "GRPO of Gemma does not work in ms-swift 4.6, and it writes boxes with y first",
    "kimi_vl": "its code does not run with transformers 5.12.1",
    "keye_vl_1_5": "its code does not run with transformers 5.12.1",
    "molmo2": "its code does not run with transformers 5.12.1",
    "interns1": "its code does not run with transformers 5.12.1",
    "glm5_next": _NEWER,
    "minicpmv4_7": _NEWER,
}
"""ms-swift's templates of other recent backbones -> why there is none for them here."""

OTHER_SPECIAL_TOKENS = (
    *("<image_soft_token>", "<video_soft_token>", "<audio_soft_token>", "<start_of_image>", "<end_of_image>"),
    *("<bos>", "<eos>", "<pad>", "<start_of_turn>", "<end_of_turn>"),
)
"""Special tokens of Gemma, in another form than <|...|>: annotations outlive the choice of a backbone."""


def backbone_of(template: str) -> Backbone:
    """The row of a template: `fx_NAME`, `NAME`, or ms-swift's template that it extends.

    Raises:
        ValueError: there is none; the message says why, where that is known.

    >>> backbone_of("internvl2_5").models
    'InternVL3'
    """
    hosts = {row.host: row for row in BACKBONES.values()}
    if row := BACKBONES.get(template.removeprefix("fx_")) or hosts.get(template):
        return row
    reason = f" ({why})" if (why := REFUSED.get(template.removeprefix("fx_"))) else ""
    raise ValueError(
        f"template {template!r}: its model frame is not known{reason}; expected one of {', '.join(TEMPLATES)}, "
        "or the same without fx_"
    )
