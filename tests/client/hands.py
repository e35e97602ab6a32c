"""A client in the hand of a test: time that passes when it waits, and a network that is played."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec

from farebox.client import AsyncClient, Client

URL = "http://farebox.test"
TOKEN = "meter-token-of-the-tests"
START_MS = 1_778_000_000_000
Played = httpx.Response | Exception
Play = Callable[[httpx.Request], Played]


class HandOutside:
    """Time that stands still until someone waits; lots that all fall alike."""

    def __init__(self, byte: int = 0xFF) -> None:
        self.seconds = 0.0
        self.waits: list[float] = []
        self.drawn = 0
        self.byte = byte

    def wall_ms(self) -> int:
        return START_MS + int(self.seconds * 1_000)

    def monotonic(self) -> float:
        return self.seconds

    def random_bytes(self, length: int) -> bytes:
        """Jitter (4 bytes) is always the same; ids never are."""
        if length == 4:
            return bytes([self.byte]) * length
        self.drawn += 1
        return self.drawn.to_bytes(length, "big")

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds

    async def async_sleep(self, seconds: float) -> None:
        self.sleep(seconds)


class Network:
    """Plays one answer after the other, the last one again and again; keeps what was sent."""

    def __init__(self, *played: Played | Play) -> None:
        self.played = list(played)
        self.sent: list[httpx.Request] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        turn = self.played.pop(0) if len(self.played) > 1 else self.played[0]
        played = turn(request) if callable(turn) else turn
        if isinstance(played, Exception):
            raise played
        # Another one each time: a response belongs to the client that has read it.
        return httpx.Response(played.status_code, headers=played.headers, content=played.content)

    async def answer_async(self, request: httpx.Request) -> httpx.Response:
        return self.answer(request)

    def bodies(self) -> list[Any]:
        """What was sent, decoded."""
        return [msgspec.json.decode(request.content) for request in self.sent]

    def ids(self) -> list[list[str]]:
        """The ids of the rows of each call."""
        return [[row["id"] for row in body["requests"]] for body in self.bodies()]


def client(network: Network, outside: HandOutside | None = None, **more: Any) -> Client:  # noqa: ANN401
    hand = outside or HandOutside()
    transport = httpx.MockTransport(network.answer)
    return Client(URL, TOKEN, transport=transport, sleep=hand.sleep, outside=hand, **more)


def async_client(
    network: Network,
    outside: HandOutside | None = None,
    **more: Any,  # noqa: ANN401
) -> AsyncClient:
    hand = outside or HandOutside()
    transport = httpx.MockTransport(network.answer_async)
    return AsyncClient(
        URL, TOKEN, transport=transport, sleep=hand.async_sleep, outside=hand, **more
    )


class OnALoop:
    """An `AsyncClient` that is called like a `Client`."""

    def __init__(self, runner: asyncio.Runner, made: AsyncClient) -> None:
        self._runner = runner
        self._made = made

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def call(*args: object, **more: object) -> object:
            found = getattr(self._made, name)(*args, **more)
            return await found if hasattr(found, "__await__") else found

        return lambda *args, **more: self._runner.run(call(*args, **more))


@contextmanager
def opened(colour: str, network: Network, **more: Any) -> Iterator[Any]:  # noqa: ANN401 - either client
    """A client of either colour, closed at the end."""
    if colour == "sync":
        with client(network, **more) as made:
            yield made
        return
    with asyncio.Runner() as runner:
        looped = OnALoop(runner, async_client(network, **more))
        yield looped
        looped.close()


def recorded(request: httpx.Request) -> httpx.Response:
    """The server's answer when it accepts all rows."""
    rows = msgspec.json.decode(request.content)["requests"]
    return ok(accepted=len(rows), duplicates=0, conflicts=[], rejected=[])


def ok(**fields: object) -> httpx.Response:
    return httpx.Response(200, json=fields)


def unavailable(
    retry_after: str | None = None, status: int = 503, **headers: str
) -> httpx.Response:
    """The answer of a server that is not ready."""
    if retry_after is not None:
        headers["Retry-After"] = retry_after
    body = {"code": 50301, "message": "The store is not available right now.", "details": {}}
    return httpx.Response(status, json=body, headers=headers)
