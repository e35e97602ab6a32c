"""A seal knows its own tokens, and takes no other: changed, of another kind, or of another key."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

import msgspec
import pytest

from farebox.core.errors import INVALID_RESERVATION, FareboxError
from farebox.engine.seal import Seal

Derive = Callable[[str], bytes]


class Ticket(msgspec.Struct, array_like=True, frozen=True):
    """A struct of the tests."""

    seat: str
    row: int


class LongTicket(msgspec.Struct, array_like=True, frozen=True):
    """One that a later release knows."""

    seat: str
    row: int
    price: int


def derive(purpose: str) -> bytes:
    """A secret for a purpose."""
    return hashlib.sha256(b"the tests' secret" + purpose.encode()).digest()


def other_derive(purpose: str) -> bytes:
    """That of another program."""
    return hashlib.sha256(b"another secret" + purpose.encode()).digest()


def seal_of(
    secret: Derive = derive, *, prefix: str = "tkt_", purpose: str = "tickets"
) -> Seal[Ticket]:
    """A seal of tickets."""
    return Seal(Ticket, prefix, purpose, secret, wrong=INVALID_RESERVATION)


def is_refused(seal: Seal[Ticket], token: str) -> bool:
    """Whether the seal says that a token is none of its own."""
    try:
        seal.open(token)
    except FareboxError as error:
        return error.kind is INVALID_RESERVATION
    return False


@pytest.mark.parametrize("seat", ["", "A", "AB", "ABC", "座席 §"])
def test_a_token_opens_to_what_was_sealed_and_may_stand_in_a_url(seat: str) -> None:
    ticket = Ticket(seat, 7)
    token = seal_of().seal(ticket)
    assert re.fullmatch(r"tkt_[0-9A-Za-z_-]+", token)
    assert seal_of().open(token) == ticket
    assert seal_of().seal(ticket) == token


@pytest.mark.parametrize("seat", ["A", "AB", "ABC"])
def test_no_token_but_the_one_is_taken(seat: str) -> None:
    seal = seal_of()
    token = seal.seal(Ticket(seat, 7))
    changed = {
        token[:at] + character + token[at + 1 :]
        for at in range(len(token))
        for character in "AaZz09_-+/= é\0"
    }
    cut = {token[:at] for at in range(len(token))}
    longer = {token + more for more in ("A", "AA", "=", "==", "\n", " ")} | {f" {token}"}
    assert all(is_refused(seal, other) for other in (changed | cut | longer) - {token})


def test_a_token_of_another_kind_or_secret_is_none() -> None:
    token = seal_of().seal(Ticket("A", 7))
    assert is_refused(seal_of(other_derive), token)
    assert is_refused(seal_of(purpose="links"), token)
    assert is_refused(seal_of(prefix="lnk_"), token)


def test_what_was_signed_with_other_fields_is_none() -> None:
    longer = Seal(LongTicket, "tkt_", "tickets", derive, wrong=INVALID_RESERVATION)
    with pytest.raises(FareboxError) as caught:
        longer.open(seal_of().seal(Ticket("A", 7)))
    assert caught.value.kind is INVALID_RESERVATION
