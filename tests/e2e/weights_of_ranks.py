"""A plugin for tests alone: a callback that notes, on every rank, the weights a step's rewards were scored with."""

import json
import os
from pathlib import Path

from swift.callbacks import TrainerCallback, callbacks_map


class WeightsOfRanks(TrainerCallback):
    def on_step_end(self, args, state, control, **kwargs):
        line = {"step": state.global_step - 1, "weights": self.trainer.reward_weights.tolist()}
        with open(Path(args.output_dir) / f"weights-rank{os.environ.get('RANK', '0')}.jsonl", "a") as file:
            file.write(json.dumps(line) + "\n")


callbacks_map["weights_of_ranks"] = WeightsOfRanks
