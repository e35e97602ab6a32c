"""Faults between a client and a real server: lost answers, and a server that is killed.

The server is started again while the client waits before its next attempt, as by a supervisor, so
no test sleeps. Each fault is one of `FAULTS`, in the order of a plan.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator

import httpx

from farebox.client import RetryPolicy
from tests.support.server import RunningServer

FAULTS = ("none", "lost answer", "killed before", "killed after", "recorder killed")
# Patient with a server that has to start anew, and never tired.
PATIENT = RetryPolicy(attempts_max=50, total_seconds_max=110, base_seconds=0, wait_seconds_max=0)


class Faults:
    """A plan of faults, played on a server that keeps its port."""

    def __init__(self, server: RunningServer, plan: Iterable[str] = ()) -> None:
        self.server = server
        self.plan: Iterator[str] = iter(plan)
        self.met: list[str] = []
        server.environment["FAREBOX_PORT"] = server.url.rpartition(":")[2]

    def next(self) -> str:
        """The fault that meets the next attempt."""
        self.met.append(next(self.plan, "none"))
        return self.met[-1]

    def before(self, fault: str) -> None:
        """What happens before the attempt reaches the server."""
        if fault == "killed before":
            self.server.stop(signal.SIGKILL)
        elif fault == "recorder killed":
            self.server.kill_recorder()

    def after(self, fault: str) -> None:
        """What happens after the server has answered, and before the client hears it."""
        if fault == "killed after":
            self.server.stop(signal.SIGKILL)
        if fault in {"killed after", "lost answer"}:
            raise httpx.ReadError(fault)

    def sleep(self, seconds: float) -> None:
        """Wait: a server that was killed is there again then."""
        assert seconds >= 0
        if self.server.process is None:
            self.server.start()

    async def async_sleep(self, seconds: float) -> None:
        self.sleep(seconds)


class FaultyTransport(httpx.HTTPTransport):
    """The network of a `Client`."""

    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self.faults = faults

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        fault = self.faults.next()
        self.faults.before(fault)
        response = super().handle_request(request)
        response.read()
        self.faults.after(fault)
        return response


class AsyncFaultyTransport(httpx.AsyncHTTPTransport):
    """The network of an `AsyncClient`."""

    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self.faults = faults

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        fault = self.faults.next()
        self.faults.before(fault)
        response = await super().handle_async_request(request)
        await response.aread()
        self.faults.after(fault)
        return response
