"""The operator's pages: who may see them, and that each says what the admin API says."""

from __future__ import annotations

import re
from typing import Any

import pytest

from farebox.core.credits import to_number
from farebox.core.identity import format_uuid
from farebox.dashboard.operator import PAGES
from farebox.service.audit import audit_data, audit_keep, run_audit
from tests.support.api import exact
from tests.support.refused import note, refusal
from tests.support.shop import Shop
from tests.support.visitor import Page, Visitor

# What gives a file is no page.
PATHS = sorted(
    page.path
    for page in PAGES
    if page.show and page.path != "/sign-in" and not page.path.endswith("/file")
)
SENT = sorted({page.path for page in PAGES if page.send} - {"/sign-in"})
CREDIT = 1_000_000


def path_of(shop: Shop, path: str) -> str:
    """The address of a page for the shop's workspace."""
    user_id = shop.harness.directory.users_of(shop.profile_id)[0].user_id
    slug = "basic" if path.startswith("/plans") else "people_search"
    ((log_id,),) = shop.harness.select("select query_log_id from requests limit 1")
    return "/operator" + path.format(
        profile_id=shop.profile_id,
        user_id=user_id,
        audit_id=1,
        key_id=shop.key_id,
        query_log_id=format_uuid(log_id),
        token_id="tok_nobody",
        slug=slug,
    )


def asked(shop: Shop, path: str) -> Any:  # noqa: ANN401 - any JSON
    """The admin API's answer, with exact numbers."""
    answer = shop.api.request("GET", f"/admin/v1{path}", token=shop.api.admin_token)
    assert answer.status_code == 200, answer.text
    return exact(answer)


def told(page: Page, id_: str) -> str:
    """The exact value of the number in an element."""
    found = re.search(rf'id="{id_}"[^>]*><data value="([^"]*)"', page.response.text)
    assert found, id_
    return found[1]


def rows_of(page: Page, id_: str) -> list[list[str]]:
    """The exact values of each row of a table."""
    table = re.search(rf'<table id="{id_}">(.*?)</table>', page.response.text, re.DOTALL)
    assert table, id_
    (body,) = re.findall(r"<tbody>(.*?)</tbody>", table[1], re.DOTALL)
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.DOTALL)
    return [re.findall(r'<data value="([^"]*)"', row) for row in rows]


@pytest.fixture(autouse=True)
def _something_everywhere(shop: Shop) -> None:
    harness = shop.harness
    shop.use(3)
    harness.call("audits.keep", took_ms=5, requests=1, differences=0, detail="{}")
    harness.call("grants.create", profile_id=shop.profile_id, credits=2.5, kind="topup")
    note(harness, refusal(shop.profile_id, shop.key_id), refusal(0, "", denied_by="key"))


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_shown_to_the_operator_alone(
    shop: Shop, customer: Visitor, operator: Visitor, path: str
) -> None:
    address = path_of(shop, path)
    shown = operator.get(address)
    assert shown.status == 200, shown.text
    assert "<h1>" in shown.response.text
    for nobody in (Visitor(shop.api), customer):
        answer = nobody.ask("GET", address)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/operator/sign-in?next=")


@pytest.mark.parametrize("path", SENT)
def test_a_form_counts_only_from_the_operators_own_page(
    shop: Shop, customer: Visitor, operator: Visitor, path: str
) -> None:
    address = path_of(shop, path)
    before = shop.harness.select("select count(*) from changes")
    csrf = customer.get("/dashboard").form("/dashboard/sign-out").values["csrf"][0]
    for visitor in (operator, customer):
        answer = visitor.ask("POST", address, f"csrf={csrf}&confirmed=yes".encode())
        expected = 403 if visitor is operator else 303
        assert answer.status_code == expected
    assert shop.harness.select("select count(*) from changes") == before


def test_an_unknown_workspace_is_told_so(operator: Visitor) -> None:
    for path in ("99", "0", "x", "9" * 30, "1%20or%201"):
        page = operator.get(f"/operator/workspaces/{path}")
        assert page.status == 404
        assert "There is no such workspace." in page.text
    assert operator.get("/operator/audit/x").status == 404
    assert operator.get("/operator/plans/nobodys").status == 404


