"""Moving: a whole database from a file of SQLite into a new PostgreSQL one.

One snapshot goes over in one transaction, table by table and column by column of the same name.
What PostgreSQL keeps in slots goes to slot 0, the default. Whoever asked for it looks at both sides
and commits; without that, nothing has happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import NamedTuple

from farebox.core.instant import to_iso_ms
from farebox.store.contract import Reader, SqlValue, StoreFaultError, Writer
from farebox.store.database import Database
from farebox.store.postgres import connection as postgres
from farebox.store.postgres.moving import Target
from farebox.store.sqlite import database as sqlite
from farebox.store.sqlite.moving import Source, Table

OnProgress = Callable[[str, int, int], None]  # the table, rows done, rows in all
LOGS = ("requests", "captures")
STAYS = {"schema_state", "nodes", "node_holdings"}
PROGRESS_ROWS = 1_000


class Split(NamedTuple):
    """Columns that stand in a table of their own there, with the key of where they were."""

    table: str
    key: tuple[str, ...]


SPLITS = {"periods": Split("period_sums", ("profile_id", "start_ms"))}


class Moving(NamedTuple):
    """Both sides when all rows are over, and what they were.

    The source holds its snapshot, the target its open transaction. `replaced` texts held the
    character NUL, which PostgreSQL can't.
    """

    source: Reader
    target: Writer
    tables: int
    rows: int
    replaced: int


@contextmanager
def moving(source: Database, target: Database, on_progress: OnProgress) -> Iterator[Moving]:
    """Copy everything; both schemas are up to date, and nobody writes to the source.

    Raises:
        StoreFaultError: the target isn't new, or one of them failed.
    """
    with (
        closing(sqlite.open_reader(source.path)) as reading,
        closing(postgres.open_writer(target.url.reveal())) as writing,
    ):
        reading.begin_read()
        with writing.patience():
            try:
                into = Target(writing)
                into.begin()
                tables, rows = _copy(Source(reading), into, on_progress)
                into.finish()
                yield Moving(reading, writing, tables, rows, into.replaced)
            finally:
                writing.rollback()
                reading.end_read()


def _copy(source: Source, target: Target, on_progress: OnProgress) -> tuple[int, int]:
    tables = [table for table in source.tables() if table.name not in STAYS]
    counts = {table.name: source.count(table) for table in tables}
    total = sum(counts.values())
    for log in LOGS:
        _make_months(source, target, log)
    target.open_walls()
    done = 0
    for table in tables:
        here = done

        def on_row(name: str = table.name) -> None:
            nonlocal done
            done += 1
            if done % PROGRESS_ROWS == 0:
                on_progress(name, done, total)

        _copy_table(source, target, table, on_row)
        if done - here != counts[table.name]:
            message = f"{done - here} of {counts[table.name]} rows of {table.name} came over"
            raise StoreFaultError(message)
    on_progress("", total, total)
    return len(tables), done


def _copy_table(source: Source, target: Target, table: Table, on_row: Callable[[], None]) -> None:
    known = target.columns(table.name)
    own = [name for name in table.columns if name in known]
    target.copy(table.name, own, _columns_of(source, table, own), on_row)
    others = [name for name in table.columns if name not in known]
    if others:
        split = SPLITS.get(table.name)
        if split is None or not target.columns(split.table).issuperset(others):
            message = f"there is no place for {', '.join(others)} of {table.name}"
            raise StoreFaultError(message)
        wanted = [*split.key, *others]
        target.copy(split.table, wanted, _columns_of(source, table, wanted), lambda: None)


def _columns_of(
    source: Source, table: Table, columns: Sequence[str]
) -> Iterator[tuple[SqlValue, ...]]:
    yield from source.rows(table._replace(columns=tuple(columns)))


def _make_months(source: Source, target: Target, log: str) -> None:
    # Spans are shorter than a month, so that their ends tell all months that they touch.
    months = {to_iso_ms(at_ms)[:7]: at_ms for span in source.spans_ms(log) for at_ms in span}
    for _, at_ms in sorted(months.items()):
        target.make_month(log, at_ms)
