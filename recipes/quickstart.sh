#!/usr/bin/env bash
# The whole pipeline on a toy world and a tiny Qwen2.5-VL, without a GPU: SFT, GRPO with omega_G(t), infer, score, report.
#
# Paper:     §4, both stages; differs: toy images, a random 2.9 M-parameter backbone and so no LoRA, its own learning
#            rates and lengths
# Hardware:  2 CPU cores         Time, memory: 9 to 16 min, 2.4 GB
# Input:     nothing
# Output:    $OUT/report/report.html, $OUT/run (scores), $OUT/contact_sheet.png, $OUT/sft, $OUT/grpo (checkpoints)
# Run:       uv run --extra cpu bash recipes/quickstart.sh
# Override:  any variable below; QUICK=1 tries every stage in 72 s and learns nothing. A stage that is done is
#            not run again, so an interrupted run goes on where it was. DRY_RUN=1 prints the commands.
set -euo pipefail

fail() { echo "${0##*/}: $1" >&2; exit 2; }

ROOT=$(cd "$(dirname "$0")/.." && pwd)
OUT=${OUT:-output/quickstart}
SEED=${SEED:-0}
DIFFICULTY=${DIFFICULTY:-0}                     # 0: flaws leap to the eye … 1: small and faint
QUICK=${QUICK:-}
[[ -z $QUICK ]] || : "${OMP_NUM_THREADS:=1}"     # stages run side by side
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-2} TOKENIZERS_PARALLELISM=false TRL_EXPERIMENTAL_SILENCE=1
if [[ -n $QUICK ]]; then
  : "${IMAGES:=160}" "${SHOWN:=24}" "${SFT_STEPS:=40}" "${GRPO_STEPS:=4}" "${TOKENS:=48}"
else
  : "${IMAGES:=6000}" "${SHOWN:=240}" "${SFT_STEPS:=1250}" "${GRPO_STEPS:=60}" "${TOKENS:=120}"
fi

world=$OUT/world
settings="SEED=$SEED DIFFICULTY=$DIFFICULTY IMAGES=$IMAGES SHOWN=$SHOWN SFT_STEPS=$SFT_STEPS GRPO_STEPS=$GRPO_STEPS"
[[ -n ${DRY_RUN:-} ]] || {
  mkdir -p "$OUT/logs"
  [[ ! -e $OUT/settings || $(<"$OUT/settings") == "$settings" ]] ||
    fail "$OUT holds a run with other settings ($(<"$OUT/settings")): remove it, or choose another OUT"
  echo "$settings" > "$OUT/settings"
}

stage() { # NAME COMMAND...: run it once, its output in a log of its own; on a terminal, show the log's last line
  local name=$1 log=$OUT/logs/$1.log start=$SECONDS; shift
  if [[ -n ${DRY_RUN:-} ]]; then printf '%s\n' "${*@Q}"; return; fi
  [[ ! -e $OUT/logs/$name.done ]] || { echo "$name: done before"; return; }
  "$@" > "$log" 2>&1 &
  local job=$!
  while [[ -t 1 ]] && kill -0 "$job" 2> /dev/null; do
    printf '\r\e[K%s: %d s  %.90s' "$name" $((SECONDS - start)) "$(tail -c 400 "$log" | tr '\r' '\n' | grep . | tail -n 1)"
    sleep 1
  done
  [[ ! -t 1 ]] || printf '\r\e[K'
  wait "$job" || {
    tail -n 25 "$log" >&2
    echo "$name failed; its whole output is in $log" >&2
    return 1
  }
  touch "$OUT/logs/$name.done"
  echo "$name: $((SECONDS - start)) s"
}
beside() { # COMMAND...: in the quick form beside the next stage, where starting up is most of the work
  if [[ -n $QUICK && -z ${DRY_RUN:-} ]]; then "$@" & job=$!; else "$@"; job=; fi
}
joined() { [[ -z $job ]] || wait "$job"; }
# Each stage is a process group of its own, so that all of it ends with this script: swift starts further processes.
set -m
ended() { local job; for job in $(jobs -p); do kill -- "-$job" 2> /dev/null || true; done; }
trap ended EXIT
trap 'echo "${0##*/}: interrupted; run it again and it goes on with the stage that was not done" >&2; exit 130' INT TERM

