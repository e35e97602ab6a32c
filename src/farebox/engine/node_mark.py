"""The mark of a node: the id that a recorder has where others write too, kept beside its place.

A recorder that is killed and started again ends by it at once the node that it was. Without it that
is done when the node has been silent for a while, and nothing is lost by that.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


class NodeMark:
    """A file that only who holds the place's lock reads and writes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> int:
        """The node that the last recorder here was; 0 where that isn't known."""
        try:
            return int(self._path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0

    def write(self, node_id: int) -> None:
        """Note which node the recorder is; where that can't be, the next one goes without."""
        fresh = self._path.with_name(self._path.name + "~")
        with suppress(OSError):
            fresh.write_text(str(node_id), encoding="ascii")
            fresh.replace(self._path)
