#!/usr/bin/env bash
# Metrics of the answers that recipes/infer.sh wrote, with 95 % intervals, in pixels of the original images.
#
# Paper:     Tables 1, 2, 4 and 7. Differs: the paper does not say how it averages BLEU-2 and ROUGE-L; see scoring/metrics/texts.py
# Hardware:  one CPU core        Time, memory: not measured
# Input:     FAKEXPLAINED (annotations), PREDICTIONS (the JSON lines of recipes/infer.sh)
# Output:    a table on the terminal, $OUT (a run, for `fakexplain report`)
# Run:       FAKEXPLAINED=data/annotations.jsonl PREDICTIONS=output/infer-7B-fold0-full.jsonl bash recipes/score.sh
# Override:  any variable below; further `fakexplain score` arguments at the end. DRY_RUN=1 prints the command.
set -euo pipefail

fail() { echo "${0##*/}: $1" >&2; exit 2; }

SIZE=${SIZE:-7B}                                      # names the system and the default PREDICTIONS
FOLD=${FOLD:-0}                                       # as in infer.sh: the fold whose images must all have an answer
VARIANT=${VARIANT:-full}                              # as in infer.sh: the parts an answer has
PREDICTIONS=${PREDICTIONS:-output/infer-$SIZE-fold$FOLD-$VARIANT.jsonl}
OUT=${OUT:-${PREDICTIONS%.jsonl}-run}

[[ -n ${FAKEXPLAINED:-} ]] || fail "FAKEXPLAINED is not set: expected the path of an annotations file"
[[ -r $FAKEXPLAINED ]] || fail "FAKEXPLAINED: cannot read the annotations file '$FAKEXPLAINED'"
[[ -r $PREDICTIONS ]] || fail "PREDICTIONS: cannot read '$PREDICTIONS'; recipes/infer.sh writes it"

SUBSET=fold${FOLD}_test
[[ $VARIANT == full ]] || SUBSET+=__$VARIANT
cmd=(
  env
  "MAX_PIXELS=${MAX_PIXELS:-1003520}"                 # as in infer.sh: answers are in pixels of the resized image
  fakexplain score "$SIZE=$PREDICTIONS"
  --annotations "$FAKEXPLAINED"
  --subset "$SUBSET"
  --template fx_qwen2_5_vl
  --out "$OUT"
  "$@"
)
if [[ -n ${DRY_RUN:-} ]]; then printf '%q ' "${cmd[@]}"; echo; exit; fi
exec "${cmd[@]}"
