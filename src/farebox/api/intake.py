"""Intake: rows that callers report become one record, and each row gets its outcome.

A bad row is rejected and spoils no other; one that names an unknown key or log type only after the
store was asked for what is new. Packing a large batch gives way to other requests now and then, so
that the event loop answers them meanwhile. What is returned is durable.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeVar, cast

import msgspec
from msgspec import UNSET, UnsetType

from farebox.contract.metering import CloudEvent, RequestFacts, RequestRow
from farebox.core.errors import (
    CATALOGUE,
    INVALID_FIELD,
    UNKNOWN_KEY,
    UNKNOWN_LOG_TYPE,
    FareboxError,
)
from farebox.core.identity import content_digest
from farebox.core.instant import parse_rfc3339
from farebox.core.phrase import Phrase
from farebox.core.request import UNKNOWN_SLUG, Capture, MeteredRequest
from farebox.core.workspace import ApiKey
from farebox.engine.clock import Clock
from farebox.engine.link import Link
from farebox.engine.messages import Recorded
from farebox.service import fields
from farebox.service.capture import CapturePolicy
from farebox.service.metrics import Metrics
from farebox.service.record import Draft, Packer

ROWS_PER_TURN = 64
NO_FACTS = RequestFacts()
# A CloudEvent has names and places of its own.
EVENT_FIELDS = {
    "key_id": "subject",
    "log_type": "type",
    **{name: f"data.{name}" for name in RequestFacts.__struct_fields__},
}
# What another process may have made since the directory was read.
PERHAPS_NEW = (UNKNOWN_KEY, UNKNOWN_LOG_TYPE)
log = logging.getLogger("farebox.intake")

Item = RequestRow | CloudEvent | FareboxError
Told = TypeVar("Told")
_canonical = msgspec.json.Encoder()


class Outcome(NamedTuple):
    """What became of the rows of a call; indexes are places in the call."""

    accepted: int
    duplicates: int
    conflicts: list[tuple[int, str]]
    rejected: list[tuple[int, FareboxError]]


class _Packed(NamedTuple):
    """The rows of a call that can be recorded, their places in it, and what was refused."""

    rows: list[MeteredRequest]
    places: list[int]
    captures: list[Capture]
    rejected: list[tuple[int, FareboxError]]


class Intake:
    """Takes rows of both ways in. One per process."""

    def __init__(
        self, packer: Packer, link: Link, clock: Clock, policy: CapturePolicy, metrics: Metrics
    ) -> None:
        self._packer = packer
        self._link = link
        self._clock = clock
        self._policy = policy
        self._metrics = metrics
        self._packing = asyncio.Lock()

    async def take(self, items: Sequence[Item], catch_up: Callable[[], Awaitable[None]]) -> Outcome:
        """Record what can be; returns after the commit. `catch_up` reads the directory anew.

        Raises:
            FareboxError: 503, nothing is known to be recorded.
        """
        if len(items) < ROWS_PER_TURN:
            packed = await self._pack(items, catch_up)
        else:
            # One large batch at a time: the recorder then works on one while the next is packed,
            # where batches packed by turns would all be ready, and all be waited for, together.
            with self._link.room(len(items)):
                async with self._packing:
                    packed = await self._pack(items, catch_up)
        if packed.rows:
            recorded = await self._record(packed.rows, packed.captures)
            outcome = _outcome(items, packed, recorded)
        else:
            outcome = Outcome(0, 0, [], packed.rejected)
        self._count(outcome)
        return outcome

    async def _pack(
        self, items: Sequence[Item], catch_up: Callable[[], Awaitable[None]]
    ) -> _Packed:
        done = _Packed([], [], [], [])
        now_ms = self._clock.now_ms()
        has_caught_up = False
        for index, item in enumerate(items):
            if index % ROWS_PER_TURN == ROWS_PER_TURN - 1:
                await asyncio.sleep(0)
            packed = self._packed(item, now_ms)
            if isinstance(packed, FareboxError) and _is_perhaps_new(packed) and not has_caught_up:
                await catch_up()
                has_caught_up = True
                packed = self._packed(item, now_ms)
            if isinstance(packed, FareboxError):
                done.rejected.append((index, _in_words_of(item, packed)))
                continue
            done.rows.append(packed)
            done.places.append(index)
            if self._policy.is_on:
                done.captures.extend(self._captured(item, packed))
        return done

    def _packed(self, item: Item, now_ms: int) -> MeteredRequest | FareboxError:
        try:
            if isinstance(item, RequestRow):
                return self._packer.pack(_row_draft(self._packer, item), now_ms)
            if isinstance(item, CloudEvent):
                return self._packer.pack(_event_draft(self._packer, item), now_ms)
        except FareboxError as error:
            return error
        return item

    def _captured(self, item: Item, row: MeteredRequest) -> list[Capture]:
        facts = _facts(item)
        capture = self._policy.capture(
            row,
            _told(facts.request_headers),
            _told(facts.request_body),
            _told(facts.response_body),
            _told(item.key) if isinstance(item, RequestRow) else None,
        )
        return [] if capture is None else [capture]

    async def _record(self, rows: list[MeteredRequest], captures: list[Capture]) -> Recorded:
        started = time.perf_counter()
        recorded = await self._link.record(rows, captures)
        self._metrics.observe("farebox_record_seconds", time.perf_counter() - started)
        return recorded

    def _count(self, outcome: Outcome) -> None:
        for name, count in (
            ("accepted", outcome.accepted),
            ("duplicate", outcome.duplicates),
            ("conflict", len(outcome.conflicts)),
            ("rejected", len(outcome.rejected)),
        ):
            if count:
                self._metrics.count("farebox_requests_total", count, outcome=name)
        if outcome.conflicts:
            log.warning("%d rows conflict with recorded ones", len(outcome.conflicts))


def _outcome(items: Sequence[Item], packed: _Packed, recorded: Recorded) -> Outcome:
    places = packed.places
    refused = [(places[i], FareboxError(CATALOGUE[code])) for i, code in recorded.rejected]
    conflicts = [(places[i], _id(items[places[i]])) for i in recorded.conflicts]
    accepted = len(places) - len(recorded.duplicates) - len(conflicts) - len(refused)
    return Outcome(
        accepted,
        len(recorded.duplicates),
        conflicts,
        sorted(packed.rejected + refused, key=lambda pair: pair[0]),
    )


def _row_draft(packer: Packer, row: RequestRow) -> Draft:
    slug = _told(row.log_type)
    if row.log_type is None:
        slug = UNKNOWN_SLUG
    return _draft(
        row.id,
        _told(row.source) or "",
        content_digest(_canonical.encode(_sent(row))),
        packer.key(_told(row.key_id), _told(row.key)),
        slug,
        row.time,
        row,
    )


def _event_draft(packer: Packer, event: CloudEvent) -> Draft:
    if isinstance(event.data_base64, str):
        raise FareboxError(INVALID_FIELD, field="data", expected=Phrase("an object"))
    facts = _facts(event)
    sent = event
    if facts is not NO_FACTS:
        sent = msgspec.structs.replace(event, data=_sent(facts))
    return _draft(
        event.id,
        event.source,
        content_digest(_canonical.encode(sent)),
        packer.key(event.subject, None),
        event.type,
        event.time,
        facts,
    )


def _facts(item: Item) -> RequestFacts:
    if isinstance(item, RequestRow):
        return item
    told = item.data if isinstance(item, CloudEvent) else None
    return told if isinstance(told, RequestFacts) else NO_FACTS


def _draft(
    request_id: str,
    source: str,
    content: bytes,
    key: ApiKey,
    slug: str | None,
    time_text: str | UnsetType | None,
    facts: RequestFacts,
) -> Draft:
    time_ms = None if time_text is UNSET or time_text is None else _read_time(time_text)
    channel, credits, method, path = facts.channel, facts.credits, facts.method, facts.path
    status_code, duration_ms = facts.status_code, facts.duration_ms
    response_size, ip = facts.response_size, facts.ip
    # Told one by one, not by a function: this runs for every request.
    return Draft(
        request_id,
        source,
        content,
        key,
        slug,
        time_ms,
        None if method is UNSET else method,
        None if path is UNSET else path,
        None if status_code is UNSET else status_code,
        None if duration_ms is UNSET else duration_ms,
        None if response_size is UNSET else response_size,
        None if ip is UNSET else ip,
        None if channel is UNSET else channel,
        None if credits is UNSET else fields.credits("credits", credits),
    )


def _in_words_of(item: Item, error: FareboxError) -> FareboxError:
    """The error with the field named as its sender knows it."""
    field = error.params.get("field")
    if isinstance(item, CloudEvent) and field in EVENT_FIELDS:
        params = error.params | {"field": EVENT_FIELDS[str(field)]}
        return FareboxError(error.kind, internal=error.internal, **cast("dict[str, Any]", params))
    return error


def _is_perhaps_new(packed: object) -> bool:
    return isinstance(packed, FareboxError) and packed.kind in PERHAPS_NEW


def _sent(facts: RequestFacts) -> RequestFacts:
    """What tells a repeat: all that was sent but headers and bodies."""
    if facts.request_headers is facts.request_body is facts.response_body is UNSET:
        return facts
    return msgspec.structs.replace(
        facts, request_headers=UNSET, request_body=UNSET, response_body=UNSET
    )


def _read_time(text: str) -> int:
    try:
        return parse_rfc3339(text)
    except ValueError as error:
        raise fields.refuse(field="time", expected=str(error)) from error


def _told(value: Told | UnsetType | None) -> Told | None:
    return None if value is UNSET else value


def _id(item: Item) -> str:
    return "" if isinstance(item, FareboxError) else item.id
