"""The page of `fakexplain app`, made of Gradio's components. `open_page` serves it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from ...annotation import Annotation
from ...errors import DataError
from ...images import open_image
from ...jsonl import to_json
from ...percentages import percent
from ...pictures.lettering import Pen
from ...pictures.overlay import scale_picture
from ..detection import to_line
from ..engine import Engine
from ..inputs import Input
from ..model_image import load_model_image, to_model_rgb
from ..pictures import PICTURE_SIDE, draw_detection, draw_on_image
from ..run import Examination
from .card import render_card, sorry
from .examining import Examined, examine
from .guard import Guard

TITLE = "Real or AI-generated?"
KEPT_SECONDS = 3600
"""How long an upload is kept at most."""

MEANING = """\
The model looks for flaws that people can see. **Fake** means that the image looks AI-generated to it, **real** that it
does not: an image without visible flaws can still be AI-generated. It can be wrong, above all on images unlike those it
was trained on, such as medical, industrial or artistic ones. **Unsure** means that nothing is decided. An answer is a
hint, not proof: never let it alone decide to remove an image or to accuse someone.
"""


@dataclass(frozen=True)
class Served:
    """What answers on the page.

    Attributes:
        name: of the model, for visitors.
        engine: answers images.
        how: how images are prepared, and answers read.
        batch_size: images that are answered at a time.
        examples: records of images that a visitor can click.
    """

    name: str
    engine: Engine
    how: Examination
    batch_size: int = 8
    examples: Sequence[Annotation] = ()

    def truth(self, path: Path) -> str | None:
        """The label of an example's image."""
        return next((record.label for record in self.examples if record.path == path), None)


@contextmanager
def open_page(served: Served, host: str, port: int, max_upload_mb: int) -> Iterator[str]:
    """Serve the page in a thread; yield its address. All uploads are gone at the end.

    Only files that a visitor uploaded, or that the page made of them, can be fetched. Nothing is sent elsewhere.

    Args:
        served: what answers.
        host: address to listen on.
        port: port to listen on.
        max_upload_mb: largest file that can be uploaded, in MB.
    """
    with TemporaryDirectory(prefix="fakexplain-app-") as folder:
        os.environ.update(GRADIO_TEMP_DIR=folder, GRADIO_EXAMPLES_CACHE=folder, GRADIO_ANALYTICS_ENABLED="False")
        os.environ.pop("GRADIO_ALLOWED_PATHS", None)
        page = _build(served, Path(folder))
        hosts = frozenset({"127.0.0.1", "localhost", "::1"})
        font = ["system-ui", "sans-serif"]
        _, url, _ = page.queue(max_size=32).launch(
            server_name=host,
            server_port=port,
            prevent_thread_lock=True,
            quiet=True,
            inbrowser=False,
            share=False,
            footer_links=[],
            run_history=False,
            enable_monitoring=False,
            ssr_mode=False,
            mcp_server=False,
            pwa=False,
            max_file_size=max_upload_mb * 2**20,
            theme=gr.themes.Default(font=font, font_mono=["ui-monospace", "monospace"]),
            css_paths=Path(__file__).with_name("page.css"),
            app_kwargs={"middleware": [Middleware(Guard, hosts=hosts if host in hosts else None)]},
        )
        try:
            yield url
        finally:
            page.close(verbose=False)