common=(
  --model_type qwen2_5_vl --torch_dtype float32
  --custom_register_path "$ROOT/swift_plugins/fakexplain_plugin.py" --template fx_qwen2_5_vl
  --strict true --seed "$SEED"
)
train=(
  --dataset fakexplained:fold0_train --tuner_type full --freeze_vit false --freeze_aligner false
  --gradient_checkpointing false --max_length 1024 --lr_scheduler_type cosine --warmup_ratio 0.05
  --dataloader_num_workers 0 --logging_steps 1 --save_only_model true --save_total_limit 1 --add_version false
  --report_to none --check_model false          # check_model asks a hub for newer weights of this random model
)

infer() { # NAME MODEL [FLAG...]: answers on held-out photographs; a checkpoint brings its plugin and template along
  local name=$1 model=$2; shift 2
  [[ -n ${DRY_RUN:-} || -e $OUT/logs/infer-$name.done ]] || rm -f "$OUT/$name.jsonl"     # swift infer appends
  stage "infer-$name" env "FAKEXPLAINED=$world/annotations.jsonl" swift infer --model "$model" "$@" \
    --val_dataset "fakexplained:fold0_test" --infer_backend transformers --max_batch_size 50 \
    --max_new_tokens "$TOKENS" --temperature 0 --logprobs true --top_logprobs 2 --result_path "$OUT/$name.jsonl"
}

stage world python "$ROOT/examples/toy_world.py" --out "$OUT/made" --train "$IMAGES" --test "$SHOWN" --seed "$SEED" --difficulty "$DIFFICULTY"
stage backbone python "$ROOT/examples/tiny_qwen.py" --out "$OUT/base" --annotations "$OUT/made/annotations.jsonl" --seed "$SEED"
stage validate fakexplain validate "$OUT/made/annotations.jsonl"
# The toy world holds out some photographs as fold 0; split keeps its folds and checks that no photograph is in two.
stage split fakexplain split "$OUT/made/annotations.jsonl" --group-by class_name --seed "$SEED" -o "$world/annotations.jsonl" --force

beside infer base "$OUT/base" "${common[@]}"
stage sft env "FAKEXPLAINED=$world/annotations.jsonl" swift sft --model "$OUT/base" "${common[@]}" "${train[@]}" \
  --max_steps "$SFT_STEPS" --per_device_train_batch_size 8 \
  --learning_rate 1e-3 --vit_lr 3e-4 --aligner_lr 3e-4 \
  --save_steps "$SFT_STEPS" --output_dir "$OUT/sft"
joined

sft=$OUT/sft/checkpoint-$SFT_STEPS
beside infer sft "$sft"
stage grpo env "FAKEXPLAINED=$world/annotations.jsonl" swift rlhf --rlhf_type grpo --model "$sft" "${common[@]}" "${train[@]}" \
  --reward_funcs fx_iou fx_label fx_format --reward_weights 0.5 1 1 --callbacks fx_omega_g \
  --num_generations 4 --max_completion_length "$TOKENS" --temperature 1.0 --top_k 20 --beta 0.02 \
  --max_steps "$GRPO_STEPS" --per_device_train_batch_size 32 --learning_rate 3e-5 \
  --save_steps "$GRPO_STEPS" --output_dir "$OUT/grpo"
joined
infer grpo "$OUT/grpo/checkpoint-$GRPO_STEPS"

score=(fakexplain score "base=$OUT/base.jsonl" "SFT=$OUT/sft.jsonl" "+GRPO=$OUT/grpo.jsonl"
  --annotations "$world/annotations.jsonl" --subset fold0_test --template fx_qwen2_5_vl --dataset "toy world"
  --out "$OUT/run" --force)
sheet=(fakexplain sheet "$world/annotations.jsonl" --predictions "$OUT/grpo.jsonl" --template fx_qwen2_5_vl
  --limit 12 --out "$OUT/contact_sheet.png" --force)
report=(fakexplain report "$OUT/run" --log "SFT=$OUT/sft/logging.jsonl" --log "GRPO=$OUT/grpo/logging.jsonl"
  --title "FakeXplain on a toy world" --out "$OUT/report" --force)
if [[ -n ${DRY_RUN:-} ]]; then
  printf '%q ' "${score[@]}"; echo; printf '%q ' "${sheet[@]}"; echo; printf '%q ' "${report[@]}"; echo
else
  echo; "${score[@]}"; echo; "${sheet[@]}"; "${report[@]}"
fi
