"""The refusal log: every refusal counts once, whatever becomes of a batch, in bounded memory."""

from __future__ import annotations

import asyncio
import random
import sys
import threading
import tracemalloc
from collections import Counter
from collections.abc import Iterator

import msgspec
import pytest

from farebox.core.calendar import QUARTER_MS
from farebox.core.errors import INTERNAL, FareboxError
from farebox.core.refusal import Refusal
from farebox.engine.link import Answer, unavailable
from farebox.service.metrics import Metrics
from farebox.service.refusal_log import RefusalLog
from tests.support.api import DirectLink, Store
from tests.support.harness import START_MS, Harness
from tests.support.refused import refusal

Kind = tuple[int, int, str, str, int]


class LosingLink(DirectLink):
    """A link that fails at random, before the recorder heard of it or after; some restart it."""

    def __init__(self, harness: Harness, chance: random.Random) -> None:
        super().__init__(harness, Store())
        self._of = harness
        self._chance = chance
        self.lost_before = 0
        self.lost_after = 0
        self.is_sound = False

    async def call(
        self,
        name: str,
        arguments: msgspec.Struct,
        answer: type[Answer],
        *,
        actor: str,
        idempotency_key: str | None = None,
    ) -> Answer:
        """As the real one, which may lose the question or the answer."""
        fate = 1.0 if self.is_sound else self._chance.random()
        if fate < 0.2:
            self.lost_before += 1
            raise unavailable("lost on its way")  # noqa: EM101, TRY003 - not a message to format
        found = await super().call(
            name, arguments, answer, actor=actor, idempotency_key=idempotency_key
        )
        if fate < 0.5:
            self.lost_after += 1
            restart(self._of)
            raise unavailable("the answer was lost")  # noqa: EM101, TRY003 - as above
        return found


class SlowLink(DirectLink):
    """A link that never answers."""

    async def call(self, *_: object, **__: object) -> Answer:
        """Wait for ever."""
        await asyncio.Event().wait()
        raise AssertionError


def restart(harness: Harness) -> None:
    """Another recorder takes the place of the one that was."""
    harness.recorder.close()
    harness.recorder = harness.new_recorder(harness.clock)


def counted(harness: Harness) -> dict[Kind, int]:
    """What the database says."""
    rows = harness.select(
        "select profile_id, quarter, key_id, denied_by, is_shadow, refusals from refusals"
    )
    return {tuple(row[:5]): row[5] for row in rows}


def kind_of(each: Refusal) -> Kind:
    return (
        each.profile_id,
        each.time_ms // QUARTER_MS,
        each.key_id,
        each.denied_by,
        int(each.is_shadow),
    )


@pytest.fixture
def log(harness: Harness) -> RefusalLog:
    return RefusalLog(DirectLink(harness, Store()), Metrics(), harness.entropy)


@pytest.mark.parametrize("seed", range(5))
def test_every_refusal_counts_once_whatever_is_lost(harness: Harness, seed: int) -> None:
    chance = random.Random(seed)

    async def story() -> None:
        link = LosingLink(harness, chance)
        log = RefusalLog(link, Metrics(), harness.entropy)
        noted: Counter[Kind] = Counter()
        for _ in range(120):
            for _ in range(chance.randrange(40)):
                each = refusal(
                    chance.randrange(3),
                    chance.choice(["key_a", "key_b"]),
                    time_ms=START_MS + chance.randrange(4 * QUARTER_MS),
                    denied_by=chance.choice(["hour", "credits"]),
                    is_shadow=chance.random() < 0.2,
                )
                noted[kind_of(each)] += 1
                log.note(each)
            try:
                await log.flush()
            except FareboxError:
                assert log.waiting > 0
        link.is_sound = True
        await log.flush()
        assert log.waiting == 0
        assert link.lost_before > 5
        assert link.lost_after > 5
        assert counted(harness) == noted
        explained = harness.select("select profile_id, count(*) from refusal_log group by 1")
        totals: Counter[int] = Counter()
        for kind, count in noted.items():
            totals[kind[0]] += count
        assert dict(explained) == {id_: min(1_000, count) for id_, count in totals.items()}

    asyncio.run(story())


