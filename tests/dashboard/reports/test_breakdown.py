"""The breakdown page: rows, order and percentages are the API's."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import pytest

from farebox.core.instant import parse_rfc3339, to_local_stamp
from tests.dashboard.reports.conftest import ZONE, Town
from tests.dashboard.reports.tables import Cell, tables
from tests.dashboard.reports.test_usage import AUTUMN, FILTERS, SPRING, address, body_of


def stamp(cell: Cell) -> str | None:
    """The API's stamp of a cell's instant."""
    return None if cell.instant is None else to_local_stamp(parse_rfc3339(cell.instant), ZONE)


def numbers(cells: list[Cell]) -> list[Decimal | None]:
    return [cell.number for cell in cells]


@pytest.mark.parametrize("days", [SPRING, AUTUMN])
@pytest.mark.parametrize("name", FILTERS)
def test_both_lists_are_the_apis(town: Town, name: str, days: tuple[str, str]) -> None:
    body = body_of(town, name, days)
    found = tables(town.page("/breakdown" + address(body)))
    report = town.data("usage/breakdown", **body)
    by_key = found["keys-table"].rows
    assert [row.about for row in by_key] == [one["key_id"] for one in report["by_key"]]
    for row, one in zip(by_key, report["by_key"], strict=True):
        assert one["name"] in row.cells[0].text
        assert numbers(row.cells[1:5]) == [
            one["requests"],
            one["percent_of_requests"],
            one["credits"],
            one["percent_of_credits"],
        ]
        # The stamp is shown to the second.
        assert stamp(row.cells[5]) == one["last_used"]
    by_endpoint = found["endpoints-table"].rows if report["by_endpoint"] else []
    assert [row.about for row in by_endpoint] == [
        one["slug"] or "__unknown__" for one in report["by_endpoint"]
    ]
    for row, one in zip(by_endpoint, report["by_endpoint"], strict=True):
        assert numbers(row.cells[1:]) == [
            one["requests"],
            one["percent_of_requests"],
            one["credits"],
            one["percent_of_credits"],
            one["cost_per_call"],
        ]


def test_a_key_leads_to_its_logs_of_the_range(town: Town) -> None:
    body = body_of(town, "log_types", SPRING)
    row = tables(town.page("/breakdown" + address(body)))["keys-table"].rows[0]
    (link,) = row.links
    logs = town.page(link.removeprefix("/dashboard"))
    assert f'<data value="{row.cells[1].value}">' in logs.split('id="found"')[1]


@pytest.mark.parametrize("name", ["keys", "endpoints"])
def test_a_file_holds_the_apis_list(town: Town, name: str) -> None:
    body = body_of(town, "all", SPRING)
    page = town.visitor.get("/dashboard/breakdown/file" + address(body, list=name, format="csv"))
    rows = list(csv.DictReader(io.StringIO(page.response.text)))
    report: list[dict[str, Any]] = town.data("usage/breakdown", **body)[f"by_{name[:-1]}"]
    assert len(rows) == len(report)
    for row, one in zip(rows, report, strict=True):
        for field in ("requests", "credits", "percent_of_requests", "percent_of_credits"):
            assert Decimal(row[field]) == one[field]
        assert row.get("last_used", "") == (one.get("last_used") or "")
        if name == "endpoints":
            assert row["log_type_slug"] == (one["slug"] or "")
            assert Decimal(row["cost_per_call"]) == one["cost_per_call"]


def test_nothing_found_is_told(town: Town) -> None:
    html = town.page("/breakdown" + address({"start_date": "2024-01-01", "end_date": "2024-01-02"}))
    assert "endpoints-table" not in tables(html)
    assert "No requests in this range" in html
