"""Any number of images is examined in the same memory, each once."""

import gc
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from PIL import Image

from swift_plugins.fakexplain.completions import Completion
from swift_plugins.fakexplain.detect.inputs import Input
from swift_plugins.fakexplain.detect.output import open_output
from swift_plugins.fakexplain.detect.run import Examination, detect_all
from swift_plugins.fakexplain.errors import raise_error
from swift_plugins.fakexplain.frames import frame_rule
from tests.detect.servers import REAL

HOW = Examination(frame_rule("fx_qwen2_5_vl", env={}))


class Echo:
    """An engine that takes every image for real."""

    def __init__(self) -> None:
        self.count = 0

    def answer(self, images, temperature=0.0):
        self.count += len(images)
        return [Completion(REAL, None, 0.01) for _ in images]

    def close(self) -> None:
        pass


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_images(tmp_path: Path):
    """The pixels of all images would be 145 MB."""
    Image.new("RGB", (400, 400)).save(tmp_path / "a.jpg")
    inputs = [Input(f"{number}", tmp_path / "a.jpg") for number in range(300)]
    engine, process, used = Echo(), psutil.Process(), []

    def watched() -> Iterator[Input]:
        for number, item in enumerate(inputs):
            if number % 25 == 0:
                gc.collect()
                used.append(process.memory_info().rss / 2**20)
            yield item

    with open_output(tmp_path / "out", {}, pictures=False) as output:
        for batch in detect_all(watched(), lambda: engine, HOW, batch_size=16, on_error=raise_error):
            output.save(batch)
        assert output.journal.count == engine.count == 300
    assert used[-1] - used[1] < 40, used
    with open_output(tmp_path / "out", {}, pictures=False) as output:
        again = detect_all(inputs, lambda: engine, HOW, is_done=output.is_done, on_error=raise_error)
        assert (list(again), output.journal.resumed, engine.count) == ([], 300, 300)
