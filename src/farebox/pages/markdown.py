"""Pages as Markdown, in the manner of the seeds: a pointer to the index, then the page itself.

An operation's page is its title, its description and one fenced OpenAPI fragment headed by
language, method and path.
"""

from __future__ import annotations

from typing import Any

import yaml

from farebox.contract.openapi import Settings, openapi_document
from farebox.contract.operations import BY_ID, OPERATIONS
from farebox.contract.texts import LANGUAGE_NAMES, LANGUAGES, Language, translate
from farebox.pages.facts import Facts
from farebox.pages.guides import GUIDE_SLUGS, guide_markdown
from farebox.pages.site import INDEX, Page, page, sections

_POINTER = """> ## Documentation Index
> Fetch the complete documentation index at: {base_url}/llms.txt
> Use this file to discover all available pages before exploring further.

"""


class _Dumper(yaml.CSafeDumper):
    """YAML without anchors: every fragment is to be read by itself."""

    def ignore_aliases(self, data: object) -> bool:
        """Never refer to what was written before."""
        del data
        return True


def openapi_settings(facts: Facts) -> Settings:
    """What the OpenAPI documents tell of an installation."""
    return Settings(facts.version, facts.key_headers)


def openapi(language: Language, facts: Facts) -> dict[str, Any]:
    """The OpenAPI document of all operations."""
    return openapi_document(OPERATIONS, language, openapi_settings(facts))


def fragment(operation_id: str, language: Language, facts: Facts) -> str:
    """The OpenAPI document of one operation, as YAML."""
    document = openapi_document((BY_ID[operation_id],), language, openapi_settings(facts))
    text: str = yaml.dump(
        document, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=80, indent=2
    )
    return text


def page_markdown(slug: str, language: Language, facts: Facts) -> str:
    """A page as it is served under its name and `.md`."""
    return _POINTER.format(base_url=facts.base_url) + _body(slug, language, facts)


def _body(slug: str, language: Language, facts: Facts) -> str:
    if slug in GUIDE_SLUGS:
        return guide_markdown(slug, language, facts)
    found = page(slug, language)
    head = f"# {found.title}\n\n> {found.description}\n\n"
    if slug == INDEX:
        return head + contents(language, facts)
    if slug not in BY_ID:
        return head + f"{facts.base_url}/docs/{language}/{slug}\n"
    operation = BY_ID[slug]
    heading = f"yaml {language}-openapi {operation.methods[0]} {operation.path}"
    return f"{head}\n\n## OpenAPI\n\n````{heading}\n{fragment(slug, language, facts)}\n````\n"


def contents(language: Language, facts: Facts) -> str:
    """All pages of a language, one link a line."""
    lines: list[str] = []
    for section in sections(language):
        lines += [f"## {section.title}", ""]
        lines += [_link(found, language, facts) for found in section.pages]
        lines.append("")
    return "\n".join(lines)


def _link(found: Page, language: Language, facts: Facts) -> str:
    return (
        f"- [{found.title}]({facts.base_url}/docs/{language}/{found.slug}.md): {found.description}"
    )


def llms(facts: Facts) -> str:
    """The index of all pages in all languages."""
    lines = ["# Farebox", "", f"> {translate('en', page(INDEX, 'en').description)}", ""]
    for language in LANGUAGES:
        pages = [found for section in sections(language) for found in section.pages]
        lines += [f"## {LANGUAGE_NAMES[language]}", ""]
        lines += [_link(found, language, facts) for found in pages]
        lines += [f"- [OpenAPI]({facts.base_url}/openapi/{language}.json)", ""]
    return "\n".join(lines)
