"""The logs page: what it finds, counts and tells of one request is what the API does."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from farebox.core.identity import format_uuid
from farebox.core.instant import parse_rfc3339, to_local_stamp
from farebox.service import logs
from tests.dashboard.reports.conftest import ZONE, Town
from tests.dashboard.reports.tables import Row, tables
from tests.support.api import Api
from tests.support.harness import Harness
from tests.support.shop import Shop
from tests.support.visitor import Visitor

RANGE = {"start_date": "2026-03-05", "end_date": "2026-03-11"}
# What the page is asked, and the API for the same.
CASES: dict[str, tuple[list[tuple[str, str]], dict[str, Any]]] = {
    "all": ([], {}),
    "class": ([("status", "4"), ("status", "5")], {"status_codes": list(range(400, 600))}),
    "codes": ([("status_codes", "404, 500")], {"status_codes": [404, 500]}),
    "both": (
        [("status", "5"), ("status_codes", "201")],
        {"status_codes": [201, *range(500, 600)]},
    ),
    "method": ([("method", "GET")], {"methods": ["GET"]}),
    "search": ([("search", "things/3")], {"search_term": "things/3"}),
    "address": ([("search", "192.0.2.2")], {"search_term": "192.0.2.2"}),
    "log_type": (
        [("log_type", "type_2"), ("log_type", "__unknown__")],
        {"log_type_slugs": ["type_2", "__unknown__"]},
    ),
    "slowest": (
        [("order", "duration_ms-desc"), ("per_page", "50")],
        {"order_by": "duration_ms", "per_page": 50},
    ),
    "oldest": ([("order", "created_at-asc")], {"is_ascending_order": True}),
    "page": ([("page", "2")], {"page": 2}),
    "beyond": ([("page", "99")], {"page": 99}),
    "nothing": ([("search", "no such thing")], {"search_term": "no such thing"}),
}


def address(pairs: list[tuple[str, str]]) -> str:
    return "/logs?" + urlencode([("range", "custom"), *RANGE.items(), *pairs])


def rows_of(html: str) -> list[Row]:
    found = tables(html)
    return found["logs-table"].rows if "logs-table" in found else []


@pytest.mark.parametrize("name", CASES)
def test_rows_order_and_count_are_the_apis(town: Town, name: str) -> None:
    pairs, body = CASES[name]
    html = town.page(address(pairs))
    data = town.data("logs", **RANGE, **body)
    rows, found = rows_of(html), data["query_logs"]
    keys = town.api.data("/api_keys", town.key, {})
    names = {key["masked_authentication"]: key["name"] for key in keys}
    assert [row.about for row in rows] == [log["query_log_id"] for log in found]
    assert f'<data value="{data["pagination"]["total_entries"]}">' in html.split('id="found"')[1]
    for row, log in zip(rows, found, strict=True):
        time, request, status, duration, credits, key, user = row.cells
        assert time.instant is not None
        assert to_local_stamp(parse_rfc3339(time.instant), ZONE) == log["created_at"]
        assert request.text.startswith(f"{log['method']} {log['path']}")
        assert request.text.endswith(log["log_type_name"] or "Not mapped")
        assert status.text == ("–" if log["status_code"] is None else str(log["status_code"]))
        assert duration.number == log["duration_ms"]
        assert credits.number == log["credits"]
        assert key.text == f"{names[log['masked_authentication']]} {log['masked_authentication']}"
        assert user.text == f"{log['nickname']} {log['ip']}"


def test_a_calls_key_is_told_by_its_name_and_leads_to_it_even_when_it_is_revoked(
    tmp_path: Path,
) -> None:
    with Harness(tmp_path) as harness, Api(harness) as api:
        shop = Shop(api)
        harness.call("workspaces.change", profile_id=shop.profile_id, licences=2)
        jonas = harness.call(
            "users.create", profile_id=shop.profile_id, nickname="Jonas", email="j@acme.example"
        )
        key_id, _ = shop.make_key(user_id=jonas.user_id, name="Old <b>key</b>")
        (request,) = shop.use(key_id=key_id)
        harness.call("keys.revoke", profile_id=shop.profile_id, key_id=key_id)
        visitor = Visitor(api).sign_in(shop.key)
        address = f"/dashboard/keys/{key_id}"
        (row,) = rows_of(visitor.get("/dashboard/logs").response.text)
        assert address in row.links
        assert row.cells[5].text.startswith("Old <b>key</b> ")
        assert row.cells[6].text.startswith("Jonas ")
        detail = visitor.get(f"/dashboard/logs/{format_uuid(request.query_log_id)}")
        assert address in detail.links
        assert "Old <b>key</b>" in detail.text
        assert "Revoked" in visitor.get(address).text


def test_a_key_and_all_other_filters_meet(town: Town) -> None:
    pairs = [("key", town.key_ids[1]), ("method", "POST"), ("status", "2")]
    data = town.data(
        "logs",
        **RANGE,
        keys=[town.key_ids[1]],
        methods=["POST"],
        status_codes=list(range(200, 300)),
    )
    rows = rows_of(town.page(address(pairs)))
    assert [row.about for row in rows] == [log["query_log_id"] for log in data["query_logs"]]
    assert rows


def test_pages_lead_on_and_back(town: Town) -> None:
    first = town.page(address([("search", "things")]))
    assert 'rel="prev"' not in first
    second = town.page(address([("search", "things"), ("page", "2")]))
    assert 'rel="prev"' in second
    seen = [row.about for row in [*rows_of(first), *rows_of(second)]]
    assert len(set(seen)) == 50


def test_a_page_that_is_not_there_leads_to_the_first(town: Town) -> None:
    assert "There is no such page" in town.page(address([("page", "99")]))


def test_a_request_leads_back_to_where_it_was_found(town: Town) -> None:
    place = address([("search", "things"), ("page", "2")])
    (link, *_) = rows_of(town.page(place))[0].links
    html = town.page(link.removeprefix("/dashboard"))
    assert f'href="/dashboard{place}"'.replace("&", "&amp;") in html


def test_nothing_found_is_told_and_the_filters_can_be_removed(town: Town) -> None:
    html = town.page(address([("search", "no such thing")]))
    assert "No requests were found" in html
    assert html.count("Remove the filters") == 2


@pytest.mark.parametrize("codes", ["99", "600", "abc", "404 x", "4040", "²00"])
def test_what_is_no_status_code_is_told_at_its_field(town: Town, codes: str) -> None:
    html = town.page(address([("status_codes", codes)]))
    assert "status codes from 100 to 599" in html
    assert 'id="status_codes-wrong"' in html


def test_whatever_stands_in_the_query_there_is_a_page(town: Town) -> None:
    for query in ("order=x-y", "per_page=7", "page=0", "page=" + "9" * 40, "method=x", "status=9"):
        assert rows_of(town.page(f"/logs?{query}"))


def test_a_search_that_takes_too_long_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "ROWS_PER_PART", 1)
    with Harness(tmp_path) as harness, Api(harness, {"FAREBOX_LOG_QUERY_MS": "10"}) as api:
        shop = Shop(api)
        shop.use(3_000)
        html = Visitor(api).sign_in(shop.key).get("/dashboard/logs").response.text
    assert "The search was stopped because it took too long" in html
    assert "requests or more" in html


def test_one_request_is_told_as_the_api_has_it(town: Town) -> None:
    html = town.page(f"/logs/{town.captured_id}")
    detail = town.data("logs/lookup", query_log_id=town.captured_id)
    assert detail["response_body"] == "plain & simple"
    assert "plain &amp; simple" in html
    # JSON is laid out, with its values as they were, and markup in it is text.
    assert "&#34;price&#34;: 1.50" in html
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "application/json" in html
    assert f'<data value="{detail["response_size"]}">' in html


def test_a_request_without_a_capture_says_so(town: Town) -> None:
    (log, *_) = town.data("logs", **RANGE)["query_logs"]
    html = town.page(f"/logs/{log['query_log_id']}")
    assert "Headers and bodies were not captured" in html
    for text in (log["path"], log["masked_authentication"], log["email"], log["ip"]):
        assert text in html
    assert f'<data value="{log["credits"]}">' in html


@pytest.mark.parametrize("log_id", ["nonsense", "00000000-0000-7000-8000-000000000000"])
def test_a_request_that_is_not_there_is_told(town: Town, log_id: str) -> None:
    page = town.visitor.get(f"/dashboard/logs/{log_id}")
    assert page.status in {400, 404}
    assert "That didn't work" in page.text
