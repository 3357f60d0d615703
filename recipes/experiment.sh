#!/usr/bin/env bash
# An experiment of the paper as one command: training, answers, scores and a report of every setting it compares.
#
# Paper:     Tables 1 to 7, Fig. 4, App. D.2, by NAME; README.md, section Experiments, lists them. Differs: as sft.sh,
#            grpo.sh, infer.sh, score.sh and ood.sh, which it calls
# Hardware:  8 x A100 80 GB; TOY=1: 2 CPU cores      Time, memory: not measured; README.md derives them
# Input:     NAME, as argument; FAKEXPLAINED (annotations, with folds), or nothing with TOY=1; OOD for table3 and table6
# Output:    $OUT/NAME/report/report.html and the runs beside it; training and answers in $OUT, shared by experiments
# Run:       FAKEXPLAINED=data/folds.jsonl bash recipes/experiment.sh table4
# Override:  any variable of README.md; further `fakexplain report` arguments at the end. After an interrupt, run it
#            again: it continues. JOBS=2 GPUS=4 trains two settings side by side, with four GPUs each. TOY=1 takes the
#            toy world and a tiny backbone, QUICK=1 learns nothing. DRY_RUN=1 prints the commands.
set -euo pipefail

ROOT=$(cd "$(dirname "$0")/.." && pwd)
HERE=$ROOT/recipes
# shellcheck source=recipes/lib/backbones.sh
. "$HERE/lib/backbones.sh"
# shellcheck source=recipes/lib/run.sh
. "$HERE/lib/run.sh"
# shellcheck source=recipes/lib/ood.sh
. "$HERE/lib/ood.sh"
# shellcheck source=recipes/lib/settings.sh
. "$HERE/lib/settings.sh"
# shellcheck source=recipes/lib/toy.sh
. "$HERE/lib/toy.sh"
# shellcheck source=recipes/lib/stage.sh
. "$HERE/lib/stage.sh"                        # stage NAME COMMAND...: runs it once, its output in $OUT/logs

EXPERIMENT=${1:-${EXPERIMENT:-}}
shift "$(($# < 1 ? $# : 1))"
JOBS=${JOBS:-1}
SEED=${SEED:-42}                              # 42 is ms-swift's own
export SEED PYTHONPATH=$ROOT${PYTHONPATH:+:$PYTHONPATH}
sft_args=(--seed "$SEED") grpo_args=(--seed "$SEED") infer_args=()
if [[ -n ${TOY:-} ]]; then
  OUT=${OUT:-output/toy-experiments}
  choose_toy
  choose_plugin
else
  OUT=${OUT:-output/experiments}
  choose_data
fi
FOLD=${FOLD:-0} NPROC_PER_NODE=${NPROC_PER_NODE:-${GPUS:-8}}

# --- what is compared: runs of BACKBONE FOLD SETTING, and the sets of images that each answers
own=${BACKBONE:-qwen2.5-vl-32b}
zero=${ZERO:-} share=${SHARE:-}               # of all backbones, where they are set
[[ -z ${TOY:-} ]] || own=qwen2.5-vl-3b        # of one size
tuners='progressive full-parameter'
[[ -z ${TOY:-} ]] || tuners='progressive lora'      # the toy backbone trains all its parameters unless told otherwise
strategies='untuned sft omega-1 omega-0.5' parts='no-bbox no-caption no-tags label-only'
guards='with-match beta-0.1'
perturbed='jpeg-80 jpeg-30 crop-0.8 down-0.5'
runs=() sets='test'
compare() { # BACKBONES SETTINGS [FOLDS]
  local backbone setting fold
  for backbone in $1; do
    if [[ -n ${TOY:-} ]]; then
      [[ $backbone != qwen2.5-vl-* ]] || backbone=$own
      [[ $backbone != ovis2.5-9b ]] || continue           # its code is not in transformers
    fi
    (unset SIZE && BACKBONE=$backbone && choose_backbone) || exit 2
    for fold in ${3:-$FOLD}; do
      for setting in $2; do
        choose_setting "$setting"
        [[ " ${runs[*]/%/ } " == *" $backbone $fold $setting  "* ]] || runs+=("$backbone $fold $setting")
      done
    done
  done
}
case $EXPERIMENT in
  table1 | table7) compare "$own" progressive '0 1 2 3' ;;
  table2) compare 'internvl3-8b internvl3-14b ovis2.5-9b mimo-vl-7b-rl qwen2.5-vl-32b' 'untuned progressive' ;;
  table3) compare "$own" progressive; sets='test ood' ;;
  table4)
    compare "$own" "progressive $strategies $parts"
    compare 'qwen2.5-vl-3b qwen2.5-vl-7b qwen2.5-vl-32b' progressive ;;
  table5) compare "$own" progressive; sets="test $perturbed" ;;
  table6) compare "$own" "progressive $strategies $parts"; sets='test ood' ;;
  full) compare "$own" "$tuners" ;;
  fig4) compare "$own" 'progressive omega-1' ;;
  claims)
    compare "$own" "${COMPARE:-progressive $strategies $parts frozen-vit frozen-projector grpo-alone ${TOY:+$guards}}"
    sets="test $perturbed ${TOY:+rescale-0.5} ood" ;;     # half the size with as many tokens as in training
  *) fail "NAME: expected table1 to table7, full, fig4 or claims, found '$EXPERIMENT'" ;;
