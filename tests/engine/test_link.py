"""The link: bounded, told the truth about loss, and up again by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path

import pytest
import uvloop

from farebox.core.errors import (
    BODY_TOO_LARGE,
    IN_FLIGHT,
    NOT_FOUND,
    QUEUE_FULL,
    STORE_UNAVAILABLE,
)
from farebox.engine import messages
from farebox.engine.link import RETRY_AFTER_SECONDS, SILENT, TOO_LATE, Link
from farebox.engine.messages import (
    Failed,
    Message,
    Record,
    Reply,
    encode,
)
from farebox.engine.spawn import RecorderProcess
from tests.support.recorders import nobody, on_a_thread
from tests.support.stage import Stage, accept, hang_up, kinds, refusal, rows, when_told
from tests.support.truth import differences
from tests.support.worlds import MICRO, Give, Made, World, request


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        made.workspace()
        yield made


Run = Callable[[Coroutine[None, None, None]], None]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a story on each of the loops that a server may have."""

    def on_loop(story: Coroutine[None, None, None]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(asyncio.wait_for(story, 20))

    return on_loop


def test_it_is_full_at_its_bound_and_not_before(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        go_on = asyncio.Event()
        async with Stage(tmp_path, when_told(go_on)).open() as stage:
            link = Link(stage.database, nobody(), rows_waiting_max=10)
            first = asyncio.create_task(link.record(rows(7)))
            second = asyncio.create_task(link.record(rows(3)))
            await asyncio.sleep(0)
            full = await refusal(link.record(rows(1)))
            assert full.kind is QUEUE_FULL
            assert full.retry_after_seconds == RETRY_AFTER_SECONDS
            assert link.rows_waiting == 10
            go_on.set()
            await asyncio.gather(first, second)
            assert link.rows_waiting == 0
            await link.record(rows(10))
            await link.close()

    run(story())


def test_a_failure_makes_room_again(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        async with Stage(tmp_path, hang_up).open() as stage:
            link = Link(stage.database, nobody(), rows_waiting_max=10)
            assert (await refusal(link.record(rows(10)))).kind is STORE_UNAVAILABLE
            assert (await refusal(link.record(rows(10)))).kind is STORE_UNAVAILABLE
            assert link.rows_waiting == 0

    run(story())


def test_a_caller_who_goes_away_makes_room_and_harms_nobody(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        go_on = asyncio.Event()
        async with Stage(tmp_path, when_told(go_on)).open() as stage:
            link = Link(stage.database, nobody(), rows_waiting_max=10)
            going, staying = (asyncio.create_task(link.record(rows(5))) for _ in range(2))
            await stage.heard.get()
            await stage.heard.get()
            going.cancel()
            await asyncio.gather(going, return_exceptions=True)
            assert link.rows_waiting == 5
            go_on.set()
            assert (await staying).call_id == 2
            await link.close()

    run(story())


def test_a_lost_connection_is_503_to_everyone_who_waits(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        async def at_the_third(message: Message) -> Reply | None:
            if message.call_id == 3:
                return None
            await asyncio.Event().wait()
            raise AssertionError

        async with Stage(tmp_path, at_the_third).open() as stage:
            link = Link(stage.database, nobody())
            waiting = (link.record(rows(1)) for _ in range(3))
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
            assert kinds(list(outcomes)) == [STORE_UNAVAILABLE] * 3

    run(story())


def test_after_a_loss_it_connects_again_by_itself(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        async def at_first_not(message: Message) -> Reply | None:
            return None if message.call_id == 1 else await accept(message)

        async with Stage(tmp_path, at_first_not).open() as stage:
            link = Link(stage.database, nobody())
            assert (await refusal(link.record(rows(1)))).kind is STORE_UNAVAILABLE
            await link.record(rows(1))
            assert stage.connections == 2
            await link.close()

    run(story())


def test_many_callers_share_one_connection(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        async with Stage(tmp_path, accept).open() as stage:
            link = Link(stage.database, nobody())
            replies = await asyncio.gather(*(link.record(rows(1)) for _ in range(50)))
            assert sorted(reply.call_id for reply in replies) == list(range(1, 51))
            assert stage.connections == 1
            await link.close()

    run(story())


class Starts(RecorderProcess):
    """Counts the starts, and starts nothing."""

    def __init__(self, trouble: str) -> None:
        super().__init__([])
        self.count = 0
        self.trouble = trouble

    def ensure(self) -> str:
        self.count += 1
        return self.trouble


def test_without_a_recorder_everyone_is_told_at_once(run: Run, tmp_path: Path) -> None:
    """One start is tried for all who wait, not one after the other for each."""

    async def story() -> None:
        process = Starts("it can't be started")
        link = Link(tmp_path / "farebox.db", process)
        waiting = (link.record(rows(1)) for _ in range(40))
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert kinds(list(outcomes)) == [STORE_UNAVAILABLE] * 40
        assert process.count == 1

    run(story())


def test_a_recorder_that_ends_with_an_error_is_told(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        link = Link(tmp_path / "farebox.db", nobody())
        refused = await refusal(link.record(rows(1)))
        assert refused.kind is STORE_UNAVAILABLE
        assert refused.retry_after_seconds == RETRY_AFTER_SECONDS
        assert "status 1" in refused.internal

    run(story())


def test_who_stops_waiting_for_a_connection_leaves_no_trace(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        link = Link(tmp_path / "farebox.db", Starts(""))
        waiting = asyncio.create_task(link.record(rows(1)))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert link.rows_waiting == 0

    run(story())


def test_no_answer_in_time_is_503_and_nothing_heaps_up(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        async def never(_: Message) -> Reply:
            await asyncio.Event().wait()
            raise AssertionError

        async with Stage(tmp_path, never).open() as stage:
            link = Link(stage.database, nobody(), reply_seconds_max=0.05)
            for connection in (1, 2):
                assert (await refusal(link.record(rows(1)))).kind is STORE_UNAVAILABLE
                assert stage.connections == connection

    run(story())


def test_a_recorder_that_is_silent_is_sent_no_more_and_not_given_up(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        go_on = asyncio.Event()
        async with Stage(tmp_path, when_told(go_on)).open() as stage:
            link = Link(stage.database, nobody(), silent_seconds_max=0)
            long_commit = asyncio.create_task(link.record(rows(1)))
            await stage.heard.get()
            for _ in range(2):
                refused = await refusal(link.record(rows(1)))
                assert (refused.kind, refused.internal) == (STORE_UNAVAILABLE, SILENT)
                assert refused.retry_after_seconds == RETRY_AFTER_SECONDS
            assert stage.heard.empty()
            go_on.set()
            await long_commit
            link.check()
            await link.record(rows(1))
            assert stage.connections == 1
            await link.close()

    run(story())
    said = [record.message for record in caplog.records]
    assert said == ["the recorder has not answered for 0 s", "the recorder answers again"]


def test_one_asks_again_when_all_have_given_up_on_a_silent_recorder(
    run: Run, tmp_path: Path
) -> None:
    async def story() -> None:
        is_stopped = True

        async def when_it_goes_on(message: Message) -> Reply:
            if is_stopped:
                await asyncio.Event().wait()
            return await accept(message)

        async with Stage(tmp_path, when_it_goes_on).open() as stage:
            link = Link(stage.database, nobody(), reply_seconds_max=0.05, silent_seconds_max=0)
            for _ in range(2):
                asking = asyncio.create_task(link.record(rows(1)))
                await stage.heard.get()
                assert (await refusal(link.record(rows(1)))).internal == SILENT
                assert (await refusal(asking)).internal == TOO_LATE
            is_stopped = False
            await link.record(rows(1))
            link.check()
            await link.close()

    run(story())


def test_a_new_recorder_owes_nothing_of_what_the_last_was_asked(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        async with Stage(tmp_path, hang_up).open() as stage:
            link = Link(stage.database, nobody(), silent_seconds_max=0)
            assert (await refusal(link.record(rows(1)))).internal != SILENT
            stage.play = accept
            await asyncio.gather(*(link.record(rows(1)) for _ in range(3)))
            await link.close()

    run(story())


@pytest.mark.parametrize("garbage", [b"\xff\xff\xff\xff", b"\0\0\0\1?", encode(Record(1, []))])
def test_garbage_from_the_recorder_is_a_loss(
    run: Run, tmp_path: Path, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async def nonsense(_: Message) -> bytes:
            return garbage

        async with Stage(tmp_path, nonsense).open() as stage:
            link = Link(stage.database, nobody())
            assert (await refusal(link.record(rows(1)))).kind is STORE_UNAVAILABLE

    run(story())
    assert "data_received" in caplog.text


def test_what_is_too_long_for_a_frame_is_refused_alone(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "FRAME_BYTES_MAX", 10_000)

    async def story() -> None:
        async with Stage(tmp_path, accept).open() as stage:
            link = Link(stage.database, nobody())
            small, large = (asyncio.create_task(link.record(rows(n))) for n in (1, 500))
            assert (await refusal(large)).kind is BODY_TOO_LARGE
            await small
            await link.close()
            assert stage.connections == 1

    run(story())


def test_closing_waits_for_what_was_sent(run: Run, world: World) -> None:
    async def story() -> None:
        link = Link(world.path, nobody())
        await link.connect()
        sent = [asyncio.create_task(link.record([request(1, str(n))])) for n in range(20)]
        await asyncio.sleep(0)
        await link.close()
        assert all(task.done() for task in sent)
        await asyncio.gather(*sent)

    with on_a_thread(world):
        run(story())
    assert world.select("select count(*) from requests") == [(20,)]
    assert not differences(world.db)


def test_a_command_is_answered_or_refused_with_its_error(run: Run, world: World) -> None:
    async def story() -> None:
        link = Link(world.path, nobody())
        made = await link.call("test.give", Give(1, MICRO), Made, actor="test")
        assert made.number == 2
        plan = world.commands["plans.change"].arguments(slug="nope")
        refused = await refusal(link.call("plans.change", plan, Made, actor="test"))
        assert (refused.kind, refused.params) == (NOT_FOUND, {"what": "plan"})
        await link.close()

    with on_a_thread(world):
        run(story())


def test_an_idempotency_key_is_worked_on_once_at_a_time(run: Run, world: World) -> None:
    async def story() -> None:
        link = Link(world.path, nobody())
        calls = [
            link.call("test.give", Give(1, MICRO), Made, actor=actor, idempotency_key="k")
            for actor in ("a", "a", "b")
        ]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert kinds(list(outcomes)) == [None, IN_FLIGHT, None]
        again = await link.call("test.give", Give(1, MICRO), Made, actor="a", idempotency_key="k")
        assert again == outcomes[0]
        await link.close()

    with on_a_thread(world):
        run(story())
    assert world.select("select count(*) from grants where kind = 'topup'") == [(2,)]


def test_a_store_that_fails_is_503_with_a_time_to_retry(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        async def fail(message: Message) -> Reply:
            return Failed(message.call_id, STORE_UNAVAILABLE.code, {}, "disk full")

        async with Stage(tmp_path, fail).open() as stage:
            link = Link(stage.database, nobody())
            refused = await refusal(link.record(rows(1)))
            assert refused.kind is STORE_UNAVAILABLE
            assert refused.retry_after_seconds == RETRY_AFTER_SECONDS
            assert refused.internal == "disk full"
            await link.close()

    run(story())
