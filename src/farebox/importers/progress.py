"""Progress: how far a log was imported, so that an interrupted import needn't send all again.

A repeat is harmless in any case, since every line has an identity; progress only saves time. It
is kept in a small file named for the log's content, not its path, so a renamed or gzipped log goes
on where it was. A re-run reads from the start (the ordinals of equal lines need it), and only
what was acknowledged is not handed out again; a line that the target refused is. That is done on
proof alone: the content up to there must have the digest that was kept. The name also covers the
mapping and the target, so a log that goes to another database, or is read in another way, begins
anew.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from farebox.core.errors import FareboxError
from farebox.importers.lines import LogFile

HEAD_BYTES = 64 * 1024
_SUFFIX = ".import.json"


class Checkpoint(msgspec.Struct, frozen=True):
    """So far a log was read: lines, bytes of its unpacked content, and their digest in hex.

    `again` are the numbers of lines before it that were not acknowledged.
    """

    lines: int
    end_bytes: int
    prefix: str
    again: tuple[int, ...] = ()


START = Checkpoint(0, 0, "")


class Progress:
    """The progress of one log file (not of a pipe) towards one target.

    `mapping` is the fingerprint of how it is read. `target` names where the requests go; it must
    change when that loses what it had acknowledged: a restored backup is another target.

    Raises:
        FareboxError: the log can't be read.
    """

    def __init__(self, folder: Path, log: str | Path, mapping: str, target: str) -> None:
        self._log = log
        with LogFile(log) as file:
            head = file.digest(HEAD_BYTES)[1]
        name = hashlib.blake2b(digest_size=16)
        for part in (head, mapping.encode(), target.encode()):
            name.update(len(part).to_bytes(4, "big") + part)
        self.path = folder / (name.hexdigest() + _SUFFIX)

    def load(self) -> Checkpoint:
        """The last saved checkpoint, if the log begins with what it covers; else the start."""
        try:
            saved = msgspec.json.decode(self.path.read_bytes(), type=Checkpoint)
            with LogFile(self._log) as file:
                found_bytes, digest = file.digest(saved.end_bytes)
        except (OSError, msgspec.MsgspecError, FareboxError):
            return START
        is_proven = (found_bytes, digest.hex()) == (saved.end_bytes, saved.prefix)
        return saved if is_proven else START

    def save(self, checkpoint: Checkpoint) -> None:
        """Keeps a checkpoint; to be called when all that was read up to it is acknowledged.

        Raises:
            OSError: the folder can't be written.
        """
        beside = self.path.with_suffix(".new")
        beside.write_bytes(msgspec.json.encode(checkpoint))
        beside.replace(self.path)

    def clear(self) -> None:
        """Forgets it: the import is complete."""
        self.path.unlink(missing_ok=True)
