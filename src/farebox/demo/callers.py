"""Who calls the demo's API: three keys, each with a habit of its own.

A habit says how many calls an ordinary weekday has, how they spread over the week and over the day
on the workspace's wall clock, what is called and from where. The addresses are among those
reserved for documentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from farebox.demo.endpoints import COMPANY_SEARCH, PEOPLE_REDEEM, PEOPLE_SEARCH


class Target(NamedTuple):
    """What is called, and how long and how large its answers usually are."""

    method: str
    path: str
    usual_duration_ms: int
    usual_response_bytes: int


SEARCH_PEOPLE = Target(PEOPLE_SEARCH.method, PEOPLE_SEARCH.path, 210, 9_400)
SEARCH_COMPANIES = Target(COMPANY_SEARCH.method, COMPANY_SEARCH.path, 140, 6_200)
REDEEM_PEOPLE = Target(PEOPLE_REDEEM.method, PEOPLE_REDEEM.path, 420, 640)
# Mapped to no log type, and free.
LIST_LOCATIONS = Target("GET", "/locations", 24, 3_100)
LIST_INDUSTRIES = Target("GET", "/industries", 19, 2_300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A key and its habit.

    Attributes:
        key_name: the key's name; `is_owner` tells which of the two users it belongs to.
        weekday_requests: calls on an ordinary weekday.
        week: weights of Monday to Sunday; 1 is an ordinary weekday.
        day: weights of the 24 hours.
        mix: what is called, with weights.
    """

    key_name: str
    is_owner: bool
    channel: Literal["api", "portal"]
    weekday_requests: int
    week: tuple[float, ...]
    day: tuple[int, ...]
    mix: dict[Target, int]
    ips: tuple[str, ...]


CALLERS = (
    Caller(
        key_name="Production",
        is_owner=True,
        channel="api",
        weekday_requests=880,
        week=(0.97, 1.06, 1.08, 1.02, 0.87, 0.31, 0.24),
        day=(1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 19, 17, 10, 13, 18, 18, 17, 13, 9, 6, 5, 4, 3, 2),
        mix={
            SEARCH_PEOPLE: 47,
            SEARCH_COMPANIES: 30,
            REDEEM_PEOPLE: 15,
            LIST_LOCATIONS: 6,
            LIST_INDUSTRIES: 2,
        },
        ips=("203.0.113.17", "203.0.113.18", "2001:db8:40::17"),
    ),
    Caller(
        key_name="Nightly sync",
        is_owner=True,
        channel="api",
        weekday_requests=165,
        week=(1, 1, 1, 1, 1, 1, 1),
        day=(0, 0, 0, 10, 6, *(0,) * 19),
        mix={SEARCH_COMPANIES: 78, REDEEM_PEOPLE: 18, LIST_LOCATIONS: 4},
        ips=("198.51.100.7",),
    ),
    Caller(
        key_name="Team portal",
        is_owner=False,
        channel="portal",
        weekday_requests=190,
        week=(1.02, 1.06, 1.05, 1.0, 0.8, 0.05, 0.03),
        day=(*(0,) * 7, 3, 9, 15, 16, 13, 4, 9, 15, 14, 11, 5, 2, 1, *(0,) * 4),
        mix={SEARCH_PEOPLE: 58, SEARCH_COMPANIES: 20, REDEEM_PEOPLE: 12, LIST_LOCATIONS: 10},
        ips=("192.0.2.31", "192.0.2.44", "192.0.2.58", "192.0.2.101"),
    ),
)
