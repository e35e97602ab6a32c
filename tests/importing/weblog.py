"""Logs of a web server before a shop: the same calls in every format, as the servers write them.

Every eighth line is equal to the one before, so that ordinals matter. All calls lie within the
last hours, and their times rise.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

MS_PER_SECOND = 1000
STEP_MS = 2 * MS_PER_SECOND
CALLS = (
    ("POST", "/people/search?page=2"),
    ("GET", "/companies/{number}"),
    ("GET", "/nothing/priced"),
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

KEYED_COMBINED = """
[key]
header = "x-api-key"
[combined]
trailing = ["request_time", "http_x_api_key"]
"""
KEYED = '[key]\nheader = "x-api-key"\n'
MAPPINGS = {"combined": KEYED_COMBINED, "nginx_json": KEYED, "caddy_json": KEYED}


class Call(NamedTuple):
    """One call of the shop's API."""

    time_ms: int
    method: str
    target: str
    status: int
    size: int
    duration_ms: int


def now_ms() -> int:
    """What the clock says."""
    return time.time_ns() // 1_000_000


def calls(count: int, *, seed: int = 1) -> Iterator[Call]:
    """Calls up to now."""
    draw = random.Random(seed)
    start_ms = (now_ms() // MS_PER_SECOND) * MS_PER_SECOND - count * STEP_MS
    call = Call(start_ms, "GET", "/", 200, 1, 1)
    for number in range(count):
        if number % 8 != 7:
            method, target = CALLS[number % len(CALLS)]
            call = Call(
                start_ms + number * STEP_MS,
                method,
                target.format(number=draw.randrange(1000)),
                404 if number % 16 == 1 else 200,
                draw.randrange(100, 9000),
                draw.randrange(1, 2000),
            )
        yield call


def combined(call: Call, key: str) -> str:
    """The combined format of nginx, then `$request_time` and `"$http_x_api_key"`."""
    at = datetime.fromtimestamp(call.time_ms // MS_PER_SECOND, UTC)
    stamp = f"{at.day:02d}/{_MONTHS[at.month - 1]}/{at:%Y:%H:%M:%S} +0000"
    return (
        f'203.0.113.7 - - [{stamp}] "{call.method} {call.target} HTTP/1.1" {call.status} '
        f'{call.size} "-" "curl/8.5.0" {call.duration_ms / 1000:.3f} "{key}"'
    )


def nginx_json(call: Call, key: str) -> str:
    """A `log_format … escape=json` of nginx."""
    return json.dumps(
        {
            "time_iso8601": datetime.fromtimestamp(call.time_ms // 1000, UTC).isoformat(),
            "remote_addr": "2001:db8::7",
            "request": f"{call.method} {call.target} HTTP/1.1",
            "status": call.status,
            "body_bytes_sent": call.size,
            "request_time": f"{call.duration_ms / 1000:.3f}",
            "http_x_api_key": key,
        }
    )


def caddy_json(call: Call, key: str) -> str:
    """An access entry of Caddy with `log_credentials`."""
    return json.dumps(
        {
            "level": "info",
            "ts": call.time_ms / 1000,
            "logger": "http.log.access.log0",
            "msg": "handled request",
            "request": {
                "client_ip": "198.51.100.4",
                "proto": "HTTP/2.0",
                "method": call.method,
                "host": "api.shop.test",
                "uri": call.target,
                "headers": {"User-Agent": ["curl/8.5.0"], "X-Api-Key": [key]},
            },
            "duration": call.duration_ms / 1000,
            "size": call.size,
            "status": call.status,
        }
    )


WRITERS = {"combined": combined, "nginx_json": nginx_json, "caddy_json": caddy_json}


def log_of(name: str, count: int, key: str, *, seed: int = 1) -> bytes:
    """A log of so many lines."""
    write = WRITERS[name]
    return b"".join(write(call, key).encode() + b"\n" for call in calls(count, seed=seed))


def line_at(time_ms: int, key: str, target: str = "/people/search") -> str:
    """A line of the combined format."""
    return combined(Call(time_ms, "POST", target, 200, 512, 34), key)
