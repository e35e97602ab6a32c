"""The daily report of a year over HTTP: its cost must not grow with the log.

Two servers, on 100,000 and on 5,000,000 requests of the same year, 20 keys and 15 log types, are
asked in turn. The report is the unfiltered one: 365 days, 15 series.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.server import Client, post, serving
from benchmarks.table import Row
from benchmarks.world import DAYS, LOG_TYPES, World, filled
from farebox.core.calendar import format_day, quarter_of
from farebox.core.instant import MS_PER_DAY

ROUNDS = 40
RATIO_MAX = 1.2


def compare(small: int, large: int) -> Row:
    """The ratio of the medians of the report on a large and on a small log."""
    with tempfile.TemporaryDirectory() as folder:
        small_database, small_world = filled(small, Path(folder) / "small")
        large_database, large_world = filled(large, Path(folder) / "large")
        with serving(small_database) as small_port, serving(large_database) as large_port:
            small_client, large_client = Client(small_port), Client(large_port)
            times: list[tuple[float, float]] = []
            for number in range(ROUNDS + 3):
                pair = (_ask(small_client, small_world), _ask(large_client, large_world))
                if number >= 3:
                    times.append(pair)
            small_client.close()
            large_client.close()
    small_ms = median(pair[0] for pair in times) * 1000
    large_ms = median(pair[1] for pair in times) * 1000
    ratio = large_ms / small_ms
    return Row(
        f"daily report of 365 days over HTTP, {large:,} log rows against {small:,}",
        f"{large_ms:.1f} and {small_ms:.1f} ms",
        ratio,
        f"<= {RATIO_MAX}",
        ratio <= RATIO_MAX,
    )


def _ask(client: Client, world: World) -> float:
    today = quarter_of(time.time_ns() // 1_000_000) * 900_000 // MS_PER_DAY
    dates = {"start_date": format_day(today - DAYS + 1), "end_date": format_day(today)}
    request = post(
        "/api_keys/usage/daily", json.dumps(dates).encode(), header=f"x-api-key: {world.secret}"
    )
    began = time.perf_counter()
    answer = client.ask(request)
    seconds = time.perf_counter() - began
    data = json.loads(answer)["data"]
    assert len(data["by_log_type"]) >= LOG_TYPES, len(data["by_log_type"])
    assert len(data["series"]) >= DAYS - 1, len(data["series"])
    return seconds
