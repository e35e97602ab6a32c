"""Exports hold the reports' own numbers, and are files that others read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.core.calendar import parse_day
from farebox.core.credits import to_micro
from farebox.core.errors import FareboxError
from farebox.service.date_range import DateRange
from farebox.service.export import parquet_file
from farebox.service.export.csv_file import csv_chunks
from farebox.service.export.parquet_file import parquet_chunks
from farebox.service.export.table import ROWS_PER_PIECE, Column, Table
from farebox.service.export.usage import daily_table, endpoint_table, hourly_table, key_table
from farebox.service.usage_breakdown import usage_breakdown
from farebox.service.usage_daily import usage_daily
from farebox.service.usage_filters import UsageFilters
from farebox.service.usage_hourly import usage_hourly
from tests.reports.brute import Raw
from tests.reports.stage import Stage

# The clocks are put back on the second of these days.
NOT_MAPPED = "Not mapped"
DAYS = DateRange(parse_day("2026-10-24"), parse_day("2026-10-27"))


class Scene(NamedTuple):
    """A workspace in Berlin with some traffic."""

    stage: Stage
    profile_id: int


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Stage(tmp_path_factory.mktemp("export")) as stage:
        profile_id = stage.workspace(plan="sharing-true", timezone="Europe/Berlin")
        keys = [stage.key(profile_id) for _ in range(3)]
        start_ms = int(datetime(2026, 10, 23, 22, tzinfo=UTC).timestamp()) * 1000
        slugs = ["people_search", "company_search", "people_redeem", None]
        stage.record_raw(
            profile_id,
            [
                Raw(keys[n % 2], slugs[n % 4], "api", n * 123_457, start_ms + n * 1_500_000)
                for n in range(160)
            ],
        )
        yield Scene(stage, profile_id)


def tables(scene: Scene) -> dict[str, Table]:
    reader, directory = scene.stage.reader, scene.stage.directory
    asked = (reader, directory, scene.profile_id, DAYS, UsageFilters())
    report, zone = usage_breakdown(*asked)
    return {
        "daily": daily_table(usage_daily(*asked), NOT_MAPPED),
        "hourly": hourly_table(usage_hourly(*asked), NOT_MAPPED),
        "keys": key_table(report, zone.zone),
        "endpoints": endpoint_table(report, NOT_MAPPED),
    }


def as_csv(table: Table) -> list[dict[str, str]]:
    text = b"".join(csv_chunks(table)).decode()
    assert text.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def as_parquet(table: Table) -> pa.Table:
    return pq.read_table(io.BytesIO(b"".join(parquet_chunks(table))))


def test_the_days_of_a_file_are_those_of_the_report(scene: Scene) -> None:
    report = usage_daily(
        scene.stage.reader, scene.stage.directory, scene.profile_id, DAYS, UsageFilters()
    )
    rows = as_csv(daily_table(report, NOT_MAPPED))
    assert list(rows[0]) == ["date", "log_type_slug", "log_type_name", "requests", "credits"]
    assert [row["date"] for row in rows] == sorted(row["date"] for row in rows)
    for entry in report.by_log_type:
        own = [row for row in rows if row["log_type_slug"] == entry.slug]
        name = NOT_MAPPED if entry.slug == "__unknown__" else entry.name
        assert {row["log_type_name"] for row in own} == {name}
        assert [(row["date"], int(row["requests"]), to_micro(row["credits"])) for row in own] == [
            (point.date, point.requests, point.credits_micro) for point in entry.series
        ]


def test_the_hours_ascend_through_a_clock_put_back_and_add_up(scene: Scene) -> None:
    rows = as_csv(tables(scene)["hourly"])
    instants = [datetime.fromisoformat(row["hour"]) for row in rows]
    assert instants == sorted(instants)
    assert {"2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00"} <= {row["hour"] for row in rows}
    sums: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        key = (row["date"], row["log_type_slug"])
        sums[key] = sums.get(key, Decimal(0)) + Decimal(row["credits"])
    days = as_csv(tables(scene)["daily"])
    assert sums == {(row["date"], row["log_type_slug"]): Decimal(row["credits"]) for row in days}


@pytest.mark.parametrize("name", ["daily", "hourly", "keys", "endpoints"])
def test_parquet_holds_what_csv_holds(scene: Scene, name: str) -> None:
    rows = as_csv(tables(scene)[name])
    found = as_parquet(tables(scene)[name])
    assert found.num_rows == len(rows) > 0
    for row, other in zip(rows, found.to_pylist(), strict=True):
        assert row == {column: told(value) for column, value in other.items()}


def told(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}".rstrip("0").rstrip(".")
    return value.isoformat() if isinstance(value, date) else str(value)


def test_the_types_of_parquet_are_exact(scene: Scene) -> None:
    schema = as_parquet(tables(scene)["daily"]).schema
    assert schema.field("date").type == pa.date32()
    assert schema.field("requests").type == pa.int64()
    assert schema.field("credits").type == pa.decimal128(38, 6)


def test_a_key_without_traffic_is_a_row_with_zeros(scene: Scene) -> None:
    idle = as_csv(tables(scene)["keys"])[-1]
    assert (idle["requests"], idle["credits"], idle["last_used"]) == ("0", "0", "")


TEXT = Table((Column("name", "text"), Column("cost", "credits")), [])


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_name_never_becomes_a_formula(start: str) -> None:
    name = f'{start}HYPERLINK("x")'
    (row,) = as_csv(TEXT._replace(rows=[(name, -1)]))
    assert row == {"name": f"'{name}", "cost": "-0.000001"}


@given(st.lists(st.tuples(st.text(), st.integers(-(10**15), 10**15)), max_size=9))
def test_csv_reads_back_as_it_was_written(rows: list[tuple[str, int]]) -> None:
    rows = [(name.encode(errors="replace").decode(), micro) for name, micro in rows]
    found = as_csv(TEXT._replace(rows=rows))
    assert [row["name"].removeprefix("'") for row in found] == [
        name.removeprefix("'") for name, _ in rows
    ]
    assert [Decimal(row["cost"]) * 1_000_000 for row in found] == [micro for _, micro in rows]


@pytest.mark.parametrize("count", [0, 1, ROWS_PER_PIECE, 2 * ROWS_PER_PIECE + 1])
def test_a_long_table_comes_in_pieces(count: int) -> None:
    rows = [(f"name {n}", n) for n in range(count)]
    table = TEXT._replace(rows=rows)
    chunks = list(csv_chunks(table))
    assert len(chunks) == max(1, -(-count // ROWS_PER_PIECE))
    assert len(as_csv(table)) == as_parquet(table).num_rows == count


def test_without_pyarrow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_file, "find_spec", lambda _: None)
    parquet_file.is_available.cache_clear()
    try:
        with pytest.raises(FareboxError) as caught:
            parquet_chunks(TEXT)
        assert "farebox[parquet]" in caught.value.message
        assert caught.value.kind.status == 400
    finally:
        parquet_file.is_available.cache_clear()


def test_a_file_can_be_written_piece_by_piece(tmp_path: Path) -> None:
    path = tmp_path / "usage.parquet"
    with path.open("wb") as file:
        for chunk in parquet_chunks(TEXT._replace(rows=[("a", 1)])):
            file.write(chunk)
    assert pq.read_table(path).to_pylist() == [{"name": "a", "cost": Decimal("0.000001")}]
