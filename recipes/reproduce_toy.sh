#!/usr/bin/env bash
# The paper's claims put to the test on the toy world, seed by seed: tables and a plot for README.md.
#
# Paper:     Table 4, §4.1, §4.3, App. B, C and D.1; differs: the toy world, a tiny backbone and so no LoRA
# Hardware:  2 CPU cores      Time, memory: 20 to 45 min, 3 GB for a seed of MORE_SEEDS
# Input:     nothing
# Output:    $OUT/seedN (runs, reports), toy_results/: seedN.json, claims.svg, curves.svg; the tables of README.md
# Run:       uv run --extra cpu bash recipes/reproduce_toy.sh
# Override:  SEEDS (all settings; the first also other ways of GRPO), MORE_SEEDS (SFT and the three schedules of omega_G),
#            COMPARE (settings of MORE_SEEDS), OUT, RESULTS (another folder than toy_results, which is written over) and
#            the variables of experiment.sh. After an interrupt, run it again: it continues. DRY_RUN=1 prints the commands.
set -euo pipefail

ROOT=$(cd "$(dirname "$0")/.." && pwd)
OUT=${OUT:-output/reproduce-toy}
SEEDS=${SEEDS-0 1 2} MORE_SEEDS=${MORE_SEEDS-3 4}
RESULTS=${RESULTS:-$ROOT/recipes/toy_results}
export PYTHONPATH=$ROOT${PYTHONPATH:+:$PYTHONPATH}

show() {
  if [[ -n ${DRY_RUN:-} ]]; then
    printf '%q ' "$@"
    echo
  else
    "$@"
  fi
}

reproduce() { # COMPARE SEED...: trains these settings, or all if COMPARE is empty; adds to what is kept of each seed
  local compared=$1 seed
  for seed in "${@:2}"; do
    [[ -n ${DRY_RUN:-} ]] || echo "seed $seed: ${compared:-all settings}"
    show env TOY=1 "SEED=$seed" "COMPARE=$compared" "OUT=$OUT/seed$seed" bash "$ROOT/recipes/experiment.sh" claims
    [[ -n $compared ]] || show env "SEED=$seed" "FAKEXPLAINED=$OUT/seed$seed/world/annotations.jsonl" \
      "OUT=$OUT/seed$seed/baselines" bash "$ROOT/recipes/baselines.sh"
    show python -m examples.toy_results keep "$OUT/seed$seed" --seed "$seed" --results "$RESULTS"
  done
  show python -m examples.toy_results show --results "$RESULTS"
}

# What the paper's main claims need comes first, of all seeds. Other ways of GRPO are asked of one seed.
# shellcheck disable=SC2086 # a seed is a word
{
  reproduce "${COMPARE:-progressive untuned sft omega-1 omega-0.5}" $SEEDS $MORE_SEEDS
  reproduce '' $SEEDS
  reproduce 'dynamic-sampling beta-0 lr-2e-5 lr-1e-4 new-photos' ${SEEDS%% *}
}
