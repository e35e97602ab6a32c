"""Latency under load: an empty endpoint of a server that records 5,000 requests a second.

A load process sends batches at an even rate; meanwhile `/healthz` is asked at an even rate, too,
by this process, and its 99th percentile is compared with that of the idle server. Idle and loaded
stretches take turns.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from statistics import median, quantiles

from benchmarks.ingest import body
from benchmarks.server import Client, get, post, serving
from benchmarks.table import Row
from benchmarks.world import World, filled

REQUESTS_PER_SECOND = 5_000
BATCH_ROWS = 100
STRETCH_SECONDS = 4.0
PROBES_PER_SECOND = 200
ROUNDS = 5
RATIO_MAX = 3.0


def compare() -> Row:
    """The ratio of the 99th percentiles, loaded to idle."""
    with tempfile.TemporaryDirectory() as folder:
        database, world = filled(100, Path(folder))
        with serving(database) as port:
            probe = Client(port)
            pairs: list[tuple[float, float]] = []
            for number in range(ROUNDS + 1):
                idle = _p99_ms(probe)
                load = multiprocessing.get_context("spawn").Process(
                    target=send_load, args=(port, world)
                )
                load.start()
                _wait_for_load(probe, load)
                loaded = _p99_ms(probe)
                load.join()
                assert load.exitcode == 0, "the load was not taken"
                if number:  # the first round warms up
                    pairs.append((loaded, idle))
            probe.close()
    loaded_ms, idle_ms = median(p[0] for p in pairs), median(p[1] for p in pairs)
    ratio = loaded_ms / idle_ms
    return Row(
        f"p99 of an empty endpoint while {REQUESTS_PER_SECOND:,} requests/s are recorded, "
        "against idle",
        f"{loaded_ms:.2f} and {idle_ms:.2f} ms",
        ratio,
        f"<= {RATIO_MAX}",
        ratio <= RATIO_MAX,
    )


def send_load(port: int, world: World) -> None:
    """Send batches at an even rate for a stretch and a half; fail if the rate isn't kept."""
    client = Client(port)
    count = int(REQUESTS_PER_SECOND / BATCH_ROWS * STRETCH_SECONDS * 1.5)
    requests = [post("/v1/requests", body(world, BATCH_ROWS)) for _ in range(count)]
    client.ask(requests[0])
    began = time.perf_counter()
    for number, request in enumerate(requests[1:]):
        _sleep_until(began + number * BATCH_ROWS / REQUESTS_PER_SECOND)
        client.ask(request)
    seconds = time.perf_counter() - began
    client.close()
    assert seconds < STRETCH_SECONDS * 1.5 * 1.1, f"{seconds:.1f} s"


def _wait_for_load(probe: Client, load: BaseProcess) -> None:
    """Until the load process has had its first batch taken."""
    before = _recorded(probe)
    while _recorded(probe) == before:
        assert load.is_alive(), "the load process ended"
        time.sleep(0.01)


def _recorded(probe: Client) -> bytes:
    lines = probe.ask(get("/metrics")).splitlines()
    return b"".join(line for line in lines if line.startswith(b"farebox_requests_total{"))


def _p99_ms(probe: Client) -> float:
    request = get("/healthz")
    times = []
    began = time.perf_counter()
    for number in range(int(STRETCH_SECONDS * PROBES_PER_SECOND)):
        _sleep_until(began + number / PROBES_PER_SECOND)
        asked = time.perf_counter()
        probe.ask(request)
        times.append(time.perf_counter() - asked)
    return quantiles(times, n=100)[98] * 1000


def _sleep_until(instant: float) -> None:
    rest = instant - time.perf_counter()
    if rest > 0:
        time.sleep(rest)
