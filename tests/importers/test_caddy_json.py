"""Caddy's structured access log."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.importers.refusal import Reason
from tests.importers.logs import CADDY, CADDY_ENTRY, KEY, ONE_KEY_ID, caddy, draft, refusal


def requested(changes: dict[str, object]) -> bytes:
    """The example with other fields of the request."""
    request = CADDY_ENTRY["request"]
    assert isinstance(request, dict)
    return caddy({"request": {**request, **changes}})


def test_the_documentations_own_example_is_read() -> None:
    found = draft("caddy_json", CADDY)
    assert found.key is not None
    assert found.key.reveal() == KEY
    assert found.authentication_type == "x-api-key"
    assert (found.method, found.path) == ("GET", "/v1/companies/acme")
    assert (found.time_ms, found.duration_ms) == (1_646_861_401_524, 0)
    assert (found.status_code, found.response_size, found.ip) == (200, 10_900, "198.51.100.4")


def test_an_older_entry_without_a_client_ip_has_the_remote_one() -> None:
    assert draft("caddy_json", requested({"client_ip": ""})).ip == "127.0.0.1"


@pytest.mark.parametrize(
    ("changes", "time_ms", "duration_ms"),
    [
        ({"ts": 1646861401, "duration": 2}, 1_646_861_401_000, 2_000),
        ({"ts": 1646861401524.1024, "duration": 1.0005}, 1_646_861_401_524, 1_000),
        ({"ts": 1646861401524102400, "duration": 3.999999}, 1_646_861_401_524, 3_999),
        ({"ts": "2022-03-09T21:30:01.524Z", "duration": "1m32.05s"}, 1_646_861_401_524, 92_050),
        ({"ts": "2022-03-09T22:30:01.524+0100", "duration": "6.31ms"}, 1_646_861_401_524, 6),
        ({"ts": "09/Mar/2022:21:30:01 +0000", "duration": 0}, 1_646_861_401_000, 0),
    ],
    ids=["seconds", "milliseconds", "nanoseconds", "rfc3339", "iso8601", "common_log"],
)
def test_every_time_format_of_caddy_with_an_offset_is_read(
    changes: dict[str, object], time_ms: int, duration_ms: int
) -> None:
    found = draft("caddy_json", caddy(changes))
    assert (found.time_ms, found.duration_ms) == (time_ms, duration_ms)


def test_a_duration_in_nanoseconds_is_named_so() -> None:
    line = caddy({"duration": 34_999_999})
    assert draft("caddy_json", line, '[fields]\nduration_ns = "duration"').duration_ms == 34


def test_headers_are_found_in_any_case_and_credits_in_the_answers() -> None:
    toml = """
        key.header = "X-API-KEY"
        credits.response_header = "farebox-credits"
    """
    found = draft("caddy_json", CADDY, toml)
    assert found.key is not None
    assert (found.key.reveal(), found.authentication_type) == (KEY, "x-api-key")
    assert found.credits_micro == 2_500_000


def test_a_field_that_was_appended_to_the_log_is_found() -> None:
    line = caddy({"req_id": "r-7", "user_id": "key_of_ada"})
    toml = """
        request_id.field = "req_id"
        key_id.field = "user_id"
        log_type.field = "request.host"
    """
    found = draft("caddy_json", line, toml)
    assert (found.request_id, found.key_id, found.key) == ("r-7", "key_of_ada", None)
    assert found.log_type == "localhost"


def test_a_status_of_zero_is_none() -> None:
    assert draft("caddy_json", caddy({"status": 0})).status_code is None


def test_a_struck_out_key_is_refused_and_says_why() -> None:
    line = requested({"headers": {"Authorization": ["REDACTED"]}})
    assert refusal("caddy_json", line) == Reason.STRUCK_KEY


@pytest.mark.parametrize(
    "changes",
    [
        {"logger": "http.log.error", "msg": "dial tcp 127.0.0.1:9000: connect: refused"},
        {"logger": "http.handlers.reverse_proxy", "msg": "upstream roundtrip"},
        {"logger": "http.log.accessories"},
        {"logger": None, "msg": "upstream roundtrip"},
        {"request": None, "logger": None, "msg": "serving initial configuration"},
        {"request": "GET / HTTP/1.1"},
    ],
    ids=str,
)
def test_other_entries_than_requests_are_not_counted(changes: dict[str, object]) -> None:
    assert refusal("caddy_json", caddy(changes)) == Reason.NOT_ACCESS


@pytest.mark.parametrize(
    "changes",
    [{"logger": "http.log.access.log0"}, {"logger": None}, {"logger": None, "msg": None}],
    ids=str,
)
def test_an_access_entry_is_known_by_its_logger_or_its_message(changes: dict[str, object]) -> None:
    assert refusal("caddy_json", caddy(changes)) is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", Reason.NOT_JSON),
        (caddy({"ts": None}), Reason.NO_TIME),
        (caddy({"ts": "2022/03/09 21:30:01"}), Reason.BAD_TIME),
        (caddy({"ts": True}), Reason.BAD_TIME),
        (caddy({"status": "ok"}), Reason.BAD_STATUS),
        (caddy({"size": -1}), Reason.BAD_SIZE),
        (caddy({"duration": "long"}), Reason.BAD_DURATION),
        (requested({"uri": "*"}), Reason.BAD_REQUEST),
        (requested({"uri": None}), Reason.NO_REQUEST),
        (requested({"method": "\x16\x03"}), Reason.BAD_REQUEST),
        (requested({"headers": {}}), Reason.NO_KEY),
        (requested({"headers": []}), Reason.NO_KEY),
        (requested({"headers": {"X-Api-Key": []}}), Reason.NO_KEY),
        (requested({"headers": {"X-Api-Key": [["a"]]}}), Reason.BAD_KEY),
    ],
    ids=range(14),
)
def test_a_malformed_line_is_refused_with_its_reason(line: bytes, reason: Reason) -> None:
    assert refusal("caddy_json", line) == reason


@given(
    ts=st.floats(1, 4e9),
    duration=st.floats(0, 1e6),
    uri=st.text("abc/-_.~%20", max_size=40),
    size=st.integers(0, 10**12),
    status=st.integers(100, 599),
    agent=st.text(),
)
def test_what_was_rendered_is_read_back(
    *, ts: float, duration: float, uri: str, size: int, status: int, agent: str
) -> None:
    request = {"method": "GET", "uri": f"/{uri}?q", "headers": {"User-Agent": [agent]}}
    changes = {"ts": ts, "duration": duration, "size": size, "status": status, "request": request}
    found = draft("caddy_json", caddy(changes), ONE_KEY_ID)
    assert (found.path, found.response_size, found.status_code) == (f"/{uri}", size, status)
    assert found.time_ms == int(Decimal(repr(ts)).scaleb(3))
    assert found.duration_ms == int(Decimal(repr(duration)).scaleb(3))


def test_the_stamp_reads_as_the_same_instant_in_every_form() -> None:
    instant = datetime(2026, 5, 1, 12, tzinfo=UTC)
    forms = (instant.timestamp(), instant.isoformat(), f"{instant:%d/%b/%Y:%H:%M:%S %z}")
    found = {draft("caddy_json", caddy({"ts": form})).time_ms for form in forms}
    assert found == {int(instant.timestamp()) * 1000}
