"""Reported usage: a request as a row of `POST /v1/requests`, and rows as a call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Unpack

import msgspec
from msgspec import UNSET, Struct, UnsetType

from farebox.client.call import Call
from farebox.client.forms import CallTold, Key, Moment, Told, exact, secret, stamp
from farebox.client.outside import Outside, new_id
from farebox.contract.metering import REQUESTS, ROWS_MAX, RecordAnswer, RequestRow
from farebox.contract.wire import ENCODER
from farebox.core.instant import to_iso_ms
from farebox.core.key import Secret


class _Keyed(Struct):
    key: str = ""


OPENING, CLOSING = b'{"requests":[', b"]}"
_decode_keyed = msgspec.json.Decoder(_Keyed).decode
_decode = msgspec.json.Decoder(RecordAnswer).decode


def request_row(
    outside: Outside,
    *,
    key: Key | None = None,
    key_id: str | None = None,
    log_type: str | UnsetType | None = UNSET,
    id: str | None = None,  # noqa: A002 - the field's name
    source: str | None = None,
    time: Moment | None = None,
    **told: Unpack[Told],
) -> RequestRow:
    """A request that was made: its id is made here, and its time is now, where none is given.

    Raises:
        ValueError: neither or both of `key` and `key_id`; credits or a time in no exact form.
    """
    if (key is None) == (key_id is None):
        message = "one of key and key_id is needed"
        raise ValueError(message)
    return RequestRow(
        id=new_id(outside) if id is None else id,
        source=UNSET if source is None else source,
        key=UNSET if key is None else secret(key).reveal(),
        key_id=UNSET if key_id is None else key_id,
        log_type=log_type,
        time=to_iso_ms(outside.wall_ms()) if time is None else stamp(time),
        **facts(told),
    )


def facts(told: CallTold) -> Any:  # noqa: ANN401 - keyword arguments of several structs
    """What was told, with exact credits."""
    found = {name: value for name, value in told.items() if value is not None}
    credits = told.get("credits")
    if credits is not None:
        found["credits"] = exact(credits)
    return found


def encoded(row: RequestRow) -> bytes:
    """A row's bytes, the same at every attempt."""
    return ENCODER.encode(row)


def record_call(rows: Sequence[bytes]) -> Call[RecordAnswer]:
    """The call that records encoded rows."""
    body = OPENING + b",".join(rows) + CLOSING
    return Call("POST", REQUESTS.path, _decode, body, secrets=lambda: keys_of(rows))


def keys_of(rows: Iterable[bytes]) -> list[Secret]:
    """The keys that stand in encoded rows, each once."""
    return [Secret(key) for key in {_decode_keyed(row).key for row in rows} if key]


def record_all_call(rows: Sequence[RequestRow]) -> Call[RecordAnswer]:
    """The call that records rows.

    Raises:
        ValueError: more rows than a call may hold.
    """
    if len(rows) > ROWS_MAX:
        message = f"a call holds at most {ROWS_MAX} requests"
        raise ValueError(message)
    return record_call([encoded(row) for row in rows])
