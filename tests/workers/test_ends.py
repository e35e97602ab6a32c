"""How a server of several workers starts, fails to start, and stops."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from farebox.service.audit import run_audit
from farebox.store.sqlite.database import open_reader
from tests.support.faces import SETTINGS, SLUG, Customer, Shop
from tests.support.processes import is_alive
from tests.support.recorders import until
from tests.support.server import RunningServer
from tests.support.wire import Wire
from tests.test_serve import STOP_SECONDS_MAX, failed, serving

TOGETHER = {"FAREBOX_WORKERS": "3"}
CALLERS = 24


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with RunningServer(tmp_path / "farebox", {**SETTINGS, **TOGETHER}) as server:
        yield server


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> None:
    (tmp_path / "farebox").mkdir()


def test_the_first_token_and_the_address_are_told_once(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/farebox.db"
    with serving(["--database", database, "--workers", "3"], {}) as (server, told):
        token, url, docs = told
        assert token.startswith("fbt_")
        assert docs.startswith(url)
        assert httpx.get(f"{url}/readyz").json() == {"status": "ok"}
        server.send_signal(signal.SIGINT)
        out, log = server.communicate(timeout=STOP_SECONDS_MAX)
    assert (server.returncode, out) == (0, "")
    assert "fbt_" not in log
    assert log.count("farebox has stopped") == 1 + 3


def test_what_prevents_a_start_is_told_once(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/none/farebox.db"
    said = failed("--port", "0", "--database", database, environment=TOGETHER)
    assert said.count(f"there is no folder {tmp_path}/none\n") == 1


def test_a_taken_port_is_told_even_if_another_of_ours_would_share_it(
    server: RunningServer, tmp_path: Path
) -> None:
    port = server.url.rpartition(":")[2]
    database = f"sqlite:///{tmp_path}/other.db"
    said = failed("--port", port, "--database", database, environment=TOGETHER)
    assert f"can't listen on port {port} of 127.0.0.1" in said
    assert not (tmp_path / "other.db").exists()


def test_a_worker_that_can_not_start_is_tried_again_until_it_can(server: RunningServer) -> None:
    before = server.workers()
    away = server.folder.with_name("away")
    server.folder.rename(away)
    os.kill(before[0], signal.SIGKILL)
    until(lambda: server_log(away).count("ended with status 1") >= 2)
    away.rename(server.folder)
    until(lambda: len(server.workers()) == len(before))
    assert server.call("GET", "/readyz").status_code == httpx.codes.OK
    assert server.stop() == 0


def server_log(folder: Path) -> str:
    return (folder / "stderr").read_text()


class Callers:
    """They authorize and settle until the server is gone, and note what was acknowledged."""

    def __init__(self, shop: Shop, customer: Customer) -> None:
        self._url = shop.server.url
        self._key = customer.seats[0].key
        self._bearer = {"Authorization": f"Bearer {shop.server.token}"}
        self.settled: set[str] = set()
        self.odd: list[int] = []

    async def run(self, stop_after: int, stop: int) -> None:
        """`stop` is sent a signal when so many calls are settled."""
        callers = [asyncio.create_task(self._call(n)) for n in range(CALLERS)]
        while len(self.settled) < stop_after:
            await asyncio.wait(callers, timeout=0.01)
        os.kill(stop, signal.SIGTERM)
        await asyncio.gather(*callers)

    async def _call(self, number: int) -> None:
        count = 0
        async with Wire(self._url) as wire:
            while True:
                count += 1
                name = f"{number}-{count}"
                asked = {"key": self._key, "log_type": SLUG, "id": name}
                try:
                    heard = await wire.ask("POST", "/v1/authorize", self._bearer, asked)
                    if heard.status == httpx.codes.SERVICE_UNAVAILABLE:
                        continue
                    body = {
                        "reservation_id": heard.json()["reservation_id"],
                        "status_code": 200,
                        "path": f"/{name}",
                    }
                    heard = await wire.ask("POST", "/v1/settle", self._bearer, body)
                except OSError:
                    return
                if heard.status == httpx.codes.OK:
                    self.settled.add(f"/{name}")
                elif heard.status != httpx.codes.SERVICE_UNAVAILABLE:
                    self.odd.append(heard.status)


def test_a_stop_under_load_keeps_what_was_acknowledged_and_hands_back_the_rest(
    server: RunningServer,
) -> None:
    shop = Shop(server)
    customer = shop.customer({"limits": {"api": {"hour": 100_000}}})
    assert server.process is not None
    callers = Callers(shop, customer)
    recorder = server.recorder_pid()
    asyncio.run(callers.run(500, server.process.pid))
    assert server.process.wait(STOP_SECONDS_MAX) == 0, server.errors()
    assert recorder is not None
    until(lambda: not is_alive(recorder))
    assert not callers.odd
    with closing(open_reader(server.database)) as reader:
        paths = reader.connection.execute("select path from requests where path like '/%-%'")
        logged = [path for (path,) in paths]
        assert len(logged) == len(set(logged))
        assert callers.settled <= set(logged)
        drawn = "select coalesce(sum(units), 0) from draws where name in ('hour', 'credits')"
        # Each caller may have been admitted without having been able to settle.
        micro = 1_000_000
        ((hour,),) = reader.connection.execute(drawn.replace("in ('hour', 'credits')", "= 'hour'"))
        ((held,),) = reader.connection.execute(
            drawn.replace("in ('hour', 'credits')", "= 'credits'")
        )
        assert isinstance(hour, int)
        assert isinstance(held, int)
        assert max(hour, held // micro) <= CALLERS
        assert run_audit(reader, integrity=True).agrees
