# shellcheck shell=bash
# shellcheck disable=SC2034 # the recipe that sources this file uses the variables
# The toy world in place of data, and a tiny backbone in place of a released one, for recipes/experiment.sh.
#
#   choose_toy          OUT, SEED, and the sizes below; sets FAKEXPLAINED, GPUS, VAL, ROLLOUT, and the arguments
#                       sft_args, grpo_args, infer_args, which come after a recipe's own
#   make_toy            the stages that make the world: $FAKEXPLAINED, and $TOY_OOD with kinds of flaw held out of it
#   choose_toy_model BACKBONE    sets MODEL
#
# With QUICK=1 everything runs and nothing is learned.

choose_toy() {
  DIFFICULTY=${DIFFICULTY:-0.35}                # where SFT leaves room: recipes/README.md, section Toy experiments
  if [[ -n ${QUICK:-} ]]; then
    : "${IMAGES:=96}" "${SHOWN:=16}" "${SFT_STEPS:=4}" "${GRPO_STEPS:=2}" "${TOKENS:=32}" "${GPUS:=1}" "${BATCH:=8}"
  else
    : "${IMAGES:=6000}" "${SHOWN:=240}" "${SFT_STEPS:=400}" "${GRPO_STEPS:=200}" "${TOKENS:=120}" "${GPUS:=2}" \
      "${BATCH:=32}"
  fi
  G=${G:-4}
  GRPO_LR=${GRPO_LR:-5e-5}
  GRPO_BETA=${GRPO_BETA:-0.02}
  VAL=0 ROLLOUT=self ZERO=none FAKEXPLAINED=$OUT/world/annotations.jsonl TOY_OOD=$OUT/made/ood.jsonl
  local all=(--torch_dtype float32 --ddp_backend gloo --seed "$SEED")
  local train=(
    "${all[@]}" --use_cpu true --dataloader_num_workers 0 --report_to none
    --check_model false                         # it asks a hub for newer weights of this model
    --gradient_checkpointing false --lr_scheduler_type cosine --warmup_ratio 0.05
    --max_length 1024 --logging_steps 1 --save_only_model true
  )
  sft_args=(
    "${train[@]}" --tuner_type full --max_steps "$SFT_STEPS" --save_steps "$(((SFT_STEPS + 3) / 4))"
    --per_device_train_batch_size "$((8 / GPUS))" --gradient_accumulation_steps 1 --learning_rate 1e-3
  )
  grpo_args=(
    "${train[@]}" --tuner_type full --max_steps "$GRPO_STEPS" --save_steps "$(((GRPO_STEPS + 3) / 4))"
    --per_device_train_batch_size "$((BATCH / GPUS))" --gradient_accumulation_steps 1 --learning_rate "$GRPO_LR"
    --num_generations "$G" --max_completion_length "$TOKENS" --temperature 1.0 --top_k 20 --beta "$GRPO_BETA"
    --scale_rewards batch --log_completions false
  )
  infer_args=("${all[@]}" --infer_backend transformers --max_batch_size 120 --max_new_tokens "$TOKENS")
  export VAL ROLLOUT ZERO GPUS FAKEXPLAINED TOKENIZERS_PARALLELISM=false TRL_EXPERIMENTAL_SILENCE=1
  # a thread per process: none waits for another, so that a busy machine only costs its share
  export OMP_NUM_THREADS=1 MASTER_PORT=${MASTER_PORT:-$((20000 + $$ % 20000))}
}

make_toy() {
  stage world python -m examples.toy_world --out "$OUT/made" --train "$IMAGES" --test "$SHOWN" \
    --ood "$SHOWN" --held-out Twister Sculptor Sketcher --seed "$SEED" --difficulty "$DIFFICULTY" \
    ${PHOTOS:+--photos "$PHOTOS"}
  stage split fakexplain split "$OUT/made/annotations.jsonl" --group-by class_name --seed "$SEED" \
    --out "$FAKEXPLAINED" --force
}

choose_toy_model() { # BACKBONE
  case $1 in
    qwen2.5-vl-*) MODEL=$ROOT/examples/tiny_backbone ;;       # pretrained on drawn shapes
    *)                                                        # random
      local kind=${TEMPLATE#fx_}
      MODEL=$OUT/models/$kind
      [[ " ${_models[*]:-} " == *" $kind "* ]] ||
        stage "model-$kind" python -m examples.tiny_model --backbone "$kind" --out "$MODEL" --annotations "$FAKEXPLAINED"
      _models+=("$kind") ;;
  esac
}
