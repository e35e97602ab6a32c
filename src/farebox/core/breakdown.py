"""The breakdown: who spent what, by key and by endpoint (seed: usage_breakdown).

Owns its order and its cuts. Both lists are the top 100 by credits, then requests, descending,
then by mask and key id, or by slug with null last. Percentages are of the totals, which go beyond
the top 100: 3 decimal places by key and 2 by endpoint, cut, not rounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import nsmallest
from typing import NamedTuple

from farebox.core.credits import MICRO_PER_CREDIT
from farebox.core.report import Named, Number, Totals, percent, ratio
from farebox.core.request import UNKNOWN_NAME

TOP = 100
KEY_PLACES = 3
ENDPOINT_PLACES = 2
COST_PLACES = 2

KeyRow = tuple[str, str, int, int, int]  # key_id, mask, requests, credits_micro, last_ms
IdleKey = tuple[str, str]  # key_id, mask
EndpointRow = tuple[int, int, int]  # log_type_id, requests, credits_micro


class KeyShare(NamedTuple):
    """What one key used; `name` is its mask, `last_used_ms` is None without traffic."""

    key_id: str
    name: str
    requests: int
    credits_micro: int
    last_used_ms: int | None
    percent_of_requests: Number
    percent_of_credits: Number


class EndpointShare(NamedTuple):
    """What one log type used; the unmapped has the slug None. `cost_per_call` is in credits."""

    slug: str | None
    name: str
    requests: int
    credits_micro: int
    cost_per_call: Number
    percent_of_requests: Number
    percent_of_credits: Number


class Breakdown(NamedTuple):
    """The report."""

    by_key: list[KeyShare]
    by_endpoint: list[EndpointShare]
    totals: Totals


class _Key(NamedTuple):
    """The sums of one key; `last_ms` is None without traffic."""

    key_id: str
    mask: str
    requests: int
    credits_micro: int
    last_ms: int | None


class _Endpoint(NamedTuple):
    """The sums of one log type."""

    slug: str | None
    name: str
    requests: int
    credits_micro: int


def breakdown(
    key_rows: Iterable[KeyRow],
    idle_keys: Iterable[IdleKey],
    endpoint_rows: Iterable[EndpointRow],
    names: Mapping[int, Named],
) -> Breakdown:
    """Shape the sums of keys and of log types.

    Args:
        key_rows: sums in any order; a key may come in several parts.
        idle_keys: keys that are listed with zeros if they have no traffic.
        endpoint_rows: the same requests by log type, in any order and number of parts.
        names: the log types by id; one that isn't there is reported as unmapped.
    """
    keys = _keys(key_rows, idle_keys)
    endpoints = _endpoints(endpoint_rows, names)
    totals = Totals(
        sum(endpoint.credits_micro for endpoint in endpoints),
        sum(endpoint.requests for endpoint in endpoints),
    )
    return Breakdown(
        [_key_share(key, totals) for key in nsmallest(TOP, keys, _key_order)],
        [_endpoint_share(e, totals) for e in nsmallest(TOP, endpoints, _endpoint_order)],
        totals,
    )


def _keys(rows: Iterable[KeyRow], idle_keys: Iterable[IdleKey]) -> list[_Key]:
    keys: dict[str, _Key] = {}
    for row in rows:
        key = _Key(*row)
        before = keys.get(key.key_id)
        if before is not None:
            key = key._replace(
                requests=key.requests + before.requests,
                credits_micro=key.credits_micro + before.credits_micro,
                last_ms=max(ms for ms in (key.last_ms, before.last_ms) if ms is not None),
            )
        keys[key.key_id] = key
    for key_id, mask in idle_keys:
        keys.setdefault(key_id, _Key(key_id, mask, 0, 0, None))
    return list(keys.values())


def _endpoints(rows: Iterable[EndpointRow], names: Mapping[int, Named]) -> list[_Endpoint]:
    endpoints: dict[str | None, _Endpoint] = {}
    for log_type_id, requests, credits_micro in rows:
        named = names.get(log_type_id)
        slug, name = (None, UNKNOWN_NAME) if named is None else (named.slug, named.name)
        before = endpoints.get(slug)
        endpoints[slug] = _Endpoint(
            slug,
            name,
            requests + (before.requests if before else 0),
            credits_micro + (before.credits_micro if before else 0),
        )
    return list(endpoints.values())


def _key_share(key: _Key, totals: Totals) -> KeyShare:
    return KeyShare(
        key.key_id,
        key.mask,
        key.requests,
        key.credits_micro,
        key.last_ms,
        percent(key.requests, totals.requests, KEY_PLACES),
        percent(key.credits_micro, totals.credits_micro, KEY_PLACES),
    )


def _endpoint_share(endpoint: _Endpoint, totals: Totals) -> EndpointShare:
    return EndpointShare(
        endpoint.slug,
        endpoint.name,
        endpoint.requests,
        endpoint.credits_micro,
        ratio(endpoint.credits_micro, endpoint.requests * MICRO_PER_CREDIT, COST_PLACES),
        percent(endpoint.requests, totals.requests, ENDPOINT_PLACES),
        percent(endpoint.credits_micro, totals.credits_micro, ENDPOINT_PLACES),
    )


def _key_order(key: _Key) -> tuple[int, int, str, str]:
    return (-key.credits_micro, -key.requests, key.mask, key.key_id)


def _endpoint_order(endpoint: _Endpoint) -> tuple[int, int, bool, str]:
    return (
        -endpoint.credits_micro,
        -endpoint.requests,
        endpoint.slug is None,
        endpoint.slug or "",
    )
