"""The mapping file is checked as a whole, and no error repeats what stands in it."""

from __future__ import annotations

import pytest

from farebox.core.errors import FareboxError
from farebox.importers.mapping import Route
from farebox.importers.mapping_file import read_mapping
from farebox.importers.row import Place
from tests.importers.logs import APACHE, KEY_HEADERS, drafter

CANARY = "sk_live_canary_0123456789"


def problems_of(toml: str) -> list[str]:
    """What is wrong with a mapping."""
    with pytest.raises(FareboxError) as refused:
        read_mapping(toml, KEY_HEADERS)
    assert CANARY not in repr(refused.value) + str(refused.value.details)
    problems = refused.value.details["problems"]
    assert isinstance(problems, list)
    assert all(problem in refused.value.message for problem in problems)
    return problems


def test_an_empty_mapping_is_the_default() -> None:
    mapping = read_mapping("", KEY_HEADERS)
    assert (mapping.format, mapping.source) == ("auto", "import")
    headers = (*KEY_HEADERS, "authorization")
    assert mapping.keys == tuple(Place("header", name) for name in headers)
    assert (mapping.key_id, mapping.channel, mapping.trailing, mapping.routes) == (
        None, None, (), (),
    )  # fmt: skip


def test_a_full_mapping_is_read() -> None:
    mapping = read_mapping(
        """
        format = "combined"
        source = "import:web1"
        key_id.value = "key_a"
        request_id.field = "request_id"
        log_type.value = "people_search"
        channel.value = "portal"
        credits.value = 1.5
        fields.duration_us = "D"
        combined.trailing = ["D", "request_id", "-"]
        [paths]
        "POST /v1/{any}" = "people_search"
        "/v1/x/*" = "other"
        """,
        KEY_HEADERS,
    )
    assert mapping.keys == ()
    assert mapping.key_id == Place("value", "key_a")
    assert mapping.credits == Place("value", "1.5")
    assert mapping.fields == {"duration_us": "D"}
    assert mapping.trailing[:2] == ("D", "request_id")
    assert mapping.routes == (
        Route("POST", "/v1/{any}", "people_search"),
        Route(None, "/v1/x/*", "other"),
    )


def test_all_wrong_entries_are_reported_at_once() -> None:
    problems = problems_of(
        f"""
        format = "iis"
        source = ""
        speed = 1
        key.value = "{CANARY}"
        key_id.value = 7
        request_id = "{CANARY}"
        log_type.value = "People Search"
        channel.value = "self"
        credits.value = -1
        fields.pathh = "x"
        fields.path = 1
        combined.trailing = ["status"]
        [paths]
        "v1" = "a"
        "/v1" = "A B"
        "/v2/{{x}}" = "a"
        "/v2/{{y}}" = "b"
        """
    )
    starts = [
        "'speed' is not known; known are format, source, key,",
        "'key.value' is not known; known are field, header",
        "'key' must be a table with exactly one of field, header",
        "'key_id.value' must be 1 to 200 printable characters",
        "'request_id' must be a table",
        "'request_id' must be a table with exactly one of field, header, response_header",
        "'log_type.value' must be 1 to 64 of",
        "'channel.value' must be one of api, portal",
        "'credits.value' must be a number of credits",
        "'key' must be absent when 'key_id' is given",
        "'format' must be one of auto, combined, nginx_json, caddy_json",
        "'source' must be 1 to 200 printable characters",
        "'fields.pathh' is not known; known are time,",
        "'fields.path' must be the name of a field",
        "'combined.trailing' must be a list of names",
        "'paths.v1' must be a path that begins with '/'",
        "'paths./v1' must be a log type's slug",
        "'paths./v2/{y}' must be different from the other paths",
    ]
    for start in starts:
        assert any(problem.startswith(start) for problem in problems), start
    assert len(problems) == len(starts)


@pytest.mark.parametrize(
    "toml",
    [
        f"key.header = '{CANARY} with spaces'",
        f"key.field = ['{CANARY}']",
        f"key = '{CANARY}'",
        f"channel.value = '{CANARY}'",
        f"credits.value = '{CANARY}'",
        f"key_id.value = '{CANARY}\\u0007'".replace("'", '"'),
        f"combined.trailing = ['{CANARY}!']",
        f"combined.trailing = '{CANARY}'",
        f"format = '{CANARY}'",
        f"[paths]\n'/x' = '{CANARY.upper()} {CANARY}'",
        f"key.header = '{CANARY}' '{CANARY}'",
        f'source = "{CANARY}',
    ],
    ids=range(12),
)
def test_no_error_repeats_a_value(toml: str) -> None:
    assert problems_of(toml)


def test_flags_replace_entries_of_the_file_and_are_checked_alike() -> None:
    toml = 'source = "a"\nkey.header = "x-key"\n'
    flags = {"source": "b", "key_id": {"value": "key_b"}}
    mapping = read_mapping(toml, KEY_HEADERS, flags)
    assert (mapping.source, mapping.keys) == ("b", ())
    assert mapping.key_id == Place("value", "key_b")
    with pytest.raises(FareboxError, match="'format' must be one of"):
        read_mapping(toml, KEY_HEADERS, {"format": "iis"})


def test_the_fingerprint_tells_mappings_apart() -> None:
    tomls = ["", 'source = "a"', "fields.path = 'x'", "fields.path = 'y'", "key_id.value = 'a'"]
    prints = {read_mapping(toml, KEY_HEADERS).fingerprint() for toml in tomls}
    assert len(prints) == len(tomls)
    assert read_mapping("", KEY_HEADERS).fingerprint() in prints


def test_what_a_combined_line_can_t_have_is_reported_at_once() -> None:
    toml = """
        request_id.field = "request_id"
        credits.response_header = "farebox-credits"
        fields.duration_us = "D"
    """
    with pytest.raises(FareboxError) as refused:
        drafter("combined", toml)
    problems = refused.value.details["problems"]
    assert isinstance(problems, list)
    assert len(problems) == 4
    for entry in ("request_id.field", "credits.response_header", "fields.duration_us", "key"):
        assert any(problem.startswith(f"'{entry}'") for problem in problems), entry


@pytest.mark.parametrize(
    ("method", "path", "slug"),
    [
        (b"POST", b"/internal/search", "people_search"),
        (b"GET", b"/internal/search", "rest"),
        (b"GET", b"/v1/companies/7", "company"),
        (b"GET", b"/elsewhere", None),
    ],
)
def test_the_mappings_own_paths_name_log_types(method: bytes, path: bytes, slug: str) -> None:
    toml = """
        key_id.value = "key_a"
        [paths]
        "POST /internal/search" = "people_search"
        "/internal/*" = "rest"
        "GET /v1/companies/{id}" = "company"
    """
    line = APACHE.replace(b"GET /apache_pb.gif", method + b" " + path)
    assert drafter("combined", toml).draft(1, line).log_type == slug


def test_a_log_type_of_the_line_goes_before_the_paths() -> None:
    toml = 'key_id.value = "key_a"\nlog_type.value = "one"\n[paths]\n"/*" = "two"'
    assert drafter("combined", toml).draft(1, APACHE).log_type == "one"