def test_a_workspaces_numbers_are_those_of_its_own_api(shop: Shop, operator: Visitor) -> None:
    page = operator.get(f"/operator/workspaces/{shop.profile_id}")
    listed = operator.get("/operator/workspaces")
    body = {"start_date": "2026-04-29", "end_date": "2026-05-05"}
    # The first of the customer's own calls: it counts none of them.
    daily = shop.api.data("/api_keys/usage/daily", shop.key, body)
    quotas = exact(shop.api.request("GET", "/v1/quotas", key=shop.key))
    assert told(page, "credits-left") == str(quotas["credits_left"])
    assert told(page, "credits-used") == str(quotas["credits_used"])
    assert told(page, "requests") == str(daily["totals"]["requests"])
    (row, other) = rows_of(listed, "workspaces")
    left, used, requests, credits, refused = row
    assert (left, used) == (str(quotas["credits_left"]), str(quotas["credits_used"]))
    assert (requests, credits) == (str(daily["totals"]["requests"]), "9")
    assert refused == "1"
    assert other[2:] == ["0", "0", "0"]


def test_workspaces_are_sought_and_found(operator: Visitor) -> None:
    assert "Acme" in operator.get("/operator/workspaces?search=aCm").text
    page = operator.get("/operator/workspaces?search=nobody")
    assert "Acme" not in page.text
    assert "Show all workspaces" in page.text
    assert len(rows_of(operator.get("/operator/workspaces?status=active"), "workspaces")) == 2


def test_a_statement_says_what_the_admin_api_says(shop: Shop, operator: Visitor) -> None:
    harness = shop.harness
    (row,) = shop.use()
    harness.call(
        "corrections.create",
        profile_id=shop.profile_id,
        request_id=format_uuid(row.query_log_id),
        credits=-1,
        reason="Empty.",
    )
    statement = asked(shop, f"/workspaces/{shop.profile_id}/statement")
    page = operator.get(f"/operator/workspaces/{shop.profile_id}/statement")
    assert told(page, "opening") == str(statement["opening_balance"])
    assert told(page, "granted") == str(statement["granted"])
    assert told(page, "charged") == str(-statement["charged"])
    assert told(page, "corrected") == str(-statement["corrected"])
    assert told(page, "closing") == str(statement["closing_balance"])
    charges = [[str(line["requests"]), str(line["credits"])] for line in statement["charges"]]
    assert rows_of(page, "charges") == charges
    # From one period to the next, and back.
    harness.advance(days=31)
    operator.sign_in_as_operator(shop.api.admin_token)
    later = operator.get(f"/operator/workspaces/{shop.profile_id}/statement")
    (earlier,) = [link for link in later.links if "period=" in link]
    closed = operator.get(earlier)
    assert "Closing balance" in closed.text
    assert told(closed, "closing") == told(later, "opening")


def test_the_ledger_ends_at_the_balance_of_the_statement(shop: Shop, operator: Visitor) -> None:
    page = operator.get(f"/operator/workspaces/{shop.profile_id}/ledger")
    balance = asked(shop, f"/workspaces/{shop.profile_id}/statement")["closing_balance"]
    lines = rows_of(page, "ledger")
    assert lines[0][-1] == str(balance)
    assert [line[0] for line in lines] == ["2.5", "9", "1000"]
    nonsense = operator.get(f"/operator/workspaces/{shop.profile_id}/ledger?cursor=kgGhYQ")
    assert rows_of(nonsense, "ledger") == lines


def test_a_correction_leads_to_the_request_that_it_corrects(shop: Shop, operator: Visitor) -> None:
    (row,) = shop.use(path="/people/corrected")
    request_id = format_uuid(row.query_log_id)
    shop.harness.call(
        "corrections.create",
        profile_id=shop.profile_id,
        request_id=request_id,
        credits=-1,
        reason="Empty.",
    )
    place = f"/operator/workspaces/{shop.profile_id}"
    for page in ("ledger", "corrections"):
        assert f"{place}/logs/{request_id}" in operator.get(f"{place}/{page}").links
    assert "/people/corrected" in operator.get(f"{place}/logs/{request_id}").text


