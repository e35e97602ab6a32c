"""A market: a database with a real recorder, things to sell, and buyers of every kind."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any, NamedTuple, Self

from farebox.core.calendar import day_of_quarter, format_day, quarter_of, zone_of
from farebox.engine.clock import SteadyClock
from farebox.engine.spawn import RecorderProcess, recorder_command
from farebox.engine.sync_link import SyncLink
from farebox.store.sqlite.database import open_reader
from tests.support.calls import call
from tests.support.processes import is_alive
from tests.support.recorders import until

MICRO = 1_000_000
END_SECONDS_MAX = 20.0
SEARCH, REDEEM = "/people/search", "/people/redeem"


class Buyer(NamedTuple):
    """A workspace and its key."""

    profile_id: int
    key_id: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        """What a call of its carries."""
        return {"X-API-Key": self.key}


class Row(NamedTuple):
    """A request as it was recorded."""

    query_log_id: bytes
    method: str
    path: str
    status_code: int
    credits_micro: int
    response_size: int
    duration_ms: int
    ip: str | None
    channel: str
    authentication_type: str


class Market:
    """Sells a search for 3 credits and a contact for 15, for which 30 are held."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "farebox.db"
        self.process = RecorderProcess(recorder_command(self.database))
        self._link = SyncLink(self.database, self.process)
        self.call(
            "log_types.create", slug="search", name="S", credits=3, method="POST", path=SEARCH
        )
        self.call(
            "log_types.create", slug="redeem", name="R", credits=15, hold_credits=30, path=REDEEM
        )
        self._reader = open_reader(self.database)
        self._plans = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()
        self._link.close()
        self.process.end(END_SECONDS_MAX)

    @property
    def url(self) -> str:
        """The setting."""
        return f"sqlite:///{self.database}"

    def call(self, name: str, /, **fields: object) -> Any:  # noqa: ANN401 - each has its own answer
        """Run a command by its name, with the fields of its form as they stand in JSON."""
        return call(self._link, name, **fields)

    def buyer(self, *, ip_ranges: list[str] | None = None, **plan: object) -> Buyer:
        """A workspace on a plan of its own, which has 1,000 credits unless told."""
        self._plans += 1
        slug = f"plan-{self._plans}"
        self.call("plans.create", slug=slug, name=slug, **{"credits_per_month": 1_000, **plan})
        profile_id = self.call("workspaces.create", name=slug, plan=slug).profile_id
        bound = {} if ip_ranges is None else {"ip_ranges": ip_ranges}
        made = self.call("keys.create", profile_id=profile_id, **bound)
        return Buyer(profile_id, made.key_id, made.key)

    def rows(self, buyer: Buyer) -> list[Row]:
        """What was recorded of a buyer, the oldest first."""
        return [
            Row(*row)
            for row in self._reader.connection.execute(
                "select query_log_id, method, path, status_code, credits_micro, response_size,"
                " duration_ms, ip, channel, authentication_type from requests"
                " where profile_id = ? order by query_log_id",
                (buyer.profile_id,),
            )
        ]

    def becomes(self, buyer: Buyer, count: int) -> list[Row]:
        """The rows of a buyer, when there are so many."""
        until(lambda: len(self.rows(buyer)) >= count)
        rows = self.rows(buyer)
        assert len(rows) == count, rows
        return rows

    def refusals(self, buyer: Buyer) -> dict[str, int]:
        """How many calls of a buyer were refused, by reason."""
        return dict(
            self._reader.connection.execute(
                "select denied_by, sum(refusals) from refusals where profile_id = ?"
                " group by denied_by",
                (buyer.profile_id,),
            )
        )

    def captured(self, buyer: Buyer) -> list[tuple[str, str, str]]:
        """Headers, request body and response body of what was captured of a buyer."""
        return list(
            self._reader.connection.execute(
                "select request_headers, request_body, response_body from captures"
                " where profile_id = ? order by query_log_id",
                (buyer.profile_id,),
            )
        )

    def kill_recorder(self) -> None:
        """Kill the recorder, and wait until it has gone."""
        pid = self.process.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        until(lambda: not is_alive(pid))
        self._link.close()

    def restart(self) -> None:
        """Have a recorder again."""
        self._link = SyncLink(self.database, self.process)
        self.call("tokens.create", name="Anybody", scope="meter")

    def today(self) -> dict[str, str]:
        """The dates of a report of today, in UTC."""
        day = format_day(day_of_quarter(quarter_of(SteadyClock().now_ms()), zone_of("UTC")))
        return {"start_date": day, "end_date": day}
