#!/usr/bin/env bash
# SFT as recipes/sft.sh, by ms-swift's Megatron: tensor parallelism for large backbones.
#
# Paper:     §5.1, stage 1, as sft.sh. Differs: Megatron's trainer, and the validation part is judged by its loss
# Hardware:  8 x A100 80 GB      Time, memory: not measured
# Input:     FAKEXPLAINED (annotations, with folds); installed: `pip install .[megatron]` and transformer-engine
# Output:    $OUT/checkpoint-* (LoRA, as of sft.sh)
# Run:       FAKEXPLAINED=data/folds.jsonl BACKBONE=qwen2.5-vl-32b bash recipes/megatron_sft.sh
# Override:  any variable of README.md; further ms-swift arguments at the end. DRY_RUN=1 prints the command.
set -euo pipefail

# shellcheck source=recipes/lib/backbones.sh
. "$(dirname "$0")/lib/backbones.sh"
# shellcheck source=recipes/lib/run.sh
. "$(dirname "$0")/lib/run.sh"
choose_backbone
choose_data
choose_gpus
choose_megatron "$@"
MODEL=${MODEL:-$HUB}
OUT=${OUT:-output/megatron-sft-$NAME-fold$FOLD-$VARIANT}
VAL=${VAL:-0.015}                                     # share of the training rows that chooses the checkpoint

cmd=(
  env
  "FAKEXPLAINED=$FAKEXPLAINED"
  "MAX_PIXELS=$MAX_PIXELS"
  "NPROC_PER_NODE=$NPROC_PER_NODE"
  "${machines[@]}"
  megatron sft
  --model "$MODEL"
  --model_type "$MODEL_TYPE"
  --custom_register_path "$PLUGIN"
  --template "$TEMPLATE"
  --dataset "fakexplained:$TRAIN"
  --split_dataset_ratio "$VAL"
  --strict true                                       # otherwise a row that does not encode is replaced by another
  --torch_dtype bfloat16
  --lr 1e-4
  --max_length "$((PROMPT + 2048))"
  "${megatron[@]}"
  --logging_steps 10
  --save_steps 500
  --output_dir "$OUT"
  --add_version false
  "$@"
)
if [[ -n ${DRY_RUN:-} ]]; then printf '%q ' "${cmd[@]}"; echo; exit; fi
exec "${cmd[@]}"
