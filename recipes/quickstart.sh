#!/usr/bin/env bash
# The whole pipeline on a toy world and a tiny Qwen2.5-VL, without a GPU: SFT, GRPO with omega_G(t), infer, score, report.
#
# Paper:     §4, both stages; differs: toy images, a backbone of 2.9 M parameters and so no LoRA, rewards scaled by
#            the spread of a batch instead of a group, its own learning rates and lengths
# Hardware:  2 CPU cores         Time, memory: 5 min, 4 GB
# Input:     nothing
# Output:    $OUT/report/report.html, $OUT/run (scores), $OUT/contact_sheet.png, $OUT/sft, $OUT/grpo (checkpoints)
# Run:       uv run --extra cpu bash recipes/quickstart.sh
# Override:  any variable below. QUICK=1 runs every stage but learns nothing. After an interrupt, run it again: it
#            continues with the unfinished stage. DRY_RUN=1 prints the commands.
set -euo pipefail

ROOT=$(cd "$(dirname "$0")/.." && pwd)
OUT=${OUT:-output/quickstart}
SEED=${SEED:-0}
DIFFICULTY=${DIFFICULTY:-0}                     # from 0 (obvious flaws) to 1 (small and faint flaws)
if [[ -n ${QUICK:-} ]]; then
  : "${IMAGES:=160}" "${SHOWN:=24}" "${SFT_STEPS:=40}" "${GRPO_STEPS:=4}" "${TOKENS:=48}"
  ranks=() backend=()                           # one process: starting two takes longer than so few steps
else
  : "${IMAGES:=6000}" "${SHOWN:=240}" "${SFT_STEPS:=400}" "${GRPO_STEPS:=30}" "${TOKENS:=120}"
  ranks=(NPROC_PER_NODE=2) backend=(--ddp_backend gloo --use_cpu true)
fi
# Two processes with one thread each train this small model twice as fast as one process with two threads, and no
# thread ever waits for another, so that a busy machine only costs its share.
export OMP_NUM_THREADS=1 MASTER_PORT=${MASTER_PORT:-$((20000 + $$ % 20000))}
export TOKENIZERS_PARALLELISM=false TRL_EXPERIMENTAL_SILENCE=1 PYTHONPATH=$ROOT${PYTHONPATH:+:$PYTHONPATH}

base=$ROOT/examples/tiny_backbone             # pretrained on drawn shapes: sees and points, knows nothing of flaws
world=$OUT/world
sft=$OUT/sft/checkpoint-$SFT_STEPS
grpo=$OUT/grpo/checkpoint-$GRPO_STEPS
fakexplained=(env "FAKEXPLAINED=$world/annotations.jsonl")
backbone=(
  --model_type qwen2_5_vl --torch_dtype float32
  --custom_register_path "$ROOT/swift_plugins/fakexplain_plugin.py" --template fx_qwen2_5_vl
  --strict true --seed "$SEED"
)
train=(
  --dataset fakexplained:fold0_train --tuner_type full --freeze_vit false --freeze_aligner false
  --gradient_checkpointing false --max_length 1024 --lr_scheduler_type cosine --warmup_ratio 0.05
  --dataloader_num_workers 0 --logging_steps 1 --save_only_model true --save_total_limit 1 --add_version false
  --report_to none --check_model false          # check_model asks a hub for newer weights of this model
)

# shellcheck source=recipes/lib/stage.sh
. "$ROOT/recipes/lib/stage.sh"                  # stage NAME COMMAND...: runs it once, its output in $OUT/logs
open_run "SEED=$SEED DIFFICULTY=$DIFFICULTY IMAGES=$IMAGES SHOWN=$SHOWN SFT_STEPS=$SFT_STEPS\
 GRPO_STEPS=$GRPO_STEPS TOKENS=$TOKENS"

# --- toy world: photographs, half of them with flaws drawn into them; fold 0 uses photographs that no other fold uses
stage world python -m examples.toy_world --out "$OUT/made" --train "$IMAGES" --test "$SHOWN" \
  --seed "$SEED" --difficulty "$DIFFICULTY"

