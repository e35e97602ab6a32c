"""Workspaces and their users in the admin API."""

from __future__ import annotations

from msgspec import Struct

from farebox.contract.admin.common import (
    ROOT,
    STAMP,
    USER_ID,
    WORKSPACE,
    Form,
    NextCursor,
    PageQuery,
    Texts,
    read,
    write,
)
from farebox.contract.wire import JsonObject
from farebox.core import errors
from farebox.service.forms.workspace import (
    UserCreate,
    UserData,
    UserPatch,
    WorkspaceCreate,
    WorkspaceData,
    WorkspacePatch,
)

_SENT: JsonObject = {
    "name": "Acme Corporation",
    "plan": "gold",
    "timezone": "Europe/Berlin",
    "licences": 5,
    "is_quota_sharing_enabled": True,
    "is_auto_top_up_credits_enabled": True,
    "auto_top_up_credit": 500,
    "auto_top_up_balance_fall_below": 100,
}
_WORKSPACE: JsonObject = {
    "profile_id": 1,
    "uid": "123e4567-e89b-12d3-a456-426614174000",
    "name": "Acme Corporation",
    "description": "",
    "plan": "gold",
    "next_plan": None,
    "timezone": "Europe/Berlin",
    "licences": 5,
    "is_quota_sharing_enabled": True,
    "anchor_day": 1,
    "status": "active",
    "is_auto_top_up_credits_enabled": True,
    "auto_top_up_credit": 500,
    "auto_top_up_balance_fall_below": 100,
    "is_auto_top_up_granted": False,
    "owner_user_id": USER_ID,
    "created_at": STAMP,
}
_USER: JsonObject = {
    "user_id": USER_ID,
    "nickname": "Ada",
    "email": "ada@example.com",
    "is_owner": False,
    "created_at": STAMP,
}


class WorkspacesAnswer(Struct, frozen=True):
    """A page of workspaces."""

    data: list[WorkspaceData]
    next_cursor: NextCursor


class UsersAnswer(Struct, frozen=True):
    """A page of users."""

    data: list[UserData]
    next_cursor: NextCursor


WORKSPACES_CREATE = write(
    "admin_workspaces_create",
    "POST",
    f"{ROOT}/workspaces",
    Texts(
        "Create a Workspace",
        "Create a workspace, with its owner and its first plan credits",
        "Its first period starts on the latest anchor day in its timezone.",
    ),
    Form(WorkspaceCreate, _SENT),
    Form(WorkspaceData, _WORKSPACE),
)
WORKSPACES_LIST = read(
    "admin_workspaces_list",
    f"{ROOT}/workspaces",
    Texts("List the Workspaces", "List the workspaces", "All workspaces, the oldest first."),
    Form(WorkspacesAnswer, {"data": [_WORKSPACE], "next_cursor": None}),
    query=PageQuery,
)
WORKSPACES_GET = read(
    "admin_workspaces_get",
    WORKSPACE,
    Texts("Get a Workspace", "Get a workspace", "The workspace with this id."),
    Form(WorkspaceData, _WORKSPACE),
)
WORKSPACES_CHANGE = write(
    "admin_workspaces_change",
    "PATCH",
    WORKSPACE,
    Texts(
        "Change a Workspace",
        "Change a workspace, its plan, its timezone or its status",
        "What isn't sent stays as it is. A plan with more monthly credits counts at once and gives "
        "the difference; one with fewer waits for the next period. The open period ends as planned "
        "even in a new timezone.",
    ),
    Form(WorkspacePatch, {"plan": "gold", "licences": 5}),
    Form(WorkspaceData, _WORKSPACE),
    errors.IN_USE,
)
USERS_CREATE = write(
    "admin_users_create",
    "POST",
    f"{WORKSPACE}/users",
    Texts(
        "Create a User",
        "Create a user of a workspace",
        "Every user takes a licence of the workspace, its owner too.",
    ),
    Form(UserCreate, {"nickname": "Ada", "email": "ada@example.com"}),
    Form(UserData, _USER),
    errors.ALREADY_EXISTS,
    errors.LICENCES_EXHAUSTED,
)
USERS_LIST = read(
    "admin_users_list",
    f"{WORKSPACE}/users",
    Texts(
        "List the Users",
        "List the users of a workspace",
        "All users of the workspace, the oldest first.",
    ),
    Form(UsersAnswer, {"data": [_USER], "next_cursor": None}),
    query=PageQuery,
)
USERS_GET = read(
    "admin_users_get",
    f"{WORKSPACE}/users/{{user_id}}",
    Texts("Get a User", "Get a user of a workspace", "The user with this id."),
    Form(UserData, _USER),
)
USERS_CHANGE = write(
    "admin_users_change",
    "PATCH",
    f"{WORKSPACE}/users/{{user_id}}",
    Texts("Change a User", "Change a user of a workspace", "What isn't sent stays as it is."),
    Form(UserPatch, {"nickname": "Ada L."}),
    Form(UserData, {**_USER, "nickname": "Ada L."}),
    errors.ALREADY_EXISTS,
)

OPERATIONS = (
    WORKSPACES_CREATE,
    WORKSPACES_LIST,
    WORKSPACES_GET,
    WORKSPACES_CHANGE,
    USERS_CREATE,
    USERS_LIST,
    USERS_GET,
    USERS_CHANGE,
)
