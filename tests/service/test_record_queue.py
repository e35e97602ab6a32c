"""The record queue: what was admitted and made is recorded, whatever else happens."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from farebox.core.request import Capture
from farebox.engine import messages
from farebox.engine.holds import Hold
from farebox.engine.messages import Message, Record, encode
from farebox.service import record_queue
from farebox.service.metrics import Metrics
from farebox.service.record_queue import RecordQueue
from tests.support.gates import SENT, GateWorld
from tests.support.harness import Harness
from tests.support.homes import Home

SLUG = "search"
TEXT = "x" * 1_000


@pytest.fixture
def world(home: Home) -> Iterator[GateWorld]:
    with Harness(home) as harness:
        harness.log_type(SLUG, credits=3)
        yield GateWorld(harness)


def recorded(world: GateWorld) -> int:
    ((count,),) = world.harness.select("select count(*) from requests")
    assert isinstance(count, int)
    return count


def captured(world: GateWorld) -> int:
    ((count,),) = world.harness.select("select count(*) from captures")
    assert isinstance(count, int)
    return count


def put(queue: RecordQueue, world: GateWorld, hold: Hold) -> None:
    row = world.row(hold)
    queue.put(hold, row, Capture(row.profile_id, row.query_log_id, "{}", TEXT, TEXT))


def test_captures_that_are_too_much_for_one_message_go_in_several(
    world: GateWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "FRAME_BYTES_MAX", 20 * len(TEXT))
    monkeypatch.setattr(record_queue, "CAPTURED_CHARS_MAX", 5 * len(TEXT))
    key_id = world.harness.key(world.harness.workspace())

    def framed(moment: str, message: Message) -> bool:
        if moment == SENT:
            encode(message)
        return False

    async def story() -> None:
        world.link.loses = framed
        queue = RecordQueue(world.gatekeeper, Metrics())
        for _ in range(50):
            put(queue, world, await world.admitted(key_id, SLUG))
        await queue.flush()
        assert queue.waiting == 0

    asyncio.run(story())
    assert recorded(world) == 50
    assert captured(world) == 50


def test_a_failure_of_any_kind_ends_no_recording(
    world: GateWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_queue, "RETRY_SECONDS", 0.0)
    key_id = world.harness.key(world.harness.workspace())
    failures = 0

    def fails(moment: str, message: Message) -> bool:
        nonlocal failures
        if moment == SENT and isinstance(message, Record) and not failures:
            failures += 1
            raise RuntimeError
        return False

    async def story() -> None:
        world.link.loses = fails
        queue = RecordQueue(world.gatekeeper, Metrics())
        queue.start()
        hold = await world.admitted(key_id, SLUG)
        async with asyncio.timeout(5):
            await queue.put_and_wait(hold, world.row(hold))
        await queue.close()

    asyncio.run(story())
    assert (recorded(world), failures) == (1, 1)


def test_what_is_captured_is_not_kept_without_a_bound_while_the_store_is_away(
    world: GateWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_queue, "CAPTURED_WAITING_MAX", 10 * len(TEXT))
    key_id = world.harness.key(world.harness.workspace())

    async def story() -> None:
        queue = RecordQueue(world.gatekeeper, Metrics())
        for _ in range(2):
            for _ in range(20):
                put(queue, world, await world.admitted(key_id, SLUG))
            await queue.flush()

    asyncio.run(story())
    assert recorded(world) == 40
    assert captured(world) == 2 * 4
