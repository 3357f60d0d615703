"""Servers that misbehave: each ends in one clear error within its time; and what a server is asked."""

import base64
import io
import json
import socket
import threading
import time
from collections.abc import Callable

import pytest
from PIL import Image

from swift_plugins.fakexplain.completions import Completion
from swift_plugins.fakexplain.detect.server import ServerEngine, ServerError, parse_url
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.prompts import QUESTION
from tests.detect.servers import REAL, chat, drip, drip_headers, endless, hang_up, serve

PICTURE = Image.effect_noise((56, 28), 50).convert("RGB")


def ask(url: str, count: int = 1, **options) -> list[Completion | DataError]:
    engine = ServerEngine(url, "Inspect.", **{"timeout": 5.0, "start_seconds": 0.0, **options})
    try:
        return engine.answer([PICTURE] * count)
    finally:
        engine.close()


def sends(text: bytes, **options) -> Callable:
    return lambda handler: handler.send_text(text, **options)


@pytest.mark.parametrize(
    "answer, message",
    [
        (sends(b"<html>It works!</html>"), "expected JSON, found <html>It works!</html>"),
        (sends(b"[" * 100_000), "expected JSON, found [[["),
        (sends(b"\xff\x00"), "expected JSON"),
        (sends(b'{"error": "gone"}'), 'expected a chat completion, found {"error": "gone"}'),
        (sends(b'{"choices": []}'), "expected a chat completion"),
        (sends(b'{"choices": [{"message": {"content": 7}}]}'), "expected a chat completion"),
        (sends(b"no key", status=401), "expected status 200, found 401 (--api-key): no key"),
        (sends(b"no such", status=404), "found 404 (the address usually ends in /v1"),
        (sends(b"busy", status=503), "found 503: busy"),
        (sends(b"", status=302, location="http://example.invalid/"), "expected status 200, found 302"),
        (sends(b"max_tokens is too large", status=400), "takes no image: status 400: max_tokens is too large"),
        (drip, "expected an answer, found none within 1 s (--timeout)"),
        (drip_headers, "expected an answer, found none within 1 s (--timeout)"),
        (lambda handler: time.sleep(3), "expected an answer, found none within 1 s (--timeout)"),
        (endless, "expected an answer of at most 10 MiB, found more"),
        (hang_up, "the connection broke"),
        (lambda handler: handler.connection.shutdown(socket.SHUT_RDWR), "the connection broke"),
    ],
)
def test_one_error_in_time(answer, message):
    start = time.monotonic()
    with serve(answer) as (url, _), pytest.raises(ServerError) as caught:
        ask(url, timeout=1.0)
    assert message in str(caught.value)
    assert str(caught.value).startswith("http://127.0.0.1:")
    assert time.monotonic() - start < 10


def test_an_image_that_is_refused_is_one_error_among_answers():
    def answer(handler):
        handler.send_json(chat()) if len(handler.requests) != 2 else handler.send_text(b"too long", status=400)

    with serve(answer) as (url, _):
        engine = ServerEngine(url, "Inspect.", start_seconds=0.0)
        found = [engine.answer([PICTURE])[0] for _ in range(3)]
        engine.close()
    assert [type(each) for each in found] == [Completion, DataError, Completion]
    assert "found status 400: too long" in str(found[1])


def test_the_image_is_sent_without_loss_with_the_prompts_and_the_key():
    with serve(lambda handler: handler.send_json(chat())) as (url, requests):
        (completion,) = ask(url, api_key="sk-1", max_tokens=7)
    assert completion.text == REAL
    (request,) = requests
    system, user = request["messages"]
    assert system == {"role": "system", "content": "Inspect."}
    image, text = user["content"]
    assert text == {"type": "text", "text": QUESTION}
    kind, _, data = image["image_url"]["url"].partition(",")
    assert kind == "data:image/png;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).tobytes() == PICTURE.tobytes()
    assert (request["model"], request["temperature"], request["max_tokens"]) == ("toy", 0, 7)
    assert (request["logprobs"], request["top_logprobs"]) == (True, 20)
    assert request["headers"]["authorization"] == "Bearer sk-1"


def test_a_batch_is_asked_at_once_and_answered_in_order():
    together = threading.Barrier(3)

    def answer(handler):
        together.wait(5)
        handler.send_json(chat(f"{len(handler.requests)}"))

    with serve(answer) as (url, requests):
        assert len(ask(url, count=3)) == 3
    assert len(requests) == 3


def test_no_proxy_is_asked(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with serve(lambda handler: handler.send_json(chat())) as (url, _):
        assert isinstance(ask(url)[0], Completion)


@pytest.mark.parametrize("content", [None, ""])
def test_an_empty_answer_is_an_answer(content):
    with serve(lambda handler: handler.send_json(chat(content))) as (url, _):
        assert ask(url)[0].text == ""


def test_half_a_character_becomes_a_question_mark():
    with serve(lambda handler: handler.send_text(json.dumps(chat("a\ud800")).encode())) as (url, _):
        assert ask(url)[0].text == "a?"


@pytest.mark.parametrize(
    "models, message",
    [
        ({"data": []}, "expected one model (--served-model chooses), found none"),
        ({"data": [{"id": "a"}, {"id": "b"}]}, "expected one model (--served-model chooses), found a, b"),
        ({"models": ["a"]}, "expected a list of models"),
        ([], "expected a list of models"),
    ],
)
def test_the_served_model(models, message):
    listing = {"do_GET": lambda handler: handler.send_json(models)}
    with serve(lambda handler: handler.send_json(chat()), **listing) as (url, _):
        with pytest.raises(ServerError, match="model") as caught:
            ask(url)
        assert message in str(caught.value)
        assert isinstance(ask(url, model="b")[0], Completion)


@pytest.mark.parametrize(
    "listing, message",
    [
        (sends(b"<html>It works!</html>"), "expected JSON, found <html>It works!</html>"),
        (lambda handler: time.sleep(3), "expected an answer, found none within 1 s (--timeout)"),
        (drip, "expected an answer, found none within 1 s (--timeout)"),
        (endless, "expected an answer of at most 10 MiB, found more"),
        (sends(b"no key", status=401), "found 401 (--api-key): no key"),
    ],
)
def test_a_server_that_misbehaves_from_the_start(listing, message):
    start = time.monotonic()
    with serve(lambda handler: None, do_GET=listing) as (url, _), pytest.raises(ServerError) as caught:
        ask(url, timeout=1.0)
    assert message in str(caught.value)
    assert time.monotonic() - start < 10


def test_no_server():
    with serve(lambda handler: None) as (url, _):
        pass
    with pytest.raises(ServerError, match="expected a server, found none"):
        ask(url)


def test_a_server_that_is_just_starting_is_waited_for():
    with serve(lambda handler: None) as (url, _):
        pass
    port = int(url.split(":")[2].removesuffix("/v1"))

    def later():
        from http.server import ThreadingHTTPServer

        from tests.detect.servers import Handler

        time.sleep(0.3)
        kind = type("Late", (Handler,), {"answer": lambda handler: handler.send_json(chat()), "requests": []})
        with ThreadingHTTPServer(("127.0.0.1", port), kind) as server:
            server.timeout = 3
            server.handle_request()
            server.handle_request()

    thread = threading.Thread(target=later, daemon=True)
    thread.start()
    assert ask(url, start_seconds=5.0)[0].text == REAL
    thread.join()


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://h/v1", "http://", "http://h:x/v1", "http://h/v1?a=b", ""])
def test_addresses_that_are_none(url):
    with pytest.raises(ValueError, match=r"expected an address|Port"):
        parse_url(url)
