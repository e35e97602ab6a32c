"""Calls of the demo's customer that were refused: a script with a revoked key, and bursts at night.

They come as a gate tells of them: counted, and the newest explained.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

import msgspec

from farebox.core.admission import KIND_OF_DENIAL, LimitState
from farebox.core.instant import MS_PER_DAY, MS_PER_HOUR, MS_PER_SECOND
from farebox.core.refusal import Refusal, RefusalTally
from farebox.core.request import UNMAPPED
from farebox.core.workspace import ApiKey
from farebox.demo.callers import CALLERS
from farebox.demo.endpoints import COMPANY_SEARCH
from farebox.engine.directory import Directory
from farebox.service.forms.refusal import Explained, RefusalsNote

SEED = 11
DAYS = 20
SUMS_MAX = 10_000
BURST_MAX = 9
OFFICE_HOURS = range(8, 18)


class RefusedKeys(NamedTuple):
    """Whose calls are refused: the one that was revoked, and the one that calls too fast."""

    revoked: ApiKey
    nightly: ApiKey


def refusals_note(
    directory: Directory, keys: RefusedKeys, per_second: int, from_ms: int, now_ms: int
) -> RefusalsNote:
    """The refusals of the last days, none of them before an instant."""
    dice = Random(SEED)  # noqa: S311 - repeatable on purpose, and no secret
    log_type_id = directory.log_type_by_slug[COMPANY_SEARCH.slug].log_type_id
    found: list[Refusal] = []
    for day in range(DAYS):
        midnight_ms = (now_ms // MS_PER_DAY - day) * MS_PER_DAY
        for _ in range(dice.randrange(1, 4)):
            at_ms = midnight_ms + dice.choice(OFFICE_HOURS) * MS_PER_HOUR
            at_ms += dice.randrange(MS_PER_HOUR)
            found.append(_refusal(keys.revoked, at_ms, "key", log_type_id, ()))
        at_ms = midnight_ms + 2 * MS_PER_HOUR + dice.randrange(MS_PER_HOUR)
        for _ in range(dice.randrange(BURST_MAX)):
            reset_ms = (at_ms // MS_PER_SECOND + 1) * MS_PER_SECOND
            limit = LimitState("second", per_second, 0, reset_ms)
            found.append(_refusal(keys.nightly, at_ms, "second", log_type_id, (limit,)))
    found = sorted((one for one in found if from_ms <= one.time_ms < now_ms), key=_time_ms)
    tally = RefusalTally(SUMS_MAX)
    for one in found:
        tally.add(one)
    return RefusalsNote(
        source="demo", sequence=1, sums=tally.sums(), explained=[_explained(one) for one in found]
    )


def _refusal(
    key: ApiKey, time_ms: int, denied_by: str, log_type_id: int, limits: tuple[LimitState, ...]
) -> Refusal:
    kind = KIND_OF_DENIAL[denied_by]
    return Refusal(
        profile_id=key.profile_id,
        key_id=key.key_id,
        time_ms=time_ms,
        status=kind.status,
        code=kind.code,
        denied_by=denied_by,
        log_type_id=log_type_id if limits else UNMAPPED,
        channel=key.channel,
        method=COMPANY_SEARCH.method,
        path=COMPANY_SEARCH.path,
        ip=CALLERS[1].ips[0],
        limits=limits,
        retry_at_ms=limits[0].reset_ms if limits else None,
        is_shadow=False,
    )


def _explained(one: Refusal) -> Explained:
    fields = one._asdict() | {"limits": msgspec.json.encode(one.limits).decode()}
    return Explained(**fields)


def _time_ms(one: Refusal) -> int:
    return one.time_ms
