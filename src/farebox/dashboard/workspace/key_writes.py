"""Making, changing, rotating and revoking keys. A new key's secret stands in one answer only.

An answer that shows a secret is that of the form itself: no address leads to it, and to load it
again sends the same form, which makes nothing a second time and shows no secret.
"""

from __future__ import annotations

from starlette.responses import Response

from farebox.core.errors import VIEW_ONLY, FareboxError
from farebox.core.workspace import ApiKey
from farebox.dashboard.confirm import ask, is_confirmed
from farebox.dashboard.problem import blame
from farebox.dashboard.struct_form import read_struct
from farebox.dashboard.visit import Visit
from farebox.dashboard.workspace.key_form import NEW, key_change, key_make
from farebox.dashboard.workspace.keys import key_of, show_key
from farebox.service.forms.common import Nothing
from farebox.service.forms.key import IssuedKey, KeyMade, KeyRevoke, KeyRotation


async def show_new_key(visit: Visit, status: int = 200) -> Response:
    """The form of a new key."""
    users = visit.desk.directory.users_of(visit.profile_id)
    return await visit.show(
        "workspace/key_new.html",
        status=status,
        people=[(user.user_id, user.nickname) for user in users],
        log_types=visit.desk.directory.log_types_by_name(),
        shown=NEW,
    )


async def make_key(visit: Visit) -> Response:
    """Make a key."""
    try:
        made = await visit.write("keys.create", key_make(visit), KeyMade)
    except FareboxError as error:
        return await show_new_key(visit, blame(visit, error))
    return await _made(visit, made)


async def change_key(visit: Visit) -> Response:
    """Change a key."""
    key = key_of(visit)
    try:
        await visit.write("keys.change", key_change(visit, key), IssuedKey)
    except FareboxError as error:
        return await show_key(visit, blame(visit, error))
    return visit.go(f"{_path(visit, key)}?said=changed")


async def show_rotation(visit: Visit, status: int = 200) -> Response:
    """The form of a rotation."""
    return await visit.show(
        "workspace/key_rotate.html",
        status=status,
        key=key_of(visit),
    )


async def rotate_key(visit: Visit) -> Response:
    """Make a key in the place of another."""
    key = key_of(visit)
    try:
        form = read_struct(
            visit,
            KeyRotation,
            ("overlap_seconds",),
            profile_id=key.profile_id,
            key_id=key.key_id,
        )
        made = await visit.write("keys.rotate", form, KeyMade)
    except FareboxError as error:
        return await show_rotation(visit, blame(visit, error))
    return await _made(visit, made)


async def show_revocation(visit: Visit) -> Response:
    """The page that asks whether a key is to be revoked, where no dialog has asked."""
    key = key_of(visit)
    _check_may_revoke(visit, key)
    texts = [visit.text("It is refused within a second, everywhere. This can't be undone.")]
    if _is_own(visit, key):
        texts.append(visit.text("You are signed in with this very key, so you will be signed out."))
    return await ask(
        visit,
        visit.text("Revoke {key}?", key=key.name or key.masked_authentication),
        *texts,
        yes=visit.text("Revoke for good"),
        back=_path(visit, key),
    )


async def revoke_key(visit: Visit) -> Response:
    """Revoke a key; the session ends with its own."""
    key = key_of(visit)
    if not is_confirmed(visit):
        return await show_revocation(visit)
    _check_may_revoke(visit, key)
    form = KeyRevoke(profile_id=key.profile_id, key_id=key.key_id)
    await visit.write("keys.revoke", form, Nothing)
    if _is_own(visit, key):
        visit.ends = True
        return visit.go(f"{visit.root}/sign-in?said=revoked")
    return visit.go(f"{_path(visit, key)}?said=revoked")


async def _made(visit: Visit, made: KeyMade) -> Response:
    return await visit.show("workspace/key_made.html", made=made)


def _is_own(visit: Visit, key: ApiKey) -> bool:
    return visit.key is not None and visit.key.key_id == key.key_id


def _check_may_revoke(visit: Visit, key: ApiKey) -> None:
    if not visit.may_manage and not _is_own(visit, key):
        raise FareboxError(VIEW_ONLY)


def _path(visit: Visit, key: ApiKey) -> str:
    return f"{visit.place}/keys/{key.key_id}"
