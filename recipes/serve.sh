#!/usr/bin/env bash
# A server of a trained model with ms-swift and vLLM, which any OpenAI-compatible client can ask.
#
# Paper:     none: the model of Table 4 as a service. Differs: nothing in the answers
# Hardware:  1 x A100 80 GB; from 27B on 2      Time, memory: not measured
# Input:     MODEL (merged or published); the same BACKBONE, PLUGIN and MAX_PIXELS as in its training
# Output:    nothing: it serves until it is stopped. ms-swift takes the next free port where PORT is taken, and says so
# Run:       MODEL=output/grpo-7B-merged bash recipes/serve.sh
#            then: URL=http://127.0.0.1:8000/v1 IMAGES=photos MODEL=output/grpo-7B-merged bash recipes/detect.sh
# Override:  any variable of README.md; further ms-swift arguments at the end. DRY_RUN=1 prints the command.
set -euo pipefail

# shellcheck source=recipes/lib/backbones.sh
. "$(dirname "$0")/lib/backbones.sh"
# shellcheck source=recipes/lib/run.sh
. "$(dirname "$0")/lib/run.sh"
choose_backbone
choose_plugin
HOST=${HOST:-127.0.0.1}                               # 0.0.0.0 for other machines; add --api_key KEY then
PORT=${PORT:-8000}
[[ -n ${MODEL:-} ]] || fail "MODEL is not set: expected a trained model"
require_merged "swift export --adapters $MODEL --merge_lora true --output_dir $MODEL-merged"

# Without ms-swift, plain vLLM serves a folder that recipes/publish.sh wrote, whose chat template holds the system prompt
# and whose processor holds MAX_PIXELS:
#     vllm serve output/published-7B --served-model-name 7B --host 127.0.0.1 --port 8000 --max-model-len 4096 \
#       --limit-mm-per-prompt '{"image": 1, "video": 0}'
# It takes no --chat-template, no --mm-processor-kwargs and no --reasoning-parser, which would take <think> out of the
# answer. Of a folder that was not published, plain vLLM knows neither: clients then send both (`fakexplain detect` does).
cmd=(
  env
  "MAX_PIXELS=$MAX_PIXELS"
  swift deploy
  --model "$MODEL"
  --model_type "$MODEL_TYPE"
  --external_plugins "$PLUGIN"                        # takes the place of the one that a published folder names
  --template "$TEMPLATE"
  --torch_dtype bfloat16
  --infer_backend vllm
  --host "$HOST"
  --port "$PORT"
  --served_model_name "$NAME"
  --max_new_tokens 1024                               # as in training, for clients that do not say
  --temperature 0
  --vllm_tensor_parallel_size "$INFER_TP"
  --vllm_max_model_len "$((PROMPT + 2048))"
  --vllm_limit_mm_per_prompt '{"image": 1, "video": 0}'
  "$@"
)
if [[ -n ${DRY_RUN:-} ]]; then printf '%q ' "${cmd[@]}"; echo; exit; fi
exec "${cmd[@]}"
