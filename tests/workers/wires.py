"""Wires to every worker: so many connections that each worker has some."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import httpx

from tests.support.wire import Heard, Wire

CONNECTIONS = 64


def sockets(pid: int) -> int:
    """How many sockets a process has open."""
    count = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            count += str(link.readlink()).startswith("socket:")
    return count


@asynccontextmanager
async def wires_to(url: str, count: int = CONNECTIONS) -> AsyncIterator[list[Wire]]:
    """Open connections, each of which was answered."""
    async with AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(Wire(url)) for _ in range(count)]
        for heard in await ask_all(wires, "GET", "/healthz"):
            assert heard.status == httpx.codes.OK
        yield wires


async def ask_all(
    wires: Sequence[Wire],
    method: str,
    path: str,
    headers: dict[str, str] | None = None,
    body: object = None,
) -> list[Heard]:
    """The answer to one call on each of some wires, at once."""
    return await asyncio.gather(*(w.ask(method, path, headers or {}, body) for w in wires))


async def hear_left(wires: Sequence[Wire], key: str, left: float, seconds_max: float) -> None:
    """Ask for the credits that are left until every wire is told the same, which is expected."""
    began = time.monotonic()
    while True:
        asked = time.monotonic()
        heard_all = await ask_all(wires, "GET", "/v1/quotas", {"X-API-Key": key})
        told = {heard.json()["credits_left"] for heard in heard_all}
        if told == {left}:
            return
        assert asked - began < seconds_max, f"{told} were told, {left} are left"
