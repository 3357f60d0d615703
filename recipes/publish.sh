#!/usr/bin/env bash
# A checkpoint as a folder that works on another machine: whole weights, prompts, limits of pixels, plugin, model card.
#
# Paper:     none: the models of Table 4 for others. Differs: nothing in the answers, which is checked on one image
# Hardware:  1 x A100 80 GB; from 27B on 2      Time, memory: not measured
# Input:     MODEL (a checkpoint of sft.sh or grpo.sh, LoRA or merged), LICENSE (of the backbone, as Hugging Face names
#            it), RUN (optional: $OUT of score.sh, for the figures of the card); MAX_PIXELS as in training
# Output:    $OUT. Nothing is uploaded: the last line printed is the hub's own command for it
# Run:       MODEL=output/grpo-7B-fold0-full/checkpoint-19440 LICENSE=apache-2.0 RUN=output/infer-7B-fold0-full-run \
#              bash recipes/publish.sh
# Override:  any variable of README.md; further `fakexplain publish` arguments at the end. DRY_RUN=1 prints the command.
set -euo pipefail

# shellcheck source=recipes/lib/backbones.sh
. "$(dirname "$0")/lib/backbones.sh"
# shellcheck source=recipes/lib/run.sh
. "$(dirname "$0")/lib/run.sh"
choose_backbone
choose_plugin
OUT=${OUT:-output/published-$NAME}
[[ -n ${MODEL:-} ]] || fail "MODEL is not set: expected a checkpoint"
[[ -n ${LICENSE:-} ]] || fail "LICENSE is not set: expected the licence of the backbone, such as apache-2.0"

cmd=(
  env
  "MAX_PIXELS=$MAX_PIXELS"                            # the environment of the training; written into the processor
  fakexplain publish "$MODEL"
  --license "$LICENSE"
  --base-model "$HUB"
  ${RUN:+--run "$RUN"}
  --vllm-args "{\"tensor_parallel_size\": $INFER_TP, \"max_model_len\": $((PROMPT + 2048))}"
  --out "$OUT"
  "$@"
)
if [[ -n ${DRY_RUN:-} ]]; then printf '%q ' "${cmd[@]}"; echo; exit; fi
exec "${cmd[@]}"
