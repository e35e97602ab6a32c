"""What every test stands on: an environment without the settings of whoever runs it."""

from __future__ import annotations

import os
import zoneinfo

import pytest
from hypothesis import settings

# A busy machine is no failure. Where CI is set, Hypothesis itself takes a repeatable profile.
settings.register_profile("house", deadline=None, print_blob=True)
if "CI" not in os.environ:
    settings.load_profile("house")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every `FAREBOX_*` variable away for the time of a test."""
    for name in [name for name in os.environ if name.startswith("FAREBOX_")]:
        monkeypatch.delenv(name)


# What tests compute with zones of their own comes from the same data as the program's.
zoneinfo.reset_tzpath(to=())
