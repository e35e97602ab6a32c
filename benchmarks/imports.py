"""The import of a web server's log in one command, from starting it to its end.

Each round has a new database and another log of the combined format over twenty days, with a key in
a trailing field and paths that are priced by templates; afterwards the same again, packed, which
must count nothing.
"""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from benchmarks.table import Row
from benchmarks.world import ACTOR, World, link, make_world
from farebox.service.forms.log_type import LogTypeChange, LogTypeData

LINES = 200_000
DAYS = 20
ROUNDS = 5
LINES_PER_SECOND_MIN = 20_000
COMMAND = [sys.executable, "-m", "farebox", "import", "--json"]
MAPPING = """
[key]
header = "x-api-key"
[combined]
trailing = ["request_time", "http_x_api_key"]
"""
TEMPLATES = ("/people/search", "/companies/search", "/companies/{id}", "/people/redeem")
AGENTS = (
    "curl/8.5.0",
    "python-requests/2.32.3",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0",
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def measure() -> Row:
    """Lines a second, against those that are to be kept."""
    rates, again_rates = [], []
    for number in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            database = Path(folder) / "farebox.db"
            world = _priced_world(database)
            log, packed = database.with_name("access.log"), database.with_name("packed")
            log.write_text(_log(world, number))
            packed.write_bytes(gzip.compress(log.read_bytes(), 6))
            rates.append(_import(log, database, "accepted"))
            again_rates.append(_import(packed, database, "duplicates"))
    rate = median(rates)
    ratio = rate / LINES_PER_SECOND_MIN
    return Row(
        f"import of {LINES:,} lines of the combined format, against {LINES_PER_SECOND_MIN:,}/s",
        f"{rate:,.0f} lines/s; the same again, packed, {median(again_rates):,.0f} lines/s",
        ratio,
        ">= 1",
        ratio >= 1,
    )


def _priced_world(database: Path) -> World:
    database.with_name("mapping.toml").write_text(MAPPING)
    with link(database) as recorder:
        world = make_world(recorder)
        for slug, path in zip(world.slugs, TEMPLATES, strict=False):
            change = LogTypeChange(slug=slug, path=path)
            recorder.call("log_types.change", change, LogTypeData, actor=ACTOR)
    return world


def _import(log: Path, database: Path, counted: str) -> float:
    mapping = str(log.with_name("mapping.toml"))
    arguments = [str(log), "--mapping", mapping, "--database", f"sqlite:///{database}"]
    began = time.perf_counter()
    done = subprocess.run([*COMMAND, *arguments], check=True, stdout=subprocess.PIPE)
    seconds = time.perf_counter() - began
    assert json.loads(done.stdout)[counted] == LINES, done.stdout
    return LINES / seconds


def _log(world: World, seed: int) -> str:
    draw = random.Random(seed)
    start = datetime.now(UTC) - timedelta(days=DAYS)
    step = timedelta(days=DAYS) / LINES
    return "".join(_line(draw, start + number * step, world) for number in range(LINES))


def _line(draw: random.Random, at: datetime, world: World) -> str:
    path = draw.choice(TEMPLATES).replace("{id}", str(draw.randrange(5_000)))
    stamp = f"{at.day:02d}/{_MONTHS[at.month - 1]}/{at.year}:{at:%H:%M:%S} +0000"
    status = draw.choices((200, 201, 404, 429, 500), (90, 3, 4, 2, 1))[0]
    return (
        f'203.0.113.{draw.randrange(256)} - - [{stamp}] "POST {path}?page=2 HTTP/1.1" {status} '
        f'{draw.randrange(100, 9000)} "-" "{draw.choice(AGENTS)}" {draw.random():.3f} '
        f'"{world.secret}"\n'
    )
