"""Cookies: kept in frames where somebody may show the pages, and by nothing else's leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.api import Api
from tests.support.harness import Harness
from tests.support.shop import Shop
from tests.support.visitor import Visitor

HTTPS = {"FAREBOX_PUBLIC_URL": "https://usage.example.com"}
FRAMED = {"FAREBOX_FRAME_ANCESTORS": "https://www.example.com"}
LAX, IN_FRAMES = "SameSite=Lax", "Secure; SameSite=None; Partitioned"


def set_by(visitor: Visitor, path: str) -> list[str]:
    """The cookies that a page sets."""
    return visitor.ask("GET", path).headers.get_list("set-cookie")


@pytest.mark.parametrize(
    ("settings", "ending"),
    [
        ({}, f"HttpOnly; {LAX}"),
        (HTTPS, f"Secure; {LAX}"),
        # Browsers refuse None without https, and keep nothing in such a frame.
        (FRAMED, f"HttpOnly; {LAX}"),
        ({**HTTPS, **FRAMED}, f"HttpOnly; {IN_FRAMES}"),
    ],
)
def test_sessions_and_preferences_are_kept_in_frames_only_where_those_are_allowed_over_https(
    tmp_path: Path, settings: dict[str, str], ending: str
) -> None:
    with Harness(tmp_path) as harness, Api(harness, settings) as api:
        visitor = Visitor(api)
        for path in ("/dashboard/sign-in", "/dashboard?lang=ko", "/operator?theme=dark"):
            (cookie,) = set_by(visitor, path)
            assert cookie.endswith(ending)
        # Nobody shows the operator's pages in a frame.
        (cookie,) = set_by(visitor, "/operator/sign-in")
        assert cookie.endswith(LAX)


def test_signing_out_ends_a_session_from_before_frames_were_allowed_too(tmp_path: Path) -> None:
    with Harness(tmp_path) as harness, Api(harness, {**HTTPS, **FRAMED}) as api:
        visitor = Visitor(api).sign_in(Shop(api).key)
        form = visitor.get("/dashboard").form("/dashboard/sign-out")
        content = f"csrf={form.values['csrf'][0]}".encode()
        ended = visitor.ask("POST", form.action, content).headers.get_list("set-cookie")
        assert all(c.startswith("farebox_workspace=; Path=/dashboard; Max-Age=0;") for c in ended)
        assert [IN_FRAMES in cookie for cookie in ended] == [True, False]
        assert visitor.get("/dashboard").path == "/dashboard/sign-in"
