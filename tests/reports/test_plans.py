"""What reports read: day rollups by their primary keys, never the log, in few queries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import apsw
import pytest

from farebox.store.sqlite.database import named_queries
from tests.reports.brute import Asked, Raw
from tests.reports.stage import Stage

REPORT_QUERIES = (
    "usage_by_day",
    "usage_by_day_of_keys",
    "usage_by_quarter",
    "usage_first_day",
    "usage_by_key",
    "usage_by_key_of_log_types",
    "usage_by_log_type",
    "usage_by_log_type_of_keys",
    "counts_of_days",
    "counts_of_quarters",
    "keys_last_used",
)
LOG_QUERIES = ("logs_count", "logs_ranked", "logs_bound_newest", "logs_bound_oldest", "logs_lookup")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path) as stage:
        yield stage


def connection(stage: Stage) -> apsw.Connection:
    assert isinstance(stage.db, apsw.Connection)
    return stage.db


def plan(stage: Stage, name: str) -> list[str]:
    """What the database does for a query."""
    sql = named_queries()[name]
    parameters = dict.fromkeys(re.findall(r":(\w+)", sql), 1)
    rows = connection(stage).execute(f"explain query plan {sql}", parameters)
    return [str(row[3]) for row in rows]


@pytest.mark.parametrize("name", REPORT_QUERIES)
def test_a_report_finds_its_rollup_by_primary_key_and_reads_no_log(stage: Stage, name: str) -> None:
    steps = plan(stage, name)
    assert any(
        re.match(r"SEARCH (days|day_keys|day_log_types|quarters) USING PRIMARY KEY", step)
        for step in steps
    )
    for step in steps:
        assert not re.search(r"\brequests\b", step)
        assert not re.match(r"SCAN (days|day_keys|day_log_types|quarters|keys)\b", step)


@pytest.mark.parametrize("name", LOG_QUERIES)
def test_the_log_is_read_by_primary_key(stage: Stage, name: str) -> None:
    steps = plan(stage, name)
    assert any("PRIMARY KEY (profile_id=?" in step for step in steps)
    assert not any(step.startswith("SCAN requests") for step in steps)


def test_a_report_costs_the_same_steps_whatever_the_length_of_the_log(stage: Stage) -> None:
    """The work of the database, in steps of its machine, not in time."""
    profile_id = stage.workspace(plan="sharing-true")
    key_id = stage.key(profile_id)
    asked = Asked(date(2026, 5, 1), date(2026, 5, 31))

    def steps() -> int:
        counted = 0

        def count() -> bool:
            nonlocal counted
            counted += 1
            return False

        connection(stage).set_progress_handler(count, 1)
        stage.daily(profile_id, asked)
        stage.breakdown(profile_id, asked)
        connection(stage).set_progress_handler(None)
        return counted

    raw = Raw(key_id, "people_search", "api", 1_000_000, stage.now_ms)
    stage.record([stage.known_as(raw, profile_id, "first")])
    steps()  # the first run prepares its statements
    before = steps()
    stage.record([stage.known_as(raw, profile_id, f"n{n}") for n in range(5000)])
    assert steps() == before
