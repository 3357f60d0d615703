"""The chat templates: ms-swift's class for each backbone, with this project's system prompt and plain-digit boxes.

ms-swift (the host) handles images, tokens and packing. There are four differences. A box is written as
`[12, 8, 90, 60]` for every backbone, without special tokens, and is never thinner than one unit. Token ids come from
the tokenizer, because the host's constants fit only one vocabulary. The template announces the rule of its model
frame, because the arguments that rewards receive do not name the template. A completion may hold any token, because
`SampledTokens` keeps it apart from the images. A row may have its own system prompt (that of its variant).
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

from swift.template import TEMPLATE_MAPPING, register_template

from ..frames import FrameRule, frame_rule, set_active_rule, widen_xyxy
from ..prompts import system_prompt
from .sampled_tokens import SampledTokens

_Qwen2_5VL: Any = TEMPLATE_MAPPING["qwen2_5_vl"].template_cls
_MiMoVL: Any = TEMPLATE_MAPPING["mimo_vl"].template_cls
_Qwen3VL: Any = TEMPLATE_MAPPING["qwen3_vl"].template_cls


class FxTemplate(SampledTokens):
    """What the templates have in common, mixed in before a host class that resizes through qwen_vl_utils."""

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

    def _init_placeholder_tokens(self) -> None:
        # the host keeps these ids in a list on the class, which stays that of the first vocabulary
        self.placeholder_tokens = self.tokenizer.convert_tokens_to_ids(["<|image_pad|>", "<|video_pad|>"])
        self.image_token_id, self.video_token_id = self.placeholder_tokens

    def init_env_args(self) -> None:
        """Called by the host once the processor and the tokenizer exist."""
        super().init_env_args()
        self.frame_rule = self._host_rule()
        set_active_rule(self.frame_rule)

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


class FxQwen2_5VLTemplate(FxTemplate, _Qwen2_5VL):
    """`fx_qwen2_5_vl`: boxes in pixels of the resized image."""


class FxMiMoVLTemplate(FxTemplate, _MiMoVL):
    """`fx_mimo_vl`: boxes in pixels of the resized image."""


class FxQwen3VLTemplate(FxTemplate, _Qwen3VL):
    """`fx_qwen3_vl`: boxes from 0 to 1000."""


_CLASSES: dict[str, type[Any]] = {
    "qwen2_5_vl": FxQwen2_5VLTemplate,
    "mimo_vl": FxMiMoVLTemplate,
    "qwen3_vl": FxQwen3VLTemplate,
}


def register_templates() -> None:
    """Put the templates into ms-swift's registry; may be repeated."""
    for host, template_cls in _CLASSES.items():
        meta = deepcopy(TEMPLATE_MAPPING[host])
        meta.template_type = f"fx_{host}"
        meta.template_cls = template_cls
        meta.default_system = system_prompt("full")
        register_template(meta, exist_ok=True)
