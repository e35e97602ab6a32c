"""Signing in with a token of the scope `admin`.

The token is looked at once and kept nowhere: the session's cookie names it by its id.
"""

from __future__ import annotations

from starlette.responses import Response

from farebox.contract.texts import error_message
from farebox.core.errors import INVALID_TOKEN, WRONG_SCOPE, FareboxError
from farebox.dashboard.session import SESSION_MS
from farebox.dashboard.site import next_path
from farebox.dashboard.visit import Visit
from farebox.service.authenticate import find_token

_FIELD = "token"


async def show_sign_in(visit: Visit) -> Response:
    """The form."""
    return await _page(visit)


async def sign_in(visit: Visit) -> Response:
    """Begin a session with the token that was sent."""
    desk = visit.desk
    try:
        token = await find_token(desk.directory, desk.follower, visit.form.text(_FIELD), "admin")
    except FareboxError as error:
        if error.kind not in {INVALID_TOKEN, WRONG_SCOPE}:
            raise
        visit.form.problems[_FIELD] = error_message(visit.language, error)
        return await _page(visit, error.kind.status)
    visit.keeps = desk.sessions.make(
        "operator", "operator", visit.now_ms + SESSION_MS, ref=token.token_id, role="manage"
    )
    return visit.go(next_path(visit))


async def _page(visit: Visit, status: int = 200) -> Response:
    return await visit.show("operator/sign_in.html", status=status, next=next_path(visit))
