"""`farebox demo`: makes a database with traffic, serves it with a sample API, says what to try.

The database lies in a temporary folder and goes with the program, unless it is to be kept. An
interrupt is the usual end and no failure, at whatever point it comes.
"""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

from rich.console import Console

from farebox.app import Hooks
from farebox.cli.failure import CliError
from farebox.core.calendar import zone_of
from farebox.core.database_url import SQLITE_SCHEME, file_url
from farebox.core.instant import MS_PER_MINUTE
from farebox.demo.curl import Curl
from farebox.demo.past import past_process
from farebox.demo.sample_api import sample_routes
from farebox.demo.screen import Screen, showing_progress
from farebox.demo.traffic import SEED, make_traffic, traffic_start_ms
from farebox.demo.world import TIMEZONE, World, make_world
from farebox.engine.clock import SteadyClock
from farebox.engine.entropy import SystemEntropy
from farebox.engine.secret import ProgramSecret
from farebox.engine.spawn import DATABASE_VARIABLE
from farebox.engine.sync_link import SyncLink
from farebox.logs import set_up_logging
from farebox.server import serve, take_port
from farebox.service.links import link_seal, shown
from farebox.settings import Settings, read_settings
from farebox.store.database import Database
from farebox.workers.supervisor import serve_together

DEFAULTS = {"FAREBOX_LOG_LEVEL": "warning"}
FILE_NAME = "farebox-demo.db"
WORKER_MODULE = "farebox.demo.worker"
SHOWN_HEADER = "x-api-key"
RECORDER_SECONDS_MAX = 10.0
CALLS_AHEAD = 30_000
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_demo(
    environment: Mapping[str, str], *, port: str | None, days: int, keep: Path | None
) -> int:
    """Run the demo until it is stopped; the exit status.

    Raises:
        SettingsError: a setting is wrong.
        CliError: the port is taken, or the file to keep exists already.
        FareboxError: 503, the database or its recorder can't be started.
    """
    # Its own database is another one, whatever the environment names.
    own = {name: value for name, value in environment.items() if name != DATABASE_VARIABLE}
    settings = read_settings({**DEFAULTS, **own}, {"port": port})
    set_up_logging(settings.log_level)
    with suppress(KeyboardInterrupt), _interruptible():
        # Better known before anything is made.
        with take_port(settings.host, settings.port) as holder:
            free = replace(settings, port=holder.getsockname()[1])
        with _database(keep) as database:
            return _run(replace(free, database=file_url(str(database))), own, days)
    return 0


def _run(settings: Settings, environment: Mapping[str, str], days: int) -> int:
    database = Database(settings.database)
    # The last minute is left to what is called by hand.
    now_ms = SteadyClock().now_ms() - MS_PER_MINUTE
    world = _make(database, days, now_ms)
    screen = Screen(Console())
    secret = ProgramSecret(settings.secret, database.path, SystemEntropy())
    headers = settings.key_headers
    key_header = SHOWN_HEADER if SHOWN_HEADER in headers else headers[0]

    def on_ready(url: str) -> None:
        manage_url = shown(world.link, link_seal(secret.derive), url).url
        screen.welcome(url, world, manage_url or "", days, str(settings.database))
        screen.try_out(Curl(url, world, key_header, now_ms))

    if settings.workers == 1:
        return serve(settings, Hooks(on_ready=on_ready, more_routes=sample_routes))
    theirs = {**DEFAULTS, **environment, DATABASE_VARIABLE: settings.database.reveal()}
    return serve_together(settings, theirs, on_ready, WORKER_MODULE)


def _make(database: Database, days: int, now_ms: int) -> World:
    """Make the world in a recorder of its own, which has ended when this returns."""
    zone = zone_of(TIMEZONE)
    start_ms = traffic_start_ms(days, now_ms, zone)
    process = past_process(database.path, start_ms)
    try:
        process.ensure()
        # While it starts, the first of the calls are made.
        traffic = make_traffic(SEED, days, now_ms, zone)
        calls = chain(list(islice(traffic, CALLS_AHEAD)), traffic)
        with SyncLink(database.path, process) as link:
            reader = database.open_reader()
            try:
                with showing_progress(Console(stderr=True), days, now_ms) as on_progress:
                    return make_world(
                        link,
                        reader,
                        calls,
                        start_ms=start_ms,
                        now_ms=now_ms,
                        on_progress=on_progress,
                    )
            finally:
                reader.close()
    finally:
        process.end(RECORDER_SECONDS_MAX)


@contextmanager
def _database(keep: Path | None) -> Iterator[Path]:
    """The file to be made: the one to keep, or one in a folder that is removed."""
    if keep is None:
        # The recorder may still be closing it, if another process has started one of its own.
        with tempfile.TemporaryDirectory(prefix="farebox-", ignore_cleanup_errors=True) as folder:
            yield Path(folder) / FILE_NAME
        return
    if keep.exists():
        message = (
            f"{keep} exists already, and the demo makes a new database. Name another file, or "
            f"serve this one with: farebox serve --database {SQLITE_SCHEME}{keep}"
        )
        raise CliError(message)
    if not keep.parent.is_dir():
        message = f"there is no folder {keep.parent} to keep the database in."
        raise CliError(message)
    yield keep


@contextmanager
def _interruptible() -> Iterator[None]:
    """Being told to end, or a terminal that is closed, is an interrupt too."""
    before = {number: signal.getsignal(number) for number in STOPPING}
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # By way of SIGTERM, since that is what the server listens to.
    signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
