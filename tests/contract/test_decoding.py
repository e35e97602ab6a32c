"""Decoding: what is wrong with a body is told by the name of its field."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.contract.decoding import convert, decode, decode_rows, explained
from farebox.contract.logs import LogsRequest
from farebox.contract.metering import CloudEvent, RawBatch, RequestBatch, RequestRow
from farebox.contract.usage import DailyRequest
from farebox.core.errors import FareboxError

REFUSED: list[tuple[type[Any], bytes, int, str]] = [
    (LogsRequest, b"", 40002, "it ends too early"),
    (LogsRequest, b"{", 40002, "it ends too early"),
    (LogsRequest, b'{"page":1,}', 40002, "unexpected character at byte 10"),
    (LogsRequest, b'{"search_term":"\xff"}', 40002, "it is not UTF-8"),
    (LogsRequest, b'{"x":' + b"[" * 99_999 + b"]" * 99_999 + b"}", 40002, "nested too deeply"),
    (LogsRequest, b"[]", 40001, "the body must be an object"),
    (LogsRequest, b'{"page":0}', 40004, "'page' must be an integer of at least 1"),
    (LogsRequest, b'{"per_page":101}', 40004, "'per_page' must be an integer of at most 100"),
    (LogsRequest, b'{"page":"1"}', 40004, "'page' must be an integer"),
    (LogsRequest, b'{"page":1.5}', 40004, "'page' must be an integer"),
    (LogsRequest, b'{"page":true}', 40004, "'page' must be an integer"),
    (LogsRequest, b'{"keys":[1]}', 40004, "'keys[0]' must be a string"),
    (LogsRequest, b'{"keys":"a"}', 40004, "'keys' must be a list"),
    (LogsRequest, b'{"is_ascending_order":1}', 40004, "must be true or false"),
    (
        LogsRequest,
        b'{"order_by":"name"}',
        40004,
        "'order_by' must be one of created_at, duration_ms, credits, status_code, response_size",
    ),
    (LogsRequest, b'{"search_term":"' + b"a" * 201 + b'"}', 40004, "200 characters or less"),
    (
        LogsRequest,
        b'{"methods":[' + b",".join([b'"GET"'] * 1001) + b"]}",
        40004,
        "'methods' must be a list of 1000 items or less",
    ),
    (DailyRequest, b'{"end_date":"2026-05-01"}', 40003, "'start_date' is required"),
    (DailyRequest, b'{"start_date":null,"end_date":"x"}', 40004, "'start_date' must be a string"),
    (RequestBatch, b'{"requests":[{}]}', 40003, "'requests[0].id' is required"),
    (RequestBatch, b'{"requests":[{"id":"1"}],"x":1}', 42202, "'x' is not known here"),
    (RequestRow, b'{"id":"1","creditz":1}', 42202, "'creditz' is not known here"),
    (RequestRow, b'{"id":""}', 40004, "'id' must be a string of 1 characters or more"),
    (RequestRow, b'{"id":"1","credits":"many"}', 40004, "'credits' must be a number of credits"),
    (RequestRow, b'{"id":"1","credits":[]}', 40004, "'credits' must be a number of credits"),
    (RequestRow, b'{"id":"1","channel":"self"}', 40004, "'channel' must be one of api, portal"),
    (RequestRow, b'{"id":"1","status_code":99}', 40004, "an integer of at least 100"),
    (RequestRow, b'{"id":"1","request_headers":{"a":1}}', 40004, "must be a string"),
    (CloudEvent, b'{"specversion":"0.3"}', 40004, "'specversion' must be one of 1.0"),
]


@pytest.mark.parametrize(("type_", "body", "code", "message"), REFUSED)
def test_a_refusal_names_the_field(type_: type[Any], body: bytes, code: int, message: str) -> None:
    with pytest.raises(FareboxError) as refused:
        decode(body, type_)
    assert refused.value.kind.code == code
    assert message in refused.value.message


def test_unknown_fields_are_ignored_by_the_vendor_shaped() -> None:
    assert decode(b'{"page":2,"unheard_of":{"a":[1]}}', LogsRequest).page == 2


def test_a_field_left_out_differs_from_null() -> None:
    assert decode(b'{"id":"1"}', RequestRow).log_type is msgspec.UNSET
    assert decode(b'{"id":"1","log_type":null}', RequestRow).log_type is None


@pytest.mark.parametrize("text", ["1.5", "0.000001", "12345678.123456", "0.1", "1e2"])
def test_credits_are_decoded_from_their_text(text: str) -> None:
    row = decode(b'{"id":"1","credits":%s}' % text.encode(), RequestRow)
    assert row.credits == Decimal(text)


def test_rows_are_decoded_one_by_one() -> None:
    batch = decode(b'{"requests":[{"id":"1"},{"bad":1},7]}', RawBatch)
    good, *bad = decode_rows(batch.requests, RequestRow)
    assert isinstance(good, RequestRow)
    assert good.id == "1"
    assert [type(row) for row in bad] == [FareboxError, FareboxError]


SAID = [
    ("Expected `array` of length >= 1 - at `$.a`", "'a' must be a list of 1 items or more"),
    ("Expected `str` of length >= 3 - at `$.a.b[2]`", "'a.b[2]' must be a string of 3 characters"),
    ("Number out of range - at `$.ip`", "'ip' must be as the documentation says"),
    ("Something new - at `$.ip`", "'ip' must be as the documentation says"),
    ("Expected `bool | null`, got `int`", "the body must be true or false"),
]


@pytest.mark.parametrize(("said", "message"), SAID)
def test_whatever_the_decoder_says_is_told_in_our_words(said: str, message: str) -> None:
    assert message in explained(said, RequestRow).message


def test_an_event_may_have_any_extension() -> None:
    event = decode(
        b'{"specversion":"1.0","id":"1","source":"s","type":"t","subject":"k","trace":"x"}',
        CloudEvent,
    )
    assert event.data is msgspec.UNSET


def test_values_of_a_query_string_may_be_numbers_in_text() -> None:
    assert convert({"page": "3"}, LogsRequest).page == 3
    with pytest.raises(FareboxError, match="'page' must be an integer"):
        convert({"page": "three"}, LogsRequest)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_body_is_a_struct_or_an_error_of_the_catalogue(body: bytes) -> None:
    for type_ in (LogsRequest, RequestBatch, CloudEvent):
        with suppress(FareboxError):
            decode(body, type_)
