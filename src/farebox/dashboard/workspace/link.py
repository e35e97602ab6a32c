"""Coming by a link of the provider.

The link's token stands behind the `#` of its address, which a browser keeps to itself: a script
takes it out of the address and sends it here as a form. The session ends when the link does, or
when all links of the workspace are revoked.
"""

from __future__ import annotations

from starlette.responses import Response

from farebox.contract.texts import error_message
from farebox.core.errors import EXPIRED_LINK, INVALID_LINK, REVOKED_LINK, SUSPENDED, FareboxError
from farebox.dashboard.visit import Visit
from farebox.service.links import open_link, workspace_of_link

_FIELD = "token"
_ENDED = frozenset({INVALID_LINK, EXPIRED_LINK, REVOKED_LINK})


async def show_link(visit: Visit) -> Response:
    """The form that the script fills in and sends."""
    return await visit.show("workspace/link.html")


async def follow_link(visit: Visit) -> Response:
    """Begin a session with the link that was sent."""
    desk = visit.desk
    try:
        link = open_link(desk.links, visit.form.text(_FIELD), visit.now_ms)
        await desk.follower.catch_up()
        workspace = workspace_of_link(link, desk.directory.workspaces)
    except FareboxError as error:
        if error.kind not in _ENDED:
            raise
        visit.form.problem = error_message(visit.language, error)
        return await visit.show("workspace/link.html", status=error.kind.status)
    if workspace.status == "suspended":
        raise FareboxError(SUSPENDED)
    visit.keeps = desk.sessions.make(
        "workspace",
        "link",
        link.expires_ms,
        profile_id=link.profile_id,
        ref=link.link_id,
        role=link.role,
        session_epoch=link.session_epoch,
    )
    return visit.go(visit.root)
