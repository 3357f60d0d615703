#!/usr/bin/env bash
# A vLLM server that answers for recipes/grpo.sh on other GPUs or another machine, with the weights of each step.
#
# Paper:     none: where vLLM and training do not fit side by side. Differs: nothing that GRPO computes
# Hardware:  GPUS GPUs beside those of grpo.sh      Time, memory: not measured
# Input:     MODEL (that of grpo.sh: the SFT checkpoint, merged); the same BACKBONE, PLUGIN and MAX_PIXELS as there
# Output:    nothing: it serves until it is stopped
# Run:       CUDA_VISIBLE_DEVICES=4,5,6,7 GPUS=4 MODEL=output/sft-7B-merged bash recipes/rollout.sh
# Override:  any variable of README.md; further ms-swift arguments at the end. DRY_RUN=1 prints the command.
set -euo pipefail

# shellcheck source=recipes/lib/backbones.sh
. "$(dirname "$0")/lib/backbones.sh"
# shellcheck source=recipes/lib/run.sh
. "$(dirname "$0")/lib/run.sh"
choose_backbone
choose_plugin
TP=$ROLLOUT_TP
GPUS=${GPUS:-$TP}
HOST=${HOST:-127.0.0.1}                               # 0.0.0.0 for other machines; the server asks for no password
PORT=${PORT:-8000}
[[ -n ${MODEL:-} ]] || fail "MODEL is not set: expected the model that recipes/grpo.sh trains"
require_merged "swift export --adapters $MODEL --merge_lora true --output_dir $MODEL-merged"
((GPUS % TP == 0)) || fail "GPUS: expected a multiple of TP, the GPUs per engine ($TP), found $GPUS"

cmd=(
  env
  "MAX_PIXELS=$MAX_PIXELS"
  swift rollout
  --model "$MODEL"
  --model_type "$MODEL_TYPE"
  --custom_register_path "$PLUGIN"
  --template "$TEMPLATE"
  --torch_dtype bfloat16
  --host "$HOST"
  --port "$PORT"
  --vllm_tensor_parallel_size "$TP"
  --vllm_data_parallel_size "$((GPUS / TP))"
  --vllm_gpu_memory_utilization 0.9                   # nothing else is on these GPUs
  --vllm_max_model_len "$((PROMPT + 2048))"
  --vllm_limit_mm_per_prompt '{"image": 1, "video": 0}'
  "$@"
)
if [[ -n ${DRY_RUN:-} ]]; then printf '%q ' "${cmd[@]}"; echo; exit; fi
exec "${cmd[@]}"
