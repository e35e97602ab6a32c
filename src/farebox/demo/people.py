"""The people and companies that the sample API knows: made up, and always the same for a query.

Everything about one follows from the id, and the ids follow from the query; so what a search finds
can be redeemed. Addresses end in `.example` and phone numbers are of the range kept for fiction.
"""

from __future__ import annotations

import hashlib
from random import Random
from typing import NamedTuple

from farebox.demo.calls import EMAIL_SHARE, PHONE_SHARE

PERSON_ID_PATTERN = r"^per_[0-9a-f]{12}$"
FOUND_MAX = 4_000

_FIRST = ("Ada", "Bruno", "Chidi", "Dana", "Emre", "Farah", "Gita", "Hugo", "Ines", "Jun", "Kofi")
_LAST = (
    "Adeyemi",
    "Berg",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Gupta",
    "Haddad",
    "Ito",
    "Kim",
)
_TITLES = ("Data Engineer", "Head of Sales", "Product Manager", "Chief Financial Officer", "Buyer")
_NAMES = ("Alder", "Basalt", "Cobalt", "Delta", "Ember", "Fathom", "Granite", "Harbor", "Indigo")
_TRADES = ("Analytics", "Foods", "Labs", "Logistics", "Robotics", "Solar", "Software", "Textiles")
_PLACES = ("Berlin", "Lagos", "Lisbon", "Osaka", "Pune", "Seoul", "Toronto", "Warsaw")


class Company(NamedTuple):
    """A company."""

    company_id: str
    name: str
    domain: str
    location: str
    employees: int


class Person(NamedTuple):
    """A person, without what is sold."""

    person_id: str
    name: str
    title: str
    company: str


class Contact(NamedTuple):
    """What redeeming a person gives; None is not known."""

    email: str | None
    phone: str | None


def search_people(query: str, location: str | None, count: int) -> tuple[list[Person], int]:
    """The first people that a query finds, and how many there are in all."""
    ids = [_id("per", query, location, i) for i in range(count)]
    return [person(person_id) for person_id in ids], _total(query, location, count)


def search_companies(query: str, location: str | None, count: int) -> tuple[list[Company], int]:
    """The first companies that a query finds, and how many there are in all."""
    ids = [_id("com", query, location, i) for i in range(count)]
    found = [company(company_id) for company_id in ids]
    if location:
        found = [one._replace(location=location) for one in found]
    return found, _total(query, location, count)


def person(person_id: str) -> Person:
    """The person with an id."""
    dice = _dice(person_id)
    return Person(
        person_id,
        f"{dice.choice(_FIRST)} {dice.choice(_LAST)}",
        dice.choice(_TITLES),
        f"{dice.choice(_NAMES)} {dice.choice(_TRADES)}",
    )


def company(company_id: str) -> Company:
    """The company with an id."""
    dice = _dice(company_id)
    name, trade = dice.choice(_NAMES), dice.choice(_TRADES)
    return Company(
        company_id,
        f"{name} {trade}",
        f"{name}-{trade}.example".lower(),
        dice.choice(_PLACES),
        round(dice.lognormvariate(4.5, 1.4)) + 1,
    )


def contact(person_id: str) -> Contact:
    """What is known of the person with an id: nothing, an email address, or a phone number too."""
    dice = _dice("contact " + person_id)
    if dice.random() >= EMAIL_SHARE:
        return Contact(None, None)
    one = person(person_id)
    email = f"{one.name.replace(' ', '.')}@{one.company.replace(' ', '-')}.example".lower()
    if dice.random() >= PHONE_SHARE:
        return Contact(email, None)
    return Contact(email, f"+1-202-555-01{dice.randrange(100):02d}")


def _total(query: str, location: str | None, count: int) -> int:
    return count + _dice(f"{query}\n{location}").randrange(FOUND_MAX)


def _id(kind: str, query: str, location: str | None, index: int) -> str:
    text = f"{kind}\n{query.strip().lower()}\n{location}\n{index}"
    return f"{kind}_{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}"


def _dice(text: str) -> Random:
    return Random(text)  # noqa: S311 - repeatable on purpose, and no secret
