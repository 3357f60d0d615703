#!/usr/bin/env bash
# GRPO with progressive IoU weight (§4.3) from the SFT model of any backbone of lib/backbones.sh: LoRA, vLLM.
#
# Paper:     §5.1, App. B; Table 4, columns 3B, 7B, 32B; with FX_OMEGA_G_START = FX_OMEGA_G_END = 1 or 0.5 columns
#            GRPO ω_G=1 and ω_G=0.5; Table 2. Differs: 1.5 % of the training rows choose the checkpoint (VAL=0: none);
#            β, ε, temperature are not in the paper: ms-swift's defaults
# Hardware:  8 x A100 80 GB, or one of 24 GB with GPUS=1 QUANT=4bit      Time, memory: not measured
# Input:     FAKEXPLAINED (annotations, with folds), MODEL (the SFT checkpoint, merged)
# Output:    $OUT/checkpoint-* (LoRA on MODEL), $OUT/logging.jsonl with omega_G, the rewards and fx/*
# Run:       FAKEXPLAINED=data/folds.jsonl MODEL=output/sft-7B-merged bash recipes/grpo.sh
# Override:  any variable of README.md; further ms-swift arguments at the end. DRY_RUN=1 prints the command.
set -euo pipefail

# shellcheck source=recipes/lib/backbones.sh
. "$(dirname "$0")/lib/backbones.sh"
# shellcheck source=recipes/lib/run.sh
. "$(dirname "$0")/lib/run.sh"
choose_backbone
choose_data
choose_gpus
OUT=${OUT:-output/grpo-$NAME-fold$FOLD-$VARIANT}
VAL=${VAL:-0.015}                                     # as in sft.sh: the same rows are held back

# The SFT weights come merged: the new LoRA starts at zero, so GRPO's reference policy (adapter off) is the SFT model.
# With --adapters alone it would be the untuned backbone; --adapters CKPT --ref_adapters CKPT is ms-swift's other way.
MERGE="swift export --adapters CHECKPOINT --merge_lora true --output_dir output/sft-$NAME-merged"
[[ -n ${MODEL:-} ]] || fail "MODEL is not set: expected the merged SFT model ($MERGE)"
require_merged "$MERGE"

# Who answers: vLLM beside the training, a server (rollout.sh), or the model in training itself
ROLLOUT=${ROLLOUT:-${QUANT:+self}}
[[ -z ${QUANT:-} || $ROLLOUT == self ]] ||
  fail "QUANT and ROLLOUT: expected one of the two. ms-swift sends a 4-bit model's packed weights to vLLM without their \
scales, which vLLM refuses or decodes wrongly; with QUANT the model in training answers"
if [[ $ROLLOUT == self ]]; then
  rollouts=(--use_vllm false)
elif [[ -n $ROLLOUT ]]; then
  [[ $ROLLOUT =~ ^(.+):([0-9]+)$ ]] ||
    fail "ROLLOUT: expected self, or HOST:PORT of recipes/rollout.sh, found '$ROLLOUT'"
  rollouts=(
    --use_vllm true --vllm_mode server
    --vllm_server_host "${BASH_REMATCH[1]}" --vllm_server_port "${BASH_REMATCH[2]}"
  )
else
  rollouts=(
    --use_vllm true                                   # no vllm_enable_lora: it leaves out the vision tower
    --vllm_mode colocate
    --vllm_tensor_parallel_size "$ROLLOUT_TP"
    --vllm_gpu_memory_utilization "$SHARE"
    --vllm_max_model_len "$((PROMPT + 2048))"
    --vllm_limit_mm_per_prompt '{"image": 1, "video": 0}'
  )
  [[ $ROOM != sleep ]] ||                             # safe values; drop them if memory allows
    rollouts+=(--sleep_level 1 --offload_model true --offload_optimizer true --move_model_batches 16)
fi

validation=() best=rewards/FxIoU/mean                 # not reward: its weights change
[[ -n $BOXES ]] || best=rewards/FxLabel/mean
[[ $VAL == 0 ]] || validation=(
  --split_dataset_ratio "$VAL" --metric_for_best_model "$best"
  --num_generations_eval 1 --per_device_eval_batch_size 4
)

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
  swift rlhf
  --rlhf_type grpo
  --model "$MODEL"
  --model_type "$MODEL_TYPE"
  --custom_register_path "$PLUGIN"
  --template "$TEMPLATE"
  --dataset "fakexplained:$TRAIN"
  --strict true                                       # otherwise a row that does not encode is replaced by another
  "${validation[@]}"
  --torch_dtype bfloat16
  "${weights[@]}"
  --reward_funcs fx_iou fx_label fx_format
  --reward_weights "${FX_OMEGA_G_START:-0.5}" 1 1     # the callback changes the first one
  --callbacks fx_omega_g fx_diagnostics
  --num_generations 4
  --tuner_type lora
  --target_modules all-linear
  --freeze_llm false
  --freeze_vit false
  --freeze_aligner false
  --lora_rank 8
  --lora_alpha 32
  --learning_rate 1e-5
  --num_train_epochs 3
  --per_device_train_batch_size 1                     # counts answers: GPUs x 1 x GRAD_ACC must be a multiple of 4
  --gradient_accumulation_steps "$GRAD_ACC"
  --max_length "$PROMPT"                              # of the prompt
  --max_completion_length 1024
  "${rollouts[@]}"
  "${deepspeed[@]}"
  --dataloader_num_workers 4
  --logging_steps 1
  --log_completions true
  --save_steps 1000                                   # and evaluate; curve.sh draws Fig. 4 from all of them
  --output_dir "$OUT"
  --add_version false
  "$@"
)
if [[ -n ${DRY_RUN:-} ]]; then printf '%q ' "${cmd[@]}"; echo; exit; fi
exec "${cmd[@]}"
