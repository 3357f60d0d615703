# shellcheck shell=bash
# shellcheck disable=SC2034 # the recipe that sources this file uses the variables
# The training settings that the paper compares, one row each.
#
#   choose_setting SETTING   read the row, and set
#                            LABEL      the setting's name in tables, the paper's where it has one
#                            VARIANT    the parts of its answers
#                            SFT_RUN    the folder of its SFT; settings with the same SFT share it; empty: none
#                            SFT_ARGS   further arguments of its SFT
#                            GRPO_RUN   the folder of its GRPO; empty: none
#                            OMEGA      omega_G at the first and after the last step
#                            GRPO_ARGS  further arguments of its GRPO
#
# Columns: SETTING, VARIANT, stages (sft, grpo, both or none), omega_G, further arguments of SFT and of GRPO (commas for
# spaces), name in tables. Full-parameter training of 32B must offload its optimizer states to the machine's memory, and
# each of its checkpoints holds them; its learning rates are ours, the paper gives none. The last rows are not the
# paper's: other ways of GRPO.

# shellcheck source=recipes/lib/fail.sh
. "${BASH_SOURCE%/*}/fail.sh"

SETTINGS='
progressive      full       both 0.5,1   -                    -                    FakeXplainer
untuned          full       none -       -                    -                    No-FT
sft              full       sft  -       -                    -                    SFT
omega-1          full       both 1,1     -                    -                    GRPO ω_G=1
omega-0.5        full       both 0.5,0.5 -                    -                    GRPO ω_G=0.5
no-bbox          no_bbox    both 0.5,1   -                    -                    no-bbox
no-caption       no_caption both 0.5,1   -                    -                    no-caption
no-tags          no_tags    both 0.5,1   -                    -                    no-tags
label-only       label_only both 0.5,1   -                    -                    label-only
full-parameter   full       both 0.5,1   --tuner_type,full,--learning_rate,1e-5,--save_total_limit,2,--deepspeed,zero3_offload --tuner_type,full,--learning_rate,1e-6,--save_total_limit,2,--deepspeed,zero3_offload full-parameter
lora             full       both 0.5,1   --tuner_type,lora    --tuner_type,lora    LoRA
frozen-vit       full       sft  -       --freeze_vit,true    -                    SFT, ViT frozen
frozen-projector full       sft  -       --freeze_aligner,true -                    SFT, projector frozen
grpo-alone       full       grpo 0.5,1   -                    -                    GRPO without SFT
with-match       full       both 0.5,1   -                    --reward_funcs,fx_iou,fx_label,fx_format,fx_match,--reward_weights,0.5,1,1,1 FakeXplainer with fx_match
dynamic-sampling full       both 0.5,1   -                    --dynamic_sample,true FakeXplainer, dynamic sampling
beta-0           full       both 0.5,1   -                    --beta,0             FakeXplainer, β=0
beta-0.1         full       both 0.5,1   -                    --beta,0.1           FakeXplainer, β=0.1
lr-2e-5          full       both 0.5,1   -                    --learning_rate,2e-5 FakeXplainer, GRPO at 2e-5
lr-1e-4          full       both 0.5,1   -                    --learning_rate,1e-4 FakeXplainer, GRPO at 1e-4
new-photos       full       both 0.5,1   --dataset,fakexplained:fold1_test,fakexplained:fold2_test --dataset,fakexplained:fold3_test FakeXplainer, GRPO on other photos
'

choose_setting() { # SETTING
  local row stages sft grpo known=()
  while read -r row VARIANT stages OMEGA sft grpo LABEL; do
    [[ -z $row || $row != "$1" ]] || break
    known+=(${row:+"$row"})
  done <<< "$SETTINGS"
  [[ -n $1 && $row == "$1" ]] || fail "setting: expected one of ${known[*]}, found '$1'"
  SFT_RUN='' GRPO_RUN='' SFT_ARGS=() GRPO_ARGS=()
  [[ $sft == - ]] || IFS=, read -ra SFT_ARGS <<< "$sft"
  [[ $grpo == - ]] || IFS=, read -ra GRPO_ARGS <<< "$grpo"
  case $stages in
    sft | both)
      SFT_RUN=sft
      [[ $VARIANT == full ]] || SFT_RUN+=-$1
      [[ $sft == - ]] || SFT_RUN+=-$1 ;;
  esac
  case $stages in
    grpo | both) GRPO_RUN=grpo-$1 ;;
  esac
}
