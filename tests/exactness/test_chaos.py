"""Everything at once, and kill -9 of whoever takes part: the limits hold at every instant.

Callers in processes of their own let what they were admitted for end in every way there is; the
server, the recorder and whole callers are killed at moments that a seed chooses. Meanwhile one
snapshot after another is checked; afterwards, what every caller was told.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import httpx
import msgspec
import pytest

from farebox.core.instant import MS_PER_SECOND, to_iso_ms
from farebox.engine.clock import wall_ms
from farebox.service.audit import run_audit
from farebox.store.sqlite.database import open_reader
from tests.exactness.caller import ENDS, SETTLE, VOID, CallerPlan, Line
from tests.exactness.snapshots import MICRO, Snapshots, Watched
from tests.support.faces import SETTINGS, SLUG, Authorize, Customer, Shop, statuses, storm
from tests.support.processes import is_alive
from tests.support.recorders import until
from tests.support.server import RunningServer
from tests.support.truth import differences

HOLD_SECONDS = 1
REPOSITORY = Path(__file__).resolve().parents[2]
CALLERS, TASKS = 2, 16
# Some are reached early and some late, however fast the machine is.
HOURS = (100, 300, 800, 2_400)
PER_SECOND, PER_MINUTE = 40, 300
CAP, USERS_HOUR = 120, 200
PRICE, GRANT = 3, 60
VICTIMS = (
    *("server", "server", "recorder", "recorder", "both", "caller"),
    *("pause server", "pause recorder"),
)
LOST_BACK_SECONDS_MAX = 10
SHORT = pytest.param(1, 13, marks=pytest.mark.timeout(240))
MORE = pytest.param(2, 300, marks=[pytest.mark.long, pytest.mark.timeout(900)])


class Town(NamedTuple):
    """The workspaces, each with limits of its own; `hours` have those of `HOURS`."""

    hours: tuple[Customer, ...]
    by_balance: Customer
    by_rate: Customer
    by_cap: Customer
    by_user: Customer
    free: Customer

    @property
    def keys(self) -> list[str]:
        customers = (*self.hours, *self[1:])
        return [seat.key for customer in customers for seat in customer.seats]


def town_in(shop: Shop) -> Town:
    town = Town(
        tuple(shop.customer({"limits": {"api": {"hour": n // 2}}}, users=2) for n in HOURS),
        shop.customer({"credits_per_month": GRANT, "prices": {SLUG: PRICE}}, users=6),
        shop.customer({"requests_per_second": PER_SECOND, "requests_per_minute": PER_MINUTE}),
        shop.customer({}),
        shop.customer({"limits": {"api": {"hour": USERS_HOUR}}}, is_shared=False),
        shop.customer({}),
    )
    keys = f"/admin/v1/workspaces/{town.by_cap.profile_id}/keys"
    (key,) = shop.server.call("GET", keys).json()["data"]
    answer = shop.server.call("PATCH", f"{keys}/{key['key_id']}", {"credits_cap": CAP})
    assert answer.status_code == httpx.codes.OK, answer.text
    return town


def watched_in(town: Town) -> list[Watched]:
    balance, rate, cap, user, free = (
        Watched(customer.profile_id, customer.timezone)
        for customer in (town.by_balance, town.by_rate, town.by_cap, town.by_user, town.free)
    )
    return [
        *(
            Watched(customer.profile_id, customer.timezone, hour=limit)
            for customer, limit in zip(town.hours, HOURS, strict=True)
        ),
        balance,
        rate._replace(second=PER_SECOND, minute=PER_MINUTE),
        cap._replace(cap_micro=CAP * MICRO),
        user._replace(hour=USERS_HOUR, scope=town.by_user.seats[0].user_id),
        free,
    ]


class Chaos:
    """Callers that run, and hands that kill."""

    def __init__(self, shop: Shop, town: Town, folder: Path, seed: int) -> None:
        self.shop = shop
        self.town = town
        self.folder = folder
        self.random = random.Random(seed)
        self.callers: list[subprocess.Popen[bytes]] = []
        self.kills: Counter[str] = Counter()
        self._started = 0
        self._deck: list[str] = []
        self._paused: tuple[int, float] | None = None
        self.tell_url()
        for _ in range(CALLERS):
            self.start_caller()

    def tell_url(self) -> None:
        fresh = self.folder / "url~"
        fresh.write_text(self.shop.server.url)
        fresh.rename(self.folder / "url")

    def start_caller(self) -> None:
        self._started += 1
        plan = CallerPlan(
            str(self.folder / "url"),
            str(self.folder / f"journal-{self._started}"),
            self.shop.server.token,
            self.town.keys,
            [seat.key for seat in self.town.by_balance.seats],
            f"c{self._started}",
            self.random.randrange(2**32),
            TASKS,
            HOLD_SECONDS,
        )
        command = [sys.executable, "-m", "tests.exactness.caller"]
        command.append(msgspec.json.encode(plan).decode())
        environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY / 'src'}:{REPOSITORY}"}
        self.callers.append(subprocess.Popen(command, cwd=REPOSITORY, env=environment))

    def rage(self, snapshots: Snapshots, seconds: int) -> None:
        """Let it all happen, and look; then end the callers."""
        pause = threading.Event()
        end = time.monotonic() + seconds
        strike_at = time.monotonic() + 2
        while time.monotonic() < end:
            self.go_on()
            if time.monotonic() > strike_at and not self._paused:
                self.strike()
                if not self._paused:
                    self.give()
                strike_at = time.monotonic() + self.random.uniform(0.1, 1.2)
            snapshots.check()
            pause.wait(0.01)
        self.go_on(at_once=True)
        while self.callers:
            self.end_caller(self.callers.pop())

    def strike(self) -> None:
        """Kill somebody, and put another in the place."""
        if not self._deck:
            self._deck = self.random.sample(VICTIMS, len(VICTIMS))
        victim = self._deck.pop()
        self.kills[victim] += 1
        if victim.startswith("pause"):
            self.pause(victim)
            return
        if victim == "caller":
            self.end_caller(self.callers.pop(0))
            self.start_caller()
            return
        recorder = self.shop.server.recorder_pid()
        if victim != "recorder":
            process = self.shop.server.process
            assert process is not None
            process.kill()
            process.wait()
        if victim != "server" and recorder is not None:
            os.kill(recorder, signal.SIGKILL)
            until(lambda: not is_alive(recorder))
        if victim != "recorder":
            self.shop.server.start()
            self.tell_url()

    def pause(self, victim: str) -> None:
        """Stop a process for a while: what it believes is old when it goes on."""
        process = self.shop.server.process
        assert process is not None
        is_server = victim == "pause server"
        pid = process.pid if is_server else self.shop.server.recorder_pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGSTOP)
        # A server's lease is over by then, or not.
        seconds = self.random.uniform(0.5, 2.5) if is_server else self.random.uniform(0.1, 1.0)
        self._paused = pid, time.monotonic() + seconds

    def go_on(self, *, at_once: bool = False) -> None:
        """Let a paused process go on, when it is time."""
        if self._paused and (at_once or time.monotonic() > self._paused[1]):
            os.kill(self._paused[0], signal.SIGCONT)
            self._paused = None

    def give(self) -> None:
        """Give the workspace that lives by its balance some more; half of it for a moment only."""
        path = f"/admin/v1/workspaces/{self.town.by_balance.profile_id}/grants"
        grant: dict[str, object] = {"credits": GRANT, "kind": "promotion"}
        if self.random.random() < 0.5:
            life_ms = self.random.randrange(2 * MS_PER_SECOND, 6 * MS_PER_SECOND)
            grant["expires_at"] = to_iso_ms(wall_ms() + life_ms)
        self.shop.server.call("POST", path, grant)

    def end_caller(self, caller: subprocess.Popen[bytes]) -> None:
        assert caller.poll() is None, "a caller has failed"
        caller.kill()
        caller.wait()

    def close(self) -> None:
        self.go_on(at_once=True)
        for caller in self.callers:
            caller.kill()
            caller.wait()

    def lines(self) -> Iterator[Line]:
        decoder = msgspec.json.Decoder(Line)
        for path in sorted(self.folder.glob("journal-*")):
            for line in path.read_bytes().splitlines():
                yield decoder.decode(line)


class Told:
    """What the callers were told, all in all, and what is left in doubt."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self.admitted: dict[str, str] = {}
        self.refused: Counter[str] = Counter()
        self.tried: dict[tuple[str, str], dict[str, object]] = {}
        self.was_done: dict[tuple[str, str], bool] = {}
        begun = {events[0]: path for path, events in ENDS.items()}
        done = {events[1]: path for path, events in ENDS.items()}
        for line in lines:
            if line.event == "admitted":
                assert line.name not in self.admitted
                self.admitted[line.name] = line.key
            elif line.event == "refused":
                self.refused[line.by] += 1
            elif line.event in begun:
                self.tried[line.name, begun[line.event]] = line.body
            elif line.event in done:
                self.was_done[line.name, done[line.event]] = True
            elif line.event == "ended":
                self.was_done[line.name, line.by] = False
            else:
                message = f"an answer that nobody may get: {line}"
                raise AssertionError(message)

    def resolve(self, server: RunningServer) -> int:
        """Send again what nobody knows the outcome of; how many there were."""
        doubtful = [end for end in self.tried if end not in self.was_done]
        for name, path in doubtful:
            answer = server.call("POST", path, self.tried[name, path])
            assert answer.status_code in {httpx.codes.OK, httpx.codes.CONFLICT}, answer.text
            self.was_done[name, path] = answer.status_code == httpx.codes.OK
        return len(doubtful)

    def done(self, path: str) -> set[str]:
        """The names of the calls that ended so."""
        return {name for (name, end), was_done in self.was_done.items() if was_done and end == path}

    def check_ends(self) -> None:
        """Each that was to end did, in one way only; one gave way to the other alone."""
        ends: dict[str, set[bool]] = defaultdict(set)
        counts: Counter[str] = Counter()
        for (name, _), was_done in self.was_done.items():
            ends[name].add(was_done)
            counts[name] += was_done
        assert set(counts.values()) <= {1}


