"""Settings are read once, told wrong all together, and never show a secret."""

from __future__ import annotations

import os
from dataclasses import fields
from random import Random

import pytest

from farebox.core.key import KEY_PREFIX, TOKEN_PREFIX, mint
from farebox.settings import (
    FLAGS_VARIABLE,
    SETTINGS,
    Settings,
    SettingsError,
    read_runtime_dir,
    read_settings,
)
from farebox.settings_now import settings_now

SECRET = "a-token-that-nobody-may-see"
SHARED = {"FAREBOX_SECRET": "a secret of thirty-two characters or more"}
POSTGRES = "postgresql://farebox@db.example/farebox"


def test_defaults_are_those_that_are_documented() -> None:
    settings = read_settings({})
    assert settings.database.file == "farebox.db"
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.key_headers == ("pubrio-api-key", "x-api-key")
    assert not settings.capture_bodies


def test_every_setting_is_a_field_and_every_field_a_setting() -> None:
    names = [field.name for field in fields(Settings) if field.name != "origins"]
    assert [setting.field for setting in SETTINGS] == names


def test_a_flag_wins_over_the_environment_and_that_over_the_default() -> None:
    environment = {"FAREBOX_PORT": "9000", "FAREBOX_HOST": "::1"}
    settings = read_settings(environment, {"port": "9001", "host": None})
    assert (settings.port, settings.host) == (9001, "::1")


def test_a_setting_tells_its_value_and_where_it_comes_from() -> None:
    environment = {
        **SHARED,
        "FAREBOX_DATABASE": "postgresql://farebox:hidden@db.example/farebox",
        "FAREBOX_CAPTURE_BODIES": "on",
        "FAREBOX_PORT": "9000",
    }
    told = {
        now.setting.name: (now.value, now.is_set, now.origin)
        for now in settings_now(read_settings(environment, {"port": "9001", "host": None}))
    }
    assert list(told) == [setting.name for setting in SETTINGS]
    shown = POSTGRES
    assert told["FAREBOX_DATABASE"] == (shown, True, "environment")
    assert told["FAREBOX_CAPTURE_BODIES"] == ("on", True, "environment")
    assert told["FAREBOX_PORT"] == ("9001", True, "flag")
    assert told["FAREBOX_HOST"] == ("127.0.0.1", True, "default")
    assert told["FAREBOX_KEY_HEADERS"] == ("pubrio-api-key,x-api-key", True, "default")
    assert told["FAREBOX_SECRET"] == (None, True, "environment")
    assert told["FAREBOX_ADMIN_TOKEN"] == (None, False, "default")


def test_a_worker_tells_the_flags_of_its_supervisor() -> None:
    environment = {"FAREBOX_PORT": "9000", "FAREBOX_HOST": "::1", FLAGS_VARIABLE: "FAREBOX_PORT"}
    origins = read_settings(environment).origins
    assert origins == {"FAREBOX_PORT": "flag", "FAREBOX_HOST": "environment"}


def test_all_wrong_settings_are_told_at_once_with_what_would_be_right() -> None:
    wrong = {
        "FAREBOX_DATABASE": "mysql://x",
        "FAREBOX_HOST": "two words",
        "FAREBOX_PORT": "65536",
        "FAREBOX_ADMIN_TOKEN": "short",
        "FAREBOX_KEY_HEADERS": "x-api-key,,",
        "FAREBOX_CAPTURE_BODIES": "maybe",
        "FAREBOX_LOG_LEVEL": "loud",
        "FAREBOX_TYPO": "1",
    }
    with pytest.raises(SettingsError) as caught:
        read_settings(wrong)
    told = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == len(wrong)
    assert all(name in told for name in wrong)
    assert "sqlite:///" in told
    assert "postgresql://" in told
    assert "from 0 to 65535" in told


@pytest.mark.parametrize("text", ["١٢", "1_000", "-1", "", "1e3", "0x10"])
def test_a_number_is_plain_digits(text: str) -> None:
    with pytest.raises(SettingsError, match="FAREBOX_PORT"):
        read_settings({"FAREBOX_PORT": text})


