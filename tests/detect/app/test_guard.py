"""The middleware before the page: which requests reach it, and the policy of each response."""

from __future__ import annotations

import asyncio

import pytest

from swift_plugins.fakexplain.detect.app.guard import LARGEST_CALL, POLICY, Guard

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


def post(*chunks: bytes, path: str = "/gradio_api/queue/join") -> tuple[int, bytes]:
    """Status of a call, and the body that reaches the page."""
    sent, reached = [], []
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    async def inner(scope, receive, send):
        more = True
        while more:
            message = await receive()
            reached.append(message["body"])
            more = message["more_body"]
        await page(scope, receive, send)

    async def ask() -> None:
        scope = {"type": "http", "method": "POST", "path": path, "headers": [(b"host", b"localhost")]}
        await Guard(inner, HOSTS)(scope, receive, send)

    asyncio.run(ask())
    return sent[0]["status"], b"".join(reached)


FILE = '{"data": [[{"path": "%s", "url": "http://127.0.0.1:7860/x.png", "meta": {"_type": "gradio.FileData"}}]]}'


@pytest.mark.parametrize(
    "path", ["http://example.org/x.png", "https://example.org", "HTTPS://x", " http://x", "\\u0068ttp://x", "ftp://x/y"]
)
def test_a_call_with_an_address_for_a_file_is_refused(path):
    body = (FILE % path).encode()
    assert post(body[:30], body[30:]) == (403, b"")
    assert post(body, path="/gradio_api/run/predict") == (403, b"")


def test_other_calls_reach_the_page_whole():
    body = (FILE % "/tmp/gradio/x.png").encode()
    for chunks in ([body], [body[:9], body[9:]], [b"no JSON"], [b""], [b'{"path": 7}']):
        assert post(*chunks) == (200, b"".join(chunks))
    assert post(b"x" * (LARGEST_CALL + 1), path="/gradio_api/upload")[0] == 200


def test_a_call_without_end_or_too_deep_is_refused():
    assert post(b"[" * LARGEST_CALL, b"[")[0] == 413
    assert post(b"[" * 200_000)[0] == 403


def test_responses_forbid_other_servers():
    assert get("/")[1] == {b"content-type": b"text/html", b"content-security-policy": POLICY.encode()}
    assert "http" not in POLICY and "*" not in POLICY