def test_grants_are_those_of_the_admin_api(shop: Shop, operator: Visitor) -> None:
    grants = asked(shop, f"/workspaces/{shop.profile_id}/grants")["data"]
    page = operator.get(f"/operator/workspaces/{shop.profile_id}/grants")
    assert rows_of(page, "grants") == [
        [str(grant["credits"]), str(grant["credits_left"]), str(grant["priority"])]
        for grant in grants
    ]


def test_refusals_add_up_to_those_of_the_admin_api(shop: Shop, operator: Visitor) -> None:
    one = asked(shop, f"/workspaces/{shop.profile_id}/refusal_counts")
    page = operator.get(f"/operator/workspaces/{shop.profile_id}/refusals")
    assert told(page, "refused") == str(one["totals"]["refusals"]) == "1"
    everything = operator.get("/operator/refusals")
    assert told(everything, "refused") == "2"
    assert rows_of(everything, "by-workspace") == [["1", "0"], ["1", "0"]]
    assert "Unknown or ended key" in everything.text
    assert told(operator.get("/operator"), "refused") == "2"
    old = operator.get("/operator/refusals?start_date=2026-01-01&end_date=2026-01-02")
    assert "Nothing was refused" in old.text
    wrong = operator.get("/operator/refusals?start_date=2026-02-02&end_date=2026-01-02")
    assert wrong.status == 400
    assert "must not be after" in wrong.text
    sent = operator.get(f"/operator/refusals?profile_id={shop.profile_id}")
    assert sent.path == f"/operator/workspaces/{shop.profile_id}/refusals"


def test_the_overview_tells_what_was_recorded(operator: Visitor) -> None:
    page = operator.get("/operator")
    assert told(page, "last-hour") == "3"
    parts = rows_of(page, "ingest")
    assert len(parts) == 24
    assert parts[-1] == ["3", "9"]
    assert len(rows_of(operator.get("/operator?by=minute"), "ingest")) == 60


def test_who_owes_is_among_those_to_look_at(shop: Shop, operator: Visitor) -> None:
    shop.harness.record([shop.row(credits_micro=2_000 * CREDIT)])
    page = operator.get("/operator")
    owed = to_number(2_000 * CREDIT - (1_002_500_000 - 9 * CREDIT))
    assert rows_of(page, "attention")[0][0] == str(owed)


def test_who_is_close_to_a_quota_is_told_with_what_was_used(shop: Shop, operator: Visitor) -> None:
    assert "No workspace has used 80 percent" in operator.get("/operator").text
    for limits, closest in (
        ({"api": {"day": 4}}, None),
        ({"api": {"day": 3, "month": 100}}, ["100", "3", "3"]),
        ({"api": {"day": 3, "month": 2}}, ["150", "3", "2"]),
    ):
        shop.harness.call("plans.change", slug="basic", limits=limits)
        shop.api.run(shop.api.context.follower.catch_up())
        page = operator.get("/operator")
        if closest is None:
            assert "No workspace has used 80 percent" in page.text
        else:
            assert rows_of(page, "near")[0][-3:] == closest


def test_an_audit_is_told_with_every_check(shop: Shop, operator: Visitor) -> None:
    result = run_audit(shop.harness.reader)
    kept = audit_keep(result)
    shop.harness.call(
        "audits.keep",
        took_ms=kept.took_ms,
        requests=kept.requests,
        differences=kept.differences,
        detail=kept.detail,
    )
    page = operator.get("/operator/audit/2")
    assert "The books agree." in page.text
    checks = audit_data(result).checks
    assert rows_of(page, "checks") == [[str(c.rows), str(c.differences)] for c in checks]
    assert len(rows_of(operator.get("/operator/audit"), "audits")) == 2


def test_settings_tell_no_secret_and_where_they_come_from(shop: Shop, operator: Visitor) -> None:
    page = operator.get("/operator/settings")
    assert "FAREBOX_ADMIN_TOKEN" in page.text
    assert shop.api.admin_token not in page.response.text
    assert "Environment" in page.text
    assert "How often the server audits its books; 0 never." in page.text