# --- check every record and image; keep the world's folds and check that no photograph is in two
begin validate fakexplain validate "$OUT/made/annotations.jsonl"
begin split fakexplain split "$OUT/made/annotations.jsonl" --group-by class_name --seed "$SEED" \
  --out "$world/annotations.jsonl" --force
finish

# --- SFT
stage sft "${fakexplained[@]}" "${ranks[@]}" swift sft \
  --model "$base" "${backbone[@]}" "${train[@]}" "${backend[@]}" \
  --max_steps "$SFT_STEPS" --per_device_train_batch_size 4 --gradient_accumulation_steps 1 \
  --learning_rate 1e-3 \
  --save_steps "$SFT_STEPS" --output_dir "$OUT/sft"

# --- GRPO from the SFT checkpoint, with the weight of the IoU reward rising from 0.5 to 1
stage grpo "${fakexplained[@]}" "${ranks[@]}" swift rlhf --rlhf_type grpo \
  --model "$sft" "${backbone[@]}" "${train[@]}" "${backend[@]}" \
  --reward_funcs fx_iou fx_label fx_format --reward_weights 0.5 1 1 --callbacks fx_omega_g fx_diagnostics \
  --num_generations 4 --max_completion_length "$TOKENS" --temperature 1.0 --top_k 20 --beta 0.02 --scale_rewards batch \
  --max_steps "$GRPO_STEPS" --per_device_train_batch_size 16 --gradient_accumulation_steps 1 --learning_rate 2e-5 \
  --save_steps "$GRPO_STEPS" --output_dir "$OUT/grpo"

# --- answers of both on the held-out photographs; a checkpoint records its plugin and template
infer() { # NAME MODEL
  local name=$1 model=$2
  [[ -n ${DRY_RUN:-} || -e $OUT/logs/infer-$name.done ]] || rm -f "$OUT/$name.jsonl"     # swift infer appends
  begin "infer-$name" "${fakexplained[@]}" swift infer --model "$model" \
    --val_dataset fakexplained:fold0_test --infer_backend transformers --max_batch_size 120 \
    --max_new_tokens "$TOKENS" --temperature 0 --logprobs true --top_logprobs 2 --result_path "$OUT/$name.jsonl"
}
infer sft "$sft"
infer grpo "$grpo"
finish

# --- scores, the best answer, pictures and a report
stage score fakexplain score "SFT=$OUT/sft.jsonl" "+GRPO=$OUT/grpo.jsonl" \
  --annotations "$world/annotations.jsonl" --subset fold0_test --template fx_qwen2_5_vl --dataset "toy world" \
  --out "$OUT/run" --force
stage answer python -m examples.best_answer "$OUT/run" "$OUT/grpo.jsonl" --system +GRPO
best=ID
[[ -n ${DRY_RUN:-} ]] || best=$(head -n 1 "$OUT/logs/answer.log")
begin draw fakexplain draw "$OUT/run" --system +GRPO --id "$best" --out "$OUT/answer" --force
begin sheet fakexplain sheet "$world/annotations.jsonl" --predictions "$OUT/grpo.jsonl" --template fx_qwen2_5_vl \
  --limit 12 --out "$OUT/contact_sheet.png" --force
begin report fakexplain report "$OUT/run" --log "SFT=$OUT/sft/logging.jsonl" --log "GRPO=$OUT/grpo/logging.jsonl" \
  --title "FakeXplain on a toy world" --out "$OUT/report" --force
finish

[[ -z ${DRY_RUN:-} ]] || exit 0
echo
cat "$OUT/logs/score.log"
echo
echo "The best answer after GRPO, to the image $best (annotation and answer side by side: $OUT/answer):"
tail -n +2 "$OUT/logs/answer.log"
echo
echo "Pictures: $OUT/contact_sheet.png"
echo "Report:   $OUT/report/report.html"
echo "A page to ask this model on: uv run --extra cpu --extra app fakexplain app --model $grpo"
