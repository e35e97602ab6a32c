"""The usage page: each of its numbers is the API's, whatever is asked for."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pyarrow.parquet as pq
import pytest

from farebox.dashboard.workspace.asked import CHOICES_MAX
from tests.dashboard.reports.conftest import Town
from tests.dashboard.reports.tables import Table, chart, figure, tables
from tests.support.api import Api
from tests.support.harness import Harness
from tests.support.shop import Shop
from tests.support.visitor import Visitor

SPRING = ("2026-03-05", "2026-03-11")
AUTUMN = ("2025-11-01", "2025-11-03")
FILTERS: dict[str, dict[str, Any]] = {
    "all": {},
    "key": {"keys": [1]},
    "log_types": {"log_type_slugs": ["type_1", "type_4"]},
    "unmapped": {"log_type_slugs": ["__unknown__"], "keys": [0, 1]},
    "idle": {"keys": [2]},
}
SHOWN = 7


def body_of(town: Town, name: str, days: tuple[str, str]) -> dict[str, Any]:
    body = {"start_date": days[0], "end_date": days[1], **FILTERS[name]}
    if "keys" in body:
        body["keys"] = [town.key_ids[n] for n in body["keys"]]
    return body


def address(body: dict[str, Any], **more: str) -> str:
    """The same question to the page."""
    pairs = [
        ("range", "custom"),
        ("start_date", body["start_date"]),
        ("end_date", body["end_date"]),
    ]
    pairs += [("key", key) for key in body.get("keys", [])]
    pairs += [("log_type", slug) for slug in body.get("log_type_slugs", [])]
    return "?" + urlencode([*pairs, *more.items()])


def columns(report: dict[str, Any], unit: str) -> dict[str, list[Any]]:
    """The columns that the table must have: the largest, all others, the total."""
    largest = sorted(report["by_log_type"], key=lambda entry: -entry["totals"][unit])
    found = {
        "Not mapped" if e["slug"] == "__unknown__" else e["name"]: [p[unit] for p in e["series"]]
        for e in largest[:SHOWN]
    }
    if largest[SHOWN:]:
        rest = zip(*([p[unit] for p in e["series"]] for e in largest[SHOWN:]), strict=True)
        found["Others"] = [sum(values) for values in rest]
    found["Total"] = [point[unit] for point in report["series"]]
    return found


def told(table: Table) -> dict[str, list[Decimal | None]]:
    """The exact values of a table by its heads."""
    return {
        name: [row.cells[place].number for row in table.rows]
        for place, name in enumerate(table.head)
        if place
    }


@pytest.mark.parametrize("unit", ["credits", "requests"])
@pytest.mark.parametrize("days", [SPRING, AUTUMN])
@pytest.mark.parametrize("name", FILTERS)
def test_every_day_and_total_is_the_apis(
    town: Town, name: str, days: tuple[str, str], unit: str
) -> None:
    body = body_of(town, name, days)
    html = town.page("/usage" + address(body, unit=unit, compare="off"))
    report = town.data("usage/daily", **body, fill_gaps=True)
    for one in ("credits", "requests"):
        assert figure(html, f"total-{one}") == report["totals"][one]
    if not report["totals"]["requests"]:
        assert "usage-table" not in tables(html)
        assert "No requests in this range" in html
        return
    table = tables(html)["usage-table"]
    assert [row.about for row in table.rows] == [point["date"] for point in report["series"]]
    assert told(table) == columns(report, unit)
    assert [cell.number for cell in table.foot[1:]] == [
        sum(values) for values in columns(report, unit).values()
    ]


@pytest.mark.parametrize("name", ["all", "key", "log_types"])
def test_chart_and_table_tell_the_same_in_numbers_and_in_words(town: Town, name: str) -> None:
    html = town.page("/usage" + address(body_of(town, name, SPRING)))
    data, table = chart(html), tables(html)["usage-table"]
    assert data["titles"] == [row.cells[0].text for row in table.rows]
    lines = [*data["series"], {"name": "Total", "texts": data["totals"]}, data["previous"]]
    assert [line["name"] for line in lines] == table.head[1:]
    for place, line in enumerate(lines, 1):
        cells = [row.cells[place] for row in table.rows]
        assert [cell.text for cell in cells] == line["texts"]
        for cell in cells:
            assert cell.number is not None
            assert cell.text == f"{cell.number:,}"
        if "values" in line:
            assert [cell.number for cell in cells] == line["values"]


@pytest.mark.parametrize("days", [AUTUMN, ("2026-03-07", "2026-03-09"), ("2025-11-02",) * 2])
@pytest.mark.parametrize("name", ["all", "key", "unmapped"])
@pytest.mark.parametrize("unit", ["credits", "requests"])
def test_the_hours_of_a_day_add_up_to_the_apis_day(
    town: Town, name: str, days: tuple[str, str], unit: str
) -> None:
    body = body_of(town, name, days)
    html = town.page("/usage" + address(body, unit=unit, by="hour", compare="off"))
    report = town.data("usage/daily", **body, fill_gaps=True)
    for one in ("credits", "requests"):
        assert figure(html, f"total-{one}") == report["totals"][one]
    table = tables(html)["usage-table"]
    dates = [row.about[:10] for row in table.rows]
    assert dates == sorted(dates)
    # The days of the changes have 25 and 23 hours.
    assert dates.count("2025-11-02") in {0, 25}
    assert dates.count("2026-03-08") in {0, 23}
    by_day = {
        head: [
            sum((value or 0 for value, at in zip(values, dates, strict=True) if at == day), 0)
            for day in dict.fromkeys(dates)
        ]
        for head, values in told(table).items()
    }
    assert by_day == columns(report, unit)


def test_the_comparison_is_the_apis_range_before(town: Town) -> None:
    body = body_of(town, "all", ("2026-03-08", "2026-03-10"))
    html = town.page("/usage" + address(body, unit="requests"))
    now = town.data("usage/daily", **body)
    earlier = {**body, "start_date": "2026-03-05", "end_date": "2026-03-07"}
    before = town.data("usage/daily", **earlier, fill_gaps=True)
    assert told(tables(html)["usage-table"])["Previous range"] == [
        point["requests"] for point in before["series"]
    ]
    for unit in ("requests", "credits"):
        change = (now["totals"][unit] - before["totals"][unit]) * 100 / before["totals"][unit]
        cut = f"{int(Decimal(change) * 100) / Decimal(100):+}"
        assert f"{cut.rstrip('0').rstrip('.')}%</data> against the previous range" in html


@pytest.mark.parametrize("unit", ["credits", "requests"])
def test_what_changed_is_told_by_log_type_that_which_changed_most_first(
    town: Town, unit: str
) -> None:
    body = body_of(town, "all", ("2026-03-08", "2026-03-10"))
    earlier = {**body, "start_date": "2026-03-05", "end_date": "2026-03-07"}
    now, before = (
        {one["slug"]: one["totals"][unit] for one in town.data("usage/daily", **of)["by_log_type"]}
        for of in (body, earlier)
    )
    table = tables(town.page("/usage" + address(body, unit=unit)))["changed-table"]
    told = {row.about: [cell.number for cell in row.cells[1:4]] for row in table.rows}
    assert told == {
        slug: [now.get(slug, 0), before.get(slug, 0), now.get(slug, 0) - before.get(slug, 0)]
        for slug in {**now, **before}
        if now.get(slug) or before.get(slug)
    }
    differences = [abs(Decimal(str(numbers[2]))) for numbers in told.values()]
    assert differences == sorted(differences, reverse=True)
    alone = tables(town.page("/usage" + address(body, compare="off")))
    assert "changed-table" not in alone


def test_presets_are_the_workspaces_own_days(town: Town) -> None:
    # It is 8 in the morning of May 5 in New York.
    for name, first in (
        ("today", "2026-05-05"),
        ("7d", "2026-04-29"),
        ("this_month", "2026-05-01"),
    ):
        html = town.page(f"/usage?range={name}&by=day&compare=off&unit=requests")
        report = town.data("usage/daily", start_date=first, end_date="2026-05-05", fill_gaps=True)
        table = tables(html)["usage-table"]
        assert [row.about for row in table.rows] == [p["date"] for p in report["series"]]
        assert told(table)["Total"] == [p["requests"] for p in report["series"]]


def test_a_range_with_today_in_it_says_that_it_is_not_over(town: Town) -> None:
    for query, is_told in (
        ("range=today", True),
        ("range=7d", True),
        ("range=previous_month", False),
    ):
        assert ("Today isn&#39;t over yet." in town.page(f"/usage?{query}")) is is_told


def test_one_day_is_shown_by_the_hour_and_four_are_not(town: Town) -> None:
    one = tables(town.page("/usage?range=custom&start_date=2026-03-08&end_date=2026-03-08"))
    assert len(one["usage-table"].rows) == 23
    four = "/usage?range=custom&start_date=2026-03-06&end_date=2026-03-09&by=hour"
    assert len(tables(town.page(four))["usage-table"].rows) == 4


def test_a_day_leads_to_its_logs_with_the_same_filters(town: Town) -> None:
    body = body_of(town, "key", SPRING)
    table = tables(town.page("/usage" + address(body)))["usage-table"]
    (link,) = table.rows[3].links
    logs = town.page(link.removeprefix("/dashboard"))
    day = town.data("usage/daily", **{**body, "start_date": "2026-03-08", "end_date": "2026-03-08"})
    assert f'<data value="{day["totals"]["requests"]}">' in logs.split('id="found"')[1]


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        ("2026-03-09", "2026-03-08", "The last day must not be before the first."),
        ("2026-02-30", "2026-03-08", "Choose a date."),
        ("", "2026-03-08", "Choose a date."),
        ("0001-01-01", "0001-01-02", "Choose a date."),
        ("2024-01-01", "2026-03-08", "At most 400 days"),
    ],
)
def test_dates_that_make_no_range_are_told_and_the_usual_one_is_shown(
    town: Town, start: str, end: str, told: str
) -> None:
    html = town.page(f"/usage?range=custom&start_date={start}&end_date={end}")
    assert told in html
    assert 'aria-invalid="true"' in html
    assert len(tables(html)["usage-table"].rows) == 30


def test_whatever_stands_in_the_query_there_is_a_page(town: Town) -> None:
    for query in ("range=nonsense&unit=x&by=y", "key=nobody&log_type=no_such", "compare=&page=-1"):
        assert "Usage" in town.page(f"/usage?{query}")


def test_a_file_holds_the_apis_days(town: Town) -> None:
    body = body_of(town, "key", SPRING)
    page = town.visitor.get("/dashboard/usage/file" + address(body, format="csv"))
    disposition = page.response.headers["content-disposition"]
    assert disposition == 'attachment; filename="usage-2026-03-05-2026-03-11.csv"'
    rows = list(csv.DictReader(io.StringIO(page.response.text)))
    report = town.data("usage/daily", **body)
    expected = {
        (entry["slug"], point["date"]): (point["requests"], point["credits"])
        for entry in report["by_log_type"]
        for point in entry["series"]
    }
    assert {
        (row["log_type_slug"], row["date"]): (int(row["requests"]), Decimal(row["credits"]))
        for row in rows
    } == expected


def test_parquet_of_hours_adds_up_to_the_api(town: Town) -> None:
    body = body_of(town, "all", AUTUMN)
    page = town.visitor.get("/dashboard/usage/file" + address(body, by="hour", format="parquet"))
    table = pq.read_table(io.BytesIO(page.response.content))
    report = town.data("usage/daily", **body)
    assert sum(table["credits"].to_pylist()) == report["totals"]["credits"]
    first = date.fromisoformat(AUTUMN[0])
    assert set(table["date"].to_pylist()) <= {first + timedelta(days=n) for n in range(3)}


def test_a_file_calls_the_unmapped_as_the_page_does_in_the_readers_language(town: Town) -> None:
    for language, not_mapped in {"en": "Not mapped", "ko": "매핑되지 않음"}.items():
        visitor = Visitor(town.api, language).sign_in(town.key)
        query = address(body_of(town, "unmapped", SPRING))
        for path in ("/usage/file", "/usage/file?by=hour", "/breakdown/file?list=endpoints"):
            place, _, more = path.partition("?")
            file = visitor.get(f"/dashboard{place}{query}&{more}").response.text
            assert {row["log_type_name"] for row in csv.DictReader(io.StringIO(file))} == {
                not_mapped
            }
        assert not_mapped in visitor.get(f"/dashboard/breakdown{query}").text


def test_an_unknown_format_is_refused(town: Town) -> None:
    page = town.visitor.get("/dashboard/usage/file?format=xlsx")
    assert page.status == 400
    assert "'csv' or 'parquet'" in page.text


def test_names_stay_text(town: Town) -> None:
    html = town.page("/usage" + address(body_of(town, "all", SPRING)))
    assert "<b>Type" not in html
    assert "&lt;b&gt;Type" in html


@pytest.mark.parametrize("path", ["/usage", "/breakdown", "/logs"])
def test_the_operator_sees_the_same_of_any_workspace(town: Town, path: str) -> None:
    query = address(body_of(town, "key", SPRING))
    operator = Visitor(town.api).sign_in_as_operator(town.api.admin_token)
    place = f"/operator/workspaces/{town.profile_id}"
    theirs = tables(town.page(path + query))
    ours = tables(operator.get(place + path + query).response.text)
    assert {name: told(table) for name, table in ours.items()} == {
        name: told(table) for name, table in theirs.items()
    }
    nobody = Visitor(town.api).ask("GET", f"{place}/usage/file")
    assert nobody.status_code == 303
    links = {link for table in ours.values() for row in table.rows for link in row.links}
    assert links
    assert all(link.startswith((f"{place}/logs", f"{place}/keys/")) for link in links)


def test_of_very_many_keys_some_can_be_chosen_and_those_that_are(tmp_path: Path) -> None:
    with Harness(tmp_path) as harness, Api(harness) as api:
        shop = Shop(api)
        ids = [shop.make_key(name=f"Key {n:03}")[0] for n in range(CHOICES_MAX + 20)]
        page = Visitor(api).sign_in(shop.key).get(f"/dashboard/usage?key={ids[-1]}")
    html = page.response.text
    assert html.count('name="key"') == CHOICES_MAX
    assert f'value="{ids[-1]}" checked' in html
