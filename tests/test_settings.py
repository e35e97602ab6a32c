"""Settings are read once, told wrong all together, and never show a secret."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from random import Random

import pytest

from farebox.core.key import KEY_PREFIX, TOKEN_PREFIX, mint
from farebox.settings import SETTINGS, Settings, SettingsError, read_settings

SECRET = "a-token-that-nobody-may-see"


def test_defaults_are_those_that_are_documented() -> None:
    settings = read_settings({})
    assert settings.database == Path("farebox.db")
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.key_headers == ("pubrio-api-key", "x-api-key")
    assert not settings.capture_bodies


def test_every_setting_is_a_field_and_every_field_a_setting() -> None:
    assert [setting.field for setting in SETTINGS] == [field.name for field in fields(Settings)]


def test_a_flag_wins_over_the_environment_and_that_over_the_default() -> None:
    environment = {"FAREBOX_PORT": "9000", "FAREBOX_HOST": "::1"}
    settings = read_settings(environment, {"port": "9001", "host": None})
    assert (settings.port, settings.host) == (9001, "::1")


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
