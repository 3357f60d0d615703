"""A model behind any OpenAI-compatible server: `swift deploy`, vLLM.

The server gets the image as PNG, in the size that the frame gives it, and the system prompt, which a served model does
not know. Every request ends within its time limit, whatever the server does. Only the server that the user names is
asked: no proxy, no redirect.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

from ..completions import Completion
from ..errors import DataError, Unquoted
from ..prompts import QUESTION
from .engine import TOP_LOGPROBS

LARGEST_RESPONSE = 10 * 2**20
START_SECONDS = 10.0
"""How long a server that refuses connections is waited for, at the start only."""


class ServerError(ValueError):
    """The server gives no answers; the message begins with its address."""


class _Refused(Exception):
    """The server answered with a status that concerns one request."""


def parse_url(url: str) -> str:
    """Check the address of a server.

    Raises:
        ValueError: not http or https, or no host.

    >>> parse_url("http://localhost:8000/v1/")
    'http://localhost:8000/v1'
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"expected an address such as http://localhost:8000/v1, found {url!r}")
    _ = parts.port  # raises for a port that is no number
    return url.rstrip("/")


class ServerEngine:
    """Sends each image of a batch in a request of its own, all at once.

    Args:
        url: base address, as `parse_url` returns it.
        system: system prompt.
        model: name of the served model; None asks the server, which must then serve one model only.
        api_key: sent as a bearer token.
        max_tokens: longest answer.
        timeout: seconds that a request may take.

    Attributes:
        model: name of the served model.

    Raises:
        ServerError: no server at the address, or not one model.
    """

    def __init__(
        self,
        url: str,
        system: str,
        *,
        model: str | None = None,
        api_key: str | None = None,
        max_tokens: int = 1024,
        timeout: float = 300.0,
        start_seconds: float = START_SECONDS,
    ):
        self._url, self._system, self._max_tokens, self._timeout = url, system, max_tokens, timeout
        headers = {"accept-encoding": "identity"} | ({"authorization": f"Bearer {api_key}"} if api_key else {})
        self._loop = asyncio.new_event_loop()
        self._client = httpx.AsyncClient(
            headers=headers, trust_env=False, timeout=timeout, limits=httpx.Limits(max_connections=None)
        )
        self._answered = False
        try:
            self.model = model or self._served_model(start_seconds)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close all connections, and end what an interrupt left running."""
        if self._loop.is_closed():
            return
        for task in (left := asyncio.all_tasks(self._loop)):
            task.cancel()
        if left:
            self._loop.run_until_complete(asyncio.wait(left))
        self._loop.run_until_complete(self._client.aclose())
        self._loop.close()

    def answer(self, images: Sequence[Any], temperature: float = 0.0) -> list[Completion | DataError]:
        """Answer images; see `Engine`."""
        return self._loop.run_until_complete(self._answer_all(images, temperature))

    async def _answer_all(self, images: Sequence[Any], temperature: float) -> list[Completion | DataError]:
        tasks = [asyncio.ensure_future(self._answer(image, temperature)) for image in images]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for task in tasks:
                task.cancel()  # has no effect on those that are done
            results = await asyncio.gather(*tasks, return_exceptions=True)
        failed = next((each for each in results if isinstance(each, ServerError)), None)
        good = [each for each in results if isinstance(each, (Completion, DataError))]
        if failed or len(good) < len(results):
            raise failed or next(each for each in results if isinstance(each, BaseException))
        if not self._answered and all(isinstance(each, DataError) for each in good):
            raise ServerError(f"{self._url}: the server takes no image: {good[0].found}")  # type: ignore[union-attr]
        self._answered = True
        return good

    async def _answer(self, image: Any, temperature: float) -> Completion | DataError:
        file = io.BytesIO()
        image.save(file, "PNG", compress_level=1)
        picture = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
        body = {
            "model": self.model,
            "messages": [
                {"role": "system", "content": self._system},
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": picture}},
                        {"type": "text", "text": QUESTION},
                    ],
                },
            ],
            "temperature": temperature,
            "max_tokens": self._max_tokens,
            "logprobs": True,
            "top_logprobs": TOP_LOGPROBS,
        }
        start = time.perf_counter()
        try:
            text, logprobs = self._choice(await self._request("POST", "/chat/completions", body))
        except _Refused as error:
            return DataError("an image that the server takes", Unquoted(str(error)), field="image")
        return Completion(text, logprobs, time.perf_counter() - start)

    def _choice(self, answer: Any) -> tuple[str, object]:
        try:
            choice = answer["choices"][0]
            text = choice["message"]["content"]
            if text is None or isinstance(text, str):
                return (text or "").encode(errors="replace").decode(), choice.get("logprobs")
        except (KeyError, IndexError, TypeError, AttributeError):
            pass
        raise ServerError(f"{self._url}: expected a chat completion, found {_start_of(json.dumps(answer))}")

    def _served_model(self, start_seconds: float) -> str:
        deadline = time.monotonic() + start_seconds
        while True:
            try:
                answer = self._loop.run_until_complete(self._request("GET", "/models"))
                break
            except _Refused as error:
                raise ServerError(f"{self._url}: {error}") from None
            except ServerError as error:
                if not isinstance(error.__cause__, httpx.ConnectError) or time.monotonic() > deadline:
                    raise
                time.sleep(0.5)
        try:
            names = [model["id"] for model in answer["data"]]
        except (KeyError, TypeError):
            found = _start_of(json.dumps(answer))
            raise ServerError(f"{self._url}: expected a list of models, found {found}") from None
        if len(names) != 1 or not isinstance(names[0], str):
            listed = ", ".join(map(str, names[:5])) or "none"
            raise ServerError(f"{self._url}: expected one model (--served-model chooses), found {listed}")
        return names[0]

    async def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The JSON that the server answers with.

        Raises:
            ServerError: it gives none in time.
            _Refused: it does not take the request.
        """
        try:
            status, content = await asyncio.wait_for(self._read(method, path, body), self._timeout)
        except (asyncio.TimeoutError, httpx.TimeoutException):
            found = f"none within {self._timeout:g} s (--timeout)"
            raise ServerError(f"{self._url}: expected an answer, found {found}") from None
        except httpx.ConnectError as error:
            raise ServerError(f"{self._url}: expected a server, found none ({error})") from error
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            what = str(error) or type(error).__name__
            raise ServerError(f"{self._url}: the connection broke: {what}") from None
        words = _start_of(content.decode(errors="replace"))
        if status in (400, 413, 415, 422):
            raise _Refused(f"status {status}: {words}")
        if status != 200:
            hint = _HINTS.get(status, "")
            raise ServerError(f"{self._url}{path}: expected status 200, found {status}{hint}: {words}")
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            raise ServerError(f"{self._url}{path}: expected JSON, found {words}") from None

    async def _read(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, bytes]:
        async with self._client.stream(method, self._url + path, json=body) as response:
            content = bytearray()
            async for part in response.aiter_raw():
                content += part
                if len(content) > LARGEST_RESPONSE:
                    limit = LARGEST_RESPONSE // 2**20
                    raise ServerError(f"{self._url}: expected an answer of at most {limit} MiB, found more")
            return response.status_code, bytes(content)


_HINTS = {
    401: " (--api-key)",
    403: " (--api-key)",
    404: " (the address usually ends in /v1, and --served-model must name a served model)",
}


def _start_of(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 200 else f"{text[:200]}…"