def check_log(server: RunningServer, told: Told) -> None:
    """What was settled is there, once, and nothing else is."""
    with closing(open_reader(server.database)) as reader:
        rows = reader.connection.execute(
            "select requests.path from requests join log_types using (log_type_id) where slug = ?",
            (SLUG,),
        )
        logged = Counter(path.rpartition("/")[2] for (path,) in rows)
    assert set(logged.values()) <= {1}
    assert set(logged) == told.done(SETTLE)


def check_admissions(told: Told, town: Town) -> None:
    """What callers were told counts too: even what nobody settled has had its place."""
    voided = told.done(VOID)
    net = Counter(key for name, key in told.admitted.items() if name not in voided)
    for customer, limit in zip(town.hours, HOURS, strict=True):
        assert sum(net[seat.key] for seat in customer.seats) <= limit
    assert net[town.by_user.seats[0].key] <= USERS_HOUR


def drawn_micro(server: RunningServer) -> int:
    with closing(open_reader(server.database)) as reader:
        query = "select coalesce(sum(units), 0) from draws where name in ('credits', 'key_credits')"
        ((units,),) = reader.connection.execute(query)
        assert isinstance(units, int)
        return units


def check_all_is_free(shop: Shop, town: Town, snapshots: Snapshots) -> None:
    """After the longest reservation nothing is held, and what is left can be had to the last."""
    shop.server.restart()
    until(lambda: drawn_micro(shop.server) == 0, seconds_max=LOST_BACK_SECONDS_MAX)
    snapshots.check()
    seat = town.by_balance.seats[0]
    shop.grant(town.by_balance, 50 * PRICE)
    afford = int(shop.balance(seat) // PRICE)
    face = Authorize(shop.server.token)
    tries = range(afford + 40)
    verdicts = asyncio.run(storm(face, shop.server.url, [seat.key], tries=tries, callers=32))
    assert statuses(verdicts) == +Counter({200: afford, 402: 40})
    snapshots.check()
    # Of an hour, what was drawn and lost is used until it ends; the rest can be had.
    for customer, limit in zip(town.hours[:-1], HOURS, strict=False):
        rest = limit - snapshots.hour_used(customer.profile_id)
        keys = [seat.key for seat in customer.seats]
        tries = range(rest + 10)
        verdicts = asyncio.run(storm(face, shop.server.url, keys, tries=tries, callers=16))
        assert statuses(verdicts) == +Counter({200: rest, 429: 10})
        assert snapshots.hour_used(customer.profile_id) == limit


def check_books(server: RunningServer) -> None:
    """The sums agree, and the command that operators ask says so."""
    with closing(open_reader(server.database)) as reader:
        assert not differences(reader.connection)
        assert run_audit(reader, integrity=True).agrees
    audit = subprocess.run(
        [sys.executable, "-m", "farebox", "audit"],
        env=server.environment,
        capture_output=True,
        check=False,
    )
    assert audit.returncode == 0, audit.stderr


@pytest.mark.parametrize(("seed", "seconds"), [SHORT, MORE])
def test_no_limit_is_passed_whoever_is_killed(tmp_path: Path, seed: int, seconds: int) -> None:
    settings = {**SETTINGS, "FAREBOX_RESERVATION_SECONDS": str(HOLD_SECONDS)}
    with ExitStack() as stack:
        server = stack.enter_context(RunningServer(tmp_path, settings))
        shop = Shop(server)
        town = town_in(shop)
        snapshots = Snapshots(server.database, watched_in(town), HOLD_SECONDS * MS_PER_SECOND)
        stack.callback(snapshots.close)
        chaos = Chaos(shop, town, tmp_path, seed)
        stack.callback(chaos.close)
        chaos.rage(snapshots, seconds)
        told = Told(chaos.lines())
        doubtful = told.resolve(server)
        snapshots.check()
        told.check_ends()
        check_log(server, told)
        check_admissions(told, town)
        check_all_is_free(shop, town, snapshots)
        check_books(server)
    seen = {
        "admitted": len(told.admitted),
        "settled": len(told.done(SETTLE)),
        "voided": len(told.done(VOID)),
        "in doubt": doubtful,
        "refused": told.refused,
        "killed": chaos.kills,
        "snapshots": snapshots.taken,
        "nearest": snapshots.nearest,
        "drawn_micro": snapshots.most_drawn_micro,
    }
    print(json.dumps(seen))  # noqa: T201 - shown where it fails, or is asked for
    assert len(told.admitted) > 10 * seconds, "there was something to go wrong"
    assert snapshots.taken > seconds
