"""Signing in with an API key.

The key is looked at once and kept nowhere: the session's cookie names it by its id.
"""

from __future__ import annotations

from starlette.responses import Response

from farebox.contract.texts import error_message
from farebox.core.errors import INVALID_KEY, FareboxError
from farebox.dashboard.session import SESSION_MS
from farebox.dashboard.site import next_path
from farebox.dashboard.visit import Visit
from farebox.service.authenticate import find_caller

_FIELD = "key"
_FORM_TYPE = "form"


async def show_sign_in(visit: Visit) -> Response:
    """The form."""
    return await _page(visit)


async def sign_in(visit: Visit) -> Response:
    """Begin a session with the key that was sent."""
    desk = visit.desk
    try:
        caller = await find_caller(
            desk.directory, desk.follower, visit.form.text(_FIELD), _FORM_TYPE, visit.now_ms
        )
    except FareboxError as error:
        if error.kind is not INVALID_KEY:
            raise
        visit.form.problems[_FIELD] = error_message(visit.language, error)
        return await _page(visit, error.kind.status)
    ends_ms = visit.now_ms + SESSION_MS
    if caller.key.expires_at_ms is not None:
        ends_ms = min(ends_ms, caller.key.expires_at_ms)
    visit.keeps = desk.sessions.make(
        "workspace",
        "key",
        ends_ms,
        profile_id=caller.profile_id,
        ref=caller.key.key_id,
        session_epoch=caller.workspace.session_epoch,
    )
    return visit.go(next_path(visit))


async def _page(visit: Visit, status: int = 200) -> Response:
    return await visit.show("workspace/sign_in.html", status=status, next=next_path(visit))
