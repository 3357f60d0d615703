#!/usr/bin/env bash
# Greedy answers on a held-out fold with vLLM: the untuned backbone, or the merged SFT or GRPO model.
#
# Paper:     Table 4, column No-FT (default MODEL); the answers behind columns 3B, 7B, 32B and SFT. Differs: none known
# Hardware:  8 x A100 80 GB      Time, memory: not measured
# Input:     FAKEXPLAINED (annotations, with folds), MODEL (a whole model, not a LoRA checkpoint)
# Output:    $OUT, one JSON line per image, for recipes/score.sh
# Run:       FAKEXPLAINED=data/annotations.jsonl MODEL=output/grpo-7B-merged bash recipes/infer.sh
# Override:  any variable below; further ms-swift arguments at the end. DRY_RUN=1 prints the command.
set -euo pipefail

fail() { echo "${0##*/}: $1" >&2; exit 2; }

SIZE=${SIZE:-7B}                                      # 3B | 7B | 32B, the size of MODEL
FOLD=${FOLD:-0}
VARIANT=${VARIANT:-full}
MODEL=${MODEL:-Qwen/Qwen2.5-VL-$SIZE-Instruct}
OUT=${OUT:-output/infer-$SIZE-fold$FOLD-$VARIANT.jsonl}
PLUGIN=${PLUGIN:-$(cd "$(dirname "$0")/.." && pwd)/swift_plugins/fakexplain_plugin.py}   # or $(fakexplain plugin)
NPROC_PER_NODE=${NPROC_PER_NODE:-8}

[[ -n ${FAKEXPLAINED:-} ]] || fail "FAKEXPLAINED is not set: expected the path of an annotations file"
[[ -r $FAKEXPLAINED ]] || fail "FAKEXPLAINED: cannot read the annotations file '$FAKEXPLAINED'"
[[ -r $PLUGIN ]] || fail "PLUGIN: no such file '$PLUGIN'; from an installed wheel: PLUGIN=\$(fakexplain plugin)"
# vLLM by default serves no LoRA on the vision tower, and eight processes merging one would all write the same folder.
[[ ! -e $MODEL/adapter_config.json ]] || fail "MODEL: '$MODEL' is a LoRA checkpoint, merge it first:
  swift export --adapters $MODEL --merge_lora true --output_dir $MODEL-merged"
[[ ! -e $OUT ]] || fail "OUT: '$OUT' exists, and swift infer would append to it"

# Memory: see README.md
case $SIZE in
  3B | 7B) : "${TP:=1}" ;;
  32B) : "${TP:=2}" ;;
  *) fail "SIZE: expected 3B, 7B or 32B, found '$SIZE'" ;;
esac

SUBSET=fold${FOLD}_test
[[ $VARIANT == full ]] || SUBSET+=__$VARIANT

cmd=(
  env
  "FAKEXPLAINED=$FAKEXPLAINED"
  "MAX_PIXELS=${MAX_PIXELS:-1003520}"                 # as in training: boxes are pixels of the resized image
  "NPROC_PER_NODE=$NPROC_PER_NODE"
  swift infer
  --model "$MODEL"
  --model_type qwen2_5_vl
  --custom_register_path "$PLUGIN"
  --template fx_qwen2_5_vl
  --torch_dtype bfloat16
  --val_dataset "fakexplained:$SUBSET"
  --strict true
  --infer_backend vllm
  --vllm_tensor_parallel_size "$TP"
  --vllm_max_model_len 4096
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
