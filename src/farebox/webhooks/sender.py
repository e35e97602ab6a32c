"""The sender: one attempt to hand one message to one endpoint.

The host is resolved once, all its addresses are looked at, and the connection goes to one of those
very addresses: a name that means something else a moment later (DNS rebinding) changes nothing.
Redirects are not followed, proxies of the environment not used, the answer is not looked into.
What it says of a failure names no URL and nothing that the receiver sent but its status.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

import httpx
from standardwebhooks import Webhook

from farebox.core.instant import MS_PER_SECOND
from farebox.core.public_address import is_public

ATTEMPT_SECONDS_MAX = 10.0
ANSWER_SECONDS_MAX = 1.0
ANSWER_BYTES_MAX = 64 * 1024
ADDRESSES_MAX = 4
DEFAULT_PORTS = {"http": 80, "https": 443}
_NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout)

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class Letter(NamedTuple):
    """A message to be sent; `secret` is the endpoint's, `whsec_…`."""

    message_id: str
    url: str
    payload: str
    secret: str

    def __repr__(self) -> str:
        """Without the secret, and without the URL, which may hold one."""
        return f"Letter({self.message_id})"


class Attempt(NamedTuple):
    """How it went: the HTTP status if there was an answer; `error` is empty when it was taken."""

    status: int | None
    duration_ms: int
    error: str


class RefusedError(Exception):
    """Nothing is sent there; the message says why."""


@cache
def trusted() -> ssl.SSLContext:
    """The usual authorities, read once by a process: there are over a hundred of them."""
    return httpx.create_ssl_context()


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, the preferred one first."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=1)  # SOCK_STREAM
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Sender:
    """One per process. `is_private_allowed` lets it reach any address, over http too."""

    def __init__(
        self,
        version: str,
        *,
        is_private_allowed: bool,
        resolve: Resolve = resolve,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._is_private_allowed = is_private_allowed
        self._resolve = resolve
        self._agent = f"Farebox/{version}"
        self._client = httpx.AsyncClient(
            verify=context or trusted(),
            trust_env=False,
            follow_redirects=False,
            timeout=ATTEMPT_SECONDS_MAX,
            # A connection belongs to one name, though its address may belong to several.
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    async def send(self, letter: Letter, now_ms: int) -> Attempt:
        """Send a message; what goes wrong is told, never raised."""
        began = time.monotonic()
        status, error = None, ""
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS_MAX):
                status = await self._post(letter, now_ms)
        except RefusedError as refused:
            error = str(refused)
        except (TimeoutError, httpx.TimeoutException):
            error = "it took too long"
        except OSError:
            error = "the host could not be found"
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ssl.SSLError) as failed:
            # Its own text may hold what the receiver sent.
            error = f"the connection failed: {type(failed).__name__}"
        duration_ms = round((time.monotonic() - began) * MS_PER_SECOND)
        if status is not None and not httpx.codes.is_success(status):
            error = f"the answer was {status}"
        return Attempt(status, duration_ms, error)

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.aclose()

    async def _post(self, letter: Letter, now_ms: int) -> int:
        url = httpx.URL(letter.url)
        if url.scheme != "https" and not (url.scheme == "http" and self._is_private_allowed):
            message = "only https is allowed"
            raise RefusedError(message)
        port = url.port or DEFAULT_PORTS[url.scheme]
        addresses = await self._resolve(url.raw_host.decode("ascii").strip("[]"), port)
        if not addresses:
            message = "the host has no address"
            raise RefusedError(message)
        if not self._is_private_allowed and not all(map(is_public, addresses)):
            message = "the host is none of the public Internet"
            raise RefusedError(message)
        headers = self._headers(letter, url, now_ms)
        *others, last = addresses[:ADDRESSES_MAX]
        for address in others:
            with suppress(*_NO_CONNECTION):
                return await self._post_to(url, address, headers, letter.payload)
        return await self._post_to(url, last, headers, letter.payload)

    async def _post_to(
        self, url: httpx.URL, address: str, headers: dict[str, str], payload: str
    ) -> int:
        request = self._client.build_request(
            "POST",
            url.copy_with(host=address),
            headers=headers,
            content=payload.encode(),
            # Whom the certificate must name, whatever the address.
            extensions={"sni_hostname": url.raw_host.decode("ascii").strip("[]")},
        )
        response = await self._client.send(request, stream=True)
        try:
            # Whatever comes after the status, and however slowly, it changes nothing.
            with suppress(httpx.HTTPError, TimeoutError):
                async with asyncio.timeout(ANSWER_SECONDS_MAX):
                    await _let_end(response)
        finally:
            await response.aclose()
        return response.status_code

    def _headers(self, letter: Letter, url: httpx.URL, now_ms: int) -> dict[str, str]:
        sent_at = datetime.fromtimestamp(now_ms // MS_PER_SECOND, UTC)
        signature = Webhook(letter.secret).sign(letter.message_id, sent_at, letter.payload)
        return {
            "Host": url.netloc.decode("ascii"),
            "Content-Type": "application/json",
            "User-Agent": self._agent,
            "webhook-id": letter.message_id,
            "webhook-timestamp": str(now_ms // MS_PER_SECOND),
            "webhook-signature": signature,
        }


async def _let_end(response: httpx.Response) -> None:
    """Let the receiver say what it has to say, so far as it is short."""
    read_bytes = 0
    async for chunk in response.aiter_raw():
        read_bytes += len(chunk)
        if read_bytes > ANSWER_BYTES_MAX:
            return
