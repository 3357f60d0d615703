#!/usr/bin/env bash
# Answers about any images: real or AI-generated, and why, as lines, pictures and a gallery.
#
# Paper:     none: the model of Table 4 at work. Differs: images need no annotation
# Hardware:  1 x A100 80 GB; from 27B on 2      Time, memory: not measured
# Input:     IMAGES (a folder, an image, a .txt list or a .jsonl annotations file); MODEL (merged or published), or URL
#            (a server, such as recipes/serve.sh; MODEL then gives its settings alone)
# Output:    $OUT/detections.jsonl, $OUT/gallery.html, $OUT/pictures
# Run:       IMAGES=photos MODEL=output/grpo-7B-merged bash recipes/detect.sh
# Override:  any variable of README.md; further `fakexplain detect` arguments at the end. After an interrupt, run it
#            again: it goes on. DRY_RUN=1 prints the command.
set -euo pipefail

# shellcheck source=recipes/lib/backbones.sh
. "$(dirname "$0")/lib/backbones.sh"
# shellcheck source=recipes/lib/run.sh
. "$(dirname "$0")/lib/run.sh"
choose_backbone
choose_plugin
OUT=${OUT:-output/detect-$NAME}
[[ -n ${IMAGES:-} ]] || fail "IMAGES is not set: expected a folder of images, an image or a list of them"
[[ -e $IMAGES ]] || fail "IMAGES: no such file or folder '$IMAGES'"
[[ -n ${MODEL:-} ]] || fail "MODEL is not set: expected a trained model"
require_merged "swift export --adapters $MODEL --merge_lora true --output_dir $MODEL-merged"
if [[ -n ${URL:-} ]]; then
  engine=(--url "$URL" --batch-size 16)               # requests at a time
else
  limits='{"image": 1, "video": 0}'
  engine=(
    --backend vllm
    --batch-size 64                                   # vLLM shares them out itself
    --engine-args "--vllm_tensor_parallel_size $INFER_TP --vllm_max_model_len $((PROMPT + 2048)) \
--vllm_limit_mm_per_prompt '$limits'"
  )
fi

cmd=(
  env
  "MAX_PIXELS=$MAX_PIXELS"                            # as in training: boxes may depend on it
  fakexplain detect "$IMAGES"
  --model "$MODEL"
  "${engine[@]}"
  --max-tokens 1024                                   # as in training
  --out "$OUT"
  "$@"
)
if [[ -n ${DRY_RUN:-} ]]; then printf '%q ' "${cmd[@]}"; echo; exit; fi
exec "${cmd[@]}"
