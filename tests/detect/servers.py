"""Servers on loopback that misbehave, each in its own way; and one that answers, to break in between."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REAL = "<think>\nNo visible flaw.\n</think>\n<tag>none</tag>\n<verdict>real</verdict>"


class Handler(BaseHTTPRequestHandler):
    """Lists one model, and leaves the rest to `answer`."""

    protocol_version = "HTTP/1.1"
    answer: Callable[[Handler], None]
    requests: list[dict]

    def do_GET(self) -> None:
        self.send_json({"data": [{"id": "toy"}]})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.requests.append(json.loads(body) | {"headers": dict(self.headers)})
        type(self).answer(self)

    def send_json(self, value: object, status: int = 200) -> None:
        self.send_text(json.dumps(value).encode(), "application/json", status)

    def send_text(self, text: bytes, kind: str = "text/html", status: int = 200, **headers: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(text)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


def chat(text: object = REAL, logprobs: object = None) -> dict:
    """A chat completion."""
    return {"choices": [{"message": {"role": "assistant", "content": text}, "logprobs": logprobs}]}


@contextmanager
def serve(answer: Callable[[Handler], None], port: int = 0, **methods: object) -> Iterator[tuple[str, list[dict]]]:
    """Run a server; yield its address, and the list that its requests are added to."""
    requests: list[dict] = []
    handler = type("Server", (Handler,), {"answer": answer, "requests": requests, **methods})
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        server.daemon_threads = True
        server.handle_error = lambda *_: None  # clients may go away
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1", requests
        finally:
            server.shutdown()
            thread.join()


def drip(handler: Handler) -> None:
    """Send a byte now and then, without an end."""
    handler.send_response(200)
    handler.send_header("content-length", "1000000")
    handler.end_headers()
    while True:
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.02)


def drip_headers(handler: Handler) -> None:
    """The same before the body."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(10_000):
        handler.wfile.write(b"x-%d: y\r\n" % number)
        handler.wfile.flush()
        time.sleep(0.02)


def endless(handler: Handler) -> None:
    """Send more than anyone wants to read."""
    handler.send_response(200)
    handler.send_header("content-length", str(2**40))
    handler.end_headers()
    while True:
        handler.wfile.write(b" " * 2**20)


def hang_up(handler: Handler) -> None:
    """End the connection in the middle of an answer."""
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"choices"')
    handler.wfile.flush()
    handler.close_connection = True
