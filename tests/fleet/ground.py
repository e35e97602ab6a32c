"""The ground that a fleet stands on: one database, and ways to it that may be broken.

The same tests run on a file of SQLite, which the processes of one machine share, and on PostgreSQL,
to which every node has a network of its own.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Protocol, Self

import psycopg

from farebox.store.sqlite.database import open_reader
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy

Row = tuple[Any, ...]


class Ground(Protocol):
    """A database for nodes."""

    @property
    def name(self) -> str:
        """Which it is."""

    def way(self) -> tuple[str, tuple[Proxy, ...]]:
        """A URL for one more node, and the proxies that it leads through."""

    def rows(self, query: str) -> list[Row]:
        """What a query says, whoever may see it."""


class SqliteGround:
    """A file."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "farebox.db"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def way(self) -> tuple[str, tuple[Proxy, ...]]:
        """The same for all."""
        return f"sqlite:///{self.path}", ()

    def rows(self, query: str) -> list[Row]:
        """Read past all processes."""
        with closing(open_reader(self.path)) as reader:
            return list(reader.connection.execute(query))


class PostgresGround:
    """A server, with a synchronous standby if asked for; entered to run."""

    name = "postgres"

    def __init__(self, *, has_standby: bool = False, in_memory: bool = True) -> None:
        self._has_standby = has_standby
        self._stack = ExitStack()
        self.primary = Cluster(in_memory=in_memory)
        self.standby: Cluster | None = None
        self.database = ""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.primary)
            self.database = self.primary.create_database().rpartition("/")[2]
            if self._has_standby:
                self.standby = self.primary.add_standby()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def way(self) -> tuple[str, tuple[Proxy, ...]]:
        """Through a proxy for each server."""
        servers = [self.primary] + ([self.standby] if self.standby else [])
        proxies = tuple(self._stack.enter_context(Proxy(server.authority)) for server in servers)
        hosts = ",".join(proxy.authority for proxy in proxies)
        url = self.primary.url(self.database, hosts)
        return url + ("?target_session_attrs=read-write" if self.standby else ""), proxies

    def fail_over(self) -> None:
        """Kill the primary and let the standby take its place."""
        assert self.standby is not None
        self.primary.kill()
        self.standby.promote()

    def rows(self, query: str) -> list[Row]:
        """Ask the server that takes writes."""
        server = self.primary if self.primary.is_running() else self.standby
        if server is None or not server.is_running():
            message = "the database is stopped"
            raise psycopg.OperationalError(message)
        return server.control(query, database=self.database)


# How many nodes there are, and how many processes each of them has.
GROUNDS = {"postgres": (4, 1), "processes": (4, 1), "workers": (1, 4)}


def ground_of(
    name: str, folder: Path, *, has_standby: bool = False, in_memory: bool = True
) -> PostgresGround | SqliteGround:
    """A ground by its name."""
    if name == "postgres":
        return PostgresGround(has_standby=has_standby, in_memory=in_memory)
    return SqliteGround(folder)
