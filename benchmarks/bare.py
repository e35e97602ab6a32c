"""The bare loop: what an expert would write who needs nothing but these rows in this schema.

Same schema, same pragmas, `executemany`, one transaction for each 1,000 requests. All rows, sums
and transfers are computed beforehand and not timed; it looks for no repeats and serves no one.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from farebox.core.calendar import QUARTER_MS, day_of_quarter, zone_of
from farebox.core.ledger import SPENT, Transfer, account_sums
from farebox.core.request import MeteredRequest
from farebox.core.rollup import Tally, tally_days, tally_quarters
from farebox.store.sqlite.database import named_queries, open_writer


class Prepared(NamedTuple):
    """A batch with all that follows from it."""

    rows: list[MeteredRequest]
    tally: Tally
    transfers: list[Transfer]
    charges: Sequence[tuple[int, ...]]


class BareLoop:
    """Writes batches to a database of its own."""

    def __init__(self, database: Path) -> None:
        self._connection = open_writer(database).connection
        self._sql = named_queries()
        (self._commit_id,) = next(self._connection.execute("select max(commit_id) from commits"))

    def prepare(self, rows: list[MeteredRequest], now_ms: int) -> Prepared:
        """Sums and transfers of a batch."""
        zone = zone_of("Europe/Berlin")
        quarters = tally_quarters(rows)
        tally = tally_days(quarters, lambda _, quarter: [(1, day_of_quarter(quarter, zone))])
        amount_micro = sum(row.credits_micro for row in rows)
        by_type: dict[int, tuple[int, int]] = {}
        for row in rows:
            requests, micro = by_type.get(row.log_type_id, (0, 0))
            by_type[row.log_type_id] = (requests + 1, micro + row.credits_micro)
        profile_id, quarter = rows[0].profile_id, now_ms // QUARTER_MS
        charges = [(profile_id, quarter, key, 0, *sums) for key, sums in sorted(by_type.items())]
        return Prepared(rows, tally, [Transfer("charge", "grant:1", SPENT, amount_micro)], charges)

    def run(self, batches: list[Prepared], now_ms: int) -> float:
        """Write the batches; the seconds it took."""
        began = time.perf_counter()
        for batch in batches:
            self._write(batch, now_ms)
        return time.perf_counter() - began

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def _write(self, batch: Prepared, now_ms: int) -> None:
        many = self._connection.executemany
        sql = self._sql
        self._commit_id += 1
        commit_id, profile_id = self._commit_id, batch.rows[0].profile_id
        self._connection.execute("begin immediate")
        many(sql["identities_insert"], [row[:3] for row in batch.rows])
        many(sql["requests_insert"], [row[:1] + row[3:] + (commit_id,) for row in batch.rows])
        tally = batch.tally
        many(sql["quarters_add"], [(*k, *tally.quarters[k]) for k in sorted(tally.quarters)])
        many(sql["days_add"], [(*k, *tally.days[k]) for k in sorted(tally.days)])
        many(
            sql["day_log_types_add"],
            [(*k, *tally.day_log_types[k]) for k in sorted(tally.day_log_types)],
        )
        many(sql["day_keys_add"], [(*k, *tally.day_keys[k]) for k in sorted(tally.day_keys)])
        many(
            sql["transfers_insert"],
            [(profile_id, commit_id, n, now_ms, *t) for n, t in enumerate(batch.transfers)],
        )
        sums = account_sums(batch.transfers)
        many(sql["accounts_add"], [(profile_id, account, *sums[account]) for account in sums])
        many(sql["charges_add"], batch.charges)
        self._connection.execute(sql["commits_insert"], {"commit_id": commit_id, "at_ms": now_ms})
        self._connection.execute("commit")
