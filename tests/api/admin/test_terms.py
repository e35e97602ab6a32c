"""Terms over the admin API: what is told can be sent again, and is known at once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.support.admin import Admin

KEY_TERMS: dict[str, Any] = {
    "log_type_slugs": ["people_search"],
    "ip_ranges": ["192.0.2.0/24", "2001:db8::1"],
    "credits_cap": Decimal("12.5"),
}
TOP_UP: dict[str, Any] = {
    "is_auto_top_up_credits_enabled": True,
    "auto_top_up_credit": 500,
    "auto_top_up_balance_fall_below": Decimal("99.5"),
    "is_auto_top_up_granted": False,
}


def sendable(values: dict[str, Any]) -> dict[str, Any]:
    """The same with amounts as texts, which are exact."""
    return {k: str(v) if isinstance(v, Decimal) else v for k, v in values.items()}


def told(answer: dict[str, Any], terms: dict[str, Any]) -> dict[str, Any]:
    """What an answer says of the terms."""
    return {name: answer[name] for name in terms}


def test_the_terms_of_a_key_are_told_and_can_be_sent_again(admin: Admin) -> None:
    admin.make("/log_types", {"slug": "people_search", "name": "People", "credits": 3})
    path = f"/workspaces/{admin.workspace()}/keys"
    made = admin.make(path, sendable(KEY_TERMS))
    assert told(made, KEY_TERMS) == KEY_TERMS
    one = f"{path}/{made['key_id']}"
    read = admin.get(one)
    assert read == {name: value for name, value in made.items() if name != "key"}
    assert admin.get(path)["data"] == [read]
    assert admin.change(one, sendable(told(read, KEY_TERMS))) == read
    assert told(admin.change(one, dict.fromkeys(KEY_TERMS)), KEY_TERMS) == dict.fromkeys(KEY_TERMS)
    assert admin.get(one)["credits_cap"] is None


def test_a_server_knows_the_terms_as_soon_as_it_has_told_them(admin: Admin) -> None:
    profile_id = admin.workspace()
    path = f"/workspaces/{profile_id}/keys"
    made = admin.make(path, {"ip_ranges": ["192.0.2.1"], "credits_cap": 1})
    new = admin.make(f"{path}/{made['key_id']}/rotate", {"overlap_seconds": 60})
    admin.change(f"{path}/{new['key_id']}", {"credits_cap": 2})
    admin.change("/plans/gold", {"is_shadow": True})
    admin.change(f"/workspaces/{profile_id}", sendable(TOP_UP))
    directory = admin.api.context.directory
    keys = directory.keys_of(profile_id)
    assert [key.credits_cap_micro for key in keys] == [2_000_000] * 2
    assert {key.family_id for key in keys} == {made["key_id"]} == {new["family_id"]}
    assert [[str(one) for one in key.ip_ranges or ()] for key in keys] == [["192.0.2.1/32"]] * 2
    assert [plan.is_shadow for plan in directory.plans.values()] == [True]
    assert directory.workspaces[profile_id].auto_top_up_balance_fall_below_micro == 99_500_000


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"log_type_slugs": ["unknown"]}, 42205, "log_type_slugs"),
        ({"log_type_slugs": []}, 42201, "log_type_slugs"),
        ({"ip_ranges": []}, 42201, "ip_ranges"),
        ({"ip_ranges": ["192.0.2.256"]}, 42201, "ip_ranges"),
        ({"ip_ranges": ["::1"] * 101}, 40004, "ip_ranges"),
        ({"credits_cap": -1}, 42201, "credits_cap"),
        ({"credits_cap": True}, 40004, "credits_cap"),
        ({"family_id": "key_1"}, 42202, "family_id"),
    ],
)
def test_a_term_that_can_not_be_is_refused_by_name(
    admin: Admin, body: dict[str, Any], code: int, field: str
) -> None:
    path = f"/workspaces/{admin.workspace()}/keys"
    key_id = admin.make(path, {})["key_id"]
    for answer in (admin.call("POST", path, body), admin.call("PATCH", f"{path}/{key_id}", body)):
        assert (answer.status_code, answer.json()["code"]) == (code // 100, code)
        assert f"'{field}'" in answer.json()["message"]
    assert len(admin.get(path)["data"]) == 1


def test_a_customer_is_told_no_terms(admin: Admin) -> None:
    path = f"/workspaces/{admin.workspace()}/keys"
    made = admin.make(path, {"credits_cap": 1, "ip_ranges": ["192.0.2.1"]})
    (listed,) = admin.api.data("/api_keys", made["key"])
    assert not listed.keys() & {*KEY_TERMS, "family_id"}


def test_shadow_mode_is_told_and_can_be_sent_again(admin: Admin) -> None:
    body = {"slug": "gold", "name": "Gold", "credits_per_month": 1, "is_shadow": True}
    made = admin.make("/plans", body)
    assert made["is_shadow"] is True
    assert admin.get("/plans/gold") == made
    assert admin.change("/plans/gold", {"is_shadow": made["is_shadow"]}) == made
    assert admin.change("/plans/gold", {"is_shadow": False})["is_shadow"] is False


def test_the_terms_of_auto_top_up_are_told_and_can_be_sent_again(admin: Admin) -> None:
    path = f"/workspaces/{admin.workspace(**sendable(TOP_UP))}"
    read = admin.get(path)
    assert told(read, TOP_UP) == TOP_UP
    assert admin.change(path, sendable(told(read, TOP_UP))) == read
    answer = admin.call("PATCH", path, {"auto_top_up_credit": None})
    assert (answer.status_code, answer.json()["code"]) == (422, 42201)
    assert "'auto_top_up_credit'" in answer.json()["message"]
    assert admin.get(path) == read
