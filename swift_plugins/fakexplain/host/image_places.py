"""An image has as many places in a row as it has features, or the run ends before a model sees the row.

ms-swift puts the places of an image's features into the prompt, one token for each. Where a tokenizer does not have
the token that it looks for, or a row has fewer images than marks of them, it leaves the mark as it is and goes on, and
some models go on too: they train on an image that they do not see (Qwen3.5). An error while a row is encoded would not
end the run, because ms-swift's dataset then takes another row. Collating is the first step whose errors it passes on.
"""

from __future__ import annotations

from typing import Any

_Mixin: Any = object  # Any: a host class comes after, in the templates
_OVIS_PLACE = -300  # ms-swift's mark of a place of Ovis' features


class ImagePlaces(_Mixin):
    """Mixed in before a host template class, which has set `placeholder_tokens`: that of images first, or none."""

    def _data_collator(self, batch: list[dict[str, Any]], *, padding_to: int | None = None) -> dict[str, Any]:
        for row in batch:
            self._check_places(row)
        collated: dict[str, Any] = super()._data_collator(batch, padding_to=padding_to)
        return collated

    def _check_places(self, row: dict[str, Any]) -> None:
        ids = row.get("input_ids")
        if ids is None or row.get("pixel_values_videos") is not None:
            return
        place = self.placeholder_tokens[0] if self.placeholder_tokens else _OVIS_PLACE
        found, expected = ids.count(place), self._count_features(row)
        if found != expected:
            end = self.tokenizer.decode([id for id in ids if id >= 0][-50:])
            raise RuntimeError(
                f"template {self.template_meta.template_type}: expected {expected} places for the features of a row's "
                f"images, found {found}: a row has more or fewer images than <image> marks, or model and template do "
                f"not fit; the row ends with {end!r}"
            )

    def _count_features(self, row: dict[str, Any]) -> int:
        """Features that the language model gets for the images of a row."""
        if (grids := row.get("image_grid_thw")) is not None:  # patches over time, height and width
            return int(grids.prod(-1).sum()) // self.processor.image_processor.merge_size**2
        if (grids := row.get("grid_thws")) is not None:  # Ovis
            vision = self._get_model().visual_tokenizer.vit.config
            return int(grids.prod(-1).sum()) // (vision.hidden_stride**2 * vision.temporal_patch_size)
        if (slices := row.get("target_sizes")) is not None:  # MiniCPM: patches over height and width
            return int(slices.prod(-1).sum()) // (4 if self.downsample_mode == "4x" else 16)
        if (tiles := row.get("pixel_values")) is not None:  # InternVL
            per_tile = getattr(self.processor, "image_seq_length", None) or (self.input_size // 14) ** 2 // 4
            return len(tiles) * int(per_tile)
        return 0
