"""Workspaces and their users: create, list, get and change."""

from __future__ import annotations

from farebox.api.admin.common import joined, page_of, profile_id_of, read, write
from farebox.api.call import Answer, Call, Handler
from farebox.contract.admin import workspaces as contract
from farebox.service.forms.workspace import (
    UserChange,
    UserCreate,
    UserData,
    UserMake,
    UserPatch,
    WorkspaceChange,
    WorkspaceCreate,
    WorkspaceData,
    WorkspacePatch,
)
from farebox.service.users import list_users, read_user
from farebox.service.workspaces import list_workspaces, read_workspace


async def create_workspace(call: Call) -> Answer:
    """Create a workspace."""
    return await write(call, "workspaces.create", call.body(WorkspaceCreate), WorkspaceData)


async def list_all_workspaces(call: Call) -> Answer:
    """A page of workspaces."""
    at = page_of(call)
    return contract.WorkspacesAnswer(*await read(call, lambda reader: list_workspaces(reader, at)))


async def get_workspace(call: Call) -> Answer:
    """A workspace."""
    profile_id = profile_id_of(call)
    return await read(call, lambda reader: read_workspace(reader, profile_id))


async def change_workspace(call: Call) -> Answer:
    """Change a workspace."""
    body = call.body(WorkspacePatch)
    form = joined(WorkspaceChange, body, profile_id=profile_id_of(call))
    return await write(call, "workspaces.change", form, WorkspaceData)


async def create_user(call: Call) -> Answer:
    """Create a user."""
    form = joined(UserMake, call.body(UserCreate), profile_id=profile_id_of(call))
    return await write(call, "users.create", form, UserData)


async def list_all_users(call: Call) -> Answer:
    """A page of users."""
    profile_id, at = profile_id_of(call), page_of(call)
    found = await read(call, lambda reader: list_users(reader, profile_id, at))
    return contract.UsersAnswer(*found)


async def get_user(call: Call) -> Answer:
    """A user."""
    profile_id, user_id = profile_id_of(call), call.path("user_id")
    return await read(call, lambda reader: read_user(reader, profile_id, user_id))


async def change_user(call: Call) -> Answer:
    """Change a user."""
    form = joined(
        UserChange,
        call.body(UserPatch),
        profile_id=profile_id_of(call),
        user_id=call.path("user_id"),
    )
    return await write(call, "users.change", form, UserData)


HANDLERS: dict[str, Handler] = {
    contract.WORKSPACES_CREATE.operation_id: create_workspace,
    contract.WORKSPACES_LIST.operation_id: list_all_workspaces,
    contract.WORKSPACES_GET.operation_id: get_workspace,
    contract.WORKSPACES_CHANGE.operation_id: change_workspace,
    contract.USERS_CREATE.operation_id: create_user,
    contract.USERS_LIST.operation_id: list_all_users,
    contract.USERS_GET.operation_id: get_user,
    contract.USERS_CHANGE.operation_id: change_user,
}
