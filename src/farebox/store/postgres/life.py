"""Signs of life: what shows that somebody on any machine has a database open."""

from __future__ import annotations

from contextlib import closing
from typing import NamedTuple

from farebox.store.postgres.connection import open_reader


class Node(NamedTuple):
    """A node, and how often it has renewed."""

    node_id: int
    renewals: int


def renewals(url: str) -> dict[int, int]:
    """How often each node has renewed that the database knows, by its id.

    Raises:
        StoreFaultError: it can't be read.
    """
    with closing(open_reader(url)) as reader:
        return dict(reader.rows("nodes_seen", Node))
