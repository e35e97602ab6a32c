"""The users of a workspace: their list, a new one, and what of one can be changed."""

from __future__ import annotations

from starlette.responses import Response

from farebox.core.errors import FareboxError
from farebox.dashboard.operator.lists import turn_of
from farebox.dashboard.problem import blame
from farebox.dashboard.struct_form import read_change, read_struct, typed_of
from farebox.dashboard.visit import Visit
from farebox.service.forms.workspace import UserChange, UserData, UserMake
from farebox.service.users import list_users, read_user
from farebox.store.contract import Reader

_FIELDS = ("nickname", "email")


async def show_users(visit: Visit, status: int = 200) -> Response:
    """The list, with the form of a new one."""
    profile_id = visit.profile_id

    def work(reader: Reader) -> Response:
        found = list_users(reader, profile_id, turn_of(visit))
        return visit.page("operator/users.html", status=status, found=found)

    return await visit.read(work)


async def make_user(visit: Visit) -> Response:
    """Make one, if a licence is left."""
    try:
        form = read_struct(visit, UserMake, _FIELDS, profile_id=visit.profile_id)
        await visit.write("users.create", form, UserData)
    except FareboxError as error:
        return await show_users(visit, blame(visit, error))
    return visit.go(f"{visit.place}/users")


async def show_user(visit: Visit, status: int = 200) -> Response:
    """One of them, to be changed."""
    profile_id, user_id = visit.profile_id, visit.path("user_id")

    def work(reader: Reader) -> Response:
        user = read_user(reader, profile_id, user_id)
        typed = typed_of(user, visit.zone)
        return visit.page("operator/user.html", status=status, user=user, typed=typed)

    return await visit.read(work)


async def change_user(visit: Visit) -> Response:
    """Change one."""
    profile_id, user_id = visit.profile_id, visit.path("user_id")
    user = await visit.read(lambda reader: read_user(reader, profile_id, user_id))
    shown = typed_of(user, visit.zone)
    try:
        form = read_change(
            visit, UserChange, _FIELDS, shown, profile_id=profile_id, user_id=user_id
        )
        await visit.write("users.change", form, UserData)
    except FareboxError as error:
        return await show_user(visit, blame(visit, error))
    return visit.go(f"{visit.place}/users")
