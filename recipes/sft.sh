#!/usr/bin/env bash
# SFT cold start (§4.1): LoRA on vision encoder, projector and language model of any backbone of lib/backbones.sh.
#
# Paper:     §5.1, App. B; stage 1 of Table 4, columns 3B, 7B, 32B; alone it is column SFT (32B); Table 2. Differs:
#            1.5 % of the training rows choose the checkpoint (VAL=0: none); LoRA rank and alpha, schedule and weight
#            decay are not in the paper: ms-swift's defaults
# Hardware:  8 x A100 80 GB, or one of 24 GB with GPUS=1 QUANT=4bit      Time, memory: not measured
# Input:     FAKEXPLAINED (annotations, with folds)
# Output:    $OUT/checkpoint-* (LoRA), $OUT/logging.jsonl with eval_accuracy, eval_iou and eval_format
# Run:       FAKEXPLAINED=data/folds.jsonl BACKBONE=qwen2.5-vl-7b bash recipes/sft.sh
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
OUT=${OUT:-output/sft-$NAME-fold$FOLD-$VARIANT}
VAL=${VAL:-0.015}                                     # share of the training rows that chooses the checkpoint

validation=() best=iou
[[ -n $BOXES ]] || best=accuracy
if [[ $VAL != 0 ]]; then
  validation=(
    --split_dataset_ratio "$VAL"
    --predict_with_generate true --eval_metric fx --metric_for_best_model "$best"
    --remove_unused_columns false                     # the metric reads the column `solution`
    --max_new_tokens 1024 --temperature 0 --per_device_eval_batch_size 8
  )
  # gathering all weights on each GPU to generate would not leave room for anything else
  [[ $ZERO != zero3 ]] || validation+=(--ds3_gather_for_generation false)
fi

cmd=(
  env
  "FAKEXPLAINED=$FAKEXPLAINED"
  "MAX_PIXELS=$MAX_PIXELS"
  "NPROC_PER_NODE=$NPROC_PER_NODE"
  "${machines[@]}"
  swift sft
  --model "$MODEL"
  --model_type "$MODEL_TYPE"
  --custom_register_path "$PLUGIN"
  --template "$TEMPLATE"
  --dataset "fakexplained:$TRAIN"
  --strict true                                       # otherwise a row that does not encode is replaced by another
  "${validation[@]}"
  --torch_dtype bfloat16
  "${weights[@]}"
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
  --max_length "$((PROMPT + 2048))"
  "${deepspeed[@]}"
  --dataloader_num_workers 4
  --logging_steps 10
  --save_steps 500                                    # and evaluate; curve.sh draws Fig. 4 from all of them
  --output_dir "$OUT"
  --add_version false
  "$@"
)
if [[ -n ${DRY_RUN:-} ]]; then printf '%q ' "${cmd[@]}"; echo; exit; fi
exec "${cmd[@]}"
