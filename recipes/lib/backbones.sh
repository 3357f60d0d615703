# shellcheck shell=bash
# shellcheck disable=SC2034 # the recipe that sources this file uses the variables
# The backbones, one row each, for all recipes.
#
#   choose_backbone    read BACKBONE (or SIZE), and set
#                      NAME          how files of this backbone are called
#                      HUB           its model on the hub
#                      MODEL_TYPE, TEMPLATE   as ms-swift and the plugin call them
#                      ZERO          DeepSpeed stage of training
#                      TP, SHARE     GPUs per vLLM engine in GRPO, and the engine's share of each
#                      INFER_TP      GPUs per vLLM engine in infer.sh
#                      ROOM          `stay`: training and vLLM fit side by side; `sleep`: they take turns
#                      PROMPT        longest prompt in tokens, image included
#
# The last two columns are memory per GPU in GB, SFT and GRPO, on 8 GPUs of 80 GB: derived in README.md, not measured.
# A model is larger than its name may say; what fits is decided by its weights.

# shellcheck source=recipes/lib/fail.sh
. "${BASH_SOURCE%/*}/fail.sh"

BACKBONES='
qwen2.5-vl-3b  Qwen/Qwen2.5-VL-3B-Instruct  qwen2_5_vl fx_qwen2_5_vl  zero2 1 0.3  1 stay  2048 11 37
qwen2.5-vl-7b  Qwen/Qwen2.5-VL-7B-Instruct  qwen2_5_vl fx_qwen2_5_vl  zero2 1 0.4  1 stay  2048 21 55
qwen2.5-vl-32b Qwen/Qwen2.5-VL-32B-Instruct qwen2_5_vl fx_qwen2_5_vl  zero3 4 0.4  2 sleep 2048 17 51
mimo-vl-7b-rl  XiaomiMiMo/MiMo-VL-7B-RL     qwen2_5_vl fx_mimo_vl     zero2 1 0.4  1 stay  2048 21 55
internvl3-8b   OpenGVLab/InternVL3-8B-hf    internvl   fx_internvl_hf zero2 1 0.4  1 stay  3584 20 54
internvl3-14b  OpenGVLab/InternVL3-14B-hf   internvl   fx_internvl_hf zero2 2 0.35 1 stay  3584 36 66
ovis2.5-9b     AIDC-AI/Ovis2.5-9B           ovis2_5    fx_ovis2_5     zero2 1 0.4  1 stay  2048 23 57
qwen3-vl-8b    Qwen/Qwen3-VL-8B-Instruct    qwen3_vl   fx_qwen3_vl    zero2 1 0.4  1 stay  2048 22 56
qwen3-vl-32b   Qwen/Qwen3-VL-32B-Instruct   qwen3_vl   fx_qwen3_vl    zero3 4 0.4  2 sleep 2048 17 51
qwen3.5-9b     Qwen/Qwen3.5-9B              qwen3_5    fx_qwen3_5     zero2 1 0.4  1 stay  2048 24 58
qwen3.5-27b    Qwen/Qwen3.5-27B             qwen3_5    fx_qwen3_5     zero3 4 0.4  2 sleep 2048 15 49
qwen3.8-27b    Qwen/Qwen3.8-27B             qwen3_5    fx_qwen3_8     zero3 4 0.4  2 sleep 2048 15 49
glm-4.6v-flash zai-org/GLM-4.6V-Flash       glm4v      fx_glm4_5v     zero2 1 0.4  1 stay  2048 25 59
'

choose_backbone() {
  local name=${BACKBONE:-} known=() row
  case ${SIZE:-7B} in
    3B | 7B | 32B) : "${name:=qwen2.5-vl-$(tr 'B' 'b' <<< "${SIZE:-7B}")}" ;;
    *) fail "SIZE: expected 3B, 7B or 32B, found '$SIZE'; BACKBONE names other models" ;;
  esac
  NAME=${BACKBONE:-${SIZE:-7B}}
  while read -r row HUB MODEL_TYPE TEMPLATE _ZERO _TP _SHARE INFER_TP ROOM PROMPT _; do
    [[ $row != "$name" ]] || break
    known+=(${row:+"$row"})
  done <<< "$BACKBONES"
  [[ $row == "$name" ]] || fail "BACKBONE: expected one of ${known[*]}, found '$name'"
  [[ -z ${BACKBONE:-} || -z ${SIZE:-} || $BACKBONE == qwen2.5-vl-${SIZE%B}b ]] ||
    fail "BACKBONE is '$BACKBONE' and SIZE is '$SIZE': expected one of the two"
  : "${ZERO:=$_ZERO}"
  ROLLOUT_TP=${TP:-$_TP} INFER_TP=${TP:-$INFER_TP} SHARE=${SHARE:-$_SHARE}
}
