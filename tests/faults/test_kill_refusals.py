"""kill -9 of the recorder while refusals are told of: each counts once all the same."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from farebox.core.errors import FareboxError
from farebox.engine.entropy import SystemEntropy
from farebox.engine.link import Link
from farebox.engine.spawn import RecorderProcess, recorder_command
from farebox.service.audit import run_audit
from farebox.service.metrics import Metrics
from farebox.service.refusal_log import RefusalLog
from farebox.store.sqlite.database import open_reader
from tests.support.refused import refusal
from tests.support.worlds import World

KILLS = 15
ANSWERED_AT_LEAST = 20


@pytest.fixture
def database(tmp_path: Path) -> Path:
    with World(tmp_path) as world:
        world.key(world.workspace())
    return world.path


@pytest.mark.parametrize("seed", [1])
def test_a_recorder_that_is_killed_counts_every_refusal_once(database: Path, seed: int) -> None:
    process = RecorderProcess(recorder_command(database))
    try:
        noted = asyncio.run(asyncio.wait_for(tell(database, process, random.Random(seed)), 100))
    finally:
        process.end(20)
    reader = open_reader(database)
    ((counted,),) = reader.connection.execute("select sum(refusals) from refusals")
    assert counted == noted
    ((kept,),) = reader.connection.execute("select count(*) from refusal_log")
    assert kept == 1_000
    assert run_audit(reader, integrity=True).agrees
    reader.close()


async def tell(database: Path, process: RecorderProcess, chance: random.Random) -> int:
    """Note and tell while it is killed now and then; how many were noted."""
    link = Link(database, process)
    log = RefusalLog(link, Metrics(), SystemEntropy())
    noted = killed = answered = 0

    async def flush() -> bool:
        with suppress(FareboxError):
            await log.flush()
            return True
        return False

    while killed < KILLS or answered < ANSWERED_AT_LEAST:
        for _ in range(chance.randrange(1, 400)):
            log.note(refusal(1, chance.choice(["key_a", "key_b"])))
            noted += 1
        flushing = asyncio.create_task(flush())
        if killed < KILLS and answered % 2:
            await asyncio.sleep(chance.uniform(0, 0.004))
            if process.pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
            killed += 1
        answered += await flushing
    while not await flush():
        pass
    await link.close()
    return noted
