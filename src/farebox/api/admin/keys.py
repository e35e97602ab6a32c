"""Keys and tokens: create, list, get, change, rotate and revoke."""

from __future__ import annotations

from farebox.api.admin.common import joined, page_of, profile_id_of, read, write
from farebox.api.call import Answer, Call, Handler
from farebox.contract.admin import keys as contract
from farebox.service.forms.common import Nothing
from farebox.service.forms.key import (
    IssuedKey,
    KeyChange,
    KeyCreate,
    KeyMade,
    KeyMake,
    KeyPatch,
    KeyRevoke,
    KeyRotate,
    KeyRotation,
    TokenCreate,
    TokenMade,
    TokenRevoke,
)
from farebox.service.keys import list_keys, read_key
from farebox.service.tokens import list_tokens, read_token


async def create_key(call: Call) -> Answer:
    """Make or import a key."""
    form = joined(KeyMake, call.body(KeyCreate), profile_id=profile_id_of(call))
    return await write(call, "keys.create", form, KeyMade)


async def list_all_keys(call: Call) -> Answer:
    """A page of keys."""
    profile_id, at = profile_id_of(call), page_of(call)
    found = await read(call, lambda reader: list_keys(reader, profile_id, at, call.now_ms))
    return contract.IssuedKeysAnswer(*found)


async def get_key(call: Call) -> Answer:
    """A key."""
    profile_id, key_id = profile_id_of(call), call.path("key_id")
    return await read(call, lambda reader: read_key(reader, profile_id, key_id, call.now_ms))


async def change_key(call: Call) -> Answer:
    """Change a key."""
    form = joined(
        KeyChange, call.body(KeyPatch), profile_id=profile_id_of(call), key_id=call.path("key_id")
    )
    return await write(call, "keys.change", form, IssuedKey)


async def rotate_key(call: Call) -> Answer:
    """Make a key in the place of another."""
    form = joined(
        KeyRotation,
        call.body(KeyRotate),
        profile_id=profile_id_of(call),
        key_id=call.path("key_id"),
    )
    return await write(call, "keys.rotate", form, KeyMade)


async def revoke_key(call: Call) -> Answer:
    """Revoke a key."""
    form = KeyRevoke(profile_id=profile_id_of(call), key_id=call.path("key_id"))
    await write(call, "keys.revoke", form, Nothing)
    return None


async def create_token(call: Call) -> Answer:
    """Make a token."""
    return await write(call, "tokens.create", call.body(TokenCreate), TokenMade)


async def list_all_tokens(call: Call) -> Answer:
    """A page of tokens."""
    at = page_of(call)
    return contract.TokensAnswer(*await read(call, lambda reader: list_tokens(reader, at)))


async def get_token(call: Call) -> Answer:
    """A token."""
    token_id = call.path("token_id")
    return await read(call, lambda reader: read_token(reader, token_id))


async def revoke_token(call: Call) -> Answer:
    """Revoke a token."""
    await write(call, "tokens.revoke", TokenRevoke(token_id=call.path("token_id")), Nothing)
    return None


HANDLERS: dict[str, Handler] = {
    contract.KEYS_CREATE.operation_id: create_key,
    contract.KEYS_LIST.operation_id: list_all_keys,
    contract.KEYS_GET.operation_id: get_key,
    contract.KEYS_CHANGE.operation_id: change_key,
    contract.KEYS_ROTATE.operation_id: rotate_key,
    contract.KEYS_REVOKE.operation_id: revoke_key,
    contract.TOKENS_CREATE.operation_id: create_token,
    contract.TOKENS_LIST.operation_id: list_all_tokens,
    contract.TOKENS_GET.operation_id: get_token,
    contract.TOKENS_REVOKE.operation_id: revoke_token,
}
