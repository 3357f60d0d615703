"""What a web page of one machine must not do: fetch from elsewhere, or answer for another name."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; object-src 'none'; base-uri 'self'"
"""Content-Security-Policy: whatever a text smuggles into the page, the browser asks no other server."""

_FETCHES = re.compile(r"/gradio_api/(?:file|proxy)=[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_FORBIDDEN = {
    "type": "http.response.start",
    "status": 403,
    "headers": [(b"content-type", b"text/plain; charset=utf-8")],
}

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
            await send(_FORBIDDEN)
            await send({"type": "http.response.body", "body": b"not allowed"})
            return

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                policy = (b"content-security-policy", POLICY.encode())
                message["headers"] = [*message.get("headers", ()), policy]
            await send(message)

        await self._app(scope, receive, send_with_policy)

    def _is_ours(self, host: str) -> bool:
        return self._hosts is None or re.sub(r":\d*$", "", host).strip("[]").lower() in self._hosts
