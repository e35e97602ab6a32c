"""Signing everyone out: all links into a workspace and all its sessions end, copies too.

Signing out alone only has this browser forget its cookie.
"""

from __future__ import annotations

from starlette.responses import Response

from farebox.dashboard.confirm import ask, is_confirmed
from farebox.dashboard.visit import Visit
from farebox.service.forms.common import Nothing
from farebox.service.forms.link import LinksRevoke


async def sign_everyone_out(visit: Visit) -> Response:
    """End all of them; of a session of the workspace itself, this one too."""
    if not is_confirmed(visit):
        return await ask(
            visit,
            visit.text("Sign everyone out of {name}?", name=visit.workspace.name),
            visit.text(
                "Within a second nobody is signed in to this workspace, and no link into it works "
                "any more. API keys still work, also to sign in."
            ),
            yes=visit.text("Sign everyone out"),
            back=visit.place,
        )
    await visit.write("links.revoke", LinksRevoke(profile_id=visit.profile_id), Nothing)
    if visit.area == "operator":
        return visit.go(f"{visit.place}?said=signed-out")
    visit.ends = True
    return visit.go(f"{visit.root}/sign-in?said=signed-out")
