"""Settings now: each with the value that counts and where it comes from, for people to look at."""

from __future__ import annotations

from typing import NamedTuple

from farebox.settings import SETTINGS, Origin, Setting, Settings


class SettingNow(NamedTuple):
    """A setting as it counts. `value` is None for a secret, which only `is_set`."""

    setting: Setting
    value: str | None
    is_set: bool
    origin: Origin


def settings_now(settings: Settings) -> list[SettingNow]:
    """Every setting with its value and where it comes from; of a secret only whether it is set."""
    found = []
    for setting in SETTINGS:
        value = getattr(settings, setting.field)
        shown = None if setting.is_secret else _shown(value)
        origin = settings.origins.get(setting.name, "default")
        found.append(SettingNow(setting, shown, bool(value), origin))
    return found


def _shown(value: object) -> str:
    """A value as it would be written. A database's URL shows no password."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(value) if isinstance(value, tuple) else str(value)
