#!/usr/bin/env bash
# Accuracy, IoU and format rate of what recipes/infer.sh wrote, in pixels of the original images.
#
# Paper:     Table 4, rows Acc. and IoU; Table 1, row Overall. Differs: BLEU-2 and ROUGE-L are not computed
# Hardware:  one CPU core        Time, memory: not measured
# Input:     FAKEXPLAINED (annotations), PREDICTIONS (the JSON lines of recipes/infer.sh)
# Output:    a table on the terminal, $OUT (JSON)
# Run:       FAKEXPLAINED=data/annotations.jsonl PREDICTIONS=output/infer-7B-fold0-full.jsonl bash recipes/score.sh
# Override:  any variable below; further `fakexplain score` arguments at the end. DRY_RUN=1 prints the command.
set -euo pipefail

fail() { echo "${0##*/}: $1" >&2; exit 2; }

SIZE=${SIZE:-7B}                                      # SIZE and FOLD only name the default PREDICTIONS
FOLD=${FOLD:-0}
VARIANT=${VARIANT:-full}                              # as in infer.sh: what an answer was asked to hold
PREDICTIONS=${PREDICTIONS:-output/infer-$SIZE-fold$FOLD-$VARIANT.jsonl}
OUT=${OUT:-${PREDICTIONS%.jsonl}.score.json}

[[ -n ${FAKEXPLAINED:-} ]] || fail "FAKEXPLAINED is not set: expected the path of an annotations file"
[[ -r $FAKEXPLAINED ]] || fail "FAKEXPLAINED: cannot read the annotations file '$FAKEXPLAINED'"
[[ -r $PREDICTIONS ]] || fail "PREDICTIONS: cannot read '$PREDICTIONS'; recipes/infer.sh writes it"

# MAX_PIXELS as in infer.sh: it decides the resized image whose pixels the answers speak of.
cmd=(
  env "MAX_PIXELS=${MAX_PIXELS:-1003520}"
  fakexplain score "$PREDICTIONS"
  --annotations "$FAKEXPLAINED"
  --template fx_qwen2_5_vl
  --variant "$VARIANT"
  --json "$OUT"
  "$@"
)
if [[ -n ${DRY_RUN:-} ]]; then printf '%q ' "${cmd[@]}"; echo; exit; fi
exec "${cmd[@]}"
