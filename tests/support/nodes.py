"""Nodes of one PostgreSQL: recorders called directly, side by side, with all clocks by hand.

What one does in the middle of another's transaction, or at the same time, is for the test to say.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, Self

from farebox.core.request import MeteredRequest
from farebox.engine.clock import Clock
from farebox.engine.messages import Draw, Drawn, Message, Record, Reply, Spend, Void, Want
from farebox.engine.recorder import Recorder
from farebox.engine.session import Session
from tests.support.homes import Homes
from tests.support.pg_home import PostgresHome
from tests.support.waiting import DEADLINE_SECONDS, until
from tests.support.worlds import MICRO, World

HOLD_MS = 60_000
RENEW_MS = 250
call_ids = itertools.count(1)


class Node(World):
    """One of a fleet's."""

    def __init__(self, fleet: Fleet, seed: int) -> None:
        self._fleet = fleet
        super().__init__(fleet.home, seed=seed)

    def new_recorder(self, clock: Clock) -> Recorder:
        """A recorder whose boot clock is the fleet's."""
        steady = lambda: self._fleet.steady_ms  # noqa: E731 - it is read each time
        return Recorder(self.open_store, clock, self.entropy, self.commands, steady=steady)

    @property
    def session(self) -> Session:
        """What it has open; it must be a node."""
        assert self.recorder._session is not None
        return self.recorder._session

    @property
    def node_id(self) -> int:
        """Which node it is."""
        return self.session.nodes.node_id

    def kill(self) -> None:
        """Break off, and begin anew: nobody is told."""
        self.recorder.close()
        self.recorder = self.new_recorder(self.clock)

    def ask(self, message: Message) -> Reply:
        """The reply to one message."""
        (reply,) = self.handle(message)
        return reply

    def draw(
        self,
        lease_id: int,
        *wants: Want,
        returns: Sequence[tuple[int, int]] = (),
        is_last: bool = False,
        is_old: bool = False,
    ) -> Drawn:
        """Draw by a lease, or only renew it."""
        message = Draw(
            next(call_ids),
            lease_id,
            self.now_ms,
            HOLD_MS,
            list(wants),
            list(returns),
            is_last,
            is_old,
        )
        reply = self.ask(message)
        assert isinstance(reply, Drawn), reply
        return reply

    def renew(self) -> None:
        """Look at the other nodes, and let them see this one."""
        self.recorder._renew(self.session)

    def in_midst(self, part: object, method: str, do: Callable[[], object], nth: int = 1) -> None:
        """Do something once, when a part of this node's session has done what it is asked."""
        real, count = getattr(part, method), itertools.count(1)

        def asked(*args: object, **params: object) -> object:
            found = real(*args, **params)
            if next(count) == nth:
                do()
            return found

        setattr(part, method, asked)


class Fleet:
    """Some nodes. What they share is that time passes for all of them."""

    def __init__(self, homes: Homes, count: int) -> None:
        self._stack = ExitStack()
        home = self._stack.enter_context(homes.one("postgres"))
        assert isinstance(home, PostgresHome)
        self.home = home
        self.steady_ms = 1_000_000
        self.nodes = [Node(self, seed) for seed in range(count)]
        for node in self.nodes:
            node.recorder.tick()
            self._stack.callback(node.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def select(self, statement: str, *values: str | int | bytes | None) -> list[tuple[Any, ...]]:
        """The rows of a statement of the test's own."""
        return self.nodes[0].select(statement, *values)

    def stock(self, *, hour: int = 1_000, month: int = 5_000, credits: int = 100) -> list[str]:
        """Make workspaces 1 and 2, whose windows are limited, and 3 without windows; their keys."""
        first = self.nodes[0]
        first.log_type(credits=1)
        for plan, api in (("limited", {"hour": hour, "day": None, "month": month}), ("free", {})):
            limits = {"api": api, "portal": {}}
            first.call(
                "plans.create", slug=plan, name=plan, credits_per_month=credits, limits=limits
            )
        for plan in ("limited", "limited", "free"):
            first.workspace(plan=plan, licences=1, is_quota_sharing_enabled=True)
        for node in self.nodes:
            node.settle()
        return [first.key(profile_id) for profile_id in (1, 2, 3)]

    def pass_time(self, ms: int, *, ticking: Sequence[Node] | None = None) -> None:
        """Let time pass; some of the nodes may be stopped meanwhile."""
        self.steady_ms += ms
        for node in self.nodes:
            node.clock.advance(ms)
        for node in self.nodes if ticking is None else ticking:
            node.settle()

    def pass_renewals(self, count: int, *, ticking: Sequence[Node] | None = None) -> None:
        """Let time pass as it does for nodes that run."""
        for _ in range(count):
            self.pass_time(RENEW_MS, ticking=ticking)

    def has_waiting(self) -> bool:
        """Whether a node waits for a lock, or for a row."""
        waiting = "select 1 from pg_locks where not granted"
        return bool(self.home.cluster.control(waiting))

    def while_waiting(self, work: Callable[[], Reply], then: Callable[[], object]) -> Reply:
        """The reply of some work that has to wait for a lock; something is done meanwhile."""
        with ThreadPoolExecutor() as pool:
            reply = pool.submit(work)
            until(self.has_waiting)
            then()
            return reply.result(DEADLINE_SECONDS)


def want(profile_id: int, units: int = 5, *, credits: int = 0) -> Want:
    """What a process asks of a workspace: units of each window, and credits."""
    micro = credits * MICRO
    return Want(profile_id, "u", "api", (0, 0, units, 0, units), micro, min(micro, 1))


def recording(*rows: MeteredRequest, lease_id: int = 0, spends: Sequence[Spend] = ()) -> Record:
    """A message with requests, which may have been admitted by a lease."""
    return Record(next(call_ids), list(rows), [], False, lease_id, list(spends))


def spending(row: MeteredRequest, lease_id: int, pieces: Sequence[tuple[int, int]] = ()) -> Spend:
    """What a request was admitted by."""
    return Spend(row.query_log_id, lease_id, tuple(pieces), 1, 0)


def voiding(
    sender: int, row: MeteredRequest, lease_id: int, pieces: Sequence[tuple[int, int]] = ()
) -> Void:
    """The end of a reservation without a request."""
    spend = Spend(b"", lease_id, tuple(pieces), 1, 0)
    return Void(next(call_ids), sender, row.profile_id, row.identity, spend)
