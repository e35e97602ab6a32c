"""A file system that fails on purpose, and one that remembers what a power cut would leave.

`FaultyVfs` stands before SQLite's own: it counts the calls that change something, fails those that
a test names, and notes all of them. `Disk` plays such notes back: what was synced is there, and of
what was not, any part may be, down to single sectors.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple, Self

import apsw

SECTOR_BYTES = 512

Kind = Literal["open", "read", "write", "sync", "truncate", "delete"]
Effect = Literal["none", "half", "whole"]
CHANGING: tuple[Kind, ...] = ("write", "sync", "truncate", "delete")

_numbers = itertools.count()


class Note(NamedTuple):
    """A call that changed a file, or tried to; or a mark that a test has set.

    A sync with `is_lost` has failed and has dropped what it should have written: a later one
    doesn't bring it back, as on Linux.
    """

    kind: Kind | Literal["mark"]
    name: str = ""
    offset: int = 0
    data: bytes = b""
    mark: object = None
    is_lost: bool = False


class Fault(NamedTuple):
    """How a call fails: SQLite's result code, and how much of it is done all the same."""

    code: int
    effect: Effect = "none"


IO_ERROR = Fault(apsw.SQLITE_IOERR_WRITE)
DISK_FULL = Fault(apsw.SQLITE_FULL, "half")
SYNC_LOST = Fault(apsw.SQLITE_IOERR_FSYNC)
SYNC_UNSURE = Fault(apsw.SQLITE_IOERR_FSYNC, "whole")
# The process has died: nothing that it would have done is done, and nothing is lost by it.
DEAD = Fault(apsw.SQLITE_IOERR)

# Which fault a call of some kind on some file meets; None lets it pass.
Plan = Callable[[Kind, str], Fault | None]


