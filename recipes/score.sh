#!/usr/bin/env bash
# Metrics of the answers that recipes/infer.sh wrote, with 95 % intervals, in pixels of the original images.
#
# Paper:     Tables 1, 2, 4 and 7. Differs: the paper does not say how it averages BLEU-2 and ROUGE-L; see
#            scoring/metrics/texts.py
# Hardware:  one CPU core        Time, memory: not measured
# Input:     FAKEXPLAINED (annotations), PREDICTIONS (the JSON lines of recipes/infer.sh)
# Output:    a table on the terminal, $OUT (a run, for `fakexplain report`)
# Run:       FAKEXPLAINED=data/folds.jsonl PREDICTIONS=output/infer-7B-fold0-full.jsonl bash recipes/score.sh
# Override:  any variable of README.md; further `fakexplain score` arguments at the end. DRY_RUN=1 prints the command.
set -euo pipefail

# shellcheck source=recipes/lib/backbones.sh
. "$(dirname "$0")/lib/backbones.sh"
# shellcheck source=recipes/lib/run.sh
. "$(dirname "$0")/lib/run.sh"
choose_backbone                                       # as in infer.sh: its frame, and the name of the system
choose_data                                           # the images that must all have an answer, and what it holds
PREDICTIONS=${PREDICTIONS:-output/infer-$NAME-fold$FOLD-$VARIANT.jsonl}
OUT=${OUT:-${PREDICTIONS%.jsonl}-run}
[[ -r $PREDICTIONS ]] || fail "PREDICTIONS: cannot read '$PREDICTIONS'; recipes/infer.sh writes it"

cmd=(
  env
  "MAX_PIXELS=$MAX_PIXELS"
  fakexplain score "$NAME=$PREDICTIONS"
  --annotations "$FAKEXPLAINED"
  --subset "$TEST"
  --template "$TEMPLATE"
  --out "$OUT"
  "$@"
)
if [[ -n ${DRY_RUN:-} ]]; then printf '%q ' "${cmd[@]}"; echo; exit; fi
exec "${cmd[@]}"
