"""Preferences: language and theme, by what the browser says, or as they were chosen once.

They are chosen by a link, `?lang=ko` or `?theme=dark`, on any page; the answer remembers it in a
cookie and goes back to the same page without it.
"""

from __future__ import annotations

from typing import get_args
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from farebox.contract.texts import LANGUAGES, Language, language_of
from farebox.dashboard.cookies import set_cookie
from farebox.dashboard.visit import Theme

LANGUAGE = "lang"
THEME = "theme"
THEMES: tuple[Theme, ...] = get_args(Theme)
_KNOWN: dict[str, tuple[str, ...]] = {LANGUAGE: LANGUAGES, THEME: THEMES}
_YEAR_SECONDS = 365 * 24 * 3600


def language_of_request(request: Request) -> Language:
    """The language that was chosen, else the browser's."""
    found = request.cookies.get(f"farebox_{LANGUAGE}")
    if found in LANGUAGES:
        return found
    return language_of(request.headers.get("accept-language"))


def theme_of_request(request: Request) -> Theme:
    """The theme that was chosen, else whatever the browser prefers."""
    found = request.cookies.get(f"farebox_{THEME}")
    return found if found in THEMES else "auto"


def chosen(request: Request) -> str | None:
    """The same page without what is chosen by it; None where nothing is."""
    if request.method != "GET" or not _choices(request):
        return None
    rest = [(n, v) for n, v in request.query_params.multi_items() if n not in _KNOWN]
    return request.url.path + (f"?{urlencode(rest)}" if rest else "")


def remember(request: Request, response: Response, *, is_secure: bool, is_framed: bool) -> None:
    """Have the browser keep what was chosen."""
    for name, value in _choices(request).items():
        set_cookie(
            response,
            f"farebox_{name}",
            value,
            path="/",
            seconds=_YEAR_SECONDS,
            is_secure=is_secure,
            is_framed=is_framed,
        )


def _choices(request: Request) -> dict[str, str]:
    sent = request.query_params
    return {name: sent[name] for name, known in _KNOWN.items() if sent.get(name) in known}
