"""The endpoints that the demo's provider sells, and their prices in whole credits.

The log types, the made-up traffic and the sample API are all made from this one list.
"""

from __future__ import annotations

from typing import NamedTuple


class Endpoint(NamedTuple):
    """A priced endpoint. `hold_credits` is the most that a call may cost."""

    slug: str
    name: str
    method: str
    path: str
    credits: int
    hold_credits: int


PEOPLE_SEARCH = Endpoint("people_search", "People Search", "POST", "/people/search", 3, 3)
COMPANY_SEARCH = Endpoint("company_search", "Company Search", "POST", "/companies/search", 1, 1)
PEOPLE_REDEEM = Endpoint("people_redeem", "Redeem People", "POST", "/people/redeem", 15, 30)
ENDPOINTS = (PEOPLE_SEARCH, COMPANY_SEARCH, PEOPLE_REDEEM)


def redeem_credits(*, has_email: bool, has_phone: bool) -> int:
    """What a redeemed person costs: a phone number 30, an email address alone 15, nothing 0."""
    if has_phone:
        return PEOPLE_REDEEM.hold_credits
    return PEOPLE_REDEEM.credits if has_email else 0