@pytest.mark.parametrize(
    "text",
    [
        "two words of a token",
        "tab\tin-the-middle-of-it",
        "x" * 15,
        "x" * 513,
        "ünprintable-in-a-header",
        TOKEN_PREFIX + "0" * 38,
        KEY_PREFIX + "0" * 38,
    ],
)
def test_an_admin_token_that_no_call_can_present_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="FAREBOX_ADMIN_TOKEN must be 16 to 512") as caught:
        read_settings({"FAREBOX_ADMIN_TOKEN": text})
    assert text not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "x" * 16, "x" * 512, mint(TOKEN_PREFIX, Random(7).randrange).reveal()]
)
def test_an_admin_token_that_can_be_presented_is_taken(text: str) -> None:
    assert read_settings({"FAREBOX_ADMIN_TOKEN": text}).admin_token == text


def test_a_secret_is_in_no_text_of_the_settings_or_their_errors() -> None:
    assert SECRET not in repr(read_settings({"FAREBOX_ADMIN_TOKEN": SECRET}))
    with pytest.raises(SettingsError) as caught:
        read_settings({"FAREBOX_ADMIN_TOKEN": "kürze", "FAREBOX_PORT": "x"})
    assert "kürze" not in str(caught.value)


def test_postgresql_needs_a_secret_that_all_machines_share() -> None:
    with pytest.raises(SettingsError, match="FAREBOX_SECRET must be set") as caught:
        read_settings({"FAREBOX_DATABASE": POSTGRES})
    assert len(caught.value.problems) == 1
    settings = read_settings({"FAREBOX_DATABASE": POSTGRES, **SHARED})
    assert settings.database.file is None


@pytest.mark.parametrize(
    "url", [f"postgresql://farebox:{SECRET}@h/f", f"postgres:///f?host=/run&password={SECRET}"]
)
def test_a_password_is_taken_from_the_environment_and_refused_in_a_flag(url: str) -> None:
    taken = read_settings({"FAREBOX_DATABASE": url, **SHARED})
    assert taken.database.reveal() == url.replace("postgres:", "postgresql:")
    assert SECRET not in f"{taken!r} {taken} {taken.database!r} {taken.database}"
    with pytest.raises(SettingsError, match="PGPASSFILE") as caught:
        read_settings(SHARED, {"database": url})
    assert SECRET not in str(caught.value)
    assert read_settings(SHARED, {"database": POSTGRES}).database.shown == POSTGRES


def test_the_processes_of_a_machine_meet_in_the_session_s_folder_or_in_one_of_the_user_s() -> None:
    def folder(**environment: str) -> str:
        assert read_runtime_dir(environment) == read_settings(environment).runtime_dir
        return str(read_runtime_dir(environment))

    assert folder() == f"/tmp/farebox-{os.getuid()}"  # noqa: S108 - its owner is checked
    assert folder(XDG_RUNTIME_DIR="relative") == folder()
    assert folder(XDG_RUNTIME_DIR="/run/user/7") == "/run/user/7/farebox"
    assert folder(XDG_RUNTIME_DIR="/run/user/7", FAREBOX_RUNTIME_DIR="/run/own") == "/run/own"
    with pytest.raises(SettingsError, match="FAREBOX_RUNTIME_DIR must be the absolute path"):
        folder(FAREBOX_RUNTIME_DIR="run/own")
    with pytest.raises(SettingsError, match="FAREBOX_RUNTIME_DIR must be the absolute path"):
        read_settings({"FAREBOX_RUNTIME_DIR": "run/own"})


def test_links_begin_with_the_public_url_or_with_where_it_is_served() -> None:
    assert read_settings({}).base_url == "http://127.0.0.1:8080"
    assert read_settings({"FAREBOX_HOST": "::1"}).base_url == "http://[::1]:8080"
    public = {"FAREBOX_PUBLIC_URL": " https://Usage.example.com/ "}
    assert read_settings(public).base_url == "https://usage.example.com"
    with pytest.raises(SettingsError, match="FAREBOX_PUBLIC_URL must be an origin such as"):
        read_settings({"FAREBOX_PUBLIC_URL": "https://example.com/usage"})


def test_frame_ancestors_are_origins_and_nobody_by_default() -> None:
    def ancestors(text: str) -> tuple[str, ...]:
        return read_settings({"FAREBOX_FRAME_ANCESTORS": text}).frame_ancestors

    assert ancestors("") == read_settings({}).frame_ancestors == ()
    assert ancestors("https://a.example, https://*.b.example\thttps://a.example,") == (
        "https://a.example",
        "https://*.b.example",
    )
    for wrong in ("*", "a.example", "https://a.example;", "https://a.example/x"):
        with pytest.raises(SettingsError, match="FAREBOX_FRAME_ANCESTORS must be origins such as"):
            ancestors(wrong)
