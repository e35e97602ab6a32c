"""Pages as HTML: what stands in the Markdown, laid out for people, with tables of the fields.

No page needs a host other than ours, and none but the interactive reference needs a script.
"""

from __future__ import annotations

import json
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from farebox.contract.openapi import path_parameters
from farebox.contract.operation import Operation
from farebox.contract.operations import BY_ID
from farebox.contract.texts import LANGUAGE_NAMES, LANGUAGE_TAGS, Language, translate
from farebox.contract.wire import JSON, Json
from farebox.core.errors import ErrorKind
from farebox.pages.facts import Facts
from farebox.pages.fields import Field, fields_of
from farebox.pages.guides import GUIDE_SLUGS, guide_markdown
from farebox.pages.markdown import fragment
from farebox.pages.site import INDEX, REFERENCE, page, sections
from farebox.pages.texts import page_texts

# Raw HTML in a guide is shown as text.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


def _inline(text: str) -> Markup:
    return Markup(_MARKDOWN.renderInline(text))  # noqa: S704 - the renderer escapes


def _block(text: str) -> Markup:
    return Markup(_MARKDOWN.render(text))  # noqa: S704 - the renderer escapes


_TEMPLATES = Environment(
    loader=PackageLoader("farebox.pages"),
    undefined=StrictUndefined,
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["inline"] = _inline


def page_html(slug: str, language: Language, facts: Facts) -> str:
    """A page by its slug, which must be one of the site's."""
    name, content = _content(slug, language, facts)
    return _TEMPLATES.get_template(name).render(
        page=page(slug, language),
        language=language,
        language_tag=LANGUAGE_TAGS[language],
        languages=[(code, LANGUAGE_TAGS[code], name) for code, name in LANGUAGE_NAMES.items()],
        sections=sections(language),
        texts=page_texts(language),
        version=facts.version,
        **content,
    )


def _content(slug: str, language: Language, facts: Facts) -> tuple[str, dict[str, Any]]:
    """The template of a page and what it shows beside the frame."""
    if slug in GUIDE_SLUGS:
        return "guide.html", {"body": _block(guide_markdown(slug, language, facts))}
    if slug == REFERENCE:
        return "reference.html", {}
    if slug == INDEX:
        return "index.html", {}
    operation = BY_ID[slug]
    return "operation.html", {
        "operation": operation,
        "authentication": page_texts(language)[operation.security],
        "parameters": [*path_parameters(operation), *operation.headers],
        "request_fields": [
            (form.media_type, fields_of(form.types, language)) for form in operation.forms
        ],
        "query_fields": fields_of([operation.query], language) if operation.query else [],
        "answers": _answers(operation, language),
        "answer_headers": operation.answer_headers,
        "curl": curl(operation, facts),
        "errors": [_error(kind, language) for kind in sorted(set(operation.errors))],
        "fragment": fragment(slug, language, facts),
        "translate": lambda text: translate(language, text),
    }


def _answers(operation: Operation, language: Language) -> list[tuple[list[Field], str]]:
    """The fields and the example of each form that a successful answer may have."""
    example = operation.response_example
    text = (example or "") if example is None or isinstance(example, str) else _pretty(example)
    own = [operation.response] if operation.response else []
    return [
        (fields_of(own, language), text),
        *((fields_of([f.type_], language), _pretty(f.example)) for f in operation.other_answers),
    ]


def _error(kind: ErrorKind, language: Language) -> tuple[int, int, str]:
    return kind.code, kind.status, translate(language, kind.message)


def curl(operation: Operation, facts: Facts) -> str:
    """A call of an operation, to be pasted into a shell once the key or token is put in."""
    path = operation.path
    for parameter in path_parameters(operation):
        path = path.replace(f"{{{parameter.name}}}", str(parameter.example))
    parts = [f"curl {facts.base_url}{path}"]
    method = operation.methods[0]
    match operation.security:
        case "key" | "forwarded":
            parts.append(f"-H '{facts.key_headers[-1]}: YOUR_KEY'")
        case "meter" | "admin":
            parts.append("-H 'Authorization: Bearer YOUR_TOKEN'")
        case "none":
            pass
    if operation.forms:
        form = next((f for f in operation.forms if f.media_type == JSON), operation.forms[0])
        parts.append(f"-H 'Content-Type: {form.media_type}'")
        parts.append(f"-d '{_pretty(form.example)}'")
    elif method != "GET":
        parts.insert(1, f"-X {method}")
    return " \\\n  ".join(parts)


def _pretty(example: Json) -> str:
    return json.dumps(example, ensure_ascii=False, indent=2)
