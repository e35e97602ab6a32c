"""An operation: one route of the program, declared once.

The HTTP face serves it, the documents describe it and the tests check it, all from the same
declaration. Its texts are English and are the keys of the catalogues. Adding an operation is one
declaration in the file of its family, and its name in the family's tuple.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import msgspec

from farebox.contract.parameters import Parameter
from farebox.contract.wire import JSON, Json
from farebox.core.errors import ErrorKind

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
Audience = Literal["customer", "metering", "admin", "service"]
# `key`: an API key. `meter`: a token of either scope. `admin`: a token with that scope.
# `forwarded`: the API key of a request that a gateway asks about, which the handler judges.
Security = Literal["key", "meter", "admin", "forwarded", "none"]
# `general` is {code, message, details}, `plain` is {error}, `quotas` is the other vendor's.
ErrorShape = Literal["general", "plain", "quotas"]
ErrorFamily = Literal["general", "quotas"]

PLAIN_STATUSES = (429, 500)


class Body(NamedTuple):
    """One form that a request's body may have; `types` are what msgspec can decode it to."""

    media_type: str
    types: tuple[object, ...]
    example: Json


class AnswerForm(NamedTuple):
    """Another form that a successful answer may have: what it is called, its struct, an example."""

    name: str
    type_: type[msgspec.Struct]
    example: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One route.

    Attributes:
        path: with `{names}`, each of them in `PATH_PARAMETERS`.
        title: the page's heading, a noun; `summary` says what the call does.
        request: the struct of a JSON body; `bodies` replaces it where there are several forms.
        query: the struct of the query string, decoded with `strict=False`.
        response: the struct of a JSON answer; None for other media types and for no body.
        other_answers: the forms that a JSON answer may have besides `response`.
        answer_headers: what a successful answer tells beside its body.
        other_media_types: what the answer may be besides `response_media_type`.
        errors: every kind that it may answer, which is also its list of statuses.
        is_vendor_shaped: unknown fields are ignored; elsewhere they are refused.
    """

    operation_id: str
    methods: tuple[Method, ...]
    path: str
    tag: str
    title: str
    summary: str
    description: str
    audience: Audience
    security: Security
    errors: tuple[ErrorKind, ...]
    request: type[msgspec.Struct] | None = None
    request_example: Json = None
    bodies: tuple[Body, ...] = ()
    query: type[msgspec.Struct] | None = None
    headers: tuple[Parameter, ...] = ()
    response: type[msgspec.Struct] | None = None
    response_example: Json = None
    other_answers: tuple[AnswerForm, ...] = ()
    answer_headers: tuple[Parameter, ...] = ()
    response_media_type: str = JSON
    other_media_types: tuple[str, ...] = ()
    success_status: int = 200
    error_family: ErrorFamily = "general"
    is_vendor_shaped: bool = False

    @property
    def statuses(self) -> tuple[int, ...]:
        """Every HTTP status that it may answer, ascending."""
        return tuple(sorted({self.success_status, *(kind.status for kind in self.errors)}))

    @property
    def forms(self) -> tuple[Body, ...]:
        """The forms of its body; none when it takes none."""
        if self.bodies or self.request is None:
            return self.bodies
        return (Body(JSON, (self.request,), self.request_example),)

    @property
    def answers(self) -> tuple[type[msgspec.Struct], ...]:
        """The structs that a JSON answer may be; none for other media types and for no body."""
        own = () if self.response is None else (self.response,)
        return (*own, *(form.type_ for form in self.other_answers))

    def id_of(self, method: Method) -> str:
        """The id of one of its methods; the first method has the operation's own."""
        own = self.operation_id
        return own if method == self.methods[0] else f"{own}_by_{method.lower()}"


def error_shape(family: ErrorFamily, status: int) -> ErrorShape:
    """The shape of an error (SPEC 3.1): 429 and 500 are plain, except in the quotas' family."""
    if family == "quotas":
        return "quotas"
    return "plain" if status in PLAIN_STATUSES else "general"
