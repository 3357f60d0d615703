#!/usr/bin/env bash
# Greedy answers on a held-out fold with vLLM: the untuned backbone, or the merged SFT or GRPO model.
#
# Paper:     Table 4, column No-FT (default MODEL); the answers behind columns 3B, 7B, 32B and SFT; Table 2.
#            Differs: none known
# Hardware:  8 x A100 80 GB      Time, memory: not measured
# Input:     FAKEXPLAINED (annotations, with folds), MODEL (a whole model, not a LoRA checkpoint)
# Output:    $OUT, one JSON line per image, for recipes/score.sh
# Run:       FAKEXPLAINED=data/folds.jsonl MODEL=output/grpo-7B-merged bash recipes/infer.sh
# Override:  any variable of README.md; further ms-swift arguments at the end. DRY_RUN=1 prints the command.
set -euo pipefail

# shellcheck source=recipes/lib/backbones.sh
. "$(dirname "$0")/lib/backbones.sh"
# shellcheck source=recipes/lib/run.sh
. "$(dirname "$0")/lib/run.sh"
choose_backbone
choose_data
choose_gpus
MODEL=${MODEL:-$HUB}
OUT=${OUT:-output/infer-$NAME-fold$FOLD-$VARIANT.jsonl}
# vLLM by default serves no LoRA on the vision tower, and eight processes merging one would all write the same folder.
require_merged "swift export --adapters $MODEL --merge_lora true --output_dir $MODEL-merged"
[[ ! -e $OUT ]] || fail "OUT: '$OUT' exists, and swift infer would append to it"

cmd=(
  env
  "FAKEXPLAINED=$FAKEXPLAINED"
  "MAX_PIXELS=$MAX_PIXELS"
  "NPROC_PER_NODE=$NPROC_PER_NODE"
  swift infer
  --model "$MODEL"
  --model_type "$MODEL_TYPE"
  --custom_register_path "$PLUGIN"
  --template "$TEMPLATE"
  --torch_dtype bfloat16
  --val_dataset "fakexplained:$TEST"
  --strict true
  --infer_backend vllm
  --vllm_tensor_parallel_size "$INFER_TP"
  --vllm_max_model_len "$((PROMPT + 2048))"
  --vllm_limit_mm_per_prompt '{"image": 1, "video": 0}'
  --max_new_tokens 1024                               # as in training
  --temperature 0
  --logprobs true                                     # the two likeliest tokens give P(fake), for AUROC
  --top_logprobs 2
  --result_path "$OUT"
  "$@"
)
if [[ -n ${DRY_RUN:-} ]]; then printf '%q ' "${cmd[@]}"; echo; exit; fi
exec "${cmd[@]}"
