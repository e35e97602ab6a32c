"""The workspace's pages over HTTP: usage must not grow with the log, and logs must be quick.

Two servers, on 100,000 and on 5,000,000 requests of the same year, 20 keys and 15 log types, give
the same pages in turn to somebody who is signed in. Only the usage pages are judged, by the ratio
of the two; what a page of the logs takes is told, for a day of 13,700 requests. `compare_days` has
as many requests in 30 days: a page of the logs takes what its day's requests take, at most.
"""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

import httpx

from benchmarks.server import serving
from benchmarks.table import Row
from benchmarks.world import DAYS, World, filled
from farebox.core.calendar import format_day
from farebox.core.instant import MS_PER_DAY

ROUNDS = 20
WARM_UP = 3
RATIO_MAX = 1.3
BUSY_DAYS = 30
BUSY_RATIO_MAX = 13  # a day has 12.2 times as many requests
USAGE = "usage of 30 days"
LOGS = "logs by status and day"


class Browser:
    """Somebody who is signed in."""

    def __init__(self, port: int, world: World) -> None:
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", follow_redirects=True, timeout=60
        )
        form = self._client.get("/dashboard/sign-in").text
        mark = re.search(r'name="csrf" value="([^"]+)"', form)
        assert mark is not None
        sent = {"csrf": mark[1], "key": world.secret}
        landed = self._client.post("/dashboard/sign-in", data=sent)
        assert landed.url.path == "/dashboard", landed.url

    def seconds(self, path: str) -> float:
        """How long a page takes, until the last byte is here."""
        began = time.perf_counter()
        answer = self._client.get(f"/dashboard{path}")
        seconds = time.perf_counter() - began
        assert answer.status_code == httpx.codes.OK, answer.text
        return seconds

    def close(self) -> None:
        """Hang up."""
        self._client.close()


def pages(world: World, today: int) -> dict[str, str]:
    """What is asked for."""
    day = format_day(today - 3)
    dates = {"range": "custom", "start_date": format_day(today - DAYS + 1), "end_date": day}
    one = {"range": "custom", "start_date": day, "end_date": day}
    three = {**one, "start_date": format_day(today - 5), "by": "hour"}
    return {
        "overview": "",
        USAGE: "/usage",
        "of 365 days": f"/usage?{urlencode(dates)}",
        "of 3 days by hour": f"/usage?{urlencode(three)}",
        "of 90 days and 2 keys": "/usage?range=90d&"
        + urlencode([("key", key) for key in world.key_ids[:2]]),
        "breakdown of 30 days": "/breakdown",
        LOGS: f"/logs?{urlencode({**one, 'status': '5'})}",
        "logs by path and day": f"/logs?{urlencode({**one, 'search': 'redeem'})}",
        "logs of 7 days": "/logs",
    }


def compare(small: int, large: int) -> Row:
    """The medians of all pages, and the ratio of the usage page on a large and a small log."""
    today = time.time_ns() // 1_000_000 // MS_PER_DAY
    with tempfile.TemporaryDirectory() as folder:
        small_database, small_world = filled(small, Path(folder) / "small")
        large_database, large_world = filled(large, Path(folder) / "large")
        with serving(small_database) as small_port, serving(large_database) as large_port:
            few, many = Browser(small_port, small_world), Browser(large_port, large_world)
            told = {
                name: _medians(few, pages(small_world, today)[name], many, path)
                for name, path in pages(large_world, today).items()
            }
            few.close()
            many.close()
    small_ms, large_ms = told[USAGE]
    figures = ", ".join(f"{name} {ms:.0f}" for name, (_, ms) in told.items())
    ratio = large_ms / small_ms
    return Row(
        f"pages of the dashboard over HTTP, {large:,} log rows against {small:,}",
        f"{figures} ms; {USAGE} {small_ms:.0f} ms with few",
        ratio,
        f"<= {RATIO_MAX}",
        ratio <= RATIO_MAX,
    )


def compare_days(count: int) -> Row:
    """The ratio of a page of the logs of a busy day and of an ordinary one."""
    today = time.time_ns() // 1_000_000 // MS_PER_DAY
    with tempfile.TemporaryDirectory() as folder:
        database, world = filled(count, Path(folder) / "year")
        busy_database, busy_world = filled(count, Path(folder) / "month", BUSY_DAYS)
        with serving(database) as port, serving(busy_database) as busy_port:
            quiet, busy = Browser(port, world), Browser(busy_port, busy_world)
            path = pages(world, today)[LOGS]
            quiet_ms, busy_ms = _medians(quiet, path, busy, path)
            quiet.close()
            busy.close()
    ratio = busy_ms / quiet_ms
    return Row(
        f"{LOGS}, a day of {count // BUSY_DAYS:,} requests against {count // DAYS:,}",
        f"{busy_ms:.0f} and {quiet_ms:.0f} ms",
        ratio,
        f"<= {BUSY_RATIO_MAX}",
        ratio <= BUSY_RATIO_MAX,
    )


def _medians(few: Browser, few_path: str, many: Browser, many_path: str) -> tuple[float, float]:
    """Milliseconds of a page on the small and on the large log."""
    times = [(few.seconds(few_path), many.seconds(many_path)) for _ in range(ROUNDS + WARM_UP)][
        WARM_UP:
    ]
    return median(pair[0] for pair in times) * 1000, median(pair[1] for pair in times) * 1000
