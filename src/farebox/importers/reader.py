"""The reader: a log file as a stream of batches of drafts. This is where reading ends.

Whoever records a batch's drafts may save its checkpoint once they, and all before them, are
acknowledged, or named in it to be handed out again. Every line ends as a draft, as a refusal or,
when blank, as nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from farebox.importers.draft import Draft
from farebox.importers.drafter import Drafter
from farebox.importers.formats import AUTO, format_of, guess
from farebox.importers.lines import Block, LogFile
from farebox.importers.mapping import ImportMapping
from farebox.importers.progress import START, Checkpoint
from farebox.importers.refusal import Reason, Refusal, Refused


class Batch(NamedTuple):
    """What a block of lines came to.

    `skipped` lines made drafts that were acknowledged before, and are left out. `read_bytes` of
    the file (packed, if it is) have been read, for a progress bar up to `LogFile.size_bytes`.
    """

    drafts: list[Draft]
    refusals: list[Refusal]
    skipped: int
    checkpoint: Checkpoint
    read_bytes: int


class LogReader:
    """Reads one log file. `format` is its format's name, as soon as it is known.

    Raises:
        FareboxError: the file can't be read to its end, is in no known format, or the mapping
            doesn't fit its format.
    """

    def __init__(self, file: LogFile, mapping: ImportMapping, resume: Checkpoint = START) -> None:
        self._file = file
        self._mapping = mapping
        self._resume = resume
        self._again = frozenset(resume.again)
        self._line_number = 0
        self.format = None if mapping.format == AUTO else mapping.format

    def batches(self) -> Iterator[Batch]:
        """All lines, in their order; to be called once."""
        drafter: Drafter | None = None
        for block in self._file.blocks():
            if drafter is None:
                drafter = self._drafter(block.lines)
            if drafter is None:
                self._line_number += len(block.lines)  # all blank
            elif block.is_unended:
                refusal = Refusal(self._line_number + 1, Reason.UNENDED)
                yield Batch([], [refusal], 0, self._checkpoint(block), self._file.read_bytes)
            else:
                yield self._read(block, drafter)

    def _drafter(self, lines: list[bytes]) -> Drafter | None:
        self.format = self.format or guess(lines)
        if self.format is None:
            return None
        return Drafter(format_of(self.format, self._mapping.trailing), self._mapping)

    def _read(self, block: Block, drafter: Drafter) -> Batch:
        drafts: list[Draft] = []
        refusals: list[Refusal] = []
        skipped = 0
        number = self._line_number
        for line in block.lines:
            number += 1
            try:
                if not line or line.isspace():
                    continue
                draft = drafter.draft(number, line)
            except Refused as refused:
                refusals.append(Refusal(number, refused.reason))
                continue
            if number > self._resume.lines or number in self._again:
                drafts.append(draft)
            else:
                # It was read all the same: later equal lines need its ordinal.
                skipped += 1
        self._line_number = number
        return Batch(drafts, refusals, skipped, self._checkpoint(block), self._file.read_bytes)

    def _checkpoint(self, block: Block) -> Checkpoint:
        return Checkpoint(self._line_number, block.end_bytes, block.prefix.hex())
