"""Runs an import: reads a block, packs it, sends it, and keeps a few on their way to the disk.

An interrupted import goes on where it was; and since every line has an identity, sending it again
would count nothing twice. Progress is kept beside the database, named for the log's content.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from farebox.engine.clock import SteadyClock
from farebox.engine.directory import Directory
from farebox.engine.entropy import SystemEntropy
from farebox.engine.spawn import RecorderProcess, recorder_command
from farebox.engine.sync_link import SyncLink
from farebox.importers.lines import LogFile
from farebox.importers.mapping import ImportMapping
from farebox.importers.progress import START, Checkpoint, Progress
from farebox.importers.reader import Batch, LogReader
from farebox.importers.refusal import Reason, Refusal, RefusalReport
from farebox.importing.packing import LinePacker, PackedLines
from farebox.service.record import Packer
from farebox.store.sqlite.database import open_reader

UNDERWAY_MAX = 4
SAVE_SECONDS = 2.0

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
    """One import into one database."""

    def __init__(self, database: Path, mapping: ImportMapping, on_progress: OnProgress) -> None:
        self._database = database
        self._mapping = mapping
        self._on_progress = on_progress
        self._underway: deque[Sent] = deque()

    def run(self, file: str) -> Counts:
        """Import a file, or standard input for `-`.

        Raises:
            FareboxError: the file can't be read to its end, or 503: run it again to go on.
        """
        counts = Counts(file)
        began = time.monotonic()
        process = RecorderProcess(recorder_command(self._database))
        with SyncLink(self._database, process) as link, LogFile(file) as log:
            progress = None if log.is_stdin else self._progress(file)
            resume = START if progress is None else progress.load()
            self._read(link, LogReader(log, self._mapping, resume), log, progress, counts)
            if progress is not None:
                progress.clear()
        counts.seconds = time.monotonic() - began
        return counts

    def _progress(self, file: str) -> Progress:
        folder = self._database.with_name(self._database.name + ".imports")
        folder.mkdir(exist_ok=True)
        # A restored database is another file: what was acknowledged before may be missing in it.
        target = f"{self._database.resolve()} {self._database.stat().st_ino}"
        return Progress(folder, file, self._mapping.fingerprint(), target)

    def _read(
        self,
        link: SyncLink,
        reader: LogReader,
        log: LogFile,
        progress: Progress | None,
        counts: Counts,
    ) -> None:
        directory = Directory()
        database = open_reader(self._database)
        directory.load(database)
        database.close()
        packer = LinePacker(Packer(directory, SystemEntropy()))
        clock = SteadyClock()
        saved = time.monotonic()
        for batch in reader.batches():
            self._send(link, packer.pack(batch.drafts, clock.now_ms()), batch, counts)
            if len(self._underway) > UNDERWAY_MAX:
                checkpoint = self._receive(link, counts)
                if progress is not None and time.monotonic() - saved > SAVE_SECONDS:
                    progress.save(checkpoint)
                    saved = time.monotonic()
            self._on_progress(batch.read_bytes, log.size_bytes)
        while self._underway:
            self._receive(link, counts)
        counts.format = reader.format

    def _send(self, link: SyncLink, packed: PackedLines, batch: Batch, counts: Counts) -> None:
        counts.skipped += batch.skipped
        for refusal in (*batch.refusals, *packed.refusals):
            counts.refusals.add(refusal)
        link.send_record(packed.rows, is_import=True)
        self._underway.append(Sent(packed, batch.checkpoint))

    def _receive(self, link: SyncLink, counts: Counts) -> Checkpoint:
        recorded = link.receive_recorded()
        packed, checkpoint = self._underway.popleft()
        refused = len(recorded.duplicates) + len(recorded.conflicts) + len(recorded.rejected)
        counts.accepted += len(packed.rows) - refused
        counts.duplicates += len(recorded.duplicates)
        counts.conflicts += len(recorded.conflicts)
        for index in recorded.conflicts:
            counts.refusals.add(Refusal(packed.line_numbers[index], Reason.CONFLICT))
        for index, _ in recorded.rejected:
            counts.refusals.add(Refusal(packed.line_numbers[index], Reason.DATABASE))
        return checkpoint
