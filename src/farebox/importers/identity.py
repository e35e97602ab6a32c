"""The identity of a log line that has no request id: its digest and its ordinal.

    <second of the line's time, 8 hex digits><digest of the line, 48 hex digits>[-<ordinal>]

The ordinal tells how many equal lines of the file stand before it, so none of them is dropped, and
the same content counts nothing twice, however the file is named, packed or read. The digest is of
the line without its line end. The second is part of the line already; in front, it lets ids
grow with time, and a B-tree that is fed in order takes several times as many rows a second
(measured at 2 million rows: 465,000 against 77,000). 192 bits of digest, so that an id with
its ordinal stays below the 64 bytes that are kept as they are.

Equal lines have equal times, so ordinals are counted in spans of 16 seconds. The spans that are
being read are dictionaries; the others rest packed, eight bytes a line, and are unpacked should
a line come late. So a file in any order has right ordinals. When more lines rest than
`RESTING_LINES_MAX`, those longest at rest are forgotten, and a further line of such a span is
refused, since its ordinal can't be known: the memory is bounded, and no line is dropped silently.
(Two digests that share their first eight bytes only make an ordinal skip a number.)
"""

from __future__ import annotations

import hashlib

from farebox.core.instant import MS_PER_SECOND
from farebox.importers.refusal import Reason, Refused

DIGEST_BYTES = 24
SPAN_BITS = 14  # 16,384 ms
OPEN_LINES_MAX = 200_000
RESTING_LINES_MAX = 8_000_000
_SHORT_BYTES = 8


class Ordinals:
    """Counts equal lines of one file."""

    def __init__(
        self, open_lines_max: int = OPEN_LINES_MAX, resting_lines_max: int = RESTING_LINES_MAX
    ) -> None:
        self._open_lines_max = open_lines_max
        self._resting_lines_max = resting_lines_max
        self._open: dict[int, dict[bytes, int]] = {}  # the span used last stands last
        self._resting: dict[int, bytes] = {}  # the span longest at rest stands first
        self._repeats: dict[int, dict[bytes, int]] = {}
        self._forgotten: set[int] = set()
        self._open_lines = 0
        self._resting_lines = 0
        self._span = -1
        self._counts: dict[bytes, int] = {}

    def next(self, time_ms: int, digest: bytes) -> int:
        """The ordinal of a line: how many equal ones came before it.

        Raises:
            Refused: the line's span was forgotten.
        """
        span = time_ms >> SPAN_BITS
        if span != self._span:
            self._turn_to(span)
        short = digest[:_SHORT_BYTES]
        counts = self._counts
        ordinal = counts.get(short, 0)
        counts[short] = ordinal + 1
        if not ordinal:
            self._open_lines += 1
        return ordinal

    def _turn_to(self, span: int) -> None:
        if self._open_lines > self._open_lines_max:
            self._put_to_rest()
        if span in self._forgotten:
            raise Refused(Reason.OUT_OF_ORDER)
        counts = self._open.pop(span, None)
        if counts is None:
            counts = self._wake(span)
        self._open[span] = counts
        self._span, self._counts = span, counts

    def _wake(self, span: int) -> dict[bytes, int]:
        packed = self._resting.pop(span, b"")
        starts = range(0, len(packed), _SHORT_BYTES)
        counts = dict.fromkeys((packed[at : at + _SHORT_BYTES] for at in starts), 1)
        counts.update(self._repeats.pop(span, {}))
        self._open_lines += len(counts)
        self._resting_lines -= len(counts)
        return counts

    def _put_to_rest(self) -> None:
        """Packs the spans not used for longest, until half of what may be open is left."""
        while self._open and self._open_lines > self._open_lines_max // 2:
            span = next(iter(self._open))
            counts = self._open.pop(span)
            self._resting[span] = b"".join(counts)
            repeats = {short: count for short, count in counts.items() if count > 1}
            if repeats:
                self._repeats[span] = repeats
            self._open_lines -= len(counts)
            self._resting_lines += len(counts)
        while self._resting_lines > self._resting_lines_max:
            span = next(iter(self._resting))
            self._resting_lines -= len(self._resting.pop(span)) // _SHORT_BYTES
            self._repeats.pop(span, None)
            self._forgotten.add(span)


def line_digest(line: bytes) -> bytes:
    """The digest of a line without its line end."""
    return hashlib.blake2b(line, digest_size=DIGEST_BYTES).digest()


def line_request_id(time_ms: int, digest: bytes, ordinal: int) -> str:
    """The request id of a line that has none of its own."""
    first = f"{time_ms // MS_PER_SECOND:08x}{digest.hex()}"
    return f"{first}-{ordinal}" if ordinal else first