class FaultyVfs(apsw.VFS):
    """Registered while it is open. A context manager; `vfs` is the name to open databases with."""

    def __init__(self) -> None:
        self.vfs = f"faulty-{next(_numbers)}"
        self.plan: Plan = lambda _kind, _name: None
        self.notes: list[Note] = []
        super().__init__(self.vfs, "")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.unregister()

    def heal(self) -> None:
        """Fail no more."""
        self.plan = lambda _kind, _name: None

    def fail_call(self, number: int, fault: Fault, kinds: tuple[Kind, ...] = CHANGING) -> Counter:
        """Fail one call of some kinds, counted from 0."""
        counter = Counter(number, fault, kinds)
        self.plan = counter
        return counter

    def fail_always(self, fault: Fault, kinds: tuple[Kind, ...] = CHANGING) -> None:
        """Fail every call of some kinds until healed."""
        self.plan = lambda kind, _name: fault if kind in kinds else None

    def mark(self, what: object) -> None:
        """Note that something happened now."""
        self.notes.append(Note("mark", mark=what))

    def xOpen(  # noqa: N802 - APSW's name
        self, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> apsw.VFSFile:
        """Open a file of ours."""
        path = name.filename() if isinstance(name, apsw.URIFilename) else name or ""
        self.meet("open", Path(path).name)
        return _File(self, name, flags, Path(path).name)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - APSW's name
        """Delete a file."""
        name = Path(filename).name
        fault = self.plan("delete", name)
        if fault is None or fault.effect == "whole":
            self.notes.append(Note("delete", name))
            super().xDelete(filename, syncdir)
        _raise(fault)

    def meet(self, kind: Kind, name: str) -> None:
        """Fail a call that can't be done by half."""
        _raise(self.plan(kind, name))


class Counter:
    """A plan: fails one call by its number. `is_met` tells whether there were as many calls."""

    def __init__(self, number: int, fault: Fault, kinds: tuple[Kind, ...]) -> None:
        self._left = number
        self._fault = fault
        self._kinds = kinds
        self.is_met = False

    def __call__(self, kind: Kind, _name: str) -> Fault | None:
        """The fault, when it is this call's turn."""
        if kind not in self._kinds:
            return None
        self._left -= 1
        if self._left != -1:
            return None
        self.is_met = True
        return self._fault


class _File(apsw.VFSFile):
    def __init__(
        self, owner: FaultyVfs, name: str | apsw.URIFilename | None, flags: list[int], short: str
    ) -> None:
        self._owner = owner
        self._name = short
        super().__init__("", name, flags)

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 - APSW's name
        self._owner.meet("read", self._name)
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - APSW's name
        fault = self._owner.plan("write", self._name)
        done = data
        if fault is not None and fault.effect != "whole":
            done = data[: len(data) // 2] if fault.effect == "half" else b""
        if done:
            self._owner.notes.append(Note("write", self._name, offset, bytes(done)))
            super().xWrite(done, offset)
        _raise(fault)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - APSW's name
        fault = self._owner.plan("truncate", self._name)
        if fault is None or fault.effect == "whole":
            self._owner.notes.append(Note("truncate", self._name, newsize))
            super().xTruncate(newsize)
        _raise(fault)

    def xSync(self, flags: int) -> None:  # noqa: ARG002, N802 - as APSW has it
        # Nothing is really synced: the disk is played back from the notes.
        fault = self._owner.plan("sync", self._name)
        if fault is None or fault.effect == "whole":
            self._owner.notes.append(Note("sync", self._name))
        elif fault == SYNC_LOST:
            self._owner.notes.append(Note("sync", self._name, is_lost=True))
        _raise(fault)


def _raise(fault: Fault | None) -> None:
    if fault is not None:
        raise apsw.exception_for(fault.code)


class _Change(NamedTuple):
    note: Note
    is_sure: bool
    is_lost: bool = False


class _Platter:
    """One file on the disk: what is surely there, and in their order the changes since."""

    def __init__(self, content: bytes) -> None:
        self.base = bytearray(content)
        self.changes: list[_Change] = []

    def sync(self, *, is_lost: bool) -> None:
        """What came before is there now; or, lost, will never be for sure."""
        self.changes = [
            change
            if change.is_sure or change.is_lost
            else change._replace(is_sure=not is_lost, is_lost=is_lost)
            for change in self.changes
        ]
        while self.changes and self.changes[0].is_sure:
            _apply(self.base, self.changes.pop(0).note)

    def after_power_cut(self, rng: random.Random) -> bytes:
        """One of the contents that the file may have."""
        content = bytearray(self.base)
        share = rng.choice((0.0, 0.5, 0.9, 1.0))
        for change in self.changes:
            if change.is_sure or rng.random() < share:
                _apply(content, change.note)
            elif change.note.kind == "write" and rng.random() < 0.5:
                _tear(content, change.note, rng)
        return bytes(content)


class Disk:
    """Plays notes back, and gives what a power cut at that moment may leave."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        self._platters = {name: _Platter(content) for name, content in contents.items()}

    def play(self, note: Note) -> None:
        """Go on by one call."""
        if note.kind == "mark":
            return
        platter = self._platters.setdefault(note.name, _Platter(b""))
        if note.kind == "sync":
            platter.sync(is_lost=note.is_lost)
        elif note.kind == "delete":
            self._platters[note.name] = _Platter(b"")
        else:
            platter.changes.append(_Change(note, is_sure=False))

    def after_power_cut(self, rng: random.Random) -> dict[str, bytes]:
        """One of the states that the files may be in; an empty file isn't there."""
        images = {name: p.after_power_cut(rng) for name, p in self._platters.items()}
        return {name: content for name, content in images.items() if content}


def _apply(content: bytearray, note: Note) -> None:
    if note.kind == "truncate":
        del content[note.offset :]
        return
    end = note.offset + len(note.data)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    content[note.offset : end] = note.data


def _tear(content: bytearray, note: Note, rng: random.Random) -> None:
    """Some sectors of a write, as a disk without order would have them."""
    first = note.offset // SECTOR_BYTES
    last = (note.offset + len(note.data) - 1) // SECTOR_BYTES
    for sector in range(first, last + 1):
        if rng.random() < 0.5:
            start = max(note.offset, sector * SECTOR_BYTES)
            end = min(note.offset + len(note.data), (sector + 1) * SECTOR_BYTES)
            part = note.data[start - note.offset : end - note.offset]
            _apply(content, Note("write", note.name, start, part))
