"""The dashboard over PostgreSQL, whose walls let a page see one workspace alone."""

from __future__ import annotations

import re
from contextlib import closing

import httpx

from farebox.dashboard import operator, workspace
from farebox.dashboard.site import Page
from tests.postgres.office import Office
from tests.support.server import RunningServer
from tests.support.waiting import until


def sign_in(server: RunningServer, area: str, **secret: str) -> httpx.Client:
    """A browser that has signed in."""
    browser = httpx.Client(base_url=server.url, follow_redirects=True, timeout=30)
    form = browser.get(f"/{area}/sign-in").text
    mark = re.search(r'name="csrf" value="([^"]+)"', form)
    assert mark is not None
    landed = browser.post(f"/{area}/sign-in", data={"csrf": mark[1], **secret})
    assert landed.url.path == f"/{area}", landed.text
    return browser


def test_every_page_is_shown_with_what_was_recorded(office: Office) -> None:
    key = office.sell()
    with office.server() as server:
        row = {"id": "one", "key": key, "log_type": "people", "path": "/people/1", "method": "GET"}
        recorded = server.call("POST", "/v1/requests", {"requests": [{**row, "status_code": 500}]})
        assert recorded.json()["accepted"] == 1
        asked = {"key": key, "method": "GET", "path": "/nowhere"}
        assert server.call("POST", "/v1/authorize", asked).json()["denied_by"] == "unmapped"
        with closing(sign_in(server, "dashboard", key=key)) as customer:
            until(lambda: 'data-row="unmapped"' in customer.get("/dashboard/usage").text)
            found = re.search(r'data-row="([^"]+)"', customer.get("/dashboard/logs?status=5").text)
            assert found is not None
            key_row = re.search(r'data-row="([^"]+)"', customer.get("/dashboard/breakdown").text)
            assert key_row is not None
            ids = {"query_log_id": found[1], "key_id": key_row[1], "profile_id": "1"}
            check(customer, "/dashboard", workspace.PAGES, ids)
            for query in ("range=today", "range=previous_period", "range=90d&unit=requests"):
                assert customer.get(f"/dashboard/usage?{query}").status_code == httpx.codes.OK
            assert "No requests were found" in customer.get("/dashboard/logs?search=a%00b").text
        with closing(sign_in(server, "operator", token=server.token)) as provider:
            check(provider, "/operator", operator.PAGES, ids)


def check(browser: httpx.Client, root: str, pages: tuple[Page, ...], ids: dict[str, str]) -> None:
    """Ask for each page whose things are known and that one may see."""
    asked = 0
    for page in pages:
        names = set(re.findall(r"{(\w+)}", page.path))
        if page.show is None or page.needs != "session" or not names <= ids.keys():
            continue
        answer = browser.get(root + page.path.format(**ids))
        assert answer.status_code == httpx.codes.OK, (page.path, answer.text)
        asked += 1
    assert asked > 5
