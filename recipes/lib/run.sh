# shellcheck shell=bash
# shellcheck disable=SC2034 # the recipe that sources this file uses the variables
# What the recipes of one run share: the data, the plugin, the GPUs and the machines.
#
#   choose_plugin        PLUGIN, MAX_PIXELS
#   choose_data          these, FOLD, VARIANT; TRAIN and TEST (subsets), BOXES (empty where an answer holds none)
#   choose_gpus          GPUS (per machine), GRAD_ACC, QUANT; `weights`, `deepspeed` (arguments), `machines` (variables)
#   choose_megatron ARGUMENTS...   `megatron`: what both recipes for Megatron pass
#   require_merged HOW   stop where MODEL is a LoRA checkpoint

# shellcheck source=recipes/lib/fail.sh
. "${BASH_SOURCE%/*}/fail.sh"

choose_plugin() {
  MAX_PIXELS=${MAX_PIXELS:-1003520}           # one value in all stages: boxes may be pixels of the resized image
  PLUGIN=${PLUGIN:-$(cd "$(dirname "$0")/.." && pwd)/swift_plugins/fakexplain_plugin.py}   # or $(fakexplain plugin)
  [[ -r $PLUGIN ]] || fail "PLUGIN: no such file '$PLUGIN'; from an installed wheel: PLUGIN=\$(fakexplain plugin)"
}

choose_data() {
  FOLD=${FOLD:-0}                             # 0 to 3: held out, the three others train
  VARIANT=${VARIANT:-full}                    # full | no_bbox | no_caption | no_tags | label_only (Table 4)
  [[ -n ${FAKEXPLAINED:-} ]] || fail "FAKEXPLAINED is not set: expected the path of an annotations file"
  [[ -n ${DRY_RUN:-} || -r $FAKEXPLAINED ]] || fail "FAKEXPLAINED: cannot read the annotations file '$FAKEXPLAINED'"
  choose_plugin
  TRAIN=fold${FOLD}_train TEST=fold${FOLD}_test BOXES=yes
  [[ $VARIANT == full ]] || TRAIN+=__$VARIANT TEST+=__$VARIANT
  [[ $VARIANT != no_bbox && $VARIANT != label_only ]] || BOXES=
}

choose_gpus() {
  NPROC_PER_NODE=${NPROC_PER_NODE:-${GPUS:-8}} NNODES=${NNODES:-1}
  local total=$((NPROC_PER_NODE * NNODES))
  GRAD_ACC=${GRAD_ACC:-$((total < 8 ? 8 / total : 1))}        # a step takes 8 rows on fewer GPUs too
  machines=()
  if ((NNODES > 1)); then
    [[ -n ${NODE_RANK:-} && -n ${MASTER_ADDR:-} ]] ||
      fail "NNODES is $NNODES: expected NODE_RANK (0 to $((NNODES - 1))) and MASTER_ADDR (where rank 0 runs)"
    machines=("NNODES=$NNODES" "NODE_RANK=$NODE_RANK" "MASTER_ADDR=$MASTER_ADDR" "MASTER_PORT=${MASTER_PORT:-29500}")
  fi
  weights=()
  case ${QUANT:-} in
    '') ;;
    4bit)
      weights=(--quant_method bnb --quant_bits 4 --bnb_4bit_compute_dtype bfloat16)
      ZERO=none ;;                            # the frozen weights are small, and stage 3 cannot cut packed ones
    *) fail "QUANT: expected 4bit or nothing, found '$QUANT'" ;;
  esac
  deepspeed=(--deepspeed "$ZERO")
  [[ $ZERO != none ]] || deepspeed=()
}

choose_megatron() { # ARGUMENTS...: those of the caller
  [[ -z ${QUANT:-} ]] || fail "QUANT: ms-swift's Megatron trains no 4-bit weights; recipes/sft.sh and recipes/grpo.sh do"
  local previous='' word parallel=1
  for word in "$@" end; do
    if [[ $word == --use_ray=* && ${word,,} != *=false || $previous == --use_ray && ${word,,} != false ]]; then
      fail "--use_ray: under Ray the reward weights live on the driver and callbacks run on the workers, so fx_omega_g \
cannot raise the weight of the IoU reward; leave --use_ray out"
    fi
    previous=$word
  done
  [[ $ROOM != sleep ]] || parallel=4
  megatron=(
    --tuner_type lora --target_modules all-linear
    --freeze_llm false --freeze_vit false --freeze_aligner false      # App. B
    --lora_rank 8 --lora_alpha 32
    --merge_lora false                        # checkpoints of LoRA alone, as those of sft.sh and grpo.sh
    --num_train_epochs 3
    --micro_batch_size 1
    --global_batch_size "$((NPROC_PER_NODE * NNODES * GRAD_ACC))"     # rows (SFT) or answers (GRPO) per step
    --tensor_model_parallel_size "${MEGATRON_TP:-$parallel}"
    --sequence_parallel true                  # takes effect with tensor parallelism
    --recompute_granularity full --recompute_method uniform --recompute_num_layers 1
    --attention_backend auto
    --dataloader_num_workers 4
  )
}

require_merged() { # HOW: the command that merges
  [[ ! -e $MODEL/adapter_config.json ]] || fail "MODEL: '$MODEL' is a LoRA checkpoint, merge it first: $1"
}
