"""A database to measure on: one workspace, 20 keys, 15 log types, and as many requests as asked.

Everything goes in through the recorder, as in earnest. A filled database is kept and copied, since
filling millions of rows takes minutes; it is made anew when the schema or this file has changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from farebox.core.identity import content_digest, format_uuid, pack_identity, query_log_id
from farebox.core.instant import MS_PER_DAY
from farebox.core.request import MeteredRequest
from farebox.engine.spawn import RecorderProcess, recorder_command
from farebox.engine.sync_link import SyncLink
from farebox.service.forms.key import KeyMade, KeyMake
from farebox.service.forms.log_type import LogTypeCreate, LogTypeData
from farebox.service.forms.plan import PlanCreate, PlanData
from farebox.service.forms.workspace import WorkspaceCreate, WorkspaceData
from farebox.store.sqlite import migrate

KEYS = 20
LOG_TYPES = 15
DAYS = 365
ROWS_PER_RECORD = 2_000
RECORDS_UNDERWAY = 6
ACTOR = "benchmark"
CACHE = Path(".bench")
# Of 100 requests in turn: some fail, and some of those are the service's own fault.
STATUS_CODES = (*(200 for _ in range(92)), 404, 200, 422, 201, 404, 500, 503, 200)
PATHS = ("/people/search", "/people/redeem", "/companies/search", "/companies/lookup")


class World(NamedTuple):
    """What requests name."""

    profile_id: int
    key_ids: list[str]
    secret: str
    slugs: list[str]


def link(database: Path) -> SyncLink:
    """A connection to the recorder of a database."""
    return SyncLink(database, RecorderProcess(recorder_command(database)))


def make_world(recorder: SyncLink) -> World:
    """The workspace with its keys and log types, in a new database."""
    recorder.call(
        "plans.create",
        PlanCreate(slug="gold", name="Gold", credits_per_month=Decimal(1_000_000_000)),
        PlanData,
        actor=ACTOR,
    )
    slugs = [f"type_{number}" for number in range(LOG_TYPES)]
    for slug in slugs:
        form = LogTypeCreate(slug=slug, name=slug, credits=Decimal(3))
        recorder.call("log_types.create", form, LogTypeData, actor=ACTOR)
    workspace = recorder.call(
        "workspaces.create",
        WorkspaceCreate(name="Bench", plan="gold", timezone="Europe/Berlin"),
        WorkspaceData,
        actor=ACTOR,
    )
    keys = [
        recorder.call("keys.create", KeyMake(profile_id=workspace.profile_id), KeyMade, actor=ACTOR)
        for _ in range(KEYS)
    ]
    secret = keys[0].key
    assert isinstance(secret, str)
    return World(workspace.profile_id, [key.key_id for key in keys], secret, slugs)


def past_rows(world: World, count: int, days: int) -> Iterator[list[MeteredRequest]]:
    """Requests over the last days, ascending in time, every key and log type on every day."""
    now_ms = time.time_ns() // 1_000_000
    start_ms = now_ms - days * MS_PER_DAY
    content = content_digest(b"past")
    step = days * MS_PER_DAY // max(1, count)
    for first in range(0, count, ROWS_PER_RECORD):
        batch = []
        for number in range(first, min(first + ROWS_PER_RECORD, count)):
            time_ms = start_ms + number * step
            log_id = query_log_id(time_ms, os.urandom(10))
            batch.append(
                MeteredRequest(
                    world.profile_id,
                    pack_identity("", format_uuid(log_id)),
                    content,
                    log_id,
                    time_ms,
                    world.key_ids[number % KEYS],
                    1 + number // KEYS % LOG_TYPES,
                    "api",
                    3_000_000,
                    "GET" if number % 7 == 0 else "POST",
                    PATHS[number % len(PATHS)],
                    # 37 has no factor in common with 100: the failures lie apart.
                    STATUS_CODES[number * 37 % len(STATUS_CODES)],
                    20 + number * 7919 % 400,
                    2048 + number % 512,
                    "192.0.2.1",
                    "x-api-key",
                )
            )
        yield batch


def filled(count: int, folder: Path, days: int = DAYS) -> tuple[Path, World]:
    """A database of its own in `folder`, with `count` requests of the last days."""
    schema = b"".join(m.sql.encode() for m in migrate.all_migrations())
    made_by = hashlib.sha256(schema + Path(__file__).read_bytes()).hexdigest()[:12]
    name = f"{made_by}-{count}-{days}"
    kept = CACHE / name
    if not (kept / "world").exists():
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        _fill(kept, count, days)
    target = folder / name / "farebox.db"
    target.parent.mkdir(parents=True)
    shutil.copy(kept / "farebox.db", target)
    fields = (kept / "world").read_text("utf-8").splitlines()
    slugs = [f"type_{number}" for number in range(LOG_TYPES)]
    return target, World(int(fields[0]), fields[2:], fields[1], slugs)


def _fill(kept: Path, count: int, days: int) -> None:
    database = kept / "farebox.db"
    with link(database) as recorder:
        world = make_world(recorder)
        underway = 0
        for batch in past_rows(world, count, days):
            recorder.send_record(batch, is_import=True)
            underway += 1
            if underway > RECORDS_UNDERWAY:
                recorder.receive_recorded()
                underway -= 1
        for _ in range(underway):
            recorder.receive_recorded()
    while database.with_name("farebox.db-wal").exists():
        time.sleep(0.1)
    lines = [str(world.profile_id), world.secret, *world.key_ids]
    (kept / "world").write_text("\n".join(lines), "utf-8")
