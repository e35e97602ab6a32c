"""Runs an import: reads a block, packs it, sends it, and keeps a few on their way to the disk.

An interrupted import goes on where it was; and since every line has an identity, sending it again
would count nothing twice. Progress is kept beside the database, named for the log's content, and
never passes over a line that wasn't recorded: what was refused is tried again, for its key may be
known by then. A server's database has no progress: its lines are sent again from the start.
"""

from __future__ import annotations

import gc
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from farebox.engine.clock import SteadyClock
from farebox.engine.directory import Directory
from farebox.engine.entropy import SystemEntropy
from farebox.engine.spawn import recorder_process
from farebox.engine.sync_link import SyncLink
from farebox.importers.lines import LogFile
from farebox.importers.mapping import ImportMapping
from farebox.importers.progress import START, Checkpoint, Progress
from farebox.importers.reader import Batch, LogReader
from farebox.importers.refusal import Reason, Refusal, RefusalReport
from farebox.importing.packing import LinePacker, PackedLines
from farebox.service.record import Packer
from farebox.settings import process_environment
from farebox.store.contract import Reader
from farebox.store.database import Database

UNDERWAY_MAX = 4
# A block's drafts live and die together and have no cycles: searching for some after every 700
# objects takes a tenth of the time.
COLLECT_AFTER_OBJECTS = 50_000
# More refused lines than these aren't listed in the progress, which then stays where it is.
AGAIN_MAX = 10_000
PROGRESS_SUFFIX = ".imports"

OnProgress = Callable[[int, int | None], None]  # bytes read, bytes in all if known


class Sent(NamedTuple):
    """A batch on its way to the disk."""

    packed: PackedLines
    checkpoint: Checkpoint


class Counts:
    """What became of the lines of a file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.format: str | None = None
        self.accepted = 0
        self.duplicates = 0
        self.conflicts = 0
        self.skipped = 0
        self.refusals = RefusalReport()
        self.seconds = 0.0


class Import:
    """One import into one database that is there. To be run once."""

    def __init__(
        self, database: Database, place: Path, mapping: ImportMapping, on_progress: OnProgress
    ) -> None:
        self._database = database
        self._place = place
        self._mapping = mapping
        self._on_progress = on_progress
        self._underway: deque[Sent] = deque()
        self._again: list[int] = []
        self._resumed_lines = 0

    def run(self, file: str) -> Counts:
        """Import a file, or standard input for `-`.

        Raises:
            FareboxError: the file can't be read to its end, or 503: run it again to go on.
        """
        counts = Counts(file)
        began = time.monotonic()
        process = recorder_process(self._database, self._place, process_environment())
        with LogFile(file) as log, SyncLink(self._place, process) as link:
            # What is no regular file, a pipe above all, can be read only once. What a server holds
            # by the same URL may be another database by now: nothing here would tell.
            is_kept = self._database.is_file and log.size_bytes is not None
            progress = self._progress(file) if is_kept else None
            resume = START if progress is None else progress.load()
            self._resumed_lines = resume.lines
            reader = LogReader(log, self._mapping, resume)
            with closing(self._database.open_reader()) as database, _collecting_rarely():
                self._read(link, reader, log, progress, database, counts)
            counts.format = reader.format
            if progress is not None:
                self._forget(progress)
        counts.seconds = time.monotonic() - began
        return counts

    def _progress(self, file: str) -> Progress:
        path = self._database.path
        folder = path.with_name(path.name + PROGRESS_SUFFIX)
        # A restored database is another file: what was acknowledged before may be missing in it.
        target = f"{path.resolve()} {path.stat().st_ino}"
        return Progress(folder, file, self._mapping.fingerprint(), target)

    def _forget(self, progress: Progress) -> None:
        with suppress(OSError):  # another import may have its progress there
            progress.clear()
            progress.path.parent.rmdir()

    def _read(
        self,
        link: SyncLink,
        reader: LogReader,
        log: LogFile,
        progress: Progress | None,
        database: Reader,
        counts: Counts,
    ) -> None:
        directory = Directory()
        directory.load(database)
        packer = LinePacker(Packer(directory, SystemEntropy()))
        clock = SteadyClock(database.integer("clock_high_water"))
        for batch in reader.batches():
            if directory.refresh(database):
                packer.forget()
            self._send(link, packer.pack(batch.drafts, clock.now_ms()), batch, counts)
            if len(self._underway) > UNDERWAY_MAX:
                self._save(progress, self._receive(link, counts))
            self._on_progress(batch.read_bytes, log.size_bytes)
        while self._underway:
            self._save(progress, self._receive(link, counts))

    def _send(self, link: SyncLink, packed: PackedLines, batch: Batch, counts: Counts) -> None:
        counts.skipped += batch.skipped
        for refusal in (*batch.refusals, *packed.refusals):
            counts.refusals.add(refusal)
        link.send_record(packed.rows, is_import=True)
        self._underway.append(Sent(packed, batch.checkpoint))

    def _receive(self, link: SyncLink, counts: Counts) -> Checkpoint:
        recorded = link.receive_recorded()
        packed, checkpoint = self._underway.popleft()
        refused = [(index, Reason.CONFLICT) for index in recorded.conflicts]
        refused += [(index, Reason.DATABASE) for index, _ in recorded.rejected]
        refusals = [Refusal(packed.line_numbers[index], reason) for index, reason in refused]
        counts.accepted += len(packed.rows) - len(recorded.duplicates) - len(refusals)
        counts.duplicates += len(recorded.duplicates)
        counts.conflicts += len(recorded.conflicts)
        for refusal in refusals:
            counts.refusals.add(refusal)
        self._try_again(packed.refusals)
        self._try_again(refusals)
        return checkpoint

    def _try_again(self, refusals: Iterable[Refusal]) -> None:
        if len(self._again) <= AGAIN_MAX:
            self._again += [refusal.line_number for refusal in refusals]

    def _save(self, progress: Progress | None, checkpoint: Checkpoint) -> None:
        if progress is None or len(self._again) > AGAIN_MAX:
            return
        if checkpoint.lines < self._resumed_lines:
            return  # what was saved goes further
        with suppress(OSError):  # it only saves time
            progress.path.parent.mkdir(exist_ok=True)
            progress.save(msgspec.structs.replace(checkpoint, again=tuple(self._again)))


@contextmanager
def _collecting_rarely() -> Iterator[None]:
    thresholds = gc.get_threshold()
    gc.set_threshold(COLLECT_AFTER_OBJECTS, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
