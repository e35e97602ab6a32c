"""Clusters: PostgreSQL servers of the tests' own, each in a folder that goes away with it.

A cluster listens on a free port of 127.0.0.1 and on a Unix socket in its folder. The role `farebox`
owns the databases, isn't a superuser and needs a password; `control` is the superuser's hand, over
the socket. Every commit is synced as in earnest (`fsync` stays on): in memory by default, which
costs nothing, or on the disk.

No server outlives its test: it is tied to the thread that started it (so start it from one that
stays), and what a killed test left in memory is swept away by the next.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import psycopg

from tests.support.pg_binaries import account, binaries
from tests.support.processes import descendants, is_alive
from tests.support.waiting import until

MEMORY = Path("/dev/shm")  # noqa: S108 - memory; the folder in it is the server's alone
MEMORY_BYTES_MIN = 1 << 30
NAME = "farebox-pg"
ROLE, PASSWORD = "farebox", "password-of-the-tests"
SUPERUSER = "postgres"
START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 60.0
PORTS_TRIED_MAX = 5
IPC_RMID = 0
TIED = Path(__file__).with_name("tied.py")
ADMISSION = """\
local all all trust
local replication all trust
host all all 127.0.0.1/32 scram-sha-256
"""
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "100",
    "shared_buffers": "64MB",
    # In the folder, so that nothing is left of it when the server is killed.
    "dynamic_shared_memory_type": "mmap",
    "max_wal_size": "256MB",
    "min_wal_size": "64MB",
    "timezone": "UTC",
    "lc_messages": "C",
    "log_line_prefix": "%m [%p] %u ",
    "log_lock_waits": "on",
}


class Cluster:
    """A server, started when it is entered; it may be stopped, killed and started again."""

    def __init__(
        self,
        *,
        in_memory: bool = True,
        settings: Mapping[str, str] | None = None,
        programs: Path | None = None,
    ) -> None:
        self.programs = programs or binaries()
        self.settings = {**SETTINGS, **(settings or {})}
        self.folder = _new_folder(in_memory=in_memory)
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.standbys: list[Cluster] = []
        self._in_memory = in_memory
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        try:
            if not self.data.exists():
                self._initialise()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop it and its standbys, and remove all that they were."""
        for standby in self.standbys:
            standby.close()
        self.stop(immediate=True)
        self._free_memory()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- life ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the server, on the port that it had; back when it answers."""
        assert self.process is None, "it runs already"
        for _ in range(PORTS_TRIED_MAX):
            port = self.port or _free_port()
            told_bytes = self.log.stat().st_size if self.log.exists() else 0
            self.process = self._spawn(port)
            if self._is_up(port):
                self.port = port
                return
            self.process = None
            told = self.log.read_bytes()[told_bytes:].decode()
            assert "could not bind" in told, told
        message = "no port was free for PostgreSQL"
        raise AssertionError(message)

    def stop(self, *, immediate: bool = False) -> None:
        """Shut down: fast, which ends the sessions; or at once, to recover at the next start."""
        if self.process is not None:
            self._end(signal.SIGQUIT if immediate else signal.SIGINT)

    def kill(self) -> None:
        """Kill the server with all that belongs to it, as a machine that loses its power."""
        assert self.process is not None
        self._end(signal.SIGKILL)

    def restart(self, *, immediate: bool = False) -> None:
        """Stop and start again."""
        self.stop(immediate=immediate)
        self.start()

    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    # -- databases -----------------------------------------------------------------------------

    @property
    def authority(self) -> str:
        """The host and the port, as they stand in a URL."""
        return f"127.0.0.1:{self.port}"

    def url(self, database: str, authority: str | None = None) -> str:
        """The URL of a database for the role `farebox`; by another way, if one is given."""
        return f"postgresql://{ROLE}:{PASSWORD}@{authority or self.authority}/{database}"

    def create_database(self, template: str | None = None) -> str:
        """Make a database, or a copy of one; its URL, whose last part is its name."""
        name = f"farebox_{next(self._numbers)}"
        # File by file, which takes half the time of page by page.
        copied = f" template {template} strategy file_copy" if template else ""
        self.control(f"create database {name} owner {ROLE}{copied}")
        return self.url(name)

    def drop_database(self, database: str) -> None:
        """Drop a database, whoever is connected; it is named by its name or its URL."""
        self.control(f"drop database if exists {database.rpartition('/')[2]} with (force)")

    def control(
        self, sql: str, parameters: tuple[object, ...] = (), *, database: str = "postgres"
    ) -> list[tuple[Any, ...]]:
        """The rows of a statement of the superuser, if it has any."""
        with self.superuser(database) as connection:
            cursor = connection.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def superuser(self, database: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        """A connection of the superuser."""
        return psycopg.connect(
            host=str(self.folder),
            port=self.port,
            user=SUPERUSER,
            dbname=database,
            autocommit=True,
            connect_timeout=10,
        )

    # -- standbys ------------------------------------------------------------------------------

    def add_standby(self, *, synchronous: bool = True) -> Cluster:
        """A started copy that follows this server; commits wait for it if it is synchronous."""
        standby = Cluster(in_memory=self._in_memory, settings=self.settings, programs=self.programs)
        self.standbys.append(standby)
        name = f"standby_{len(self.standbys)}"
        source = f"host={self.folder} port={self.port} user={SUPERUSER} application_name={name}"
        backup = ["pg_basebackup", "-d", source, "-D", str(standby.data), "-R", "-X", "stream"]
        standby.run_program([*backup, "-c", "fast", "--no-sync"])
        standby.start()
        if synchronous:
            self.control(f"alter system set synchronous_standby_names = '{name}'")
            self.control("select pg_reload_conf()")
        state = "sync" if synchronous else "async"
        following = "select sync_state from pg_stat_replication where application_name = %s"
        until(lambda: self.control(following, (name,)) == [(state,)])
        return standby

    def promote(self) -> None:
        """Make a primary of this standby; back when it takes writes."""
        assert self.control("select pg_promote(true, 60)") == [(True,)]

    # -- how -----------------------------------------------------------------------------------

    def run_program(self, command: list[str]) -> None:
        """Run one of PostgreSQL's programs to its end."""
        done = subprocess.run(
            _tied([str(self.programs / command[0]), *command[1:]]),
            cwd=self.folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _initialise(self) -> None:
        text = ["--encoding=UTF8", "--locale=C.UTF-8"]
        quick = ["--no-sync", "--no-instructions"]
        self.run_program(
            ["initdb", "-D", str(self.data), "-U", SUPERUSER, "--auth=trust", *text, *quick]
        )
        (self.data / "pg_hba.conf").write_text(ADMISSION)
        self.start()
        self.control(f"create role {ROLE} login password '{PASSWORD}'")
        self.stop()

    def _spawn(self, port: int) -> subprocess.Popen[bytes]:
        settings = {
            **self.settings,
            "port": str(port),
            "unix_socket_directories": str(self.folder),
        }
        command = [str(self.programs / "postgres"), "-D", str(self.data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                _tied(command),
                cwd=self.folder,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _is_up(self, port: int) -> bool:
        """Wait until it answers; false if it ended instead."""
        assert self.process is not None
        process = self.process
        answers = False

        def has_an_end() -> bool:
            nonlocal answers
            if process.poll() is not None:
                return True
            with suppress(psycopg.OperationalError), self._knock(port):
                answers = True
            return answers

        until(has_an_end, seconds_max=START_SECONDS_MAX)
        return answers

    def _knock(self, port: int) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(
            host=str(self.folder), port=port, user=SUPERUSER, dbname="postgres", connect_timeout=10
        )

    def _free_memory(self) -> None:
        """Give back the segment of a server that was killed; its last file names it."""
        with suppress(OSError, IndexError, ValueError):
            segment = (self.data / "postmaster.pid").read_text().splitlines()[6].split()[1]
            ctypes.CDLL(None).shmctl(int(segment), IPC_RMID, None)

    def _end(self, number: signal.Signals) -> None:
        assert self.process is not None
        family = descendants(self.process.pid)
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            for pid in family:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
        self.process.wait(STOP_SECONDS_MAX)
        self.process = None
        # The next start needs the memory that they share.
        until(lambda: not any(map(is_alive, family)), seconds_max=STOP_SECONDS_MAX)


def _tied(command: list[str]) -> list[str]:
    uid, gid = account()
    return [sys.executable, "-I", "-S", str(TIED), str(uid), str(gid), *command]


def _environment() -> dict[str, str]:
    """Ours without what PostgreSQL's programs would take for their own settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {
        "LC_ALL": "C.UTF-8"
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _new_folder(*, in_memory: bool) -> Path:
    """A folder of the server's user, named for this process so that others see when it is left."""
    above = Path(tempfile.gettempdir())
    if in_memory and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_BYTES_MIN:
        above = MEMORY
    _sweep(above)
    folder = Path(tempfile.mkdtemp(prefix=f"{NAME}-{os.getpid()}-", dir=above))
    os.chown(folder, *account())
    return folder


def _sweep(above: Path) -> None:
    for left in above.glob(f"{NAME}-*-*"):
        if not is_alive(int(left.name.split("-")[2])):
            shutil.rmtree(left, ignore_errors=True)
