#!/usr/bin/env bash
# What `fakexplain consensus` gains: greedy answers and 16 samples of the models that reproduce_toy.sh trained.
#
# Paper:     none
# Hardware:  2 CPU cores      Time, memory: not measured; 3,840 samples took 2 to 5.5 min
# Input:     MODELS, the OUT of reproduce_toy.sh
# Output:    $OUT/seedN-STAGE (answers, run), toy_results/consensus.json; the table of scoring/README.md
# Run:       uv run --extra cpu bash recipes/consensus_toy.sh
# Override:  SEEDS, MODELS, OUT, FILE (in place of toy_results/consensus.json). After an interrupt, run it again: it
#            continues. DRY_RUN=1 prints the commands.
set -euo pipefail

ROOT=$(cd "$(dirname "$0")/.." && pwd)
MODELS=${MODELS:-output/reproduce-toy}
OUT=${OUT:-output/consensus-toy}
SEEDS=${SEEDS:-0 1 2}
FILE=${FILE:-$ROOT/recipes/toy_results/consensus.json}
export PYTHONPATH=$ROOT${PYTHONPATH:+:$PYTHONPATH} OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
# shellcheck source=recipes/lib/stage.sh
. "$ROOT/recipes/lib/stage.sh"                  # stage NAME COMMAND...: runs it once, its output in $OUT/logs
open_run "MODELS=$MODELS"

answer() { # NAME FILE TIMES ARGUMENTS...: answers of $model to the test images, TIMES over
  local name=$1 file=$2 times=$3 sets=()
  shift 3
  while ((${#sets[@]} < times)); do sets+=(fakexplained:fold0_test); done
  [[ -n ${DRY_RUN:-} || -e $OUT/logs/$name.done ]] || rm -f "$file"       # swift infer appends
  begin "$name" env "FAKEXPLAINED=$world" swift infer --model "$model" \
    --val_dataset "${sets[@]}" --infer_backend transformers --max_batch_size 120 \
    --torch_dtype float32 --max_new_tokens 120 --logprobs true --top_logprobs 2 --result_path "$file" "$@"
}

choose() { # FOLDER SAMPLES: the answer of least expected loss among the greedy one and the first SAMPLES
  local images
  images=$(wc -l < "$1/greedy.jsonl")
  head -n "$((images * $2))" "$1/sampled.jsonl" > "$1/sampled-$2.jsonl"
  fakexplain consensus "$1/greedy.jsonl" "$1/sampled-$2.jsonl" --out "$1/consensus-$2.jsonl" --force
}

for seed in $SEEDS; do
  world=$MODELS/seed$seed/world/annotations.jsonl
  for name in sft progressive; do
    model=$MODELS/seed$seed/qwen2.5-vl-3b-fold0/${name/progressive/grpo-progressive}/merged
    folder=$OUT/seed$seed-$name
    [[ -n ${DRY_RUN:-} ]] || mkdir -p "$folder"
    answer "greedy-$seed-$name" "$folder/greedy.jsonl" 1 --temperature 0
    answer "sampled-$seed-$name" "$folder/sampled.jsonl" 16 --temperature 0.8 --seed 7
    finish
    systems=("greedy=$folder/greedy.jsonl")
    for samples in 4 8 16; do
      stage "choose-$seed-$name-$samples" choose "$folder" "$samples"
      systems+=("consensus-$samples=$folder/consensus-$samples.jsonl")
    done
    stage "score-$seed-$name" fakexplain score "${systems[@]}" --annotations "$world" --subset fold0_test \
      --template fx_qwen2_5_vl --out "$folder/run" --force
  done
done
stage keep python -m examples.toy_consensus keep "$OUT" --file "$FILE"
