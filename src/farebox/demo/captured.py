"""Calls with their headers and bodies, as they are kept where capturing is on.

The made-up traffic has none; these give the details of the newest requests something to show. They
are answered as the sample API answers, right or wrong, or with the faults of the provider's API.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

import msgspec

from farebox.contract.decoding import decode
from farebox.contract.errors import error_answer
from farebox.contract.wire import ENCODER, JSON, JsonObject
from farebox.core.credits import MICRO_PER_CREDIT
from farebox.core.errors import INTERNAL, STORE_UNAVAILABLE, FareboxError
from farebox.core.identity import content_digest
from farebox.core.instant import MS_PER_MINUTE
from farebox.core.request import Capture, MeteredRequest
from farebox.core.workspace import ApiKey
from farebox.demo.callers import CALLERS
from farebox.demo.endpoints import Endpoint
from farebox.demo.people import search_people
from farebox.demo.replay import AUTHENTICATION_TYPE, SOURCE
from farebox.demo.sample_api import SALES, Found
from farebox.service.capture import CapturePolicy
from farebox.service.record import Draft, Packer

SEED = 7
MINUTES_APART = 17
OK = 200
POLICY = CapturePolicy(is_on=True, bytes_max=16_384, key_headers=(AUTHENTICATION_TYPE,))
AGENTS = ("acme-crm/4.2", "acme-sync/1.9", "acme-portal/2.31")
_SEARCHES = (
    ("data engineer", "Berlin"),
    ("head of sales", "Lisbon"),
    ("buyer", None),
    ("product manager", "Seoul"),
    ("chief financial officer", "Toronto"),
    ("solar", None),
    ("logistics", "Warsaw"),
)
# Places in `SALES`.
_PEOPLE, _COMPANIES, _REDEEM = range(3)


class Exchange(NamedTuple):
    """What was sent and what was answered; `credits` is None where the log type's price holds."""

    endpoint: Endpoint
    request_body: str
    status_code: int
    response_body: str
    credits: int | None


def exchanges() -> list[Exchange]:
    """All of them, the oldest first; the last is the search that the demo's lines look up."""
    found = []
    for query, location in reversed(_SEARCHES):
        search: JsonObject = {"query": query}
        if location:
            search["location"] = location
        people, _ = search_people(query, location, 3)
        found += [
            *(_exchange(_REDEEM, {"person_id": one.person_id}) for one in people),
            _exchange(_COMPANIES, search),
            _exchange(_PEOPLE, search),
        ]
    wrong: list[tuple[int, JsonObject]] = [
        (_PEOPLE, {"location": "Berlin"}),
        (_PEOPLE, {"query": "buyer", "per_page": 250}),
        (_COMPANIES, {"query": ""}),
        (_REDEEM, {"person_id": "4711"}),
    ]
    for place, (sale, body) in enumerate(wrong):
        found.insert(5 + 7 * place, _exchange(sale, body))
    found.insert(12, _exchange(_COMPANIES, {"query": "solar"}, FareboxError(INTERNAL)))
    found.insert(19, _exchange(_PEOPLE, {"query": "buyer"}, FareboxError(STORE_UNAVAILABLE)))
    return found


def captured_calls(
    packer: Packer, keys: dict[str, ApiKey], now_ms: int
) -> Iterator[tuple[MeteredRequest, Capture]]:
    """The calls, some minutes apart, the last of them at `now_ms` by the first caller."""
    dice = Random(SEED)  # noqa: S311 - repeatable on purpose, and no secret
    made = exchanges()
    for place, one in enumerate(made):
        is_last = place == len(made) - 1
        caller = CALLERS[0] if is_last else dice.choice(CALLERS)
        time_ms = now_ms - (len(made) - 1 - place) * MINUTES_APART * MS_PER_MINUTE
        request_id = f"captured-{place}"
        draft = Draft(
            request_id=request_id,
            source=SOURCE,
            content=content_digest(request_id.encode()),
            key=keys[caller.key_name],
            log_type=one.endpoint.slug,
            time_ms=time_ms,
            method=one.endpoint.method,
            path=one.endpoint.path,
            status_code=one.status_code,
            duration_ms=dice.randrange(40, 400),
            response_size=len(one.response_body.encode()),
            ip=dice.choice(caller.ips),
            channel=None,
            credits_micro=None if one.credits is None else one.credits * MICRO_PER_CREDIT,
            authentication_type=AUTHENTICATION_TYPE,
        )
        row = packer.pack(draft, now_ms)
        headers = {
            AUTHENTICATION_TYPE: keys[caller.key_name].masked_authentication,
            "content-type": JSON,
            "user-agent": AGENTS[CALLERS.index(caller)],
        }
        capture = POLICY.capture(row, headers, one.request_body, one.response_body)
        assert capture is not None
        yield row, capture


def _exchange(sale: int, body: JsonObject, fault: FareboxError | None = None) -> Exchange:
    """A body that is sent to one of the sales, and what it answers."""
    endpoint, form, answer = SALES[sale]
    sent = msgspec.json.encode(body)
    try:
        if fault is not None:
            raise fault
        found: Found = answer(decode(sent, form))
    except FareboxError as error:
        told = ENCODER.encode(error_answer("general", error, "en"))
        return Exchange(endpoint, sent.decode(), error.kind.status, told.decode(), None)
    told = ENCODER.encode({"data": found.data})
    return Exchange(endpoint, sent.decode(), OK, told.decode(), found.credits)
