"""A fleet that runs: nodes on one ground, and the shop that makes their customers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, Self

import httpx
import msgspec

from tests.fleet.callers import CallerPlan, Seat
from tests.fleet.ground import Ground
from tests.fleet.history import History
from tests.fleet.node import Node
from tests.fleet.scenario import Scenario
from tests.support.faces import SETTINGS, Customer, Shop
from tests.support.recorders import until

REPOSITORY = Path(__file__).resolve().parents[2]
NODES, CALLERS = 4, 64
# How long a refusal may be wrong: units that lie idle with another node are here by then.
RECALL_SECONDS_MAX = 1.0
KNOWN_SECONDS_MAX = 30.0
DEADLINE_SECONDS = 100.0
HOLD_SECONDS = 3_600
# So many from one port have come from all of its processes, but for one time in ten thousand.
REFUSALS_MIN = 40


class Ran(NamedTuple):
    """What a run has left: its workspace, its history, and how long it took."""

    customer: Customer
    seats: list[Seat]
    history: History
    seconds: float


class World:
    """Entered to run. `shop` speaks to the first node."""

    def __init__(
        self,
        folder: Path,
        ground: Ground,
        *,
        nodes: int = NODES,
        workers: int = 1,
        hold_seconds: int = HOLD_SECONDS,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.ground = ground
        self.hold_seconds = hold_seconds
        self._settings = {
            **SETTINGS,
            "FAREBOX_RESERVATION_SECONDS": str(hold_seconds),
            "FAREBOX_WORKERS": str(workers),
            **(settings or {}),
        }
        self._count = nodes
        self.workers = workers
        self._stack = ExitStack()
        self._runs = 0
        self.nodes: list[Node] = []

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for number in range(self._count):
                url, proxies = self.ground.way()
                node = Node(self.folder / f"node-{number}", url, self._settings, proxies)
                self.nodes.append(node)
                stack.callback(node.stop)
                stack.callback(node.client.close)
            first, *others = self.nodes
            # The first makes the schema.
            first.start()
            for node in others:
                node.launch()
            for node in others:
                node.await_url()
            self.shop = Shop(self.nodes[0])
            self.free = self.shop.customer({})
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            node.begin_to_stop()
        self._stack.close()

    @property
    def urls(self) -> list[str]:
        """Where the nodes are."""
        return [node.url for node in self.nodes]

    def await_whole(self) -> None:
        """Wait until every node records again, whatever has been broken before."""
        row = {"id": "whole", "key": self.free.seats[0].key, "log_type": None}
        for node in self.nodes:
            for proxy in node.proxies:
                proxy.heal()
            until(
                lambda node=node: node.call("POST", "/v1/requests", {"requests": [row]}).is_success,  # type: ignore[misc]
                seconds_max=KNOWN_SECONDS_MAX,
            )

    def await_known(self, keys: list[str]) -> None:
        """Wait until every node knows these keys."""
        for node in self.nodes:
            for key in keys:
                until(
                    lambda key=key, node=node: is_known(node, key),  # type: ignore[misc]
                    seconds_max=KNOWN_SECONDS_MAX,
                )

    def run(
        self,
        scenario: Scenario,
        *,
        run_seconds: float = 0.0,
        more_seconds: float = 0.0,
        disturb: Callable[[Customer], None] = lambda _: None,
        again: Ran | None = None,
    ) -> Ran:
        """Let callers come at a scenario until its limit is used up; meanwhile, disturb.

        They come at a workspace of its own, or `again` at that of another run.
        """
        self.await_whole()
        customer, seats = again[:2] if again else scenario.customer(self.shop)
        self.await_known([seat.key for seat in seats] + [self.free.seats[0].key])
        self._runs += 1
        journal = self.folder / f"history-{self._runs}-{scenario.seed}.jsonl"
        plan = CallerPlan(
            self.urls,
            self.nodes[0].token,
            seats,
            self.free.seats[0].key,
            scenario.kind,
            f"r{self._runs}-{scenario.seed}",
            str(journal),
            scenario.seed,
            scenario.mix,
            CALLERS,
            RECALL_SECONDS_MAX,
            run_seconds,
            DEADLINE_SECONDS + more_seconds,
            is_endless=scenario.kind == "second",
            refusals_min=1 if self.workers == 1 else REFUSALS_MIN,
        )
        begun = time.monotonic()
        with started(plan) as callers:
            try:
                disturb(customer)
                callers.communicate(b"calm\n", timeout=DEADLINE_SECONDS + more_seconds + 10)
            finally:
                callers.kill()
            assert callers.returncode == 0, "the callers have failed"
        return Ran(customer, seats, History.read(journal), time.monotonic() - begun)

    def audit(self) -> None:
        """The command that operators ask agrees."""
        audit = subprocess.run(
            [sys.executable, "-m", "farebox", "audit"],
            env=self.nodes[0].environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert audit.returncode == 0, audit.stdout + audit.stderr


def started(plan: CallerPlan) -> subprocess.Popen[bytes]:
    """The process of the callers."""
    command = [sys.executable, "-m", "tests.fleet.callers", msgspec.json.encode(plan).decode()]
    environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY / 'src'}:{REPOSITORY}"}
    return subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdin=subprocess.PIPE)


def is_known(node: Node, key: str) -> bool:
    """Whether a node knows a key; it isn't limited in asking."""
    answer = node.client.get(f"{node.url}/user", headers={"X-API-Key": key})
    assert answer.status_code in {200, 401, 503}, answer.text
    return answer.status_code == httpx.codes.OK
