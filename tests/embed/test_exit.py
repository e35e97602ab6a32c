"""The end of a process that serves WSGI: what was answered is recorded, and stderr is empty."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys

from farebox.embed import loop_thread
from tests.embed.market import SEARCH, Market

PROGRAM = """
import io, sys
from wsgiref.util import setup_testing_defaults
from farebox.embed.wsgi import FareboxMiddleware

def app(environ, start_response):
    start_response("200 OK", [])
    return [b"12345"]

url, path, key = sys.argv[1:]
middleware = FareboxMiddleware(app, database=url)
for _ in range(5):
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": path, "HTTP_X_API_KEY": key}
    setup_testing_defaults(environ)
    parts = middleware(environ, lambda status, headers: print(status))
    list(parts)
    parts.close()
"""


def test_a_process_that_ends_has_recorded_what_it_answered(market: Market) -> None:
    buyer = market.buyer()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, market.url, SEARCH, buyer.key],
        capture_output=True,
        check=False,
        env=dict(os.environ),
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["200 OK"] * 5
    assert len(market.rows(buyer)) == 5


def test_the_parts_stop_before_the_pools_of_threads_end() -> None:
    assert loop_thread._at_exit is not atexit.register
