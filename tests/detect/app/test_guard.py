"""The middleware before the page: which requests reach it, and the policy of each response."""

from __future__ import annotations

import asyncio

import pytest

from swift_plugins.fakexplain.detect.app.guard import POLICY, Guard

HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


async def page(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": b"page"})


def get(path: str, host: str = "127.0.0.1:7860", hosts: frozenset[str] | None = HOSTS) -> tuple[int, dict]:
    sent = []

    async def send(message):
        sent.append(message)

    async def ask() -> None:
        scope = {"type": "http", "path": path, "headers": [(b"host", host.encode())]}
        await Guard(page, hosts)(scope, None, send)

    asyncio.run(ask())
    return sent[0]["status"], dict(sent[0]["headers"])


@pytest.mark.parametrize("scheme", ["http://", "https://", "HTTP://", "file:///", "ftp://"])
@pytest.mark.parametrize("route", ["file", "proxy"])
def test_nothing_is_fetched_for_a_visitor(route, scheme):
    assert get(f"/gradio_api/{route}={scheme}example.org/x.png")[0] == 403
    assert get("/gradio_api/file=/tmp/fakexplain-app-1/x.png")[0] == 200


@pytest.mark.parametrize(
    "host, status",
    [
        ("127.0.0.1:7860", 200),
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("[::1]:7860", 200),
        ("rebound.example:7860", 403),
        ("127.0.0.1.example", 403),
        ("", 403),
    ],
)
def test_a_page_on_loopback_answers_to_its_own_names_only(host, status):
    assert get("/", host)[0] == status
    assert get("/", host, hosts=None)[0] == 200


def test_responses_forbid_other_servers():
    assert get("/")[1] == {b"content-type": b"text/html", b"content-security-policy": POLICY.encode()}
    assert "http" not in POLICY and "*" not in POLICY
