"""The log's partitions: a month each, made when it is met, and never twice."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from farebox.store.contract import ConstraintBrokenError
from farebox.store.postgres.database import PostgresDatabase
from tests.store.test_contract import request_row
from tests.support.stores import PostgresStore

BY_MONTH = "select tableoid::regclass::text, time_ms from requests order by time_ms"


class Request(NamedTuple):
    """Where a row lies."""

    partition: str
    time_ms: int


def ms(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1000


def lying(postgres: PostgresStore) -> list[tuple[object, ...]]:
    return postgres.cluster.control(BY_MONTH, database=postgres.name)


def insert(database: PostgresDatabase, *times_ms: int) -> None:
    rows = [request_row(number, time_ms) for number, time_ms in enumerate(times_ms)]
    database.begin()
    database.send_many("requests_insert", rows)
    database.commit()


def test_rows_lie_in_the_months_of_their_ids_however_old(
    postgres: PostgresStore, database: PostgresDatabase
) -> None:
    edge = ms(2024, 3, 1)
    times_ms = [0, ms(2011, 12, 31), edge - 1, edge, edge + 1, ms(2999, 1, 1)]
    insert(database, *times_ms)
    assert lying(postgres) == [
        ("requests_1970_01", 0),
        ("requests_2011_12", times_ms[1]),
        ("requests_2024_02", edge - 1),
        ("requests_2024_03", edge),
        ("requests_2024_03", edge + 1),
        ("requests_2999_01", times_ms[5]),
    ]


def test_a_month_that_was_undone_is_made_again(
    postgres: PostgresStore, database: PostgresDatabase
) -> None:
    database.begin()
    database.send_many("requests_insert", [request_row(1, 5)])
    database.rollback()
    assert lying(postgres) == []
    database.begin()
    database.savepoint()
    database.send_many("requests_insert", [request_row(1, 5)])
    database.rollback_to_savepoint()
    database.send_many("requests_insert", [request_row(2, 5)])
    database.commit()
    assert lying(postgres) == [("requests_1970_01", 5)]


def test_a_known_month_is_not_asked_for_again(
    postgres: PostgresStore, database: PostgresDatabase
) -> None:
    insert(database, 5)
    assert not database.months.missing("requests_insert", [request_row(2, 6)])
    again = postgres.open_writer()
    assert not again.months.missing("requests_insert", [request_row(2, 6)])
    assert [month.name for month in again.months.missing("captures_insert", [request_row(2)])] == [
        "captures_1970_01"
    ]
    again.close()


def test_nodes_that_meet_a_month_at_once_make_it_once(postgres: PostgresStore) -> None:
    months = [ms(2020, month, 15) for month in range(1, 7)]
    writers = [postgres.open_writer() for _ in range(3)]

    def work(node: int, writer: PostgresDatabase) -> None:
        for time_ms in months:
            insert(writer, *(time_ms + node * 1000 + row for row in range(3)))

    threads = [threading.Thread(target=work, args=each) for each in enumerate(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for writer in writers:
        writer.close()
    assert len(lying(postgres)) == 3 * 3 * len(months)


def test_a_month_is_made_beside_who_reads_and_writes(
    postgres: PostgresStore, database: PostgresDatabase
) -> None:
    insert(database, 5)
    reader, other = postgres.open_reader(), postgres.open_writer()
    reader.begin_read()
    reader.value("captures_after", profile_id=0)
    other.begin()
    other.execute_many("requests_insert", [request_row(8, 6)])
    insert(database, ms(2020, 1, 1))
    other.commit()
    reader.end_read()
    assert len(lying(postgres)) == 3
    for opened in (reader, other):
        opened.close()


def test_a_time_beyond_the_calendar_is_the_rows_fault(database: PostgresDatabase) -> None:
    with pytest.raises(ConstraintBrokenError, match="beyond the calendar"):
        database.send_many("requests_insert", [request_row(1, 2**48 - 1)])
