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
FOLD=${FOLD:-0}                                       # 0..3: trains on the three others
VARIANT=${VARIANT:-full}                              # full | no_bbox | no_caption | no_tags | label_only (Table 4)
MODEL=${MODEL:-Qwen/Qwen2.5-VL-$SIZE-Instruct}
OUT=${OUT:-output/sft-$SIZE-fold$FOLD-$VARIANT}
PLUGIN=${PLUGIN:-$(cd "$(dirname "$0")/.." && pwd)/swift_plugins/fakexplain_plugin.py}   # or $(fakexplain plugin)
NPROC_PER_NODE=${NPROC_PER_NODE:-8}
GRAD_ACC=${GRAD_ACC:-1}

[[ -n ${FAKEXPLAINED:-} ]] || fail "FAKEXPLAINED is not set: expected the path of an annotations file"
[[ -r $FAKEXPLAINED ]] || fail "FAKEXPLAINED: cannot read the annotations file '$FAKEXPLAINED'"
[[ -r $PLUGIN ]] || fail "PLUGIN: no such file '$PLUGIN'; from an installed wheel: PLUGIN=\$(fakexplain plugin)"

# Memory a GPU, derived (bf16 weights 2 bytes a parameter; gradient checkpointing; one row of at most 1,500 tokens):
#          parameters   weights    LoRA r = 8            optimizer*   activations and logits   sum
#   3B     3.75 B        7.5 GB    20.7 M (ViT 5.6 M)      < 0.4 GB   about 3 GB               11 GB   zero2
#   7B     8.29 B       16.6 GB    25.9 M (ViT 5.6 M)      < 0.5 GB   about 4 GB               21 GB   zero2
#   32B   33.45 B       66.9 GB    72.9 M (ViT 5.6 M)      < 1.3 GB   about 6 GB               74 GB of 86: too close
# zero3 cuts the 32B weights to 66.9 / 8 = 8.4 GB, plus 2 GB of gathered layers: about 17 GB.
# * 18 bytes a trainable parameter, before zero2 shares it out. LoRA counts are r x (in + out), summed over the linears.
case $SIZE in
  3B | 7B) : "${ZERO:=zero2}" ;;
  32B) : "${ZERO:=zero3}" ;;
  *) fail "SIZE: expected 3B, 7B or 32B, found '$SIZE'" ;;
esac

# A step sees 8 images (8 GPUs x batch 1 x GRAD_ACC 1). 8,772 fakes x 3/4 and as many real images are 13,158 rows: 1,645
# steps an epoch, 4,935 in all. Time, derived: 6 FLOP a parameter and token (forward, recompute, backward to the inputs)
# at 40 % of 312 TFLOP/s, 680 tokens a row (324 visual, from 1,296 patches): 0.2 h (3B), 0.4 h (7B), 1.5 h (32B), and
# 1.2 h for zero3 to gather 66.9 GB three times a step at 200 GB/s. A floor, not a forecast.
#
# Batch 1 pads nothing, so padding_free saves nothing. Packing would, but several images in one row change the paper's
# batch; where that is wanted: --packing true --packing_length 4096 --attn_impl flash_attention_2 (needs flash-attn).
#
# MAX_PIXELS: 1280 visual tokens of 28 x 28, one value in all stages. A 512 x 512 image is 504 x 504: 324 tokens.
# max_length: system prompt and question about 200, image at most 1,280, answer at most 1,024 (see grpo.sh).
# strict: ms-swift otherwise trains on another row where one does not encode.
SUBSET=fold${FOLD}_train
[[ $VARIANT == full ]] || SUBSET+=__$VARIANT

cmd=(
  env "FAKEXPLAINED=$FAKEXPLAINED" "MAX_PIXELS=${MAX_PIXELS:-1003520}" "NPROC_PER_NODE=$NPROC_PER_NODE"
  swift sft
  --model "$MODEL"
  --model_type qwen2_5_vl
  --custom_register_path "$PLUGIN"
  --template fx_qwen2_5_vl
  --dataset "fakexplained:$SUBSET"
  --strict true
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
  --per_device_train_batch_size 1
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
