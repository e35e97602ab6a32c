"""A link into the pages of a workspace, for its people or to look at them oneself."""

from __future__ import annotations

from starlette.responses import Response

from farebox.core.errors import FareboxError
from farebox.core.link import SECONDS_DEFAULT
from farebox.dashboard.problem import blame
from farebox.dashboard.struct_form import read_struct
from farebox.dashboard.visit import Visit
from farebox.service.forms.link import LinkBegun, LinkMade, LinkMake
from farebox.service.links import shown

_FIELDS = ("role", "expires_in_seconds")


async def show_link_form(visit: Visit, status: int = 200, made: LinkMade | None = None) -> Response:
    """The form, and the link that it has just made."""
    return await visit.show(
        "operator/link.html",
        status=status,
        made=made,
        lasting_default=SECONDS_DEFAULT,
    )


async def make_link(visit: Visit) -> Response:
    """Make one; it is shown in this answer alone."""
    desk = visit.desk
    try:
        form = read_struct(visit, LinkMake, _FIELDS, profile_id=visit.profile_id)
        begun = await visit.write("links.create", form, LinkBegun)
    except FareboxError as error:
        return await show_link_form(visit, blame(visit, error))
    return await show_link_form(visit, made=shown(begun, desk.links, desk.base_url))
