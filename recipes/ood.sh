#!/usr/bin/env bash
# An out-of-distribution set, from the folder it was downloaded to, to answers, scores and a report.
#
# Paper:     a row of Table 3, column FXP.; of Table 6, by MODEL and VARIANT. Differs: the paper does not say which
#            images of a set it took, nor which frames of FaceForensics++; here all images, and 10 frames per video
# Hardware:  8 x A100 80 GB      Time, memory: not measured
# Input:     SET (a row of lib/ood.sh) and DIR, as arguments; MODEL (a whole model, not a LoRA checkpoint)
# Output:    $OUT/report, $OUT/run (scores), $OUT/answers.jsonl, $OUT/data (records)
# Run:       MODEL=output/grpo-7B-merged bash recipes/ood.sh fakeclue data/FakeClue
# Override:  any variable of README.md; further ms-swift arguments for the inference at the end. QUICK=1 ends with the
#            records. After an interrupt, run it again: it continues with the unfinished stage. DRY_RUN=1 prints the
#            commands.
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=recipes/lib/backbones.sh
. "$HERE/lib/backbones.sh"
# shellcheck source=recipes/lib/run.sh
. "$HERE/lib/run.sh"
# shellcheck source=recipes/lib/stage.sh
. "$HERE/lib/stage.sh"                        # stage NAME COMMAND...: runs it once, its output in $OUT/logs
# shellcheck source=recipes/lib/ood.sh
. "$HERE/lib/ood.sh"
SET=${1:-${SET:-}} DIR=${2:-${DIR:-}}
shift "$(($# < 2 ? $# : 2))"
PER_VIDEO=${PER_VIDEO:-10}                    # frames of each video, for faceforensics
SET=${SET,,}                                    # the paper writes FakeClue
choose_set "$SET" "$DIR"
choose_backbone
choose_plugin
VARIANT=${VARIANT:-full}                      # what the model was trained to answer
MODEL=${MODEL:-$HUB}
OUT=${OUT:-output/ood-$SET-$NAME-$VARIANT}
require_merged "swift export --adapters $MODEL --merge_lora true --output_dir $MODEL-merged"
subset=all
[[ $VARIANT == full ]] || subset+=__$VARIANT
records=$OUT/data/annotations.jsonl
output=(--out "$records")
[[ ${source[0]} != frames ]] || output=(--out "$OUT/data")

open_run "SET=$SET DIR=$DIR MODEL=$MODEL NAME=$NAME VARIANT=$VARIANT MAX_PIXELS=$MAX_PIXELS PER_VIDEO=$PER_VIDEO"

# --- records of the set; label folders and texts about whole images have no boxes, so accuracy is what is measured
stage convert fakexplain "${source[@]}" "${output[@]}" --force
stage validate fakexplain validate "$records"
[[ -z ${QUICK:-} ]] || exit 0

# --- answers to all of them
[[ -n ${DRY_RUN:-} || -e $OUT/logs/infer.done ]] || rm -f "$OUT/answers.jsonl"           # swift infer would append
infer=(env "FAKEXPLAINED=$records" "MODEL=$MODEL" "OUT=$OUT/answers.jsonl" bash "$HERE/infer.sh"
  --val_dataset "fakexplained:$subset" "$@")
if [[ -n ${DRY_RUN:-} ]]; then "${infer[@]}"; else stage infer "${infer[@]}"; fi

# --- scores, and the report with the paper's row beside ours
stage score env "MAX_PIXELS=$MAX_PIXELS" fakexplain score "$NAME=$OUT/answers.jsonl" --annotations "$records" \
  --subset "$subset" --template "$TEMPLATE" --dataset "$DATASET" --out "$OUT/run" --force
stage report fakexplain report "$OUT/run" --title "$DATASET" --out "$OUT/report" --force
[[ -n ${DRY_RUN:-} ]] || cat "$OUT/logs/score.log"
