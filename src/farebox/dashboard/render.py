"""Rendering: a template and its values become a page in the reader's language.

Templates mark their texts as `_("Credits left")`; the same call fills in `{braces}`. There is one
environment a language, in which `_` and the formats are known everywhere, macros included.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache, partial

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from farebox.contract.texts import LANGUAGE_TAGS, Language, refusal_message, translate
from farebox.contract.wire import ENCODER
from farebox.core.calendar import parse_day
from farebox.core.instant import MS_PER_SECOND, parse_rfc3339
from farebox.dashboard.assets import asset_url, script_url
from farebox.dashboard.formats import Formats

# What could end a script element, or begin a comment, inside a JSON text.
_JSON_ESCAPES = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


@lru_cache(maxsize=8)
def environment(language: Language) -> Environment:
    """The templates in a language."""
    made = Environment(
        loader=PackageLoader("farebox.dashboard"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def text(msgid: str, **params: object) -> Markup:
        """A text; its parameters may be markup, such as a formatted number."""
        filled = {
            name: param if hasattr(param, "__html__") else str(param)
            for name, param in params.items()
        }
        return escape(translate(language, msgid)).format_map(filled)

    made.globals.update(
        _=text,
        formats=Formats(language),
        language=language,
        language_tag=LANGUAGE_TAGS[language],
        asset_url=asset_url,
        script_url=script_url,
        refusal_message=partial(refusal_message, language),
    )
    made.filters.update(
        json_script=json_script, iso_ms=parse_rfc3339, day_number=parse_day, seconds=_seconds
    )
    return made


def _seconds(milliseconds: int) -> Decimal:
    return Decimal(milliseconds) / MS_PER_SECOND


def json_script(value: object) -> Markup:
    """A value as the JSON text of a `<script type="application/json">`."""
    text = ENCODER.encode(value).decode().translate(_JSON_ESCAPES)
    return Markup(text)  # noqa: S704 - nothing in it can end the script
