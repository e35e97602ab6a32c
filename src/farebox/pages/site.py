"""The site: which pages there are, in their order, and what they are called in each language.

A page is a guide, an operation, the interactive reference or the start; its slug is its name in
every language.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from farebox.contract.operation import Operation
from farebox.contract.operations import BY_ID, OPERATIONS
from farebox.contract.texts import Language, translate
from farebox.pages.guides import GUIDE_SLUGS, guide
from farebox.pages.texts import page_texts

INDEX = "index"
REFERENCE = "reference"


class Page(NamedTuple):
    """A page of the documentation in one language."""

    slug: str
    title: str
    description: str


class Section(NamedTuple):
    """Pages under one heading."""

    title: str
    pages: tuple[Page, ...]


def slugs() -> tuple[str, ...]:
    """The slugs of all pages."""
    return (INDEX, *GUIDE_SLUGS, *BY_ID, REFERENCE)


def page(slug: str, language: Language) -> Page:
    """A page by its slug.

    Raises:
        KeyError: there is none.
    """
    texts = page_texts(language)
    if slug == INDEX:
        return Page(slug, "Farebox", texts["start_description"])
    if slug == REFERENCE:
        return Page(slug, texts["reference"], texts["reference_description"])
    if slug in GUIDE_SLUGS:
        found = guide(slug, language)
        return Page(slug, found.title, found.description)
    return _operation_page(BY_ID[slug], language)


@lru_cache(maxsize=8)
def sections(language: Language) -> tuple[Section, ...]:
    """The contents: the guides, then the operations by their tags."""
    tags = tuple(dict.fromkeys(operation.tag for operation in OPERATIONS))
    texts = page_texts(language)
    return (
        Section(texts["guides"], tuple(page(slug, language) for slug in GUIDE_SLUGS)),
        *(
            Section(
                translate(language, tag),
                tuple(_operation_page(o, language) for o in OPERATIONS if o.tag == tag),
            )
            for tag in tags
        ),
    )


def _operation_page(operation: Operation, language: Language) -> Page:
    return Page(
        operation.operation_id,
        translate(language, operation.title),
        translate(language, operation.description),
    )
