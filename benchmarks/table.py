"""What a benchmark found, as a row of the table that `make bench` prints."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """`ratio` is what is judged by `target`; absolute figures are told, never judged."""

    what: str
    figures: str
    ratio: float
    target: str
    is_met: bool
