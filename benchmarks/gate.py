"""The gate: `/v1/authorize` against an empty endpoint, one workspace against many, and its CPU.

The empty endpoint is a plain ASGI callable of the same server that reads the same body and answers
the same bytes. Both get the same load: connections that each send some requests at once and wait
for their answers. Rounds of both take turns.
"""

from __future__ import annotations

import selectors
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.server import Client, post, serving
from benchmarks.table import Row
from benchmarks.world import ACTOR, link
from farebox.engine.sync_link import SyncLink
from farebox.service.forms.key import KeyMade, KeyMake
from farebox.service.forms.log_type import LogTypeCreate, LogTypeData
from farebox.service.forms.plan import Limits, PlanCreate, PlanData, WindowLimits
from farebox.service.forms.workspace import WorkspaceCreate, WorkspaceData

ROUNDS = 7
ROUND_SECONDS = 2.0
CONNECTIONS = 64
AT_ONCE = 1
WORKSPACES = 100
RATIO_MIN = 0.7
CONTENDED_MIN = 0.8
LIMIT = 1_000_000_000
COMMAND = [sys.executable, "-m", "benchmarks.gate_server"]
_ANSWER = b"HTTP/1.1 200 OK"


def compare_empty() -> Row:
    """Requests/s of the gate against those of the empty endpoint."""
    with _gate(1) as (port, secrets):
        gate = [authorize(secrets[0], "")]
        empty = [authorize(secrets[0], "?empty")]
        pairs = _rounds(port, gate, empty)
    rate, bare = median(p[0] for p in pairs), median(p[1] for p in pairs)
    ratio = median(a / b for a, b in pairs)
    return Row(
        "authorize, over an empty endpoint of the same server",
        f"{rate:,.0f} and {bare:,.0f} requests/s",
        ratio,
        f">= {RATIO_MIN}",
        ratio >= RATIO_MIN,
    )


def compare_contended() -> Row:
    """Requests/s on one workspace against those spread over many."""
    with _gate(WORKSPACES) as (port, secrets):
        one = [authorize(secrets[0], "")]
        many = [authorize(secret, "") for secret in secrets]
        pairs = _rounds(port, one, many)
    rate, spread = median(p[0] for p in pairs), median(p[1] for p in pairs)
    ratio = median(a / b for a, b in pairs)
    return Row(
        f"authorize on one workspace, over {WORKSPACES} of them",
        f"{rate:,.0f} and {spread:,.0f} requests/s",
        ratio,
        f">= {CONTENDED_MIN}",
        ratio >= CONTENDED_MIN,
    )


@contextmanager
def _gate(workspaces: int) -> Iterator[tuple[int, list[str]]]:
    """The port of a server, and a key of each of its workspaces."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "farebox.db"
        secrets = made(database, workspaces)
        with serving(database, COMMAND) as port:
            client = Client(port)
            client.ask(authorize(secrets[0], ""))
            client.close()
            yield port, secrets


def made(database: Path, workspaces: int) -> list[str]:
    """Workspaces with limits of every kind, and credits that suffice; a key of each."""
    with link(database) as recorder:
        return populate(recorder, workspaces)


def populate(recorder: SyncLink, workspaces: int, *, is_limited: bool = True) -> list[str]:
    """The same through a recorder's link; with credits alone unless it `is_limited`."""
    api = WindowLimits(hour=LIMIT, day=LIMIT, month=LIMIT)
    recorder.call(
        "log_types.create",
        LogTypeCreate(
            slug="search", name="Search", credits=Decimal(3), method="POST", path="/search"
        ),
        LogTypeData,
        actor=ACTOR,
    )
    recorder.call(
        "plans.create",
        PlanCreate(
            slug="gold",
            name="Gold",
            credits_per_month=Decimal(LIMIT),
            limits=Limits(api=api) if is_limited else Limits(),
            requests_per_second=LIMIT if is_limited else None,
            requests_per_minute=LIMIT if is_limited else None,
        ),
        PlanData,
        actor=ACTOR,
    )
    secrets = []
    for number in range(workspaces):
        workspace = recorder.call(
            "workspaces.create",
            WorkspaceCreate(name=f"Bench {number}", plan="gold", timezone="Europe/Berlin"),
            WorkspaceData,
            actor=ACTOR,
        )
        form = KeyMake(profile_id=workspace.profile_id)
        secret = recorder.call("keys.create", form, KeyMade, actor=ACTOR).key
        assert isinstance(secret, str)
        secrets.append(secret)
    return secrets


def authorize(secret: str, query: str) -> bytes:
    """A call of `/v1/authorize`, as it is sent."""
    body = {"key": secret, "method": "POST", "path": "/search"}
    return post(f"/v1/authorize{query}", msgspec.json.encode(body))


def _rounds(
    port: int, first: Sequence[bytes], second: Sequence[bytes]
) -> list[tuple[float, float]]:
    """Requests/s of two loads, in turns; the first round warms up."""
    pairs = [(rate(port, first), rate(port, second)) for _ in range(ROUNDS + 1)]
    return pairs[1:]


def rate(
    port: int,
    requests: Sequence[bytes],
    *,
    at_once: int = AT_ONCE,
    wait_seconds: float | None = 0,
) -> float:
    """Answers 200 in a second, of connections that keep some requests under way each.

    By default it never sleeps: to wake a client on the same machine would be the server's work.
    """
    waiting = selectors.DefaultSelector()
    answered = 0
    for number in range(CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        own = b"".join(requests[(number * at_once + n) % len(requests)] for n in range(at_once))
        waiting.register(connection, selectors.EVENT_READ, [own, 0])
        connection.sendall(own)
    began = time.perf_counter()
    while time.perf_counter() - began < ROUND_SECONDS:
        for key, _ in waiting.select(wait_seconds):
            ready, load = key.fileobj, key.data
            assert isinstance(ready, socket.socket)
            found = ready.recv(1 << 18).count(_ANSWER)
            answered += found
            load[1] += found
            if load[1] == at_once:
                load[1] = 0
                ready.sendall(load[0])
    seconds = time.perf_counter() - began
    for key in list(waiting.get_map().values()):
        assert isinstance(key.fileobj, socket.socket)
        key.fileobj.close()
    return answered / seconds
