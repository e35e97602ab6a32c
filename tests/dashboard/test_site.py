"""The site: languages, themes, headers, and addresses that lead nowhere."""

from __future__ import annotations

import re

import pytest

from farebox.contract.texts import LANGUAGE_TAGS, LANGUAGES, Language
from tests.support.shop import Shop
from tests.support.visitor import Visitor

SIGN_IN = "/dashboard/sign-in"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_in_the_language_that_the_browser_asks_for(
    shop: Shop, language: Language
) -> None:
    tag = LANGUAGE_TAGS[language]
    page = Visitor(shop.api, tag).get(SIGN_IN)
    assert f'<html lang="{tag}">' in page.response.text


def test_a_language_that_was_chosen_stays_and_leaves_the_address(visitor: Visitor) -> None:
    page = visitor.get(f"{SIGN_IN}?next=%2Fdashboard%3Fuser%3Dx&lang=ko")
    assert '<html lang="ko">' in page.response.text
    assert page.response.request.url.query == b"next=%2Fdashboard%3Fuser%3Dx"
    assert '<html lang="ko">' in visitor.get("/operator").response.text


def test_a_theme_that_was_chosen_stays(visitor: Visitor) -> None:
    assert "data-theme" not in visitor.get(SIGN_IN).response.text
    assert 'data-theme="dark"' in visitor.get(f"{SIGN_IN}?theme=dark").response.text
    assert 'data-theme="dark"' in visitor.get(SIGN_IN).response.text
    assert "data-theme" not in visitor.get(f"{SIGN_IN}?theme=auto").response.text


@pytest.mark.parametrize("query", ["lang=de", "theme=purple", "lang=", "lang=en%0d%0ax"])
def test_what_is_none_of_the_choices_chooses_nothing(visitor: Visitor, query: str) -> None:
    assert visitor.ask("GET", f"{SIGN_IN}?{query}").status_code == 200
    assert set(visitor.cookies) == {"farebox_workspace"}


def test_a_page_allows_nothing_from_outside_and_no_frame(visitor: Visitor) -> None:
    headers = visitor.get(SIGN_IN).response.headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"


def test_a_page_holds_no_style_no_script_and_no_address_of_another_host(customer: Visitor) -> None:
    text = customer.get("/dashboard").response.text
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=", text)
    assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', text)


def test_every_asset_of_a_page_is_there_and_kept_for_good(visitor: Visitor) -> None:
    text = visitor.get(SIGN_IN).response.text
    paths = re.findall(r'(?:href|src)="(/dashboard/assets/[^"]+)"', text)
    assert paths
    for path in paths:
        response = visitor.ask("GET", path)
        assert response.status_code == 200
        assert "immutable" in response.headers["cache-control"]


def test_an_asset_is_the_same_whether_it_is_sent_compressed_or_not(
    shop: Shop, visitor: Visitor
) -> None:
    paths = re.findall(
        r'(?:href|src)="(/dashboard/assets/[^"]+)"', visitor.get(SIGN_IN).response.text
    )
    for path in paths:
        sent = [
            shop.api.request("GET", path, headers={"Accept-Encoding": encoding})
            for encoding in ("br, gzip", "identity")
        ]
        assert [one.headers.get("content-encoding") for one in sent] == ["gzip", None]
        assert {one.headers["vary"] for one in sent} == {"Accept-Encoding"}
        assert sent[0].content == sent[1].content
        assert int(sent[0].headers["content-length"]) < len(sent[1].content)


@pytest.mark.parametrize(
    "path", ["/dashboard/nothing", "/operator/nothing", "/dashboard/keys/x/y/z"]
)
def test_an_address_that_is_none_is_told_so_on_a_page(visitor: Visitor, path: str) -> None:
    page = visitor.get(path)
    assert page.status == 404
    assert "There is nothing at this address." in page.text


@pytest.mark.parametrize("root", ["/dashboard", "/operator"])
def test_a_slash_at_the_end_of_an_areas_address_does_no_harm(visitor: Visitor, root: str) -> None:
    assert visitor.get(f"{root}/").response.url.path == f"{root}/sign-in"


def test_a_method_that_a_page_has_not_is_refused(customer: Visitor) -> None:
    assert customer.ask("PUT", "/dashboard").status_code == 405
    assert customer.ask("GET", "/dashboard/sign-out").status_code == 405


def test_a_form_that_is_too_large_or_none_is_refused(visitor: Visitor) -> None:
    assert visitor.ask("POST", SIGN_IN, b"x=" + b"y" * 70_000).status_code == 413
    assert visitor.ask("POST", SIGN_IN, b"&".join([b"x=1"] * 600)).status_code == 400
    assert visitor.ask("POST", SIGN_IN, b"x=\xff").status_code == 400


def test_head_is_answered_like_get_without_a_body(visitor: Visitor) -> None:
    response = visitor.ask("HEAD", SIGN_IN)
    assert response.status_code == 200
    assert response.content == b""


def test_what_a_page_reads_is_no_request(shop: Shop, customer: Visitor) -> None:
    customer.get("/dashboard")
    shop.api.flush()
    logs = shop.api.data("/api_keys/logs", shop.key)
    assert logs["pagination"]["total_entries"] == 0
