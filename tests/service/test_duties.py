"""Duties: of many processes one does what one is to do, and another when that one is gone."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from farebox.core.errors import FareboxError
from farebox.engine.clock import SteadyClock
from farebox.service.auditor import Auditor, audit
from farebox.service.duties import TERM_MS, Duty
from farebox.service.housekeeping import Housekeeper, Seen, look_around
from farebox.service.metrics import Metrics
from farebox.store.contract import Reader
from tests.support.api import DirectLink, Store
from tests.support.harness import Harness

Result = TypeVar("Result")


class Site:
    """Where several processes meet."""

    def __init__(self, harness: Harness) -> None:
        self.harness = harness
        self.store = Store()
        self.is_wanted = True

    def process(self, name: str = "watch") -> Duty:
        harness = self.harness
        link = DirectLink(harness, self.store)
        return Duty(
            *(name, link, self.read, harness.clock, harness.entropy),
            is_wanted=lambda _: self.is_wanted,
        )

    async def read(self, work: Callable[[Reader], Result]) -> Result:
        return work(self.harness.reader)

    def commits(self) -> int:
        ((count,),) = self.harness.select("select count(*) from commits")
        assert isinstance(count, int)
        return count


@pytest.fixture
def site(harness: Harness) -> Site:
    return Site(harness)


def whose(*processes: Duty) -> list[bool]:
    async def ask() -> list[bool]:
        return [await process.is_ours() for process in processes]

    return asyncio.run(ask())


def test_one_has_it_and_keeps_it(site: Site) -> None:
    first, second = site.process(), site.process()
    for _ in range(20):
        assert whose(first, second) == [True, False]
        site.harness.clock.advance(TERM_MS // 4)


def test_it_is_written_a_few_times_a_minute_and_only_while_there_is_anything_to_do(
    site: Site,
) -> None:
    site.is_wanted = False
    before = site.commits()
    processes = [site.process() for _ in range(3)]
    for _ in range(60):
        assert not any(whose(*processes))
        site.harness.clock.advance(1_000)
    assert site.commits() == before
    site.is_wanted = True
    for _ in range(60):
        assert whose(*processes) == [True, False, False]
        site.harness.clock.advance(1_000)
    assert site.commits() - before <= 60_000 // (TERM_MS // 2)


def test_when_its_holder_is_gone_another_goes_on_after_its_term(site: Site) -> None:
    first, second = site.process(), site.process()
    assert whose(first, second) == [True, False]
    site.harness.clock.advance(TERM_MS - 1)
    assert whose(second) == [False]
    site.harness.clock.advance(1)
    assert whose(second, first) == [True, False]


def test_what_is_laid_down_another_has_at_once(site: Site) -> None:
    first, second = site.process(), site.process()
    assert whose(first, second) == [True, False]
    asyncio.run(first.lay_down())
    assert whose(second, first) == [True, False]


def test_each_duty_is_somebodys_on_its_own(site: Site) -> None:
    assert whose(site.process("watch"), site.process("other")) == [True, True]


def test_nobody_has_it_while_the_store_is_away(site: Site) -> None:
    process = site.process()
    site.store.is_gone = True
    with pytest.raises(FareboxError):
        whose(process)
    asyncio.run(process.lay_down())


def test_of_many_servers_one_audits_in_each_period(site: Site, tmp_path: Path) -> None:
    told = tmp_path / "audits"
    write = f"open({str(told)!r}, 'a').write('x')"
    now_ms = site.harness.clock.now_ms

    def server() -> Housekeeper:
        async def look(now_ms: int) -> Seen:
            return look_around(site.harness.reader, now_ms)

        return Housekeeper(
            DirectLink(site.harness, site.store),
            look,
            SteadyClock(wall=now_ms, steady=now_ms),
            Metrics(),
            site.process("audit"),
            capture_days=7,
            audit_minutes=60,
            auditor=Auditor(partial(audit, [sys.executable, "-c", write], {})),
        )

    async def rounds() -> list[int]:
        counts = []
        servers = [server() for _ in range(3)]
        for minutes in (59, 1, 1, 58, 1, 30):
            site.harness.clock.advance(minutes * 60_000)
            for one in servers:
                await one.round()
                await one.auditor.ended()
            counts.append(len(told.read_text()) if told.exists() else 0)
        return counts

    assert asyncio.run(rounds()) == [0, 1, 1, 1, 2, 2]
