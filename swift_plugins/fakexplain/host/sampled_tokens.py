"""A token that the model sampled is text, whatever its id: no completion can end a run.

A prompt marks the places of image features with one token, repeated: `<|image_pad|>` in Qwen's vocabulary. A policy can
sample this token too, as it can sample any id that its output layer has a row for. ms-swift encodes the completion
behind the prompt, and both its own code and transformers' models find the places of features by that id alone. They
count more places than features, and stop.

vLLM goes by the places of the prompt's images instead (`is_multimodal` in its `embed_input_ids`). To a token that it
has sampled it feeds that id's own row of the embedding layer, at the next text position; so does transformers'
`generate`, which leaves the images out after its first step. `SampledTokens` makes training agree with both:

- While a row is encoded and collated, such a token of a completion stands as a negative number. Nothing takes it for
  a place of features, so neither the number of places nor the positions (M-RoPE) depend on it.
- The collated batch holds the true ids again. The loss, its labels and the log probabilities are of the tokens that
  were sampled.
- During the forward pass the model sees a padding token there, and its embedding layer the true id. Features go only
  to the prompt's places, and the token gets its own embedding.

The ids come from the run's processor, config and template. A batch without such a token is left as the host makes it.

With `--use_liger_kernel true` ms-swift's GRPO calls the inner model around this hook, and with Megatron the model is
not transformers'; there such a completion still ends the run.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

from swift.template import Template

_Mixin: Any = object  # Any: a host class comes after, in the templates

TEXT_TOKENS = "fx_text_tokens"
"""Key in a collated batch: (B, L) bools, true where a token of a completion has the id of a place of features."""

_BELOW = -1000  # lower than the marks that the host's templates write into a row, which are -100 to -304

# Fields of a config or processor with ids that mark, begin or end the places of features.
_FIELDS = [
    f"{kind}{part}_token_id" for kind in ("image", "video", "audio", "vision") for part in ("", "_start", "_end")
]


class SampledTokens(_Mixin):
    """Mixed in before a host template class.

    Attributes:
        counts: completions with special tokens and completions in all, encoded for training since `take_counts`.
    """

    def init_env_args(self) -> None:
        """Called by the host once the processor and the tokenizer exist."""
        super().init_env_args()
        found = {getattr(source, field, None) for source in (self.config, self.processor) for field in _FIELDS}
        found |= set(self.placeholder_tokens)
        self.feature_ids = frozenset(id for id in found if isinstance(id, int) and id >= 0)
        added = self.tokenizer.added_tokens_decoder.items()
        special = {id for id, token in added if token.special}
        special.discard(self.tokenizer.pad_token_id)  # ms-swift drops it from transformers' rollouts, not from vLLM's
        self.special_ids = self.feature_ids | special
        self.counts = [0, 0]

    def take_counts(self) -> list[int]:
        """Return `counts` and begin again.

        They are taken here, where the ids are: a completion's text does not show an id beyond the tokenizer, and shows
        a special token as it shows the same characters in other tokens. The `<|im_end|>` that ends a completion is not
        counted.
        """
        counts, self.counts = self.counts, [0, 0]
        return counts

    def _swift_prepare_inputs(self, inputs: Any) -> None:
        # not the host class's own: that of Qwen3.5 rewrites a thought in a target, and so the answer
        Template._swift_prepare_inputs(self, inputs)
        # The host drops padding tokens from what transformers generated, so a completion that consists of them arrives
        # without ids. It would have no target, and the host cannot tell where such a completion begins.
        is_completion = self.is_training and inputs.extra_kwargs.get("add_eos") is False
        if is_completion and inputs.messages[-1] == {"role": "assistant", "content": ""}:
            inputs.messages[-1]["content"] = [self.tokenizer.pad_token_id]

    def _encode_context_list(self, context_list: list[Any], loss_scale_list: list[float] | None = None) -> Any:
        # text comes as strings, a completion as the ids that were sampled
        if self.is_training and loss_scale_list is not None:
            pairs = list(zip(context_list, loss_scale_list, strict=True))
            if completion := [*chain(*(ids for ids, weight in pairs if isinstance(ids, list) and weight > 0))]:
                kept = self.skip_stop_tokens(completion)
                beyond = len(self.tokenizer)
                self.counts[0] += any(id in self.special_ids or id >= beyond for id in kept)
                self.counts[1] += 1
            context_list = [self._hidden(context) if isinstance(context, list) else context for context in context_list]
        return super()._encode_context_list(context_list, loss_scale_list)

    def _hidden(self, ids: list[int]) -> list[int]:
        return [_BELOW - id if id in self.feature_ids else id for id in ids]

    def _data_collator(self, batch: list[dict[str, Any]], *, padding_to: int | None = None) -> dict[str, Any]:
        collated: dict[str, Any] = super()._data_collator(batch, padding_to=padding_to)
        ids = collated.get("input_ids")
        if ids is not None and (hidden := ids <= _BELOW).any():
            for key in {"input_ids", "labels"} & collated.keys():
                values = collated[key]
                collated[key] = values.where(values > _BELOW, _BELOW - values)
            collated[TEXT_TOKENS] = hidden
        return collated

    def _post_encode(self, model: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        inputs = dict(inputs)
        text_tokens = inputs.pop(TEXT_TOKENS, None)
        if text_tokens is not None:
            ids = inputs["input_ids"]
            _embed_instead(self.get_base_model(model).get_input_embeddings(), ids)
            inputs["input_ids"] = ids.masked_fill(text_tokens, self.tokenizer.pad_token_id)
        result: dict[str, Any] = super()._post_encode(model, inputs)
        return result


def _embed_instead(embedding: Any, ids: Any) -> None:
    """Let the next call of an embedding layer look up these ids, (B, L), instead of those it is given."""

    def replace_ids(module: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        handle.remove()
        return ids.to(args[0].device), *args[1:]

    handle = embedding.register_forward_pre_hook(replace_ids)
