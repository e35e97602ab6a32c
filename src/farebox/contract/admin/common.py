"""What the operations of the admin API share: pages, headers, and how one is declared."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

from farebox.contract import kinds
from farebox.contract.operation import Method, Operation
from farebox.contract.parameters import IDEMPOTENCY_KEY
from farebox.contract.wire import Json
from farebox.core import errors
from farebox.core.errors import ErrorKind

ROOT = "/admin/v1"
WORKSPACE = f"{ROOT}/workspaces/{{profile_id}}"
NextCursor = Annotated[
    str | None,
    Meta(description="Send it as `cursor` to get the next page; `null` on the last one."),
]
STAMP = "2026-05-05T11:09:42.508Z"
USER_ID = "0192f3c4-7a5b-4d1e-8f20-3b6c9d2e4a71"
REQUEST_ID = "019df6f7-5b8c-7a41-9c3e-2f10d4b7a655"
KEY_ID = "key_5hZ0c2rWq8Lm"


class PageQuery(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Which page of a list."""

    cursor: Annotated[
        str | None, Meta(description="The `next_cursor` of the page before. Default: the first.")
    ] = None
    limit: Annotated[
        int | None,
        Meta(
            description="How many entries a page holds, at most 100. Default: 25.",
            extra_json_schema={"minimum": 1, "maximum": 100},
        ),
    ] = None


class Texts(NamedTuple):
    """What an operation's page says: its heading, what the call does, and more about it."""

    title: str
    summary: str
    description: str


class Form(NamedTuple):
    """The struct of a body or of an answer, and an example of it."""

    type_: type[Struct]
    example: Json


def read(
    operation_id: str,
    path: str,
    texts: Texts,
    response: Form,
    *own_errors: ErrorKind,
    query: type[Struct] | None = None,
) -> Operation:
    """An operation that reads."""
    return Operation(
        operation_id=operation_id,
        methods=("GET",),
        path=path,
        tag="Admin",
        title=texts.title,
        summary=texts.summary,
        description=texts.description,
        audience="admin",
        security="admin",
        query=query,
        response=response.type_,
        response_example=response.example,
        errors=(*kinds.ADMIN, *own_errors),
    )


def write(
    operation_id: str,
    method: Method,
    path: str,
    texts: Texts,
    request: Form,
    response: Form,
    *own_errors: ErrorKind,
) -> Operation:
    """An operation that makes (POST) or changes (PATCH) something."""
    is_making = method == "POST"
    return Operation(
        operation_id=operation_id,
        methods=(method,),
        path=path,
        tag="Admin",
        title=texts.title,
        summary=texts.summary,
        description=texts.description,
        audience="admin",
        security="admin",
        request=request.type_,
        request_example=request.example,
        headers=(IDEMPOTENCY_KEY,),
        response=response.type_,
        response_example=response.example,
        success_status=201 if is_making else 200,
        errors=tuple(dict.fromkeys((*kinds.ADMIN, *kinds.BODY, *kinds.ADMIN_WRITE, *own_errors))),
    )


def end(operation_id: str, path: str, texts: Texts) -> Operation:
    """An operation that revokes something; it answers without a body."""
    return Operation(
        operation_id=operation_id,
        methods=("DELETE",),
        path=path,
        tag="Admin",
        title=texts.title,
        summary=texts.summary,
        description=texts.description,
        audience="admin",
        security="admin",
        success_status=204,
        errors=(*kinds.ADMIN, errors.QUEUE_FULL),
    )
