"""The admin writes that a sign-up flow needs, and what makes them safe to repeat.

Every write has an Idempotency-Key, the same at each attempt, made here where the caller gives
none. A repeat gets the first answer again, but the secret of a key stands in the first answer
only: where that was lost on its way, the new key, which nobody has, is replaced at once by another
one; so is a link. A caller who gives the Idempotency-Key is left to do so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Literal

import msgspec
from msgspec import Struct

from farebox.client.call import Call, Caller, Flow, Value, perform
from farebox.client.errors import TransportError
from farebox.client.forms import Credits, Moment, exact, stamp
from farebox.client.outside import new_id
from farebox.contract.admin import keys, links, money, workspaces
from farebox.contract.operation import Operation
from farebox.contract.parameters import IDEMPOTENCY_KEY
from farebox.contract.wire import ENCODER
from farebox.core.key import Secret
from farebox.core.link import Role
from farebox.service.forms.key import KeyCreate, KeyMade, KeyRotate
from farebox.service.forms.link import LinkCreate, LinkMade
from farebox.service.forms.money import GrantCreate, GrantData
from farebox.service.forms.workspace import WorkspaceCreate, WorkspaceData

GrantKind = Literal["topup", "promotion", "plan"]
SECRETS_LOST_MAX = 5
_SEGMENT = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
KEY_BOUND = IDEMPOTENCY_KEY.length_max or 0


def create_workspace(
    caller: Caller, form: WorkspaceCreate, idempotency_key: str | None
) -> Flow[WorkspaceData]:
    """Make a workspace, with its owner and its first plan credits."""
    sent = _key(caller, idempotency_key)
    return perform(_write(workspaces.WORKSPACES_CREATE, form, WorkspaceData, sent), caller)


def create_key(
    caller: Caller, profile_id: int, form: KeyCreate, idempotency_key: str | None
) -> Flow[KeyMade]:
    """Make a key, or import one."""
    call = _write(
        keys.KEYS_CREATE,
        form,
        KeyMade,
        _key(caller, idempotency_key),
        secrets=lambda: () if form.key is None else (Secret(form.key),),
        profile_id=profile_id,
    )
    if form.key is not None or idempotency_key is not None:
        return perform(call, caller)
    return _with_its_secret(call, caller, profile_id)


def rotate_key(
    caller: Caller, profile_id: int, key_id: str, overlap_seconds: int, idempotency_key: str | None
) -> Flow[KeyMade]:
    """Make a key in the place of another, which works on for the overlap."""
    sent = _key(caller, idempotency_key)
    call = _rotation(profile_id, key_id, overlap_seconds, sent)
    if idempotency_key is not None:
        return perform(call, caller)
    return _with_its_secret(call, caller, profile_id)


def revoke_key(caller: Caller, profile_id: int, key_id: str) -> Flow[None]:
    """End a key; ending it twice is ending it once."""
    path = _filled(keys.KEYS_REVOKE, profile_id=profile_id, key_id=key_id)
    return perform(Call("DELETE", path, _nothing), caller)


def create_link(
    caller: Caller,
    profile_id: int,
    role: Role,
    expires_in_seconds: int,
    idempotency_key: str | None,
) -> Flow[LinkMade]:
    """Make a link into the dashboard."""
    form = LinkCreate(role=role, expires_in_seconds=expires_in_seconds)
    call = _link(profile_id, form, _key(caller, idempotency_key))
    made = yield from perform(call, caller)
    for _ in range(SECRETS_LOST_MAX):
        if made.url is not None or idempotency_key is not None:
            return made
        # Nobody has the one that was lost, and it ends by itself.
        made = yield from perform(_link(profile_id, form, new_id(caller.outside)), caller)
    message = f"The link {made.link_id} was lost on its way."
    raise TransportError(message)


def revoke_links(caller: Caller, profile_id: int) -> Flow[None]:
    """End all links and sessions of a workspace; doing it twice ends what was made in between."""
    path = _filled(links.LINKS_REVOKE, profile_id=profile_id)
    return perform(Call("DELETE", path, _nothing), caller)


def grant(
    caller: Caller,
    profile_id: int,
    credits: Credits,
    kind: GrantKind,
    expires_at: Moment | None,
    priority: int,
    idempotency_key: str | None,
) -> Flow[GrantData]:
    """Give credits to a workspace."""
    form = GrantCreate(
        credits=exact(credits),
        kind=kind,
        expires_at=None if expires_at is None else stamp(expires_at),
        priority=priority,
    )
    sent = _key(caller, idempotency_key)
    return perform(
        _write(money.GRANTS_CREATE, form, GrantData, sent, profile_id=profile_id), caller
    )


def _with_its_secret(call: Call[KeyMade], caller: Caller, profile_id: int) -> Flow[KeyMade]:
    made = yield from perform(call, caller)
    for _ in range(SECRETS_LOST_MAX):
        if made.key is not None:
            return made
        again = _rotation(profile_id, made.key_id, 0, new_id(caller.outside))
        made = yield from perform(again, caller)
    message = f"The secret of the new key {made.key_id} was lost on its way."
    raise TransportError(message)


def _rotation(
    profile_id: int, key_id: str, overlap_seconds: int, idempotency_key: str
) -> Call[KeyMade]:
    form = KeyRotate(overlap_seconds=overlap_seconds)
    return _write(
        keys.KEYS_ROTATE, form, KeyMade, idempotency_key, profile_id=profile_id, key_id=key_id
    )


def _link(profile_id: int, form: LinkCreate, idempotency_key: str) -> Call[LinkMade]:
    return _write(links.LINKS_CREATE, form, LinkMade, idempotency_key, profile_id=profile_id)


def _write(
    operation: Operation,
    form: Struct,
    answer: type[Value],
    idempotency_key: str,
    *,
    secrets: Callable[[], Iterable[Secret]] = tuple,
    **path: str | int,
) -> Call[Value]:
    return Call(
        operation.methods[0],
        _filled(operation, **path),
        msgspec.json.Decoder(answer).decode,
        ENCODER.encode(form),
        idempotency_key,
        secrets,
    )


def _filled(operation: Operation, **path: str | int) -> str:
    for name, value in path.items():
        if not _SEGMENT.fullmatch(str(value)):  # nothing that a proxy could read as two segments
            message = f"{name} must be an id: letters, digits, '_' and '-'"
            raise ValueError(message)
    return operation.path.format_map(path)


def _key(caller: Caller, given: str | None) -> str:
    if given is None:
        return new_id(caller.outside)
    if not 1 <= len(given) <= KEY_BOUND or not given.isascii() or not given.isprintable():
        message = f"idempotency_key must have 1 to {KEY_BOUND} printable ASCII characters"
        raise ValueError(message)
    return given


def _nothing(_: bytes) -> None:
    """The answer has no body."""
