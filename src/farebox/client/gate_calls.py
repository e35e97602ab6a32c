"""The calls of the gate: authorize, settle, void.

An authorization always has an id, the request's own, so that a repeat gets the same reservation.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from farebox.client.call import Call
from farebox.client.forms import CallTold, Credits, Key, exact, secret
from farebox.client.metering import facts
from farebox.client.outside import Outside, new_id
from farebox.contract.gate import (
    AUTHORIZE,
    SETTLE,
    VOID,
    Admitted,
    AuthorizeRequest,
    Denied,
    SettleAnswer,
    SettleRequest,
    VoidAnswer,
    VoidRequest,
)
from farebox.contract.wire import ENCODER


class _Which(Struct):
    allowed: bool


_decode_which = msgspec.json.Decoder(_Which).decode
_decode_admitted = msgspec.json.Decoder(Admitted).decode
_decode_denied = msgspec.json.Decoder(Denied).decode
_decode_settled = msgspec.json.Decoder(SettleAnswer).decode
_decode_voided = msgspec.json.Decoder(VoidAnswer).decode


def authorize_call(  # noqa: PLR0913 - all but two have a default
    outside: Outside,
    *,
    key: Key,
    log_type: str | UnsetType | None = UNSET,
    method: str | None = None,
    path: str | None = None,
    credits: Credits | None = None,
    channel: Literal["api", "portal"] | None = None,
    id: str | None = None,  # noqa: A002 - the field's name
    ip: str | None = None,
) -> Call[Admitted | Denied]:
    """Ask for a request's admission.

    Raises:
        ValueError: neither a log type nor a method and a path; credits in no exact form.
    """
    if log_type is UNSET and (method is None or path is None):
        message = "log_type is needed, or method and path"
        raise ValueError(message)
    whole = secret(key)
    form = AuthorizeRequest(
        key=whole.reveal(),
        log_type=log_type,
        method=UNSET if method is None else method,
        path=UNSET if path is None else path,
        credits=UNSET if credits is None else exact(credits),
        channel=UNSET if channel is None else channel,
        id=new_id(outside) if id is None else id,
        ip=UNSET if ip is None else ip,
    )
    return Call("POST", AUTHORIZE.path, _decision, ENCODER.encode(form), secrets=lambda: (whole,))


def settle_call(reservation_id: str, told: CallTold) -> Call[SettleAnswer]:
    """Charge what an admitted request did cost."""
    form = SettleRequest(reservation_id=reservation_id, **facts(told))
    return Call("POST", SETTLE.path, _decode_settled, ENCODER.encode(form))


def void_call(reservation_id: str) -> Call[VoidAnswer]:
    """Give back what an admitted request holds."""
    form = VoidRequest(reservation_id=reservation_id)
    return Call("POST", VOID.path, _decode_voided, ENCODER.encode(form))


def _decision(body: bytes) -> Admitted | Denied:
    return _decode_admitted(body) if _decode_which(body).allowed else _decode_denied(body)