esac

[[ " $sets " != *' ood '* || -n ${TOY:-}${OOD:-} ]] ||
  fail "OOD is not set: expected SET=DIR of each out-of-distribution set (recipes/ood.sh), separated by spaces"

settings="TOY=${TOY:-} QUICK=${QUICK:-} SEED=$SEED MAX_PIXELS=$MAX_PIXELS FAKEXPLAINED=$FAKEXPLAINED"
if [[ -n ${TOY:-} ]]; then
  settings+=" DIFFICULTY=$DIFFICULTY IMAGES=$IMAGES SHOWN=$SHOWN SFT_STEPS=$SFT_STEPS GRPO_STEPS=$GRPO_STEPS"
  settings+=" GPUS=$GPUS BATCH=$BATCH G=$G TOKENS=$TOKENS GRPO_LR=$GRPO_LR GRPO_BETA=$GRPO_BETA PHOTOS=${PHOTOS:-}"
else
  settings+=" VAL=${VAL:-0.015} QUANT=${QUANT:-} GRAD_ACC=${GRAD_ACC:-}"
fi
settings+="${FX_IOU_ETA:+ FX_IOU_ETA=$FX_IOU_ETA}${FX_IOU_EMPTY:+ FX_IOU_EMPTY=$FX_IOU_EMPTY}"
open_run "$settings"

choose_run() { # BACKBONE FOLD SETTING: sets those and all that follows from them
  BACKBONE=$1 FOLD=$2 SETTING=$3
  unset SIZE ZERO SHARE
  [[ -z $zero ]] || export ZERO=$zero
  [[ -z $share ]] || export SHARE=$share
  choose_backbone
  choose_setting "$SETTING"
  here=$OUT/$BACKBONE-fold$FOLD
  MODEL=$HUB
  [[ -z ${TOY:-} ]] || choose_toy_model "$BACKBONE"
  base=$MODEL
  [[ -z $SFT_RUN ]] || MODEL=$here/$SFT_RUN/merged
  after_sft=$MODEL
  [[ -z $GRPO_RUN ]] || MODEL=$here/$GRPO_RUN/merged
  system=$LABEL
  [[ $backbones == "$BACKBONE" ]] || system="$LABEL, $BACKBONE"
  export BACKBONE FOLD VARIANT
}

