"""Tests of the people and companies of the sample API: stable, harmless, and priced in all ways."""

from __future__ import annotations

import re
from collections import Counter

from farebox.demo.endpoints import redeem_credits
from farebox.demo.people import (
    PERSON_ID_PATTERN,
    contact,
    person,
    search_companies,
    search_people,
)


def test_the_same_query_finds_the_same() -> None:
    assert search_people("buyer", "Pune", 5) == search_people("buyer", "Pune", 5)
    assert search_companies("solar", None, 5) == search_companies("solar", None, 5)


def test_another_query_or_place_finds_others() -> None:
    found = {search_people(query, place, 1)[0][0].person_id
             for query in ("buyer", "seller") for place in ("Pune", "Seoul", None)}  # fmt: skip
    assert len(found) == 6


def test_as_many_are_found_as_asked_for_and_more_exist() -> None:
    for count in (1, 5, 25):
        people, total = search_people("buyer", None, count)
        companies, companies_total = search_companies("buyer", None, count)
        assert len(people) == len(companies) == count
        assert min(total, companies_total) >= count


def test_companies_lie_where_they_were_looked_for() -> None:
    assert {one.location for one in search_companies("solar", "Lisbon", 9)[0]} == {"Lisbon"}


def test_who_is_found_can_be_redeemed_by_the_id() -> None:
    for one in search_people("buyer", None, 25)[0]:
        assert re.fullmatch(PERSON_ID_PATTERN, one.person_id)
        assert person(one.person_id) == one


def test_contacts_reach_nobody() -> None:
    for one in search_people("buyer", None, 200)[0]:
        known = contact(one.person_id)
        if known.email:
            assert known.email.endswith(".example")
        if known.phone:
            assert known.email
            assert re.fullmatch(r"\+1-202-555-01\d\d", known.phone)


def test_every_price_of_redeeming_occurs() -> None:
    known = [contact(one.person_id) for one in search_people("buyer", None, 300)[0]]
    prices = Counter(
        redeem_credits(has_email=bool(c.email), has_phone=bool(c.phone)) for c in known
    )
    assert set(prices) == {0, 15, 30}
    assert prices[15] > prices[30] > prices[0]
