"""Print the best located answer of a run: the record's id on the first line, then the text of the answer.

python -m examples.best_answer output/quickstart/run output/quickstart/grpo.jsonl --system +GRPO
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from swift_plugins.fakexplain.annotation import Annotation, read_annotations
from swift_plugins.fakexplain.scoring.predictions.answers import read_predictions
from swift_plugins.fakexplain.scoring.predictions.join import join


def best_record(run: Path, system: str) -> Annotation:
    """The record with the highest IoU among correct verdicts on fakes; then the one with most regions, then the first.

    Args:
        run: folder that `fakexplain score --out` wrote.
        system: name of the system in that run.

    Raises:
        ValueError: no record has an answer of the system.
    """

    def merit(record: Annotation) -> tuple[bool, float, int]:
        answer = record.extra["answers"][system]
        found = record.label == answer["verdict"] == "fake" and bool(record.regions)
        return found, answer["iou"] or 0.0, len(record.regions)

    records = [
        record for record in read_annotations(run / "images.jsonl") if record.extra["answers"].get(system) is not None
    ]
    if not records:
        raise ValueError(f"{run}: expected answers of {system}, found none")
    return max(records, key=merit)


def main() -> None:
    """Parse the command line and print the answer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder that `fakexplain score --out` wrote")
    parser.add_argument("predictions", type=Path, help="JSON lines that `swift infer` wrote for the system")
    parser.add_argument("--system", required=True, help="name of the system in the run")
    args = parser.parse_args()
    try:
        best = best_record(args.run, args.system)
        pairs = join(read_annotations(args.run / "images.jsonl"), read_predictions(args.predictions))
        text = next(text for record, text in pairs if record.id == best.id)
    except ValueError as error:
        sys.exit(str(error))
    print(best.id)
    print(text)


if __name__ == "__main__":
    main()
