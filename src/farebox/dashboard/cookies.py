"""Cookies: how those of the pages are set, whatever they hold. No script reads them.

A frame on a page of another site is given no Lax cookie. There browsers take `None`, over https
only, and partitioned: kept apart for each site that shows the frame. So that is what is set where
somebody may show the pages in a frame; of one cookie always the same, lest a browser keep two.
"""

from __future__ import annotations

from starlette.responses import Response

_IN_FRAMES = "SameSite=None; Partitioned"
_ALONE = "SameSite=Lax"


def set_cookie(
    response: Response,
    name: str,
    text: str,
    *,
    path: str,
    seconds: int,
    is_secure: bool,
    is_framed: bool,
) -> None:
    """Have the browser keep a cookie; for 0 seconds to forget it."""
    parts = [f"{name}={text}", f"Path={path}", f"Max-Age={seconds}", "HttpOnly"]
    if is_secure:
        parts.append("Secure")
    parts.append(_IN_FRAMES if is_framed and is_secure else _ALONE)
    response.headers.append("Set-Cookie", "; ".join(parts))


def end_cookie(
    response: Response, name: str, *, path: str, is_secure: bool, is_framed: bool
) -> None:
    """Have the browser forget a cookie, also one from before frames were allowed."""
    for is_one_of_frames in (True, False) if is_framed and is_secure else (False,):
        set_cookie(
            response,
            name,
            "",
            path=path,
            seconds=0,
            is_secure=is_secure,
            is_framed=is_one_of_frames,
        )