queue() { # NAME COMMAND...: as `begin`, with GPUs of its own; waits once JOBS of them run
  local slot=${#_jobs[@]}
  if [[ -n ${DRY_RUN:-} ]]; then
    "${@:2}"
  else
    begin "$1" on_gpus "$slot" "${@:2}"
    ((${#_jobs[@]} < JOBS)) || finish
  fi
}

on_gpus() { # SLOT COMMAND...
  if ((JOBS > 1)); then
    MASTER_PORT=$((${MASTER_PORT:-29500} + $1))
    CUDA_VISIBLE_DEVICES=$(seq --separator=, $(($1 * NPROC_PER_NODE)) $((($1 + 1) * NPROC_PER_NODE - 1)))
    export MASTER_PORT CUDA_VISIBLE_DEVICES
  fi
  shift
  "$@"
}

last_state() { # FOLDER: the trainer's state beside its last whole checkpoint, if there is one
  compgen -G "$1/checkpoint-*/trainer_state.json" | sort --version-sort | tail -n 1
}

has_all_steps() { # FOLDER: whether its last whole checkpoint is that of the last step
  local state steps
  state=$(last_state "$1") || return
  steps=$(sed -n 's/^  "\(global_step\|max_steps\)": \([0-9]*\),*$/\2/p' "$state" | sort | uniq --count)
  [[ $steps =~ ^\ *2\ [0-9]+$ ]]
}

# A stage is not ended by a command that fails within it, hence `|| return`. Training that fails after its last step, as
# when a process aborts on its way out, has done its work.
train() { # RECIPE FOLDER ARGUMENTS...: from its last checkpoint on, where there is one; $FOLDER/merged is the model
  local recipe=$1 folder=$2 last='' best
  shift 2
  last=$(last_state "$folder") || true
  if [[ ! -e $folder/trained ]] && ! has_all_steps "$folder"; then
    if [[ -n ${TOY:-} && -z ${DRY_RUN:-} ]]; then         # minutes: from the start, so that numbers stay the same
      rm -rf "$folder"
      last=''
    fi
    OUT=$folder bash "$HERE/$recipe" "$@" ${last:+--resume_from_checkpoint "${last%/*}"} ||
      has_all_steps "$folder" || return
  fi
  if [[ -n ${DRY_RUN:-} ]]; then
    echo swift export --adapters "$folder/checkpoint-BEST" --merge_lora true --output_dir "$folder/merged"
    return
  fi
  touch "$folder/trained"
  last=$(last_state "$folder")
  best=$(sed -n 's/.*"best_model_checkpoint": "\(.*\)",*$/\1/p' "$last")
  best=${best:-${last%/*}}
  rm -rf "$folder/merged"
  if [[ -e $best/adapter_config.json ]]; then
    swift export --adapters "$best" --merge_lora true --output_dir "$folder/merged" || return
  else
    ln -s "${best##*/}" "$folder/merged"
  fi
}

answer() { # FILE ANNOTATIONS SUBSET
  [[ -n ${DRY_RUN:-} ]] || rm -f "$1"           # swift infer appends
  [[ -n ${DRY_RUN:-} ]] || mkdir -p "$(dirname "$1")"
  FAKEXPLAINED=$2 OUT=$1 bash "$HERE/infer.sh" --val_dataset "fakexplained:$3" "${infer_args[@]}"
}

# --- data: the toy world; perturbed copies of the test images; records of the out-of-distribution sets
[[ -z ${TOY:-} ]] || make_toy
data=FakeXplained
[[ -z ${TOY:-} ]] || data='toy world'
declare -A annotations=([test]=$FAKEXPLAINED) subsets=() names=()
if [[ $sets == *jpeg* ]]; then
  stage "perturb-fold$FOLD" fakexplain perturb "$FAKEXPLAINED" --paper --subset "fold${FOLD}_test" \
    --out "$OUT/perturbed-fold$FOLD" --force
  for set in $perturbed; do annotations[$set]=$OUT/perturbed-fold$FOLD/$set/annotations.jsonl; done
fi
if [[ $sets == *rescale-0.5* ]]; then
  stage "rescale-fold$FOLD" fakexplain perturb "$FAKEXPLAINED" rescale:0.5 --subset "fold${FOLD}_test" \
    --out "$OUT/perturbed-fold$FOLD" --force
  annotations[rescale-0.5]=$OUT/perturbed-fold$FOLD/rescale-0.5/annotations.jsonl
fi
if [[ " $sets " == *' ood '* ]]; then
  sets=${sets/ood/}
  if [[ -n ${TOY:-} ]]; then
    OOD=toy=$OUT/made
    annotations[toy]=$TOY_OOD names[toy]='toy world, other flaws'
  fi
  for pair in $OOD; do
    set=${pair%%=*} dir=${pair#*=}
    sets+=" $set" subsets[$set]=all
    [[ -z ${annotations[$set]:-} ]] || continue
    choose_set "$set" "$dir"
    names[$set]=$DATASET annotations[$set]=$OUT/ood/$set/data/annotations.jsonl
    env QUICK=1 "OUT=$OUT/ood/$set" bash "$HERE/ood.sh" "$set" "$dir"      # refuses another DIR than before
  done
fi

backbones=$(printf '%s\n' "${runs[@]%% *}" | sort -u | tr '\n' ' ')
backbones=${backbones% }

# --- training: all SFT, then all GRPO
for run in "${runs[@]}"; do
  # shellcheck disable=SC2086 # three words
  choose_run $run
  [[ -z $SFT_RUN || " ${queued[*]:-} " == *" $here/$SFT_RUN "* ]] || {
    queued+=("$here/$SFT_RUN")
    MODEL=$base queue "$BACKBONE-fold$FOLD-$SFT_RUN" train sft.sh "$here/$SFT_RUN" "${sft_args[@]}" "${SFT_ARGS[@]}"
  }
done
finish
for run in "${runs[@]}"; do
  # shellcheck disable=SC2086
  choose_run $run
  [[ -n $GRPO_RUN ]] || continue
  FX_OMEGA_G_START=${OMEGA%,*} FX_OMEGA_G_END=${OMEGA#*,} MODEL=$after_sft \
    queue "$BACKBONE-fold$FOLD-$GRPO_RUN" train grpo.sh "$here/$GRPO_RUN" "${grpo_args[@]}" "${GRPO_ARGS[@]}"
done
finish

# --- answers of every model to every set; on the toy world half of the time is start-up, which two processes share
[[ -z ${TOY:-} ]] || JOBS=2 GPUS=1 NPROC_PER_NODE=1
for run in "${runs[@]}"; do
  # shellcheck disable=SC2086
  choose_run $run
  export MODEL
  for set in $sets; do
    subset=${subsets[$set]:-fold${FOLD}_test}
    [[ $VARIANT == full ]] || subset+=__$VARIANT
    queue "$BACKBONE-fold$FOLD-$SETTING-$set" answer "$here/answers/$SETTING-$set.jsonl" "${annotations[$set]}" "$subset"
  done
done
finish

# --- scores, again in each run because the settings may be others: a run per set and variant, because the answers of a
# run all hold the same parts
[[ -n ${DRY_RUN:-} ]] || rm -rf "$OUT/logs/$EXPERIMENT"-{score-*,report}.done "$OUT/$EXPERIMENT/report"
scored=()
for set in $sets; do
  for variant in full no_bbox no_caption no_tags label_only; do
    systems=() frames=()
    subset=${subsets[$set]:-fold${FOLD}_test} folds=''
    for run in "${runs[@]}"; do
      # shellcheck disable=SC2086
      choose_run $run
      [[ $VARIANT == "$variant" ]] || continue
      systems+=("$system=$here/answers/$SETTING-$set.jsonl")
      folds+=" $FOLD"
      [[ $TEMPLATE == fx_qwen2_5_vl || $TEMPLATE == fx_mimo_vl ]] || frames+=(--frame "$system=norm1000")
    done
    ((${#systems[@]})) || continue
    [[ -n ${subsets[$set]:-} ]] || subset=fold${folds##* }_test
    [[ $folds != *' 0 1 2 3'* ]] || subset=all
    [[ $variant == full ]] || subset+=__$variant
    folder=$OUT/$EXPERIMENT/run-$set-$variant
    stage "$EXPERIMENT-score-$set-$variant" env "MAX_PIXELS=$MAX_PIXELS" fakexplain score "${systems[@]}" "${frames[@]}" \
      --annotations "${annotations[$set]}" --subset "$subset" --template fx_qwen2_5_vl \
      --dataset "${names[$set]:-$data}" --out "$folder" --force
    scored+=("$folder")
  done
done

# --- the report, and for Fig. 4 answers and scores of every checkpoint
logs=()
for run in "${runs[@]}"; do
  # shellcheck disable=SC2086
  choose_run $run
  [[ -z $GRPO_RUN ]] || logs+=(--log "$system, fold $FOLD=$here/$GRPO_RUN/logging.jsonl")
done
if [[ $EXPERIMENT == fig4 ]]; then
  for run in "${runs[@]}"; do
    # shellcheck disable=SC2086
    choose_run $run
    curve=(env "SFT=$here/$SFT_RUN" "GRPO=$here/$GRPO_RUN" "OUT=$OUT/fig4/$SETTING" bash "$HERE/curve.sh" "${infer_args[@]}")
    stage "fig4-$SETTING" "${curve[@]}"
  done
fi
stage "$EXPERIMENT-report" fakexplain report "${scored[@]}" "${logs[@]}" --title "$EXPERIMENT" \
  --out "$OUT/$EXPERIMENT/report" --force "$@"

[[ -z ${DRY_RUN:-} ]] || exit 0
echo "Report: $OUT/$EXPERIMENT/report/report.html"
