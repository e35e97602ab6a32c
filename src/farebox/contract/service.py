"""The addresses of the program itself: health, metrics and documentation. None needs a key."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from farebox.contract import kinds
from farebox.contract.operation import Operation
from farebox.core import errors

_PAGE_ERRORS = (errors.NO_ROUTE, errors.WRONG_METHOD, errors.INTERNAL)
HTML = "text/html; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"
MARKDOWN = "text/markdown; charset=utf-8"


class HealthAnswer(Struct, frozen=True):
    """The program runs."""

    status: Annotated[Literal["ok"], Meta(description="`ok`, or the call fails.")]


HEALTH = Operation(
    operation_id="healthz_get",
    methods=("GET",),
    path="/healthz",
    tag="Service",
    title="Health",
    summary="Tell whether the process runs",
    description="Answers as long as the process runs, whatever the state of the store.",
    audience="service",
    security="none",
    response=HealthAnswer,
    response_example={"status": "ok"},
    errors=(errors.WRONG_METHOD, errors.INTERNAL),
)

READY = Operation(
    operation_id="readyz_get",
    methods=("GET",),
    path="/readyz",
    tag="Service",
    title="Readiness",
    summary="Tell whether requests can be recorded",
    description="Answers 200 when requests can be recorded and read, and 503 otherwise.",
    audience="service",
    security="none",
    response=HealthAnswer,
    response_example={"status": "ok"},
    errors=kinds.COMMON,
)

METRICS = Operation(
    operation_id="metrics_get",
    methods=("GET",),
    path="/metrics",
    tag="Service",
    title="Metrics",
    summary="Get the metrics",
    description="The metrics of the process in the text format of Prometheus.",
    audience="service",
    security="none",
    response_media_type="text/plain; version=1.0.0; charset=utf-8",
    response_example='farebox_requests_total{outcome="accepted"} 1.0\n',
    errors=(errors.WRONG_METHOD, errors.INTERNAL),
)

LLMS = Operation(
    operation_id="llms_txt_get",
    methods=("GET",),
    path="/llms.txt",
    tag="Service",
    title="Documentation Index",
    summary="Get the index of the documentation",
    description="Every page of the documentation in every language, one link a line.",
    audience="service",
    security="none",
    response_media_type=PLAIN,
    response_example="# Farebox\n",
    errors=(errors.WRONG_METHOD, errors.INTERNAL),
)

OPENAPI = Operation(
    operation_id="openapi_get",
    methods=("GET",),
    path="/openapi/{lang}.json",
    tag="Service",
    title="OpenAPI Document",
    summary="Get the OpenAPI document of a language",
    description="All operations as one OpenAPI 3.1 document, with its texts in one language.",
    audience="service",
    security="none",
    response_example={"openapi": "3.1.0"},
    errors=_PAGE_ERRORS,
)

ROOT = Operation(
    operation_id="root_get",
    methods=("GET",),
    path="/",
    tag="Service",
    title="Start",
    summary="Go to the start",
    description="Leads to the dashboard.",
    audience="service",
    security="none",
    success_status=307,
    errors=(errors.WRONG_METHOD, errors.INTERNAL),
)

DOCS = Operation(
    operation_id="docs_get",
    methods=("GET",),
    path="/docs",
    tag="Service",
    title="Documentation",
    summary="Go to the documentation in the reader's language",
    description="Leads to the first page in the language that `Accept-Language` asks for.",
    audience="service",
    security="none",
    success_status=307,
    errors=(errors.WRONG_METHOD, errors.INTERNAL),
)

DOCS_LANGUAGE = Operation(
    operation_id="docs_language_get",
    methods=("GET",),
    path="/docs/{lang}",
    tag="Service",
    title="Documentation of a Language",
    summary="Go to the documentation of a language",
    description="Leads to its first page, whose address ends in a slash.",
    audience="service",
    security="none",
    success_status=307,
    errors=_PAGE_ERRORS,
)

DOCS_INDEX = Operation(
    operation_id="docs_index_get",
    methods=("GET",),
    path="/docs/{lang}/",
    tag="Service",
    title="Documentation Start",
    summary="Get the first page of the documentation",
    description="The first page of the documentation in one language.",
    audience="service",
    security="none",
    response_media_type=HTML,
    response_example="<!doctype html>",
    errors=_PAGE_ERRORS,
)

DOCS_PAGE = Operation(
    operation_id="docs_page_get",
    methods=("GET",),
    path="/docs/{lang}/{page}",
    tag="Service",
    title="Documentation Page",
    summary="Get a page of the documentation",
    description="A page of the documentation; with `.md` after its name, as Markdown.",
    audience="service",
    security="none",
    response_media_type=HTML,
    other_media_types=(MARKDOWN,),
    response_example="<!doctype html>",
    errors=_PAGE_ERRORS,
)

DOCS_ASSET = Operation(
    operation_id="docs_asset_get",
    methods=("GET",),
    path="/docs/assets/{file}",
    tag="Service",
    title="Documentation File",
    summary="Get a style sheet or script of the documentation",
    description="A file that the pages of the documentation need.",
    audience="service",
    security="none",
    response_media_type="text/css; charset=utf-8",
    other_media_types=("text/javascript; charset=utf-8",),
    response_example="",
    errors=_PAGE_ERRORS,
)

OPERATIONS = (
    ROOT,
    HEALTH,
    READY,
    METRICS,
    LLMS,
    OPENAPI,
    DOCS,
    DOCS_LANGUAGE,
    DOCS_INDEX,
    DOCS_PAGE,
    DOCS_ASSET,
)
