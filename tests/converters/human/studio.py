"""A real Label Studio on this machine, and the calls of its API that the human steps need.

FX_LABEL_STUDIO_PYTHON names the Python that has it: `uv venv ENV && uv pip install --python ENV label-studio`.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

PYTHON = os.environ.get("FX_LABEL_STUDIO_PYTHON", "")
MISSING = "FX_LABEL_STUDIO_PYTHON names no Python with Label Studio (pip install label-studio)"
START = "from label_studio.server import main; main()"
TOKEN = "0123456789abcdef0123456789abcdef01234567"  # of the user that exists on this machine alone, while a test runs
SECONDS = 600  # the first start makes the data base


class Studio:
    """Calls of the API, as the user who started the server."""

    def __init__(self, url: str):
        self.http = httpx.Client(base_url=url, headers={"Authorization": f"Token {TOKEN}"}, timeout=60)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The JSON of an answer; an error is raised with what the server said."""
        answer = self.http.request(method, path, **options)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
        return answer.json() if answer.content else None

    def create_project(self, title: str, page: str, images: Path) -> int:
        """A project with a labelling page, which may serve a folder of images."""
        project = self.call("POST", "/api/projects", json={"title": title, "label_config": page})["id"]
        storage = {"project": project, "path": str(images), "use_blob_urls": True, "title": "images"}
        self.call("POST", "/api/storages/localfiles", json=storage)
        return int(project)

    def import_tasks(self, project: int, tasks: list[dict[str, Any]]) -> None:
        """Import tasks, with their predictions."""
        self.call("POST", f"/api/projects/{project}/import", json=tasks)

    def tasks(self, project: int) -> list[dict[str, Any]]:
        """The tasks in the order in which annotators get them."""
        listed = self.call("GET", "/api/tasks", params={"project": project, "page_size": 1000, "fields": "all"})
        return list(listed["tasks"])

    def annotate(self, task: int, results: list[dict[str, Any]], **fields: Any) -> None:
        """Submit an annotation."""
        self.call("POST", f"/api/tasks/{task}/annotations", json={"result": results, "lead_time": 3.0, **fields})

    def export(self, project: int, out: Path) -> Path:
        """Write the export as JSON."""
        options = {"exportType": "JSON", "download_all_tasks": "true"}
        answer = self.http.get(f"/api/projects/{project}/export", params=options)
        assert answer.status_code == 200, answer.text[:2000]
        out.write_bytes(answer.content)
        return out


@contextmanager
def running_studio(folder: Path, root: Path) -> Iterator[Studio]:
    """Start Label Studio, and stop it at the end.

    Args:
        folder: for its data base and its log.
        root: the folder that it serves files from.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder / "data"),
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(root),
        "COLLECT_ANALYTICS": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "HOME": str(folder),
    }
    (folder / "data").mkdir(parents=True, exist_ok=True)
    user = ["--username", "team@example.org", "--password", TOKEN, "--user-token", TOKEN, "--enable-legacy-api-token"]
    place = ["--no-browser", "--internal-host", "127.0.0.1", "--port", str(port), "--data-dir", str(folder / "data")]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | settings
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen(
            [PYTHON, "-c", START, "start", *place, *user], env=environment, cwd=folder, stdout=log, stderr=log
        )
        try:
            studio = Studio(f"http://127.0.0.1:{port}")
            _wait(server, studio, folder / "log")
            yield studio
        finally:
            server.terminate()
            server.wait(30)


def _wait(server: subprocess.Popen[bytes], studio: Studio, log: Path) -> None:
    """Wait until the server answers."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            if studio.http.get("/api/version").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    raise AssertionError(f"Label Studio did not start:\n{log.read_text(errors='replace')[-4000:]}")
