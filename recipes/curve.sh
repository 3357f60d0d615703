#!/usr/bin/env bash
# Accuracy and IoU over training: answers and scores of every checkpoint of an SFT and a GRPO run, and the figure.
#
# Paper:     Fig. 4. Differs: one fold, and a checkpoint per 500 (SFT) and 1,000 (GRPO) steps
# Hardware:  8 x A100 80 GB, and disk for one merged model      Time, memory: not measured
# Input:     FAKEXPLAINED (annotations, with folds), SFT and GRPO ($OUT of sft.sh and grpo.sh; either may be empty)
# Output:    $OUT/report/figures/fig4.svg, $OUT/report, $OUT/run (scores), $OUT/answers
# Run:       SFT=output/sft-7B-fold0-full GRPO=output/grpo-7B-fold0-full bash recipes/curve.sh
# Override:  any variable of README.md; further ms-swift arguments for the inference at the end. After an interrupt, run
#            it again: it continues with the unfinished stage. DRY_RUN=1 prints the commands.
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=recipes/lib/backbones.sh
. "$HERE/lib/backbones.sh"
# shellcheck source=recipes/lib/run.sh
. "$HERE/lib/run.sh"
# shellcheck source=recipes/lib/stage.sh
. "$HERE/lib/stage.sh"                        # stage NAME COMMAND...: runs it once, its output in $OUT/logs
choose_backbone
choose_data
SFT=${SFT-output/sft-$NAME-fold$FOLD-$VARIANT}
GRPO=${GRPO-output/grpo-$NAME-fold$FOLD-$VARIANT}
OUT=${OUT:-output/curve-$NAME-fold$FOLD-$VARIANT}
[[ -n $SFT$GRPO ]] ||
  fail "SFT and GRPO are empty: expected the output folder of recipes/sft.sh, of recipes/grpo.sh or both"

checkpoints=() logs=()
for stage in SFT GRPO; do
  run=${!stage}
  [[ -n $run ]] || continue
  mapfile -t steps < <(compgen -G "$run/checkpoint-*" | sort --version-sort)
  ((${#steps[@]})) || fail "$stage: '$run' holds no checkpoint-*"
  for step in "${steps[@]}"; do checkpoints+=("$stage=$step"); done
  logs+=(--log "$stage=$run/logging.jsonl")
done

open_run "SFT=$SFT GRPO=$GRPO NAME=$NAME FOLD=$FOLD VARIANT=$VARIANT MAX_PIXELS=$MAX_PIXELS"

[[ -n ${DRY_RUN:-} ]] || mkdir -p "$OUT/answers"
predictions=()
for checkpoint in "${checkpoints[@]}"; do
  stage=${checkpoint%%=*} model=${checkpoint#*=}
  step=${model##*/}
  answers=$OUT/answers/$stage-$step.jsonl
  predictions+=("$stage/$step=$answers")
  if [[ -n ${DRY_RUN:-} || ! -e $OUT/logs/infer-$stage-$step.done ]]; then
    if [[ -e $model/adapter_config.json ]]; then
      [[ -n ${DRY_RUN:-} ]] || rm -rf "$OUT/merged" "$OUT/logs/merge.done"
      stage merge swift export --adapters "$model" --merge_lora true --output_dir "$OUT/merged"
      model=$OUT/merged                       # one at a time: a merged model is as large as the backbone
    fi
    [[ -n ${DRY_RUN:-} ]] || rm -f "$answers" # swift infer would append
    infer=(env "MODEL=$model" "OUT=$answers" bash "$HERE/infer.sh" "$@")
    if [[ -n ${DRY_RUN:-} ]]; then "${infer[@]}"; else stage "infer-$stage-$step" "${infer[@]}"; fi
  fi
done
[[ -n ${DRY_RUN:-} ]] || rm -rf "$OUT/merged"

stage score env "MAX_PIXELS=$MAX_PIXELS" fakexplain score "${predictions[@]}" --annotations "$FAKEXPLAINED" \
  --subset "$TEST" --template "$TEMPLATE" --out "$OUT/run" --force
stage report fakexplain report "$OUT/run" "${logs[@]}" --title "Accuracy and IoU over training" \
  --out "$OUT/report" --force
