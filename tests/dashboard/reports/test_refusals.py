"""Refused calls on the pages: each number is the API's and the operator's, but for its shadow."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dashboard.reports.conftest import Town
from tests.dashboard.reports.tables import Table, figure, tables
from tests.dashboard.reports.test_usage import AUTUMN, SPRING, address, body_of
from tests.support.refused import note, refusal
from tests.support.shop import Shop
from tests.support.visitor import Visitor

NOTHING = "No calls were refused in this range"


def asked(town: Town, body: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    """What the API says of the same days and keys."""
    return town.data("refusals", **{n: v for n, v in body.items() if n != "log_type_slugs"})


def counted(table: Table, column: int = 1) -> dict[str, Any]:
    """A column by what its rows are about, without what is 0."""
    found = {row.about: row.cells[column].number for row in table.rows}
    return {about: number for about, number in found.items() if number}


@pytest.mark.parametrize("days", [SPRING, AUTUMN])
@pytest.mark.parametrize("name", ["all", "key", "log_types", "unmapped", "idle"])
def test_every_day_and_reason_is_the_apis(town: Town, name: str, days: tuple[str, str]) -> None:
    body = body_of(town, name, days)
    html = town.page("/usage" + address(body))
    data = asked(town, body)
    assert ("these are of all." in html) == ("log_type_slugs" in body)
    if name == "idle":
        assert data["totals"]["refusals"] == 0
        assert NOTHING in html
        return
    found = tables(html)
    by_day = [(row.about, row.cells[1].number) for row in found["by-day"].rows]
    assert by_day == [(day["date"], day["refusals"]) for day in reversed(data["series"])]
    assert len(by_day) >= 3
    by_reason = found["reasons"]
    assert [(row.about, row.cells[1].number) for row in by_reason.rows] == [
        (one["denied_by"], one["refusals"]) for one in data["by_reason"]
    ]
    for row, one in zip(by_reason.rows, data["by_reason"], strict=True):
        assert row.cells[0].text.endswith(one["message"])
    assert by_reason.foot[1].number == data["totals"]["refusals"] > 0
    assert "Only counted" not in html


def test_the_operator_is_told_the_same_and_what_was_only_counted_beside_it(town: Town) -> None:
    body = body_of(town, "all", AUTUMN)
    own = tables(town.page("/usage" + address(body)))
    operator = Visitor(town.api).sign_in_as_operator(town.api.admin_token)
    place = f"/operator/workspaces/{town.profile_id}/refusals{address(body)}"
    theirs = tables(operator.get(place).response.text)
    for name in ("reasons", "by-day"):
        assert counted(theirs[name]) == counted(own[name])
        assert theirs[name].head[:2] == own[name].head
    assert sum(counted(theirs["reasons"], 2).values()) > 0


def test_the_overview_tells_what_was_refused_in_this_period_as_the_api_has_it(town: Town) -> None:
    html = town.page("")
    # The period began with the month, and the clock stands at its fifth day.
    data = town.data("refusals", start_date="2026-05-01", end_date="2026-05-05")
    assert data["totals"]["refusals"] > 0
    told = html[html.index('id="refused"') :]
    assert f'<data value="{data["totals"]["refusals"]}">' in told
    assert 'href="/dashboard/usage?range=this_period#refusals"' in told
    linked = town.page("/usage?range=this_period")
    assert figure(linked, "refused") == data["totals"]["refusals"]


def test_nothing_is_told_of_periods_before_of_other_workspaces_and_of_shadows(
    shop: Shop, customer: Visitor
) -> None:
    day_ms = 24 * 3_600_000
    note(
        shop.harness,
        refusal(shop.profile_id, shop.key_id, time_ms=shop.harness.now_ms - 20 * day_ms),
        refusal(shop.profile_id, shop.key_id, is_shadow=True),
        refusal(shop.other_profile_id, "key"),
        refusal(0, "", denied_by="key"),
    )
    assert "refused in this period" not in customer.get("/dashboard").text
    assert NOTHING in customer.get("/dashboard/usage?range=this_period").text
    assert NOTHING not in customer.get("/dashboard/usage?range=30d").text
