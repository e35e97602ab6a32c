"""Forms: what a page sends, what was wrong with it, and the mark that it came from our page.

The mark (`csrf`) is the session's id, keyed: another site can make a browser send a form, but can't
know the mark. What was typed is kept, so that a form that is refused comes back as it was sent.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from hashlib import blake2b
from urllib.parse import parse_qsl

from starlette.requests import Request

from farebox.contract.texts import Language, error_message, translate
from farebox.core.errors import (
    ALREADY_EXISTS,
    BODY_TOO_LARGE,
    INVALID_REQUEST,
    MISSING_FIELD,
    UNKNOWN_KEY,
    UNKNOWN_LOG_TYPE,
    WRONG_MEDIA_TYPE,
    FareboxError,
)
from farebox.core.phrase import Phrase
from farebox.dashboard.session import Session

BODY_BYTES_MAX = 64 * 1024
FIELDS_MAX = 500
MEDIA_TYPE = "application/x-www-form-urlencoded"
CSRF_FIELD = "csrf"
PURPOSE = "forms"
_FIELD_TEXT = "This must be {expected}."
_LISTED_TEXT = "Choose one of those that are listed."
# At a field its name says nothing: the reader knows it by its label.
_AT_FIELD_TEXTS = {
    MISSING_FIELD: "This is needed.",
    ALREADY_EXISTS: "There is one with this already.",
    UNKNOWN_KEY: "There is none like this.",
    UNKNOWN_LOG_TYPE: "There is none like this.",
}


class Form:
    """The values of a form by field; `problems` are texts in the reader's language.

    `problem` is what is wrong with the whole of it.
    """

    def __init__(self, values: dict[str, list[str]] | None = None) -> None:
        self._values = values or {}
        self.problems: dict[str, str] = {}
        self.problem = ""

    @property
    def is_blank(self) -> bool:
        """Whether nothing was sent."""
        return not self._values

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def names(self) -> list[str]:
        """The names of the fields that were sent."""
        return list(self._values)

    def pairs(self) -> list[tuple[str, str]]:
        """All that was sent."""
        return [(name, value) for name, values in self._values.items() for value in values]

    def text(self, name: str, default: str = "") -> str:
        """A field's text without blanks around it."""
        found = self._values.get(name)
        return found[0].strip() if found else default

    def optional(self, name: str) -> str | None:
        """A field's text; None when it is empty."""
        return self.text(name) or None

    def many(self, name: str) -> list[str]:
        """All values of a field that may come several times, such as check boxes."""
        return [value for value in self._values.get(name, []) if value]

    def lines(self, name: str) -> list[str]:
        """The lines of a text, without the empty ones."""
        return [line.strip() for line in self.text(name).splitlines() if line.strip()]

    def blame(self, error: FareboxError, language: Language) -> None:
        """Note what is wrong, at its field if the error names one that the form has."""
        field = error.params.get("field")
        if not isinstance(field, str):
            self.problem = error_message(language, error)
        elif "expected" in error.params:
            name = field if field in self else field.partition("[")[0].partition(".")[0]
            self.problems[name] = _told(language, error.params["expected"])
        else:
            text = _AT_FIELD_TEXTS.get(error.kind)
            told = translate(language, text) if text else error_message(language, error)
            self.problems[field] = told


def _told(language: Language, expected: object) -> str:
    """What a field must be; of a list, its values mean nothing to who reads their names."""
    if isinstance(expected, Phrase) and "choices" in expected.params:
        return translate(language, _LISTED_TEXT)
    return translate(language, _FIELD_TEXT, expected=expected)


async def read_form(request: Request) -> Form:
    """The form that a request sends.

    Raises:
        FareboxError: 400, 413 or 415: it is none, or too large.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in {MEDIA_TYPE, ""}:
        raise FareboxError(WRONG_MEDIA_TYPE, expected=MEDIA_TYPE)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise FareboxError(BODY_TOO_LARGE, bytes_max=BODY_BYTES_MAX)
    values: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict"
        )
    except ValueError as error:
        raise FareboxError(INVALID_REQUEST, reason=Phrase("the form can't be read")) from error
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return Form(values)


class Marks:
    """Makes and checks the marks of forms."""

    def __init__(self, derive: Callable[[str], bytes]) -> None:
        self._derive = derive

    def of(self, session: Session) -> str:
        """The mark that the forms of a session carry."""
        key = self._derive(PURPOSE)
        return blake2b(session.session_id.encode(), key=key, digest_size=16).hexdigest()

    def fits(self, session: Session, form: Form) -> bool:
        """Whether a form came from a page of this session."""
        return hmac.compare_digest(self.of(session).encode(), form.text(CSRF_FIELD).encode())
