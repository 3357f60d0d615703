#!/usr/bin/env bash
# Two baselines trained on a fold: segmentation and classification, and classification only; scores and a report.
#
# Paper:     Table 1, the kinds of baseline; differs: a small SegFormer and a small CNN, both from scratch
# Hardware:  2 CPU cores, or a GPU      Time, memory: 9 min, 3 GB for 6,000 images of the toy world, on busy cores
# Input:     FAKEXPLAINED (annotations, with folds)
# Output:    $OUT/report/report.html, $OUT/run (scores), $OUT/segformer (masks, P(fake)), $OUT/cnn.csv (P(fake))
# Run:       FAKEXPLAINED=output/quickstart/world/annotations.jsonl bash recipes/baselines.sh
# Override:  FOLD and the variables of README.md, section Baselines. At the end: further systems (ours=out.jsonl) and
#            other `fakexplain score` arguments. After an interrupt, run it again: it continues with the unfinished
#            stage. DRY_RUN=1 prints the commands.
set -euo pipefail

ROOT=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=recipes/lib/run.sh
. "$ROOT/recipes/lib/run.sh"
# shellcheck source=recipes/lib/stage.sh
. "$ROOT/recipes/lib/stage.sh"                # stage NAME COMMAND...: runs it once, its output in $OUT/logs
choose_data
OUT=${OUT:-output/baselines-fold$FOLD}
SEED=${SEED:-0}
# Both train at once, a core each.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} PYTHONPATH=$ROOT${PYTHONPATH:+:$PYTHONPATH}
# As exports choose it. Scores need the same folder, because they find an image by its path in it.
IMAGE_FOLDER=${IMAGE_FOLDER:-$(python -c 'import pathlib, sys
from converters.export import images_folder
print(images_folder(pathlib.Path(sys.argv[1])))' "$FAKEXPLAINED")}

options=(--images "$IMAGE_FOLDER" --seed "$SEED" ${EPOCHS:+--epochs "$EPOCHS"} ${SIDE:+--side "$SIDE"})
open_run "FAKEXPLAINED=$FAKEXPLAINED FOLD=$FOLD SEED=$SEED EPOCHS=${EPOCHS:-} SIDE=${SIDE:-} IMAGE_FOLDER=$IMAGE_FOLDER"

# --- what each kind of baseline learns from: boxes as masks, or labels alone; both answer the images of the test masks
export=(fakexplain export "$FAKEXPLAINED" --images "$IMAGE_FOLDER" --force)
begin masks-train "${export[@]}" --to masks --subset "$TRAIN" --out "$OUT/masks/train"
begin masks-test "${export[@]}" --to masks --subset "$TEST" --out "$OUT/masks/test"
begin folders-train "${export[@]}" --to folders --subset "$TRAIN" --out "$OUT/folders/train"
finish

# --- train, and answer the held-out fold
begin segmentation python -m examples.baseline_segmentation "${options[@]}" \
  --train "$OUT/masks/train" --test "$OUT/masks/test" --out "$OUT/segformer"
begin classification python -m examples.baseline_classification "${options[@]}" \
  --train "$OUT/folders/train" --test "$OUT/masks/test" --out "$OUT/cnn.csv"
finish

# --- scores, again in each run because the systems beside them may be others, and a report
[[ -n ${DRY_RUN:-} ]] || rm -rf "$OUT/logs/score.done" "$OUT/logs/report.done" "$OUT/report"
stage score fakexplain score "SegFormer=$OUT/segformer/masks" "SegFormer=$OUT/segformer/labels.csv" \
  "CNN=$OUT/cnn.csv" --annotations "$FAKEXPLAINED" --subset "$TEST" --images "$IMAGE_FOLDER" \
  --out "$OUT/run" --force "$@"
stage report fakexplain report "$OUT/run" --title "Trained baselines" --out "$OUT/report" --force

[[ -z ${DRY_RUN:-} ]] || exit 0
echo
cat "$OUT/logs/score.log"
echo
echo "Report: $OUT/report/report.html"
