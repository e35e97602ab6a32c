"""Processes: whether they live, and whose children they are."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that waits to be buried doesn't."""
    found = _stat(pid)
    return found is not None and found[0] not in {"Z", "X"}


def descendants(pid: int) -> list[int]:
    """The children of a process, theirs, and so on."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            found = _stat(int(entry.name))
            if found is not None:
                children[int(found[1])].append(int(entry.name))
    family = list(children[pid])
    for child in family:
        family += children[child]
    return family


def processes_below(parent: int, word: bytes) -> list[int]:
    """The children of a process whose command lines hold a word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            pid = int(path.parent.name)
            stat = _stat(pid)
            if stat is not None and int(stat[1]) == parent:
                found += [pid] if word in (path.parent / "cmdline").read_bytes() else []
    return sorted(found)


def _stat(pid: int) -> list[str] | None:
    """State, parent and so on of a process, if there is one."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return stat.rpartition(")")[2].split()
