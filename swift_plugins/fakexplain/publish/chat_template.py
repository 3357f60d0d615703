"""The chat template file of a published model: the prompts that it was trained with.

A release's own template knows neither our system prompt nor, where the model thinks, that an answer begins at its first
character. So the file is written from the backbone's row, and `tests/host` holds it to the ids that ms-swift encodes.
"""

from __future__ import annotations

import json

from ..backbones import Backbone, backbone_of
from ..errors import DataError, Unquoted

CHAT_TEMPLATE = "chat_template.jinja"
"""Name of the file, which transformers and vLLM read before any other template."""

_JINJA = """\
{{- START -}}
{%- if messages[0].role != 'system' -%}
    {{- BEFORE + 'system' + AFTER + SYSTEM + END -}}
{%- endif -%}
{%- for message in messages -%}
    {{- BEFORE + message.role + AFTER -}}
    {%- if message.content is string -%}
        {{- message.content -}}
    {%- else -%}
        {%- for part in message.content -%}
            {%- if part.type == 'text' -%}
                {{- part.text -}}
            {%- elif part.type in ['image', 'image_url'] -%}
                {{- IMAGE -}}
            {%- else -%}
                {{- raise_exception('expected text and images, found ' + part.type) -}}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{- END -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- BEFORE + 'assistant' + AFTER -}}
{%- endif -%}
"""


def publishable(template: str) -> Backbone:
    """The row of a template whose models can be published.

    Raises:
        DataError (a ValueError): not one of this project's templates, or no chat template file reaches its models.
    """
    if not template.startswith("fx_"):
        raise DataError("a model that was trained with a template of this project, fx_…", template, field="template")
    row = backbone_of(template)
    if row.proven == "encode":
        why = f"{row.models}, whose prompts are written by code on the hub and which transformers has no processor for"
        raise DataError("a backbone whose prompts come from a chat template file", Unquoted(why), field="template")
    return row


def chat_template(backbone: Backbone, system: str) -> str:
    """The template as Jinja, for transformers and vLLM.

    Args:
        backbone: the model's row.
        system: the system prompt of chats that begin without one.
    """
    texts = {
        "START": backbone.turns.start,
        "BEFORE": backbone.turns.before,
        "AFTER": backbone.turns.after,
        "END": backbone.turns.end,
        "SYSTEM": system,
        "IMAGE": backbone.image,
    }
    return "".join(f"{{%- set {name} = {json.dumps(text)} -%}}\n" for name, text in texts.items()) + _JINJA
