"""Texts of requests: what one engine can't hold is kept in neither."""

from __future__ import annotations

from farebox.core.request import without_nul


def test_nul_is_replaced_and_nothing_else() -> None:
    assert without_nul("/a\0b\n\0") == "/a\ufffdb\n\ufffd"
    assert without_nul("/people/é") == "/people/é"
