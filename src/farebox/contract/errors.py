"""The wire forms of an error, in the reader's language.

A 400 and its kin are `GeneralError`, 429 and 500 are `PlainError` (seeds), and `/v1/quotas` has
the shape of its own vendor for all of them. The internal voice of an error never comes here.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from farebox.contract.operation import ErrorFamily, error_shape
from farebox.contract.texts import Language, error_message
from farebox.core.errors import ErrorKind, FareboxError

_SCOPES = {401: "auth", 402: "auth", 403: "auth", 429: "server", 500: "server", 503: "server"}


class GeneralError(Struct, frozen=True):
    """The shape of 400, and of all that is neither 429 nor 500."""

    code: Annotated[int, Meta(description="The error code; its first three digits are the status.")]
    message: Annotated[str, Meta(description="What is wrong and what would be right, for people.")]
    details: Annotated[
        dict[str, Any], Meta(description="More about the error for programs; often empty.")
    ]


class PlainError(Struct, frozen=True):
    """The shape of 429 and 500."""

    error: Annotated[str, Meta(description="What is wrong, for people.")]


class QuotasError(Struct, frozen=True):
    """The shape of every error of `/v1/quotas`."""

    error_label: Annotated[str, Meta(description="The name of the error, for programs.")]
    error_scope: Annotated[
        str, Meta(description="What the error is about: `input`, `auth` or `server`.")
    ]
    error_ref: Annotated[str, Meta(description="The error code, after `ERR-`.")]
    message: Annotated[str, Meta(description="What is wrong and what would be right, for people.")]
    status_code: Annotated[int, Meta(description="The HTTP status.")]
    params: Annotated[
        dict[str, Any], Meta(description="More about the error for programs; often empty.")
    ]


ErrorAnswer = GeneralError | PlainError | QuotasError
ERROR_STRUCTS: dict[str, type[Struct]] = {
    "general": GeneralError,
    "plain": PlainError,
    "quotas": QuotasError,
}


def error_answer(family: ErrorFamily, error: FareboxError, language: Language) -> ErrorAnswer:
    """The body of an error's answer."""
    message = error_message(language, error)
    match error_shape(family, error.kind.status):
        case "plain":
            return PlainError(error=message)
        case "quotas":
            return QuotasError(
                error_label=label_of(error.kind),
                error_scope=_SCOPES.get(error.kind.status, "input"),
                error_ref=f"ERR-{error.kind.code}",
                message=message,
                status_code=error.kind.status,
                params=error.details,
            )
        case "general":
            return GeneralError(code=error.kind.code, message=message, details=error.details)


def label_of(kind: ErrorKind) -> str:
    """The name of an error kind in the form of the quotas' vendor."""
    return kind.name.upper()
