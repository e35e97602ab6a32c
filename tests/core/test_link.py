"""Links into the dashboard: what proves them goes to no server."""

from __future__ import annotations

from urllib.parse import urlsplit

from farebox.core.link import link_url


def test_the_token_stands_behind_the_hash_alone() -> None:
    parts = urlsplit(link_url("https://usage.example.com", "fbl_token"))
    assert (parts.path, parts.query, parts.fragment) == ("/dashboard/link", "", "fbl_token")
