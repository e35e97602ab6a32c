"""Signing in to the dashboard of a real server, as a browser without scripts does."""

from __future__ import annotations

import re
from typing import NamedTuple

import httpx

CSRF = re.compile(r'name="csrf" value="(\w+)"')
COOKIE = "farebox_workspace"


class SignedIn(NamedTuple):
    """What became of it: the status of the answer, and the cookie that the browser has then."""

    status: int
    cookie: str


def sign_in_by_key(url: str, key: str) -> SignedIn:
    """Send the form of the sign-in page."""
    return _send(url, "/dashboard/sign-in", key=key)


def sign_in_by_link(link: str) -> SignedIn:
    """Open a link, and send what its script would send."""
    page, _, token = link.partition("#")
    url, _, path = page.partition("/dashboard")
    return _send(url, f"/dashboard{path}", token=token)


def _send(url: str, path: str, **fields: str) -> SignedIn:
    with httpx.Client(base_url=url, timeout=30) as client:
        mark = CSRF.search(client.get(path).text)
        assert mark is not None
        answer = client.post(path, data={"csrf": mark[1], **fields})
        return SignedIn(answer.status_code, f"{COOKIE}={client.cookies[COOKIE]}")
