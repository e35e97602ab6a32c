"""Ingest: all nodes of a fleet record batches that add to the same sums, beside a bare COPY."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import msgspec

from tests.fleet.ground import PostgresGround
from tests.fleet.posters import Posted, PosterPlan
from tests.fleet.world import REPOSITORY, World
from tests.support.faces import Customer

ROWS = 1_000
MICRO = 1_000_000
SLUGS = ("posted_one", "posted_two", "posted_three")
PRICE = 2
SUMS = """
select (select count(*) from requests where profile_id = {0} and path = '/posted'),
  (select sum(credits_micro) from requests where profile_id = {0} and path = '/posted'),
  (select sum(requests) from quarters where profile_id = {0} and channel = 'api'),
  (select sum(credits_micro) from quarters where profile_id = {0} and channel = 'api'),
  (select sum(requests) from days where profile_id = {0} and log_type_id <> 0),
  (select count(distinct (profile_id, query_log_id)) from requests where path = '/posted')
"""
DEADLOCKS = "select deadlocks from pg_stat_database where datname = '{}'"


def run_ingest(world: World, seed: int, seconds: float) -> str:
    """Post for so long; no deadlock, and the sums agree. The rates, as JSON."""
    ground = world.ground
    assert isinstance(ground, PostgresGround)
    customer = _customer(world)
    keys = [seat.key for seat in customer.seats]
    plan = PosterPlan(world.urls, world.nodes[0].token, keys, list(SLUGS), seed, ROWS, seconds)
    done = subprocess.run(
        [sys.executable, "-m", "tests.fleet.posters", msgspec.json.encode(plan).decode()],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY / 'src'}:{REPOSITORY}"},
        stdout=subprocess.PIPE,
        check=True,
    )
    posted = msgspec.json.decode(done.stdout, type=Posted)
    sums = [int(number) for number in ground.rows(SUMS.format(customer.profile_id))[0]]
    assert sums == [
        posted.accepted,
        posted.accepted * PRICE * MICRO,
        posted.accepted,
        posted.accepted * PRICE * MICRO,
        posted.accepted,
        posted.accepted,
    ], (posted, sums)
    ((deadlocks,),) = ground.rows(DEADLOCKS.format(ground.database))
    assert deadlocks == 0
    world.audit()
    bare = bare_copy(ground)
    return json.dumps(
        {
            "rows": posted.accepted,
            "duplicates": posted.duplicates,
            "seconds": round(posted.seconds, 1),
            "per_second": posted.per_second,
            "bare_copy_per_second": bare,
            "deadlocks": deadlocks,
        }
    )


def bare_copy(ground: PostgresGround) -> int:
    """How many of the same rows a COPY takes in a second, in batches of as many, committed each."""
    with ground.primary.superuser(ground.database) as connection:
        cursor = connection.cursor()
        with cursor.copy("copy (select * from requests) to stdout") as copy:
            lines = b"".join(copy).splitlines(keepends=True)
        cursor.execute("create table bare (like requests)")
        begun = time.monotonic()
        for first in range(0, len(lines), ROWS):
            with cursor.copy("copy bare from stdin") as copy:
                copy.write(b"".join(lines[first : first + ROWS]))
        seconds = time.monotonic() - begun
        cursor.execute("drop table bare")
    return round(len(lines) / seconds)


def _customer(world: World) -> Customer:
    """A workspace that every node knows; the log types are made with it."""
    for slug in SLUGS:
        made = {"slug": slug, "name": slug, "credits": PRICE}
        world.nodes[0].call("POST", "/admin/v1/log_types", made)
    customer = world.shop.customer({}, users=4)
    world.await_known([seat.key for seat in customer.seats])
    return customer
