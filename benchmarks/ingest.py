"""Ingest in batches of 1,000 against the bare loop, on an empty and on a large table.

By the recorder alone, and over HTTP, where a server's process and a client's share the machine.

Rounds are interleaved; each writes as many batches of requests never seen before, whose times are
the present. Farebox checks credentials, decodes JSON, prices, looks for repeats, keeps the books
and answers after the commit; the bare loop does none of it.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from benchmarks.bare import BareLoop
from benchmarks.server import Client, post, serving
from benchmarks.table import Row
from benchmarks.world import KEYS, LOG_TYPES, World, filled, link
from farebox.core.identity import content_digest, format_uuid, pack_identity, query_log_id
from farebox.core.instant import to_iso_ms
from farebox.core.request import MeteredRequest
from farebox.engine.sync_link import SyncLink

BATCH_ROWS = 1_000
BATCHES_PER_ROUND = 60
ROUNDS = 7
CALLERS = 4
RATIO_MIN = 0.7


def compare(count: int) -> Row:
    """The ratio of the rates on a table of `count` requests."""
    with tempfile.TemporaryDirectory() as folder:
        ours, world = filled(count, Path(folder) / "ours")
        theirs, _ = filled(count, Path(folder) / "bare")
        bare = BareLoop(theirs)
        rates: list[tuple[float, float]] = []
        with serving(ours) as port, ThreadPoolExecutor(CALLERS) as pool:
            clients = [Client(port) for _ in range(CALLERS)]
            for number in range(ROUNDS + 1):
                bare_seconds = _bare_round(bare, world)
                http_seconds = _http_round(clients, pool, world)
                rows = BATCH_ROWS * BATCHES_PER_ROUND
                if number:  # the first round warms up
                    rates.append((rows / http_seconds, rows / bare_seconds))
            for client in clients:
                client.close()
        bare.close()
    ratio = median(ours / theirs for ours, theirs in rates)
    return Row(
        f"ingest over HTTP, batches of 1,000, table of {count:,} rows, against a bare loop",
        f"{median(r[0] for r in rates):,.0f} and {median(r[1] for r in rates):,.0f} requests/s",
        ratio,
        f">= {RATIO_MIN}",
        ratio >= RATIO_MIN,
    )


def compare_recorder(count: int) -> Row:
    """The same without HTTP: priced requests go to the recorder's process over its socket."""
    with tempfile.TemporaryDirectory() as folder:
        ours, world = filled(count, Path(folder) / "ours")
        theirs, _ = filled(count, Path(folder) / "bare")
        bare = BareLoop(theirs)
        rates: list[tuple[float, float]] = []
        with link(ours) as recorder:
            for number in range(ROUNDS + 1):
                bare_seconds = _bare_round(bare, world)
                seconds = _recorder_round(recorder, world)
                rows = BATCH_ROWS * BATCHES_PER_ROUND
                if number:  # the first round warms up
                    rates.append((rows / seconds, rows / bare_seconds))
        bare.close()
    ratio = median(ours / theirs for ours, theirs in rates)
    return Row(
        f"ingest by the recorder, batches of 1,000, table of {count:,} rows, against a bare loop",
        f"{median(r[0] for r in rates):,.0f} and {median(r[1] for r in rates):,.0f} requests/s",
        ratio,
        f">= {RATIO_MIN}",
        ratio >= RATIO_MIN,
    )


def _recorder_round(recorder: SyncLink, world: World) -> float:
    batches = [fresh_rows(world) for _ in range(BATCHES_PER_ROUND)]
    began = time.perf_counter()
    for number, batch in enumerate(batches):
        recorder.send_record(batch)
        if number >= CALLERS:
            recorder.receive_recorded()
    for _ in range(min(CALLERS, len(batches))):
        recorder.receive_recorded()
    return time.perf_counter() - began


def _bare_round(bare: BareLoop, world: World) -> float:
    now_ms = time.time_ns() // 1_000_000
    batches = [bare.prepare(fresh_rows(world), now_ms) for _ in range(BATCHES_PER_ROUND)]
    return bare.run(batches, now_ms)


def _http_round(clients: list[Client], pool: ThreadPoolExecutor, world: World) -> float:
    requests = [post("/v1/requests", body(world, BATCH_ROWS)) for _ in range(BATCHES_PER_ROUND)]
    began = time.perf_counter()
    shares = [requests[number::CALLERS] for number in range(CALLERS)]
    done = pool.map(
        lambda pair: [pair[0].ask(r) for r in pair[1]], zip(clients, shares, strict=True)
    )
    for answers in done:
        for answer in answers:
            assert json.loads(answer)["accepted"] == BATCH_ROWS, answer
    return time.perf_counter() - began


def fresh_rows(world: World, credits_micro: int = 3_000_000) -> list[MeteredRequest]:
    """A batch of requests that are made now."""
    now_ms = time.time_ns() // 1_000_000
    content = content_digest(b"now")
    rows = []
    for number in range(BATCH_ROWS):
        log_id = query_log_id(now_ms, os.urandom(10))
        rows.append(
            MeteredRequest(
                world.profile_id,
                pack_identity("", format_uuid(log_id)),
                content,
                log_id,
                now_ms,
                world.key_ids[number % KEYS],
                1 + number // KEYS % LOG_TYPES,
                "api",
                credits_micro,
                "POST",
                "/people/search",
                200,
                120,
                2048,
                "192.0.2.1",
                None,
            )
        )
    return rows


def body(world: World, count: int) -> bytes:
    """A body of requests that are made now."""
    now_ms = time.time_ns() // 1_000_000
    rows = [
        {
            "id": format_uuid(query_log_id(now_ms, os.urandom(10))),
            "key_id": world.key_ids[number % KEYS],
            "log_type": world.slugs[number // KEYS % LOG_TYPES],
            "time": to_iso_ms(now_ms),
            "method": "POST",
            "path": "/people/search",
            "status_code": 200,
            "duration_ms": 120,
            "response_size": 2048,
            "ip": "192.0.2.1",
        }
        for number in range(count)
    ]
    return json.dumps({"requests": rows}).encode()
