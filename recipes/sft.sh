#!/usr/bin/env bash
# SFT cold start (§4.1): LoRA on vision encoder, projector and language model of Qwen2.5-VL-3B / 7B / 32B.
#
# Paper:     §5.1, App. B; stage 1 of Table 4, columns 3B, 7B, 32B; alone it is column SFT (32B). Differs: none known
#            (LoRA rank and alpha, schedule and weight decay are not in the paper: ms-swift's defaults)
# Hardware:  8 x A100 80 GB      Time, memory: not measured
# Input:     FAKEXPLAINED (annotations, with folds)
# Output:    $OUT/checkpoint-* (LoRA)
# Run:       FAKEXPLAINED=data/annotations.jsonl SIZE=7B bash recipes/sft.sh
# Override:  any variable below; further ms-swift arguments at the end. DRY_RUN=1 prints the command.
set -euo pipefail

fail() { echo "${0##*/}: $1" >&2; exit 2; }

SIZE=${SIZE:-7B}                                      # 3B | 7B | 32B
FOLD=${FOLD:-0}                                       # 0 to 3: held out, the three others train
VARIANT=${VARIANT:-full}                              # full | no_bbox | no_caption | no_tags | label_only (Table 4)
MODEL=${MODEL:-Qwen/Qwen2.5-VL-$SIZE-Instruct}
OUT=${OUT:-output/sft-$SIZE-fold$FOLD-$VARIANT}
PLUGIN=${PLUGIN:-$(cd "$(dirname "$0")/.." && pwd)/swift_plugins/fakexplain_plugin.py}   # or $(fakexplain plugin)
NPROC_PER_NODE=${NPROC_PER_NODE:-8}
GRAD_ACC=${GRAD_ACC:-1}

[[ -n ${FAKEXPLAINED:-} ]] || fail "FAKEXPLAINED is not set: expected the path of an annotations file"
[[ -r $FAKEXPLAINED ]] || fail "FAKEXPLAINED: cannot read the annotations file '$FAKEXPLAINED'"
[[ -r $PLUGIN ]] || fail "PLUGIN: no such file '$PLUGIN'; from an installed wheel: PLUGIN=\$(fakexplain plugin)"

# Memory, time, lengths: see README.md
case $SIZE in
  3B | 7B) : "${ZERO:=zero2}" ;;
  32B) : "${ZERO:=zero3}" ;;
  *) fail "SIZE: expected 3B, 7B or 32B, found '$SIZE'" ;;
esac

SUBSET=fold${FOLD}_train
[[ $VARIANT == full ]] || SUBSET+=__$VARIANT

cmd=(
  env
  "FAKEXPLAINED=$FAKEXPLAINED"
  "MAX_PIXELS=${MAX_PIXELS:-1003520}"                 # one value in all stages
  "NPROC_PER_NODE=$NPROC_PER_NODE"
  swift sft
  --model "$MODEL"
  --model_type qwen2_5_vl
  --custom_register_path "$PLUGIN"
  --template fx_qwen2_5_vl
  --dataset "fakexplained:$SUBSET"
  --strict true                                       # otherwise a row that does not encode is replaced by another
  --torch_dtype bfloat16
  --tuner_type lora
  --target_modules all-linear
  --freeze_llm false
  --freeze_vit false                                  # App. B: freezing ViT or projector leaves little of the gain
  --freeze_aligner false
  --lora_rank 8
  --lora_alpha 32
  --learning_rate 1e-4
  --num_train_epochs 3
  --per_device_train_batch_size 1                     # one row has no padding for padding_free to save
  --gradient_accumulation_steps "$GRAD_ACC"
  --max_length 4096
  --deepspeed "$ZERO"
  --dataloader_num_workers 4
  --logging_steps 10
  --save_steps 500
  --save_total_limit 3
  --output_dir "$OUT"
  --add_version false
  "$@"
)
if [[ -n ${DRY_RUN:-} ]]; then printf '%q ' "${cmd[@]}"; echo; exit; fi
exec "${cmd[@]}"