def _build(served: Served, folder: Path) -> Any:
    """The components, and which event changes which of them."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(60, KEPT_SECONDS)) as page:
        gr.Markdown(f"# {TITLE}\n{MEANING}{_limits(served)}")
        drop = gr.File(label="One image or several", file_count="multiple", file_types=["image"], height=170)
        examples = gr.Gallery(
            [_thumbnail(record) for record in served.examples],
            label="Or click an example",
            columns=12,
            allow_preview=False,
            buttons=[],
            object_fit="cover",
            elem_id="fx-examples",
            visible=bool(served.examples),
        )
        found = gr.State([])
        table = gr.Dataframe(
            headers=["no.", "image", "verdict", "P(fake)"],
            datatype="str",
            interactive=False,
            column_widths=["13%", "36%", "26%", "25%"],
            wrap=True,
            buttons=[],
            label="All answers; click a row to open it",
            elem_id="fx-table",
            visible=False,
        )
        card = gr.HTML("", js_on_load=None, elem_id="fx-answer")
        with gr.Row():
            line, picture, lines = (
                gr.DownloadButton(label, visible=False, size="sm")
                for label in ("This answer (JSON)", "This picture (PNG)", "All answers (JSON lines)")
            )
        events = _Events(served, folder)
        shown = [card, line, picture]
        private: dict[str, Any] = {"api_visibility": "private"}
        queued = {"concurrency_id": "model", "concurrency_limit": 1, "show_progress_on": card, **private}
        drop.upload(events.upload, drop, [found, table, *shown, lines, drop], scroll_to_output=True, **queued)
        examples.select(events.click_example, None, [found, table, *shown, lines], scroll_to_output=True, **queued)
        table.select(events.open_row, found, shown, show_progress="hidden", **private)
    return page


class _Events:
    """What happens when a visitor drops or clicks something; each method returns the values of its outputs."""

    def __init__(self, served: Served, folder: Path):
        self._served, self._folder = served, folder

    def upload(self, paths: list[str], progress: Any = gr.Progress()) -> list[Any]:  # noqa: B008
        """Answer uploads, and empty the place where they were dropped."""
        return [*self._answer([Input(Path(path).name, Path(path)) for path in paths], progress), None]

    def click_example(self, chosen: gr.SelectData, progress: Any = gr.Progress()) -> list[Any]:  # noqa: B008
        """Answer an example."""
        record = self._served.examples[chosen.index]
        return self._answer([Input(record.id, record.path)], progress)

    def open_row(self, found: list[Examined], chosen: gr.SelectData) -> list[Any]:
        """Open an image of the table, whatever the table is sorted by."""
        return self._open(found[int(chosen.row_value[0]) - 1])

    def _answer(self, items: list[Input], progress: Any) -> list[Any]:
        served, several = self._served, len(items) > 1
        found = examine(
            items, served.engine, served.how, served.batch_size, lambda *done: progress(done, unit="images")
        )
        rows = [[str(number), *_row(each)] for number, each in enumerate(found, 1)]
        lines = _write_lines(found, self._folder, "detections.jsonl") if several else None
        table = gr.Dataframe(rows, visible=several)
        return [found, table, *self._open(found[0]), gr.DownloadButton(value=lines, visible=several)]

    def _open(self, result: Examined) -> list[Any]:
        card, *files = _show(result, self._served, self._folder)
        return [card, *(gr.DownloadButton(value=file, visible=file is not None) for file in files)]


def _limits(served: Served) -> str:
    """What decides, in a sentence."""
    point = served.how.operating_point
    words = f"\nThe model is `{served.name}`."
    if point is None:
        return words
    return (
        f"{words} An image is called fake only if P(fake) is above {percent(point.threshold)}. With 95 % confidence, "
        f"at most {percent(point.bound)} of real images like the {point.n_real} on which this was measured exceed it."
    )


def _thumbnail(record: Annotation) -> Any:
    with open_image(record.path, record.image) as image:
        return scale_picture(to_model_rgb(image), 240)


def _row(result: Examined) -> list[str]:
    detection = result.detection
    if detection is None:
        return [result.name, "no answer", ""]
    return [result.name, detection.verdict, percent(detection.p_fake)]


def _show(result: Examined, served: Served, folder: Path) -> tuple[str, str | None, str | None]:
    """The HTML of one image, and the files of its downloads."""
    detection, how = result.detection, served.how
    if detection is None:
        return sorry(f"{result.name}: {result.error}"), None, None
    try:
        shown = load_model_image(result.path, how.rule, how.max_pixels, PICTURE_SIDE).shown
    except DataError:
        return sorry(f"{result.name}: uploads are kept for an hour; please upload it again"), None, None
    card = render_card(result.name, detection, shown, how.operating_point, served.truth(result.path))
    picture, pen = Path(mkdtemp(dir=folder)) / "answer.png", Pen(PICTURE_SIDE)
    draw_detection(detection, draw_on_image(detection, shown, pen), pen).save(picture, compress_level=1)
    return card, _write_lines([result], folder, "answer.json"), str(picture)


def _write_lines(results: list[Examined], folder: Path, name: str) -> str:
    """Write a file of lines as in detections.jsonl; the folders of this machine are not in it."""
    path = Path(mkdtemp(dir=folder)) / name
    found = [each.detection for each in results if each.detection]
    path.write_bytes(b"".join(to_json(to_line(each, each.path.parent)) + b"\n" for each in found))
    return str(path)
