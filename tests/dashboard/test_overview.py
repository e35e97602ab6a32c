"""The overview: its numbers are those of `/v1/quotas`, `/profile/usage` and the daily report."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest

from farebox.contract.texts import LANGUAGE_TAGS, LANGUAGES, Language, translate
from farebox.core.instant import MS_PER_DAY
from tests.support.shop import CREDIT, Shop
from tests.support.visitor import Page, Visitor

NOTHING = "No requests in the last {days} days"
USER = {"nickname": "Jo", "email": "jo@acme.example"}


def value_in(page: Page, anchor: str) -> str:
    """The first exact number after some place in the page."""
    text = page.response.text
    found = re.search(r'<data value="([^"]+)"', text[text.index(anchor) :])
    assert found is not None
    return found[1]


def gauge_of(page: Page, name: str) -> list[str]:
    """The exact numbers of a gauge: what is used and, where there is one, the limit."""
    text = page.response.text
    begin = text.index(f'data-gauge="{name}"')
    return re.findall(r'<data value="([^"]+)"', text[begin : text.index("</div>\n", begin + 400)])


def quotas_of(shop: Shop) -> dict[str, Any]:
    """What `/v1/quotas` tells."""
    answer = shop.api.request("GET", "/v1/quotas", key=shop.key)
    found: dict[str, Any] = json.loads(answer.text, parse_float=str)
    return found


def test_credits_are_those_of_the_quotas(shop: Shop, customer: Visitor) -> None:
    shop.harness.call("grants.create", profile_id=shop.profile_id, credits=1_000, kind="topup")
    shop.use(7, credits_micro=1_250_000)
    page, quotas = customer.get("/dashboard"), quotas_of(shop)
    assert quotas["credits_used"] == "8.75"
    assert value_in(page, 'id="credits-left"') == str(quotas["credits_left"])
    assert value_in(page, 'id="credits-used"') == str(quotas["credits_used"])


def test_what_reservations_hold_is_no_longer_left_and_told(shop: Shop, customer: Visitor) -> None:
    shop.harness.call("grants.create", profile_id=shop.profile_id, credits=100, kind="topup")
    allowed = shop.api.request(
        "POST",
        "/v1/authorize",
        token=shop.api.admin_token,
        body={"key": shop.key, "log_type": "people_redeem"},
    ).json()
    assert allowed["allowed"], allowed
    page, quotas = customer.get("/dashboard"), quotas_of(shop)
    assert value_in(page, 'id="credits-left"') == str(quotas["credits_left"])
    assert "15 held for calls under way" in page.text


def test_gauges_are_those_of_the_profile_usage(shop: Shop, customer: Visitor) -> None:
    shop.use(5)
    usage = shop.api.data("/profile/usage", shop.key, {})
    page = customer.get("/dashboard")
    assert "data-gauge" in page.response.text
    for kind, name in (("hour", "hourly"), ("day", "daily"), ("month", "monthly")):
        limit = usage[f"total_max_api_{name}_query"]
        expected = [usage[f"api_{name}_usage"], *([] if limit is None else [limit])]
        assert gauge_of(page, f"api-{kind}") == [str(number) for number in expected]


def test_where_quotas_are_each_users_own_the_chosen_users_are_shown(
    shop: Shop, customer: Visitor
) -> None:
    shop.harness.call("workspaces.change", profile_id=shop.profile_id, licences=2)
    user = shop.harness.call("users.create", profile_id=shop.profile_id, **USER)
    key_id, _ = shop.make_key(user_id=user.user_id)
    shop.use(2)
    shop.use(3, key_id=key_id)
    shop.api.run(shop.api.context.follower.catch_up())
    assert gauge_of(customer.get("/dashboard"), "api-day")[0] == "2"
    theirs = customer.get(f"/dashboard?user={user.user_id}")
    assert gauge_of(theirs, "api-day")[0] == "3"


def test_another_workspaces_user_is_not_shown(shop: Shop, customer: Visitor) -> None:
    foreign = shop.api.context.directory.users_of(shop.other_profile_id)[0]
    page = customer.get(f"/dashboard?user={foreign.user_id}")
    assert foreign.user_id not in page.response.text.replace(f"user={foreign.user_id}", "")


def test_the_last_days_are_those_of_the_daily_report(shop: Shop, customer: Visitor) -> None:
    shop.use(4)
    shop.use(2, log_type_id=shop.redeem, credits_micro=15_000_000)
    page = customer.get("/dashboard")
    totals = shop.api.data(
        "/api_keys/usage/daily", shop.key, {"start_date": "2026-05-01", "end_date": "2026-06-30"}
    )["totals"]
    foot = page.response.text[page.response.text.index("<tfoot>") :]
    found = re.findall(r'<data value="([^"]+)"', foot)
    assert found == [str(totals["requests"]), str(totals["credits"])]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_workspace_without_requests_is_told_so(shop: Shop, language: Language) -> None:
    page = Visitor(shop.api, LANGUAGE_TAGS[language]).sign_in(shop.key).get("/dashboard")
    assert translate(language, NOTHING, days=30) in page.text
    assert "data-chart" not in page.response.text


def test_the_forecast_tells_the_day_that_can_be_worked_out_by_hand(
    shop: Shop, customer: Visitor
) -> None:
    noon_ms = shop.harness.clock.now_ms()  # of 5 May; the period ends with the month
    for day in range(1, 8):
        shop.use(10, time_ms=noon_ms - day * MS_PER_DAY, credits_micro=CREDIT)
    left = Decimal(quotas_of(shop)["credits_left"])
    shop.use(1, credits_micro=int((left - 95) * CREDIT))
    page = customer.get("/dashboard")
    assert value_in(page, 'id="credits-left"') == "95"
    assert "10 a day, as in the last 7 days" in page.text
    # Nine and a half days after noon.
    assert "Empty on May 15, 2026" in page.text


def test_credits_that_outlast_the_next_period_are_told_to_last(
    shop: Shop, customer: Visitor
) -> None:
    noon_ms = shop.harness.clock.now_ms()
    for day in range(1, 8):
        shop.use(1, time_ms=noon_ms - day * MS_PER_DAY, credits_micro=CREDIT)
    assert "Won't run out soon" in customer.get("/dashboard").text


def test_without_days_of_use_there_is_no_forecast(customer: Visitor) -> None:
    assert "Too early to tell" in customer.get("/dashboard").text
