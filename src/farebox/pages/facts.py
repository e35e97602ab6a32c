"""Facts: what the pages tell of an installation, as plain data from whoever puts it together.

Their texts are English; those that the catalogues hold are translated.
"""

from __future__ import annotations

from typing import NamedTuple


class SettingFact(NamedTuple):
    """A setting: its environment variable, its default as text, what it is for."""

    name: str
    default: str
    description: str


class CommandFact(NamedTuple):
    """A command of the command line, such as `import`, or a noun with its verbs."""

    name: str
    verbs: tuple[str, ...]
    description: str


class MetricFact(NamedTuple):
    """A metric: its name, its kind (`counter`, `gauge`, `histogram`), what it measures."""

    name: str
    kind: str
    description: str


class Facts(NamedTuple):
    """All of them. `base_url` has no slash at its end."""

    version: str
    base_url: str = "http://127.0.0.1:8080"
    key_headers: tuple[str, ...] = ("pubrio-api-key", "x-api-key")
    settings: tuple[SettingFact, ...] = ()
    metrics: tuple[MetricFact, ...] = ()
