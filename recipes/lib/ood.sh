# shellcheck shell=bash
# shellcheck disable=SC2034 # the recipe that sources this file uses the variables
# The out-of-distribution sets, one row each.
#
#   choose_set SET DIR   read the row, and set
#                        DATASET   the set's name in the report (Tables 3 and 6, where it is in them)
#                        source    the words of the first command after `fakexplain`, without --out
#
# Columns: SET, name in the report, how it is read, whether its layout is confirmed. Read as
#   fakeclue, mmfr, mllm-defake   that format of `fakexplain convert`
#   folder                        label folders: 0_real, real or nature, and 1_fake, fake or ai
#   frames                        videos of FaceForensics++ below original_sequences and manipulated_sequences; where
#                                 there are none, label folders of frames
# Confirmed is `loader` (the set's own code or card shows it), `folders` (published as label folders), or `no`: sort its
# images into real/ and fake/ first.

# shellcheck source=recipes/lib/fail.sh
. "${BASH_SOURCE%/*}/fail.sh"

OOD_SETS='
fakeclue             FakeClue              fakeclue    loader
chameleon            Chameleon             folder      folders
gpt-image-1          GPT-Image-1           folder      no
faceforensics        FaceForensics++       frames      folders
mmfr                 MMFR-Dataset          mmfr        loader
genimage             GenImage              folder      folders
hydrafake            HydraFake             folder      folders
chameleon-gpt-image-2 Chameleon-GPT-Image-2 mllm-defake no
chameleon-nanobanana2 Chameleon-NanoBanana2 mllm-defake no
'

choose_set() { # SET DIR
  local row how confirmed known=() dir=$2
  while read -r row DATASET how confirmed; do
    [[ -z $row || $row != "$1" ]] || break
    known+=(${row:+"$row"})
  done <<< "$OOD_SETS"
  [[ -n $1 && $row == "$1" ]] || fail "SET: expected one of ${known[*]}, found '$1'"
  [[ -d $dir ]] || fail "DIR: no such folder '$dir'"
  case $how in
    fakeclue) source=(convert fakeclue "$dir/data_json/test.json" --images "$dir/test") ;;
    mmfr)                                     # the evaluation sets alone, without the two halves that train
      [[ ! -d $dir/evaluation_sets ]] || dir=$dir/evaluation_sets
      source=(convert mmfr "$dir") ;;
    frames)
      source=(convert folder "$dir")
      [[ ! -d $dir/manipulated_sequences ]] || source=(frames "$dir" --per-video "$PER_VIDEO") ;;
    *) source=(convert "$how" "$dir") ;;
  esac
  [[ $confirmed != no ]] ||
    echo "${0##*/}: nobody has confirmed the layout of $1; converters/README.md says what is read as $how" >&2
}
