"""The alerts' page: what it shows is what the API tells, and only who may manage changes it."""

from __future__ import annotations

import httpx
import pytest

from tests.dashboard.people import by_a_link, by_link
from tests.support.shop import Shop
from tests.support.visitor import Visitor

ALERTS = "/dashboard/alerts"


def alerts(shop: Shop) -> list[tuple[str, str | None, str]]:
    """The alerts of the shop's workspace."""
    return [
        (kind, channel, thresholds)
        for kind, channel, thresholds in shop.harness.select(
            "select kind, channel, thresholds from alerts where profile_id = ? order by alert_id",
            shop.profile_id,
        )
    ]


def made(shop: Shop, profile_id: int | None = None) -> str:
    """The id of a new alert."""
    alert = shop.harness.call(
        "alerts.create",
        profile_id=profile_id or shop.profile_id,
        kind="credits",
        thresholds=[50, 80],
    )
    alert_id: str = alert.alert_id
    return alert_id


@pytest.mark.parametrize(
    ("watched", "thresholds", "kept"),
    [
        ("credits", "50, 80, 100", ("credits", None, "[50,80,100]")),
        ("day portal", "80% 120 %", ("day", "portal", "[80,120]")),
    ],
)
def test_an_alert_is_made_and_listed(
    shop: Shop, watched: str, thresholds: str, kept: tuple[str, str | None, str]
) -> None:
    manager = by_link(shop)
    assert "No alerts yet" in manager.get(ALERTS).text
    page = manager.send(manager.get(ALERTS), ALERTS, watched=watched, thresholds=thresholds)
    assert page.status == httpx.codes.OK
    assert "The alert was made." in page.text
    assert "No threshold was reached yet." in page.text
    assert alerts(shop) == [kept]
    rows = shop.harness.select("select actor from changes where kind = 'alert'")
    assert [actor for (actor,) in rows] == [by_a_link(shop)]


def test_what_was_told_last_is_shown(shop: Shop, customer: Visitor) -> None:
    crossing = {
        "profile_id": shop.profile_id,
        "alert_id": made(shop),
        "threshold_percent": 50,
        "window_start_ms": 0,
        "window_end_ms": 86_400_000,
        "used": 1_234_500_000,
        "allowed": 2_000_000_000,
        "user_id": None,
    }
    shop.harness.call("alerts.fire", crossings=[crossing])
    page = customer.get(ALERTS)
    assert {"1234.5", "2000", "50"} <= set(page.data)
    assert "1,234.5" in page.text
    assert "1,234.5" in by_link(shop, language="ko").get(ALERTS).text


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("thresholds", "", "1 to 10 integers from 1 to 1000"),
        ("thresholds", "80, 50", "1 to 10 integers from 1 to 1000"),
        ("thresholds", "half", "1 to 10 integers from 1 to 1000"),
        ("thresholds", "1001", "1 to 10 integers from 1 to 1000"),
        ("watched", "minute api", "Choose one of those that are listed."),
    ],
)
def test_a_wrong_field_is_told_at_the_field_and_what_was_typed_is_kept(
    shop: Shop, field: str, value: str, told: str
) -> None:
    manager = by_link(shop)
    page = manager.send(manager.get(ALERTS), ALERTS, **{field: value})
    assert page.status in {400, 422}
    assert told in page.text
    assert f'id="{field}-wrong"' in page.response.text
    if field == "thresholds":
        assert page.form(ALERTS).values[field] == [value]
    assert alerts(shop) == []


def test_an_alert_ends_when_that_was_confirmed(shop: Shop) -> None:
    manager = by_link(shop)
    path = f"{ALERTS}/{made(shop)}/end"
    asked = manager.send(manager.get(ALERTS), path)
    assert "has reported is deleted" in asked.text
    assert len(alerts(shop)) == 1
    assert "The alert has ended." in manager.send(asked, path).text
    assert alerts(shop) == []
    assert manager.get(path).status == httpx.codes.NOT_FOUND


def test_who_may_only_look_can_not_write(shop: Shop, customer: Visitor) -> None:
    path = f"{ALERTS}/{made(shop)}/end"
    for visitor in (by_link(shop, "view"), customer):
        page = visitor.get(ALERTS)
        assert [form for form in page.forms if "alerts" in form.action] == []
        csrf = page.forms[0].values["csrf"]
        for address in (ALERTS, path):
            values = {"csrf": csrf, "confirmed": ["yes"], "watched": ["credits"]}
            assert visitor.post(address, values).status == httpx.codes.FORBIDDEN
    assert len(alerts(shop)) == 1


def test_an_alert_of_another_workspace_and_a_form_of_another_site_are_none(shop: Shop) -> None:
    manager = by_link(shop)
    strange = f"{ALERTS}/{made(shop, shop.other_profile_id)}/end"
    own = f"{ALERTS}/{made(shop)}/end"
    csrf = manager.get(ALERTS).forms[0].values["csrf"]
    assert manager.get(strange).status == httpx.codes.NOT_FOUND
    sent = manager.post(strange, {"csrf": csrf, "confirmed": ["yes"]})
    assert sent.status == httpx.codes.NOT_FOUND
    for path in (ALERTS, own):
        assert manager.post(path, {"confirmed": "yes"}).status == httpx.codes.FORBIDDEN
    assert len(alerts(shop)) == 1
