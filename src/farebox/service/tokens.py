"""Tokens: the provider's bearer tokens; make, list and revoke them.

A secret leaves in the answer that made it and is kept as a digest only. `tokens.ensure_admin` runs
at every start: the configured token works, an earlier configured one no longer does until it is
configured again, and when there is none at all one is made and told once. What a person revoked is
not revived.
"""

from __future__ import annotations

import msgspec

from farebox.core.errors import NOT_FOUND, UNUSABLE_SETTING, FareboxError
from farebox.core.instant import to_iso_ms
from farebox.core.key import TOKEN_PREFIX, digest, mint, mint_id
from farebox.core.phrase import Phrase
from farebox.core.workspace import Scope, Token
from farebox.engine.transaction import Command, Transaction
from farebox.service import fields
from farebox.service.forms.common import Nothing
from farebox.service.forms.key import (
    TokenCreate,
    TokenData,
    TokenEnsure,
    TokenEnsured,
    TokenMade,
    TokenRevoke,
)
from farebox.service.pages import Page, Turn, page
from farebox.store.contract import Reader

NAME_LENGTH_MAX = 100
# Names of the tokens that a start makes; no caller can give them.
CONFIGURED = "FAREBOX_ADMIN_TOKEN"
FIRST_START = "first start"
# What a start does to the token that was configured before, as the history of changes calls it.
_REPLACE = "replace"


def create_token(tx: Transaction, made: TokenCreate) -> TokenMade:
    """Make a token."""
    name = fields.text("name", made.name, NAME_LENGTH_MAX)
    if name in {CONFIGURED, FIRST_START}:
        raise fields.refuse(field="name", expected=Phrase("another name: this one is reserved"))
    token, secret = _mint(tx, name, made.scope)
    return TokenMade(**msgspec.structs.asdict(_data(token)), token=secret)


def revoke_token(tx: Transaction, revoke: TokenRevoke) -> Nothing:
    """End a token for good; ending it again changes nothing."""
    token = tx.db.one("token_get", Token, token_id=revoke.token_id)
    if token is None:
        raise FareboxError(NOT_FOUND, what=Phrase("token"))
    if token.revoked_at_ms is None or _is_replaced(tx, token):
        _end(tx, token, "revoke")
    return Nothing()


def ensure_admin(tx: Transaction, ensure: TokenEnsure) -> TokenEnsured:
    """Have a token for administration: the configured one, or any; makes one if there is none.

    Raises:
        FareboxError: 409, the configured token can't be used; nothing was changed.
    """
    active = tx.db.rows("tokens_active", Token)
    if ensure.digest is None:
        if active:
            return TokenEnsured(token=None)
        _, secret = _mint(tx, FIRST_START, "admin")
        return TokenEnsured(token=secret)
    found = tx.db.one("token_of_digest", Token, digest=ensure.digest)
    if found is not None:
        _check_configured(tx, found)
    for token in active:
        if token.name == CONFIGURED and token.digest != ensure.digest:
            _end(tx, token, _REPLACE)
    if found is None:
        _insert(tx, CONFIGURED, "admin", ensure.digest)
    elif found.revoked_at_ms is not None:
        tx.db.execute("token_revive", token_id=found.token_id)
        tx.change("revive", "token", found.token_id)
    return TokenEnsured(token=None)


def read_token(reader: Reader, token_id: str) -> TokenData:
    """A token by its id."""
    token = reader.one("token_get", Token, token_id=token_id)
    if token is None:
        raise FareboxError(NOT_FOUND, what=Phrase("token"))
    return _data(token)


def list_tokens(reader: Reader, at: Turn) -> Page[TokenData]:
    """A page of tokens, the oldest first, revoked ones included."""
    rows = reader.rows(
        "tokens_page", Token, after_ms=at.after[0], after_id=at.after[1], count=at.rows
    )
    found = page(rows, at, lambda token: (token.created_at_ms, token.token_id))
    return Page([_data(token) for token in found.data], found.next_cursor)


def _mint(tx: Transaction, name: str, scope: Scope) -> tuple[Token, str]:
    secret = mint(TOKEN_PREFIX, tx.entropy.random_below).reveal()
    return _insert(tx, name, scope, digest(secret)), secret


def _insert(tx: Transaction, name: str, scope: Scope, digest_bytes: bytes) -> Token:
    token_id = mint_id("tok_", tx.entropy.random_below)
    token = Token(token_id, name, scope, digest_bytes, tx.now_ms, None)
    tx.db.execute("token_insert", **token._asdict())
    tx.change("create", "token", token_id)
    return token


def _end(tx: Transaction, token: Token, action: str) -> None:
    tx.db.execute("token_revoke", token_id=token.token_id, revoked_at_ms=tx.now_ms)
    tx.change(action, "token", token.token_id)


def _check_configured(tx: Transaction, token: Token) -> None:
    """Refuse a known token that the setting can't make good for administration."""
    reason = None
    if token.scope != "admin":
        reason = Phrase("it holds a token without the scope admin; set another one")
    elif token.revoked_at_ms is not None and not _is_replaced(tx, token):
        reason = Phrase("it holds a token that was revoked; set another one")
    if reason is not None:
        raise FareboxError(UNUSABLE_SETTING, setting=CONFIGURED, reason=reason)


def _is_replaced(tx: Transaction, token: Token) -> bool:
    """Whether a token ended only because another one was configured."""
    return tx.db.value("token_last_action", token_id=token.token_id) == _REPLACE


def _data(token: Token) -> TokenData:
    revoked_ms = token.revoked_at_ms
    return TokenData(
        token_id=token.token_id,
        name=token.name,
        scope=token.scope,
        created_at=to_iso_ms(token.created_at_ms),
        revoked_at=None if revoked_ms is None else to_iso_ms(revoked_ms),
    )


def _without_secret(made: TokenMade) -> TokenMade:
    return msgspec.structs.replace(made, token=None)


COMMANDS = (
    Command("tokens.create", TokenCreate, create_token, _without_secret),
    Command("tokens.revoke", TokenRevoke, revoke_token),
    Command("tokens.ensure_admin", TokenEnsure, ensure_admin),
)
