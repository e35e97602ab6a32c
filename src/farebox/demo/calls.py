"""One made-up call: what was called, how it ended, how long it took and what it cost."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from farebox.demo.callers import REDEEM_PEOPLE, Caller, Target
from farebox.demo.endpoints import redeem_credits

# Status codes with their share of the calls; all others succeed.
USUAL_ERRORS = {400: 0.011, 422: 0.006, 500: 0.0015, 504: 0.0005}
INCIDENT_ERRORS = {502: 0.16, 503: 0.24, 504: 0.12}
OK = 200
FAILED = 400
TIMED_OUT = 504
TIME_OUT_MS = 10_000
ERROR_BYTES = (88, 190)

# Of the people redeemed: an email address is known, and of these a phone number too.
EMAIL_SHARE, PHONE_SHARE = 0.86, 0.31


class Call(NamedTuple):
    """One call. `credits` is None where the log type's price holds."""

    time_ms: int
    key_name: str
    method: str
    path: str
    status_code: int
    duration_ms: int
    response_bytes: int
    ip: str
    credits: int | None


def make_call(dice: Random, caller: Caller, time_ms: int, *, is_incident: bool) -> Call:
    """A call of a caller at an instant; in an incident half of the calls fail."""
    target = dice.choices(tuple(caller.mix), tuple(caller.mix.values()))[0]
    status_code = _status_code(dice, INCIDENT_ERRORS if is_incident else USUAL_ERRORS)
    return Call(
        time_ms,
        caller.key_name,
        target.method,
        target.path,
        status_code,
        _duration_ms(dice, target, status_code, is_incident=is_incident),
        _response_bytes(dice, target, status_code),
        dice.choice(caller.ips),
        _credits(dice, target, status_code),
    )


def _status_code(dice: Random, errors: dict[int, float]) -> int:
    drawn = dice.random()
    for status_code, share in errors.items():
        drawn -= share
        if drawn < 0:
            return status_code
    return OK


def _duration_ms(dice: Random, target: Target, status_code: int, *, is_incident: bool) -> int:
    if status_code == TIMED_OUT:
        return TIME_OUT_MS + dice.randrange(40)
    usual_ms = target.usual_duration_ms * (4 if is_incident else 1)
    return max(1, round(usual_ms * dice.lognormvariate(0, 0.42)))


def _response_bytes(dice: Random, target: Target, status_code: int) -> int:
    if status_code >= FAILED:
        return dice.randint(*ERROR_BYTES)
    return max(2, round(target.usual_response_bytes * dice.lognormvariate(0, 0.3)))


def _credits(dice: Random, target: Target, status_code: int) -> int | None:
    if target is not REDEEM_PEOPLE or status_code >= FAILED:
        return None
    has_email = dice.random() < EMAIL_SHARE
    return redeem_credits(has_email=has_email, has_phone=has_email and dice.random() < PHONE_SHARE)
