"""What a web page of one machine must not do: fetch from elsewhere, or answer for another name."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; object-src 'none'; base-uri 'self'"
"""Content-Security-Policy: whatever a text smuggles into the page, the browser asks no other server."""

_FETCHES = re.compile(r"/gradio_api/(?:file|proxy)=[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_ADDRESS = re.compile(r"\s*[a-z][a-z0-9+.-]*://", re.IGNORECASE)
LARGEST_CALL = 8 * 2**20
"""Bytes of a call; it names uploaded files and does not hold them."""
_PLAIN = [(b"content-type", b"text/plain; charset=utf-8")]

Message = MutableMapping[str, Any]


class Guard:
    """ASGI middleware: adds `POLICY`, and refuses requests that would have Gradio fetch an address for the visitor.

    Args:
        app: the application inside.
        hosts: names that requests may ask for, without port; None takes any. Only for a page on loopback: a web site
            whose name resolves to 127.0.0.1 could otherwise read it.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], hosts: frozenset[str] | None = None):
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Message, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _FETCHES.match(scope["path"]) or not self._is_ours(
            dict(scope["headers"]).get(b"host", b"").decode("latin1")
        ):
            await _refuse(send, 403)
            return
        if scope.get("method") == "POST" and not scope["path"].endswith("/upload"):
            body = await _read(receive)
            if body is None or names_an_address(body):
                await _refuse(send, 413 if body is None else 403)
                return
            receive = _replay(body, receive)

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                policy = (b"content-security-policy", POLICY.encode())
                message["headers"] = [*message.get("headers", ()), policy]
            await send(message)

        await self._app(scope, receive, send_with_policy)

    def _is_ours(self, host: str) -> bool:
        return self._hosts is None or re.sub(r":\d*$", "", host).strip("[]").lower() in self._hosts


def names_an_address(body: bytes) -> bool:
    """Whether a call has a file whose path is an address; Gradio would fetch it.

    >>> names_an_address(b'{"data": [{"path": "https://example.org/x.png"}]}')
    True
    >>> names_an_address(b'{"data": [{"path": "/tmp/x.png", "url": "http://127.0.0.1:7860/x.png"}]}')
    False
    """
    try:
        values = [json.loads(body)]
    except RecursionError:
        return True
    except ValueError:
        return False  # Gradio answers that itself
    while values:
        value = values.pop()
        if isinstance(value, dict):
            path = value.get("path")
            if isinstance(path, str) and _ADDRESS.match(path):
                return True
            values.extend(value.values())
        elif isinstance(value, list):
            values.extend(value)
    return False


async def _read(receive: Callable[..., Any]) -> bytes | None:
    """The body of a request; None if it is larger than `LARGEST_CALL`."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > LARGEST_CALL:
            return None
    return body


def _replay(body: bytes, receive: Callable[..., Any]) -> Callable[..., Any]:
    """What gives a body that was read once more, and then what follows it."""
    given = False

    async def again() -> Any:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _refuse(send: Callable[..., Any], status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": _PLAIN})
    await send({"type": "http.response.body", "body": b"not allowed"})
