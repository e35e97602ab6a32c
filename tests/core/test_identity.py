"""Identities: one for each (source, id), and ordered ids stay ordered."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.core.identity import (
    content_digest,
    first_query_log_id,
    format_uuid,
    own_identity,
    pack_identity,
    parse_uuid,
    query_log_id,
)
from tests.core.strategies import thorough

uuids = st.uuids()
# UUIDs as text, as bytes of that text, in capitals, long and short: whatever could be confused.
ids = (
    st.text(max_size=80)
    | uuids.map(str)
    | uuids.map(lambda u: str(u).upper())
    | uuids.map(lambda u: u.hex)
    | uuids.map(lambda u: u.bytes.decode("latin-1"))
    | st.text("ab", min_size=60, max_size=70)
)
sources = st.just("") | st.text(max_size=5) | ids
instants = st.integers(0, 2**48 - 1)
randoms = st.binary(min_size=10, max_size=10)


@given(sources, ids, sources, ids)
@thorough
def test_two_identities_are_the_same_only_for_the_same_pair(
    source: str, request_id: str, other_source: str, other_id: str
) -> None:
    same = (source, request_id) == (other_source, other_id)
    assert (pack_identity(source, request_id) == pack_identity(other_source, other_id)) == same


@given(sources, ids)
@thorough
def test_source_and_id_never_run_into_each_other(source: str, request_id: str) -> None:
    packed = pack_identity(source, request_id)
    assert 1 <= len(packed) <= 81
    assert packed == pack_identity(source, request_id)
    assert packed != pack_identity(source + request_id[:1], request_id[1:]) or not request_id
    assert packed != pack_identity("", source + request_id) or not source
    assert packed != pack_identity(request_id, source) or source == request_id


@given(
    sources, st.text("0123456789abcdef-", max_size=35), st.text("0123456789abcdef-", max_size=35)
)
@thorough
def test_short_ids_stay_ordered(source: str, one: str, other: str) -> None:
    assert (pack_identity(source, one) < pack_identity(source, other)) == (one < other)


@given(sources, instants, randoms, instants, randoms)
@thorough
def test_uuids_in_the_order_of_time_stay_ordered(
    source: str, time_ms: int, random: bytes, other_ms: int, other_random: bytes
) -> None:
    one = format_uuid(query_log_id(time_ms, random))
    other = format_uuid(query_log_id(other_ms, other_random))
    assert (pack_identity(source, one) < pack_identity(source, other)) == (one < other)


def test_the_packed_form_is_the_one_that_databases_hold() -> None:
    shop = bytes.fromhex("5be8536821cecaf342413f5e42db55af")
    assert pack_identity("shop", "a") == b"\x04" + shop + b"a"
    assert pack_identity("", "x" * 65)[:1] == b"\x02"
    assert pack_identity("shop", "x" * 65)[:1] == b"\x06"
    no_uuid = "0190163d-8694-739b-aea5-966c26f8ad9g"
    assert pack_identity("", no_uuid) == b"\x00" + no_uuid.encode()
    text = "0190163d-8694-739b-aea5-966c26f8ad90"
    assert pack_identity("shop", text) == b"\x05" + shop + uuid.UUID(text).bytes


def test_a_uuid_takes_16_bytes_and_a_long_id_a_digest() -> None:
    text = "0190163d-8694-739b-aea5-966c26f8ad90"
    assert pack_identity("", text) == b"\x01" + uuid.UUID(text).bytes
    assert pack_identity("", "é") == b"\x00\xc3\xa9"
    assert len(pack_identity("", "x" * 64)) == 1 + 64
    assert len(pack_identity("", "x" * 65)) == 1 + 32
    assert len(pack_identity("shop", "x" * 64)) == 1 + 16 + 64


@given(instants, randoms)
@thorough
def test_a_log_id_is_a_uuid_of_version_7(time_ms: int, random: bytes) -> None:
    packed = query_log_id(time_ms, random)
    parsed = uuid.UUID(bytes=packed)
    assert parsed.version == 7
    assert parsed.variant == uuid.RFC_4122
    assert parsed.int >> 80 == time_ms
    # All other bits are the random ones.
    mask = ~((0xF << 76) | (0x3 << 62)) & (2**80 - 1)
    assert parsed.int & mask == int.from_bytes(random, "big") & mask


@given(instants, randoms)
@thorough
def test_log_ids_lie_between_the_bounds_of_their_instant(time_ms: int, random: bytes) -> None:
    packed = query_log_id(time_ms, random)
    assert first_query_log_id(time_ms) <= packed
    if time_ms < 2**48 - 1:
        assert packed < first_query_log_id(time_ms + 1)


def test_an_instant_before_1970_has_the_first_id() -> None:
    assert first_query_log_id(-1) == bytes(16)
    assert query_log_id(-1, bytes(10))[:6] == bytes(6)


def test_a_log_id_takes_exactly_ten_random_bytes() -> None:
    with pytest.raises(AssertionError):
        query_log_id(0, bytes(16))


@given(st.binary(min_size=16, max_size=16))
@thorough
def test_a_uuids_text_gives_its_bytes_back(packed: bytes) -> None:
    text = format_uuid(packed)
    assert parse_uuid(text) == packed
    assert parse_uuid(text.upper()) == packed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0190163d8694739baea5966c26f8ad90",
        "{0190163d-8694-739b-aea5-966c26f8ad90}",
        "0190163d-8694-739b-aea5-966c26f8ad9",
        "0190163d-8694-739b-aea5-966c26f8ad90\n",
        "0190163g-8694-739b-aea5-966c26f8ad90",
    ],
)
def test_another_text_is_no_uuid(text: str) -> None:
    assert parse_uuid(text) is None


@given(st.binary(max_size=50), st.binary(max_size=50))
@thorough
def test_a_content_digest_tells_contents_apart(one: bytes, other: bytes) -> None:
    assert len(content_digest(one)) == 16
    assert (content_digest(one) == content_digest(other)) == (one == other)


@given(st.integers(0, 2**47), st.binary(min_size=10, max_size=10), st.uuids())
def test_an_identity_of_our_own_is_in_the_order_of_time_and_nobody_elses(
    time_ms: int, random_bytes: bytes, theirs: uuid.UUID
) -> None:
    own = own_identity(time_ms, random_bytes)
    assert len(own) == len(pack_identity("", str(theirs))) == 17
    assert own < own_identity(time_ms + 1, random_bytes)
    assert own != own_identity(time_ms, bytes(10)) or random_bytes == bytes(10)
