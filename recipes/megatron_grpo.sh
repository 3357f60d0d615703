#!/usr/bin/env bash
# GRPO with progressive IoU weight as recipes/grpo.sh, by ms-swift's Megatron, vLLM colocated.
#
# Paper:     §4.3, §5.1, stage 2, as grpo.sh. Differs: Megatron's trainer
# Hardware:  8 x A100 80 GB      Time, memory: not measured
# Input:     FAKEXPLAINED (annotations, with folds), MODEL (the SFT checkpoint, merged); installed: `pip install
#            .[megatron]` and transformer-engine
# Output:    $OUT/checkpoint-* (LoRA on MODEL), $OUT/logging.jsonl with omega_G and the rewards
# Run:       FAKEXPLAINED=data/folds.jsonl SIZE=32B MODEL=output/sft-32B-merged bash recipes/megatron_grpo.sh
# Override:  any variable of README.md; further ms-swift arguments at the end, but not --use_ray. DRY_RUN=1 prints
#            the command.
set -euo pipefail

# shellcheck source=recipes/lib/backbones.sh
. "$(dirname "$0")/lib/backbones.sh"
# shellcheck source=recipes/lib/run.sh
. "$(dirname "$0")/lib/run.sh"
choose_backbone
choose_data
choose_gpus
choose_megatron "$@"
OUT=${OUT:-output/megatron-grpo-$NAME-fold$FOLD-$VARIANT}
VAL=${VAL:-0.015}                                     # as in megatron_sft.sh
MERGE="swift export --adapters CHECKPOINT --merge_lora true --output_dir output/sft-$NAME-merged"
[[ -n ${MODEL:-} ]] || fail "MODEL is not set: expected the merged SFT model ($MERGE)"
require_merged "$MERGE"

room=()
[[ $ROOM != sleep ]] || room=(--sleep_level 1 --offload_model true --offload_optimizer true)

cmd=(
  env
  "FAKEXPLAINED=$FAKEXPLAINED"
  "MAX_PIXELS=$MAX_PIXELS"
  "NPROC_PER_NODE=$NPROC_PER_NODE"
  "${machines[@]}"
  "FX_IOU_ETA=${FX_IOU_ETA:-1.1}"                     # §4.2: η
  "FX_IOU_EMPTY=${FX_IOU_EMPTY:-one}"                 # IoU of two empty sides
  "FX_OMEGA_G_START=${FX_OMEGA_G_START:-0.5}"         # eq. 2
  "FX_OMEGA_G_END=${FX_OMEGA_G_END:-1.0}"
  megatron rlhf
  --rlhf_type grpo
  --model "$MODEL"
  --model_type "$MODEL_TYPE"
  --custom_register_path "$PLUGIN"
  --template "$TEMPLATE"
  --dataset "fakexplained:$TRAIN"
  --split_dataset_ratio "$VAL"
  --strict true
  --torch_dtype bfloat16
  --reward_funcs fx_iou fx_label fx_format
  --reward_weights "${FX_OMEGA_G_START:-0.5}" 1 1     # the callback changes the first one
  --callbacks fx_omega_g                              # fx_diagnostics is for the trainer of grpo.sh
  --num_generations 4
  --lr 1e-5
  --max_length "$PROMPT"                              # of the prompt
  --max_completion_length 1024
  "${megatron[@]}"
  --use_vllm true
  --vllm_mode colocate
  --vllm_tensor_parallel_size "$ROLLOUT_TP"
  --vllm_gpu_memory_utilization "$SHARE"
  --vllm_max_model_len "$((PROMPT + 2048))"
  --vllm_limit_mm_per_prompt '{"image": 1, "video": 0}'
  "${room[@]}"
  --logging_steps 1
  --log_completions true
  --save_steps 1000
  --output_dir "$OUT"
  --add_version false
  "$@"
)
if [[ -n ${DRY_RUN:-} ]]; then printf '%q ' "${cmd[@]}"; echo; exit; fi
exec "${cmd[@]}"