def test_more_than_a_batch_holds_goes_in_several(harness: Harness) -> None:
    async def story() -> None:
        link = LosingLink(harness, random.Random(1))
        log = RefusalLog(link, Metrics(), harness.entropy)
        for number in range(4_500):
            log.note(refusal(1, f"key_{number}"))
        while log.waiting:
            try:
                await log.flush()
            except FareboxError:
                log.note(refusal(2))
        assert link.lost_before + link.lost_after > 1

    asyncio.run(story())
    found = counted(harness)
    assert len([kind for kind in found if kind[0] == 1]) == 4_500
    assert {count for kind, count in found.items() if kind[0] == 1} == {1}


def test_two_processes_count_side_by_side(harness: Harness) -> None:
    async def story() -> None:
        link = DirectLink(harness, Store())
        logs = [RefusalLog(link, Metrics(), harness.entropy) for _ in range(2)]
        for _ in range(3):
            for log in logs:
                log.note(refusal())
                await log.flush()

    asyncio.run(story())
    assert list(counted(harness).values()) == [6]
    sequences = harness.select("select sequence from refusal_sources")
    assert sequences == [(3,), (3,)]


def test_refusals_of_several_threads_all_count(harness: Harness, log: RefusalLog) -> None:
    def flood() -> None:
        for _ in range(5_000):
            log.note(refusal())

    async def story() -> None:
        threads = [threading.Thread(target=flood) for _ in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            await log.flush()
        for thread in threads:
            thread.join()
        await log.flush()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        asyncio.run(story())
    finally:
        sys.setswitchinterval(interval)
    assert list(counted(harness).values()) == [20_000]


def test_a_workspace_keeps_a_thousand_explained_and_takes_none_of_another(
    harness: Harness, log: RefusalLog
) -> None:
    async def story() -> None:
        log.note(refusal(2))
        for number in range(2_500):
            log.note(refusal(1, time_ms=START_MS + number))
            if number % 700 == 0:
                await log.flush()
        await log.flush()

    asyncio.run(story())
    rows = harness.select("select profile_id, time_ms from refusal_log order by refusal_id")
    assert [time_ms for profile_id, time_ms in rows if profile_id == 2] == [START_MS]
    newest = [time_ms for profile_id, time_ms in rows if profile_id == 1]
    assert newest == list(range(START_MS + 1_500, START_MS + 2_500))
    assert sum(counted(harness).values()) == 2_501


def test_a_flood_while_the_store_is_away_takes_little_memory(harness: Harness) -> None:
    async def story() -> None:
        store = Store()
        log = RefusalLog(DirectLink(harness, store), Metrics(), harness.entropy)
        store.is_gone = True
        tracemalloc.start()
        for refusals in (50_000, *[2_000] * 20):
            flood(log, refusals)
            with pytest.raises(FareboxError):
                await log.flush()
        grown_bytes, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        # What is in doubt and what was noted since: 8,000 paths of 1,000 characters.
        assert grown_bytes < 25_000_000
        assert log.waiting == 90_000
        store.is_gone = False
        await log.flush()

    def flood(log: RefusalLog, refusals: int) -> None:
        for number in range(refusals):
            path = f"/{number}" + "x" * 50_000
            log.note(refusal(number % 20, time_ms=START_MS + number, path=path))

    asyncio.run(story())
    assert sum(counted(harness).values()) == 90_000
    ((longest,),) = harness.select("select max(length(path)) from refusal_log")
    assert longest == 1_000


def test_what_finds_no_room_is_dropped_and_counted(harness: Harness) -> None:
    metrics = Metrics()

    async def story() -> None:
        link = DirectLink(harness, Store())
        log = RefusalLog(link, metrics, harness.entropy, sums_max=2)
        for number in range(5):
            log.note(refusal(1, f"key_{number}"))
        await log.flush()

    asyncio.run(story())
    assert len(counted(harness)) == 2
    assert b"farebox_refusals_dropped_total 3.0" in metrics.render()


def test_the_metric_tells_reasons_and_no_key(harness: Harness) -> None:
    metrics = Metrics()

    async def story() -> None:
        log = RefusalLog(DirectLink(harness, Store()), metrics, harness.entropy)
        for denied_by in ("hour", "hour", "credits"):
            log.note(refusal(1, "key_of_acme", denied_by=denied_by))
        log.note(refusal(is_shadow=True))
        await log.flush()
        await log.flush()

    asyncio.run(story())
    told = metrics.render()
    assert b'farebox_refusals_total{reason="hour"} 2.0' in told
    assert b'farebox_refusals_total{reason="credits"} 1.0' in told
    assert b'farebox_shadow_refusals_total{reason="hour"} 1.0' in told
    assert b"key_of_acme" not in told


def test_a_batch_that_is_refused_does_not_hold_up_the_next(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = Metrics()

    async def story() -> None:
        link = DirectLink(harness, Store())
        log = RefusalLog(link, metrics, harness.entropy)
        log.note(refusal(denied_by="a"))

        async def refuse(*_: object, **__: object) -> None:
            raise FareboxError(INTERNAL)

        with monkeypatch.context() as patched:
            patched.setattr(link, "call", refuse)
            await log.flush()
        log.note(refusal(denied_by="b"))
        await log.flush()

    asyncio.run(story())
    assert [kind[3] for kind in counted(harness)] == ["b"]
    assert b"farebox_refusals_dropped_total 1.0" in metrics.render()


def test_what_can_not_be_explained_is_counted_all_the_same(
    harness: Harness, log: RefusalLog
) -> None:
    log.note(refusal(denied_by="a"))
    log.note(refusal(denied_by="b", code=20000))  # no status of a refusal
    asyncio.run(log.flush())
    assert sorted(kind[3] for kind in counted(harness)) == ["a", "b"]
    assert harness.select("select * from refusal_log") == []
    log.note(refusal(denied_by="c"))
    asyncio.run(log.flush())
    assert harness.select("select denied_by from refusal_log") == [("c",)]


def test_refusals_are_told_of_by_themselves_and_when_it_stops(harness: Harness) -> None:
    async def story() -> None:
        link = DirectLink(harness, Store())
        log = RefusalLog(link, Metrics(), harness.entropy, flush_every_seconds=0)
        log.start()
        log.note(refusal())
        while log.waiting:  # noqa: ASYNC110 - it turns the loop until the task has done it
            await asyncio.sleep(0)
        await log.close()
        late = RefusalLog(link, Metrics(), harness.entropy, flush_every_seconds=3_600)
        late.start()
        late.note(refusal())
        await late.close()
        assert late.waiting == 0

    asyncio.run(asyncio.wait_for(story(), 20))
    assert list(counted(harness).values()) == [2]


def test_it_stops_although_nobody_answers(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farebox.service.refusal_log.CLOSE_SECONDS_MAX", 0)
    metrics = Metrics()

    async def story() -> None:
        log = RefusalLog(SlowLink(harness, Store()), metrics, harness.entropy)
        log.start()
        log.note(refusal())
        await log.close()

    asyncio.run(asyncio.wait_for(story(), 20))
    assert b"farebox_refusals_dropped_total 1.0" in metrics.render()


@pytest.fixture
def secrets(harness: Harness) -> Iterator[tuple[str, str]]:
    profile_id = harness.workspace()
    key = harness.call("keys.create", profile_id=profile_id).key
    token = harness.call("tokens.create", name="T", scope="meter").token
    yield key, token
    harness.recorder.close()
    for stored in harness.home.contents():
        assert key.encode() not in stored
        assert token.encode() not in stored


@pytest.mark.parametrize("length", [0, 990, 5_000])
def test_no_secret_is_kept_of_what_a_caller_wrote(
    harness: Harness, log: RefusalLog, secrets: tuple[str, str], length: int
) -> None:
    pad = "/" + "x" * length
    for secret in secrets:
        for path in (f"{pad}?key={secret}", f"{pad}#{secret}", f"{pad}/{secret}/x"):
            log.note(refusal(path=path, ip=secret, method=secret))
        # As much as fits is cut off in the midst of a secret, too.
        log.note(refusal(path=pad + secret * 30, ip=secret * 30, method=secret * 30))
    asyncio.run(log.flush())
    rows = harness.select("select path, ip, method from refusal_log")
    assert len(rows) == 8
    for path, ip, method in rows:
        assert "fbx_" not in path
        assert "fbt_" not in path
        assert "?" not in path
        assert (ip, method) == (None, None)


def test_what_no_database_can_hold_is_made_to_fit(harness: Harness, log: RefusalLog) -> None:
    log.note(refusal(path="/\ud800\0é", method="ge\nt", ip="::FFFF", key_id=""))
    asyncio.run(log.flush())
    assert harness.select("select method, ip from refusal_log") == [(None, "::ffff")]
