#!/usr/bin/env bash
# GRPO with progressive IoU weight (§4.3) from the SFT model, Qwen2.5-VL-3B / 7B / 32B, LoRA, vLLM colocated.
#
# Paper:     §5.1, App. B; Table 4, columns 3B, 7B, 32B; with FX_OMEGA_G_START = FX_OMEGA_G_END = 1 or 0.5 columns
#            GRPO ω_G=1 and ω_G=0.5. Differs: none known (β, ε, temperature not in the paper: ms-swift's defaults)
# Hardware:  8 x A100 80 GB      Time, memory: not measured
# Input:     FAKEXPLAINED (annotations, with folds), MODEL (the SFT checkpoint, merged)
# Output:    $OUT/checkpoint-* (LoRA on MODEL), $OUT/logging.jsonl with omega_G and the rewards
# Run:       FAKEXPLAINED=data/annotations.jsonl MODEL=output/sft-7B-merged bash recipes/grpo.sh
# Override:  any variable below; further ms-swift arguments at the end. DRY_RUN=1 prints the command.
set -euo pipefail

fail() { echo "${0##*/}: $1" >&2; exit 2; }

SIZE=${SIZE:-7B}                                      # 3B | 7B | 32B, the size of MODEL
FOLD=${FOLD:-0}
VARIANT=${VARIANT:-full}
OUT=${OUT:-output/grpo-$SIZE-fold$FOLD-$VARIANT}
PLUGIN=${PLUGIN:-$(cd "$(dirname "$0")/.." && pwd)/swift_plugins/fakexplain_plugin.py}   # or $(fakexplain plugin)
NPROC_PER_NODE=${NPROC_PER_NODE:-8}
GRAD_ACC=${GRAD_ACC:-1}

[[ -n ${FAKEXPLAINED:-} ]] || fail "FAKEXPLAINED is not set: expected the path of an annotations file"
[[ -r $FAKEXPLAINED ]] || fail "FAKEXPLAINED: cannot read the annotations file '$FAKEXPLAINED'"
[[ -r $PLUGIN ]] || fail "PLUGIN: no such file '$PLUGIN'; from an installed wheel: PLUGIN=\$(fakexplain plugin)"
# The SFT weights come merged: the new LoRA starts at zero, so GRPO's reference policy (adapter off) is the SFT model.
# With --adapters alone it would be the untuned backbone; --adapters CKPT --ref_adapters CKPT is ms-swift's other way.
MERGE="swift export --adapters CHECKPOINT --merge_lora true --output_dir output/sft-$SIZE-merged"
[[ -n ${MODEL:-} ]] || fail "MODEL is not set: expected the merged SFT model ($MERGE)"
[[ ! -e $MODEL/adapter_config.json ]] || fail "MODEL: '$MODEL' is a LoRA checkpoint, merge it first: $MERGE"

# Memory, time, lengths: see README.md
room=()
case $SIZE in
  3B) : "${ZERO:=zero2}" "${TP:=1}" "${SHARE:=0.3}" ;;
  7B) : "${ZERO:=zero2}" "${TP:=1}" "${SHARE:=0.4}" ;;
  32B) : "${ZERO:=zero3}" "${TP:=4}" "${SHARE:=0.4}"    # safe values; drop the flags below if memory allows
    room=(--sleep_level 1 --offload_model true --offload_optimizer true --move_model_batches 16) ;;
  *) fail "SIZE: expected 3B, 7B or 32B, found '$SIZE'" ;;
esac

SUBSET=fold${FOLD}_train
[[ $VARIANT == full ]] || SUBSET+=__$VARIANT

cmd=(
  env
  "FAKEXPLAINED=$FAKEXPLAINED"
  "MAX_PIXELS=${MAX_PIXELS:-1003520}"                 # one value in all stages
  "NPROC_PER_NODE=$NPROC_PER_NODE"
  "FX_IOU_ETA=${FX_IOU_ETA:-1.1}"                     # §4.2: η
  "FX_IOU_EMPTY=${FX_IOU_EMPTY:-one}"                 # IoU of two empty sides
  "FX_OMEGA_G_START=${FX_OMEGA_G_START:-0.5}"         # eq. 2
  "FX_OMEGA_G_END=${FX_OMEGA_G_END:-1.0}"
  swift rlhf
  --rlhf_type grpo
  --model "$MODEL"
  --model_type qwen2_5_vl
  --custom_register_path "$PLUGIN"
  --template fx_qwen2_5_vl
  --dataset "fakexplained:$SUBSET"
  --strict true                                       # otherwise a row that does not encode is replaced by another
  --torch_dtype bfloat16
  --reward_funcs fx_iou fx_label fx_format
  --reward_weights "${FX_OMEGA_G_START:-0.5}" 1 1     # the callback changes the first one
  --callbacks fx_omega_g
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
  --max_length 2048                                   # of the prompt
  --max_completion_length 1024
  --use_vllm true                                     # no vllm_enable_lora: it leaves out the vision tower
  --vllm_mode colocate
  --vllm_tensor_parallel_size "$TP"
  --vllm_gpu_memory_utilization "$SHARE"
  --vllm_max_model_len 4096
  --vllm_limit_mm_per_prompt '{"image": 1, "video": 0}'
  --deepspeed "$ZERO"
  "${room[@]}"
  --dataloader_num_workers 4
  --logging_steps 1
  --log_completions true
  --save_steps 500
  --save_total_limit 3
  --output_dir "$OUT"
  --add_version false
  "$@"
)
if [[ -n ${DRY_RUN:-} ]]; then printf '%q ' "${cmd[@]}"; echo; exit; fi
exec "${cmd[@]}"
