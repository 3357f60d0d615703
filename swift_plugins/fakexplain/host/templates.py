"""The chat templates: ms-swift's class for each backbone, with this project's system prompt and plain-digit boxes.

ms-swift (the host) handles images, tokens and packing. What differs, for every backbone alike:

- A box is written as `[12, 8, 90, 60]`, without special tokens, and is never thinner than one unit.
- The model answers without a thought of its own: `<think>` is a part of the answer, which the host neither adds to the
  prompt nor rewrites in a target.
- A prompt has the same ids in training, with transformers and with vLLM.
- Token ids come from the tokenizer, because the host's constants fit only one vocabulary.
- An image whose places in the prompt are not as many as its features ends the run, before a model sees it.
- The template announces the rule of its model frame, because the arguments that rewards receive do not name the
  template.
- A completion may hold any token, because `SampledTokens` keeps it apart from the images.
- A row may have its own system prompt (that of its variant).

What differs between backbones is a row of `BACKBONES`, from which the class of each is made.
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import replace
from threading import Lock
from typing import Any

from swift.template import TEMPLATE_MAPPING, register_template

from ..backbones import BACKBONES, Backbone
from ..frames import FrameRule, frame_rule, set_active_rule, widen_xyxy
from ..prompts import system_prompt
from .image_places import ImagePlaces
from .sampled_tokens import SampledTokens

_TOKENIZER = Lock()
"""Held while a row is encoded whose backbone `pads`; here, because a template has to travel to other processes."""


class FxTemplate(SampledTokens, ImagePlaces):
    """What the templates have in common, mixed in before the host's class.

    Attributes:
        backbone: the template's row.
        frame_rule: the rule of the model frame, once the processor exists.
    """

    backbone: Backbone
    frame_rule: FrameRule

    def replace_bbox(self, bbox: list[int], index: int, inputs: Any) -> list[str]:
        """A box as text: plain digits."""
        return [str(bbox)]

    def normalize_bbox(self, inputs: Any) -> None:
        """Convert a row's boxes to the model frame in place, as `Frame.target_xyxy` does."""
        image_ids = list(inputs.objects.get("image_id") or [])
        super().normalize_bbox(inputs)
        boxes = inputs.objects["bbox"]
        image_ids += [0] * (len(boxes) - len(image_ids))
        for bbox, image_id in zip(boxes, image_ids, strict=False):
            if len(bbox) == 4:  # two numbers are a point
                frame_wh = (1000, 1000) if self.frame_rule.norm1000 else inputs.images[image_id].size
                bbox[:] = widen_xyxy(bbox, frame_wh)

    def replace_tag(self, media_type: str, index: int, inputs: Any) -> list[Any]:
        """The host's placeholder of an image; vLLM's with the settings and the text that the other modes have."""
        placeholder: list[Any] = super().replace_tag(media_type, index, inputs)
        if self.mode != "vllm" or media_type != "image":
            return placeholder
        inputs.mm_processor_kwargs |= {name: getattr(self, own) for own, name in self.backbone.vllm_settings}
        return [*placeholder, self.backbone.gap]

    def _encode_truncated(self, inputs: Any) -> Any:
        # the host's engines encode a batch in threads, and a tokenizer that changes in one fails in the others
        with _TOKENIZER if self.backbone.pads else nullcontext():
            return super()._encode_truncated(inputs)

    def _get_enable_thinking(self, inputs: Any = None) -> bool:
        return False

    def _jinja_encode(self, inputs: Any) -> Any:
        raise ValueError(
            "--template_backend: expected 'swift', because the model's own chat template may open a thought"
        )

    def _init_placeholder_tokens(self) -> None:
        # the host keeps these ids in a list on the class, which stays that of the first vocabulary
        self.placeholder_tokens = [self._id_of(token) for token in self.backbone.places]
        for kind, id in zip(("image", "video"), self.placeholder_tokens, strict=False):
            setattr(self, f"{kind}_token_id", id)
        for name in self.backbone.constants:
            setattr(self, f"{name}_token", self._id_of(f"<|{name}|>"))

    def _id_of(self, token: str) -> int:
        id = self.tokenizer.get_vocab().get(token)
        if id is None:
            raise ValueError(
                f"template {self.template_meta.template_type}: expected a tokenizer of {self.backbone.models} with a "
                f"token {token}, found none; is it the template of another model?"
            )
        return int(id)

    def init_env_args(self) -> None:
        """Called by the host once the processor and the tokenizer exist."""
        super().init_env_args()
        for name, value in self._vllm_values():
            if name.upper() not in os.environ:
                setattr(self, name, value)
        self.frame_rule = self._host_rule()
        set_active_rule(self.frame_rule)

    def _vllm_values(self) -> list[tuple[str, int]]:
        """The settings that vLLM cannot be told, and the values that it goes by."""
        return [
            (name, getattr(self.processor.image_processor, name) if value is None else value)
            for name, value in self.backbone.vllm_fixed
        ]

    def set_mode(self, mode: str) -> None:
        """Switch between training and an inference engine.

        Raises:
            ValueError: vLLM would see other images than training does.
        """
        for name, value in self._vllm_values() if mode == "vllm" else ():
            if getattr(self, name) != value:
                raise ValueError(
                    f"{name.upper()}: expected {value} with vLLM, which takes no other for {self.backbone.models}, "
                    f"found {getattr(self, name)}"
                )
        super().set_mode(mode)

    def _host_rule(self) -> FrameRule:
        """The rule, from the host's own settings, because it reads the environment only once and may change it."""
        template = self.template_meta.template_type
        rule = frame_rule(template, max_pixels=self.max_pixels, norm_bbox=self.norm_bbox, env={})
        if rule.norm1000:
            return rule
        from qwen_vl_utils import vision_process

        # what the host's replace_tag passes to fetch_image, and fetch_image's default
        patch = self.processor.image_processor.patch_size if self.version == "v3" else 14
        return replace(
            rule,
            factor=patch * vision_process.SPATIAL_MERGE_SIZE,
            min_tokens=vision_process.IMAGE_MIN_TOKEN_NUM,
            max_tokens=vision_process.IMAGE_MAX_TOKEN_NUM,
            max_ratio=vision_process.MAX_RATIO,
        )


def _template_class(name: str) -> type[Any]:
    """The class of a row."""
    row = BACKBONES[name]
    host = TEMPLATE_MAPPING[row.host].template_cls
    doc = f"`fx_{name}`: {row.models}, with ms-swift's `{row.host}`."
    return type(f"fx_{name}", (FxTemplate, host), {"backbone": row, "__doc__": doc, "__module__": __name__})


_CLASSES = {name: _template_class(name) for name in BACKBONES}
globals().update((each.__name__, each) for each in _CLASSES.values())  # where pickle looks for a class


def register_templates() -> None:
    """Put the templates into ms-swift's registry; may be repeated."""
    for name, template_cls in _CLASSES.items():
        meta = deepcopy(TEMPLATE_MAPPING[BACKBONES[name].host])
        meta.template_type = f"fx_{name}"
        meta.template_cls = template_cls
        meta.default_system = system_prompt("full")
        meta.is_thinking = False
        meta.thinking_prefix = meta.non_thinking_prefix = meta.history_thinking_prefix = ""
        register_template(meta, exist_ok=True)
