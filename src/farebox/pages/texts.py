"""The texts around a page's content: headings, labels and links. Each is a msgid."""

from __future__ import annotations

from farebox.contract.texts import Language, translate

PAGE_TEXTS = {
    "answer": "Answer",
    "as_markdown": "This page as Markdown",
    "authentication": "Authentication",
    "code": "Code",
    "command": "Command",
    "content": "Skip to the content",
    "default": "Default",
    "description": "Description",
    "endpoints": "Endpoints",
    "errors": "Errors",
    "example": "Example",
    "field": "Field",
    "forwarded": "This call needs the API key of the request that it asks about.",
    "guides": "Guides",
    "headers": "Headers",
    "index": "Index for language models",
    "key": "This call needs an API key.",
    "kind": "Kind",
    "languages": "Languages",
    "message": "Message",
    "meter": "This call needs a token with the scope `meter` or `admin`.",
    "admin": "This call needs a token with the scope `admin`.",
    "metric": "Metric",
    "name": "Name",
    "navigation": "Pages",
    "no": "no",
    "none": "This call needs no key.",
    "no_body": "The answer has no body.",
    "openapi": "OpenAPI document",
    "parameters": "Parameters",
    "reference": "Interactive reference",
    "reference_description": "Every operation, to be read and tried out in the browser.",
    "request": "Request",
    "required": "Required",
    "setting": "Setting",
    "start_description": "Guides, every endpoint, and an interactive reference.",
    "status": "Status",
    "type": "Type",
    "yes": "yes",
}


def page_texts(language: Language) -> dict[str, str]:
    """All of them in a language, by name."""
    return {name: translate(language, text) for name, text in PAGE_TEXTS.items()}
