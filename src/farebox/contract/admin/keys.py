"""The keys of a workspace and the provider's tokens in the admin API."""

from __future__ import annotations

from msgspec import Struct

from farebox.contract.admin.common import (
    KEY_ID,
    ROOT,
    STAMP,
    USER_ID,
    WORKSPACE,
    Form,
    NextCursor,
    PageQuery,
    Texts,
    end,
    read,
    write,
)
from farebox.contract.wire import JsonObject
from farebox.core import errors
from farebox.service.forms.key import (
    IssuedKey,
    KeyCreate,
    KeyMade,
    KeyPatch,
    KeyRotate,
    TokenCreate,
    TokenData,
    TokenMade,
)

_KEY: JsonObject = {
    "key_id": KEY_ID,
    "name": "Production",
    "masked_authentication": "f••••••••••••••••a7Q",
    "user_id": USER_ID,
    "channel": "api",
    "created_at": STAMP,
    "expires_at": None,
    "status": "active",
    "rotated_from": None,
    "family_id": KEY_ID,
    "log_type_slugs": ["people_search"],
    "ip_ranges": ["192.0.2.0/24", "2001:db8::1"],
    "credits_cap": 500,
}
_SECRET = "fbx_…"  # noqa: S105 - an ellipsis
_TOKEN: JsonObject = {
    "token_id": "tok_5hZ0c2rWq8Lm",
    "name": "Gateway",
    "scope": "meter",
    "created_at": STAMP,
    "revoked_at": None,
}


class IssuedKeysAnswer(Struct, frozen=True):
    """A page of keys."""

    data: list[IssuedKey]
    next_cursor: NextCursor


class TokensAnswer(Struct, frozen=True):
    """A page of tokens."""

    data: list[TokenData]
    next_cursor: NextCursor


KEYS_CREATE = write(
    "admin_keys_create",
    "POST",
    f"{WORKSPACE}/keys",
    Texts(
        "Create an API Key",
        "Create an API key of a workspace, or import one",
        "The key itself is in this answer only, and never shown again. Without `user_id` it is the "
        "owner's.",
    ),
    Form(
        KeyCreate,
        {
            "name": "Production",
            "log_type_slugs": ["people_search"],
            "ip_ranges": ["192.0.2.0/24", "2001:db8::1"],
            "credits_cap": 500,
        },
    ),
    Form(KeyMade, {**_KEY, "key": _SECRET}),
    errors.ALREADY_EXISTS,
    errors.IN_USE,
    errors.UNKNOWN_LOG_TYPE,
)
KEYS_LIST = read(
    "admin_keys_list",
    f"{WORKSPACE}/keys",
    Texts(
        "List the API Keys",
        "List the API keys of a workspace",
        "All API keys of the workspace, the oldest first, revoked ones included.",
    ),
    Form(IssuedKeysAnswer, {"data": [_KEY], "next_cursor": None}),
    query=PageQuery,
)
KEYS_GET = read(
    "admin_keys_get",
    f"{WORKSPACE}/keys/{{key_id}}",
    Texts(
        "Get an API Key",
        "Get an API key of a workspace",
        "The API key with this id, without its secret.",
    ),
    Form(IssuedKey, _KEY),
)
KEYS_CHANGE = write(
    "admin_keys_change",
    "PATCH",
    f"{WORKSPACE}/keys/{{key_id}}",
    Texts(
        "Change an API Key",
        "Change the name, the end or the terms of an API key",
        "What isn't sent stays as it is, and `null` takes a term away. The cap changes for all "
        "keys that were rotated one from another. An API key that has ended stays so.",
    ),
    Form(KeyPatch, {"name": "Production", "credits_cap": 500}),
    Form(IssuedKey, _KEY),
    errors.KEY_ENDED,
    errors.UNKNOWN_LOG_TYPE,
)
KEYS_ROTATE = write(
    "admin_keys_rotate",
    "POST",
    f"{WORKSPACE}/keys/{{key_id}}/rotate",
    Texts(
        "Rotate an API Key",
        "Make a new API key in the place of another",
        "The new one has the user, name, channel, end and terms of the old one, which works on for "
        "`overlap_seconds`. Both share one cap. The new key itself is in this answer only.",
    ),
    Form(KeyRotate, {"overlap_seconds": 3600}),
    Form(
        KeyMade,
        {
            **_KEY,
            "key_id": "key_Jd81Xv0aPq3T",
            "rotated_from": KEY_ID,
            "key": _SECRET,
        },
    ),
    errors.KEY_ENDED,
    errors.IN_USE,
)
KEYS_REVOKE = end(
    "admin_keys_revoke",
    f"{WORKSPACE}/keys/{{key_id}}",
    Texts(
        "Revoke an API Key",
        "Revoke an API key for good",
        "It is refused at once on this process, and within a second on every other.",
    ),
)
TOKENS_CREATE = write(
    "admin_tokens_create",
    "POST",
    f"{ROOT}/tokens",
    Texts(
        "Create a Token",
        "Create a bearer token for the metering or the admin API",
        "The token itself is in this answer only, and never shown again.",
    ),
    Form(TokenCreate, {"name": "Gateway", "scope": "meter"}),
    Form(TokenMade, {**_TOKEN, "token": "fbt_…"}),
)
TOKENS_LIST = read(
    "admin_tokens_list",
    f"{ROOT}/tokens",
    Texts(
        "List the Tokens",
        "List the bearer tokens",
        "All bearer tokens, the oldest first, revoked ones included.",
    ),
    Form(TokensAnswer, {"data": [_TOKEN], "next_cursor": None}),
    query=PageQuery,
)
TOKENS_GET = read(
    "admin_tokens_get",
    f"{ROOT}/tokens/{{token_id}}",
    Texts(
        "Get a Token", "Get a bearer token", "The bearer token with this id, without its secret."
    ),
    Form(TokenData, _TOKEN),
)
TOKENS_REVOKE = end(
    "admin_tokens_revoke",
    f"{ROOT}/tokens/{{token_id}}",
    Texts(
        "Revoke a Token",
        "Revoke a bearer token for good",
        "It is refused at once on this process, and within a second on every other.",
    ),
)

OPERATIONS = (
    KEYS_CREATE,
    KEYS_LIST,
    KEYS_GET,
    KEYS_CHANGE,
    KEYS_ROTATE,
    KEYS_REVOKE,
    TOKENS_CREATE,
    TOKENS_LIST,
    TOKENS_GET,
    TOKENS_REVOKE,
)
