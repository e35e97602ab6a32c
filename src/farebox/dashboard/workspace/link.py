"""Coming by a link of the provider.

The link's token stands behind the `#` of its address, which a browser keeps to itself: a script
takes it out of the address and sends it here as a form. The session ends when the link does.
"""

from __future__ import annotations

from starlette.responses import Response

from farebox.contract.texts import error_message
from farebox.core.errors import EXPIRED_LINK, INVALID_LINK, SUSPENDED, FareboxError
from farebox.dashboard.visit import Visit
from farebox.service.links import open_link

_FIELD = "token"


async def show_link(visit: Visit) -> Response:
    """The form that the script fills in and sends."""
    return await visit.show("workspace/link.html")


async def follow_link(visit: Visit) -> Response:
    """Begin a session with the link that was sent."""
    desk = visit.desk
    try:
        link = open_link(desk.links, visit.form.text(_FIELD), visit.now_ms)
    except FareboxError as error:
        if error.kind not in {INVALID_LINK, EXPIRED_LINK}:
            raise
        visit.form.problem = error_message(visit.language, error)
        return await visit.show("workspace/link.html", status=error.kind.status)
    await desk.follower.catch_up()
    workspace = desk.directory.workspaces.get(link.profile_id)
    if workspace is None:
        raise FareboxError(INVALID_LINK)
    if workspace.status == "suspended":
        raise FareboxError(SUSPENDED)
    visit.keeps = desk.sessions.make(
        "workspace",
        "link",
        link.expires_ms,
        profile_id=link.profile_id,
        ref=link.link_id,
        role=link.role,
    )
    return visit.go(visit.root)
