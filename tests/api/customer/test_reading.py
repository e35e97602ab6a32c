"""What another process made a moment ago is told by its name, before this one has heard of it."""

from __future__ import annotations

import pytest

from tests.support.shop import CREDIT, Shop

RANGE = {"start_date": "2026-05-01", "end_date": "2026-05-31"}


@pytest.fixture
def lagging(shop: Shop) -> Shop:
    """A server that follows no more, whose harness is another process on the same database."""
    follower = shop.api.context.follower
    assert follower._task is not None
    follower._task.cancel()
    shop.api.run(follower.catch_up())
    return shop


def move_to_a_new_plan(shop: Shop) -> None:
    shop.harness.call("plans.create", slug="gold", name="Gold", credits_per_month=5000)
    shop.harness.call("workspaces.change", profile_id=shop.profile_id, plan="gold")
    assert "Gold" not in {plan.name for plan in shop.api.context.directory.plans.values()}


def test_the_profile_names_a_plan_that_was_made_elsewhere(lagging: Shop) -> None:
    move_to_a_new_plan(lagging)
    subscription = lagging.api.data("/profile", lagging.key)["subscription"]
    assert (subscription["name"], subscription["credit"]) == ("Gold", 5000)


def test_the_quotas_name_a_plan_that_was_made_elsewhere(lagging: Shop) -> None:
    move_to_a_new_plan(lagging)
    quotas = lagging.api.request("GET", "/v1/quotas", key=lagging.key).json()
    assert (quotas["plan_name"], quotas["credits_left"]) == ("Gold", 5000)


@pytest.mark.parametrize(
    ("path", "entries"),
    [("/api_keys/usage/daily", "by_log_type"), ("/api_keys/usage/breakdown", "by_endpoint")],
)
def test_a_report_names_a_log_type_that_was_made_elsewhere(
    lagging: Shop, path: str, entries: str
) -> None:
    log_type_id = lagging.harness.log_type("company_search", credits=1)
    lagging.use(log_type_id=log_type_id, credits_micro=CREDIT)
    assert log_type_id not in lagging.api.context.directory.log_types
    data = lagging.api.data(path, lagging.key, RANGE)
    assert [entry["slug"] for entry in data[entries]] == ["company_search"]
