r"""Lines: a log file, plain or gzip, read in blocks of whole lines within bounds.

gzip is told by its first bytes, never by its name. Line ends are `\n` or `\r\n`. A line
longer than `LINE_BYTES_MAX` is cut to one byte more, for the reader to refuse, and the rest of it
is passed over, so that no line can take the memory. A last line without its end is marked, for it
may be half written.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from farebox.core.errors import INVALID_FIELD, FareboxError

STDIN = "-"
LINE_BYTES_MAX = 64 * 1024
BLOCK_BYTES = 256 * 1024
DIGEST_BYTES = 32
_DAMAGED = "its gzip content is damaged"
_BROKEN_OFF = "its gzip content breaks off"
_READ_BYTES = 64 * 1024
_GZIP = b"\x1f\x8b"
_GZIP_WINDOW = 31  # zlib: with a gzip header and trailer, whose checksum is verified


class Block(NamedTuple):
    """Whole lines without their line ends, and where they end in the unpacked content.

    `prefix` is a digest of all the content up to there.
    """

    lines: list[bytes]
    end_bytes: int
    prefix: bytes
    is_unended: bool


class LogFile:
    """An open log file. `size_bytes` is None for a pipe; `read_bytes` grows towards it."""

    def __init__(self, path: str | Path) -> None:
        self.name = str(path)
        self.is_stdin = self.name == STDIN
        try:
            self._raw = io.FileIO(0 if self.is_stdin else path, closefd=not self.is_stdin)
            status = os.fstat(self._raw.fileno())
        except OSError as error:
            raise _unreadable(error.strerror or "unknown error") from error
        self.size_bytes = status.st_size if stat.S_ISREG(status.st_mode) else None
        self.read_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._raw.close()

    def blocks(self) -> Iterator[Block]:
        """All lines, in blocks of about `BLOCK_BYTES`. To be called once.

        Raises:
            FareboxError: the file can't be read to its end; the lines before were given.
        """
        splitter = _Splitter()
        for chunk in self._chunks():
            block = splitter.split(chunk)
            if block is not None:
                yield block
        last = splitter.finish()
        if last is not None:
            yield last

    def digest(self, size_bytes: int) -> tuple[int, bytes]:
        """The digest of the first `size_bytes` of the unpacked content, and how many there were.

        As `blocks`, to be called once on an open file, instead of it.
        """
        seen_bytes = 0
        digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
        for chunk in self._chunks():
            part = chunk[: size_bytes - seen_bytes]
            digest.update(part)
            seen_bytes += len(part)
            if seen_bytes == size_bytes:
                break
        return seen_bytes, digest.digest()

    def _chunks(self) -> Iterator[bytes]:
        try:
            # A pipe may give its first byte alone.
            head = self._read()
            while len(head) < len(_GZIP) and (more := self._read()):
                head += more
            yield from self._unpack(head) if head.startswith(_GZIP) else self._plain(head)
        except OSError as error:
            raise _unreadable(error.strerror or "unknown error") from error

    def _read(self) -> bytes:
        data: bytes = self._raw.read(_READ_BYTES) or b""
        self.read_bytes += len(data)
        return data

    def _plain(self, head: bytes) -> Iterator[bytes]:
        parts, size = [head], len(head)
        while data := self._read():
            parts.append(data)
            size += len(data)
            if size >= BLOCK_BYTES:
                yield b"".join(parts)
                parts, size = [], 0
        yield b"".join(parts)

    def _unpack(self, head: bytes) -> Iterator[bytes]:
        """Members one after the other are one content; zeros between or after them are padding."""
        data = head
        while data:
            member = zlib.decompressobj(_GZIP_WINDOW)
            while True:
                try:
                    content = member.decompress(data, BLOCK_BYTES)
                except zlib.error as error:
                    raise _unreadable(_DAMAGED) from error
                if content:
                    yield content
                if member.eof:
                    break
                data = member.unconsumed_tail
                # Without input it may still have content left over from the last.
                if not content and not data and not (data := self._read()):
                    raise _unreadable(_BROKEN_OFF)
            data = member.unused_data.lstrip(b"\0")
            while not data and (more := self._read()):
                data = more.lstrip(b"\0")


class _Splitter:
    """Cuts content into lines; what a chunk's last line is short of comes with the next chunk."""

    def __init__(self) -> None:
        self._rest = b""
        self._seen_bytes = 0
        self._digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
        self._end = (0, self._digest.digest())

    def split(self, chunk: bytes) -> Block | None:
        """The lines that end in this chunk; None when none does."""
        end = chunk.rfind(b"\n") + 1
        if not end:
            self._keep(chunk)
            return None
        self._see(chunk[:end])
        self._end = (self._seen_bytes, self._digest.copy().digest())
        content = self._rest + chunk[: end - 1]
        lines = content.split(b"\n")
        if b"\r" in content:
            lines = [line.removesuffix(b"\r") for line in lines]
        if len(max(lines, key=len)) > LINE_BYTES_MAX:
            lines = [line[: LINE_BYTES_MAX + 1] for line in lines]
        self._rest = b""
        self._keep(chunk[end:])
        return Block(lines, *self._end, is_unended=False)

    def finish(self) -> Block | None:
        """The last line, when it has no line end; the content before it is what counts as read."""
        return Block([self._rest], *self._end, is_unended=True) if self._rest else None

    def _keep(self, part: bytes) -> None:
        self._see(part)
        if len(self._rest) <= LINE_BYTES_MAX:
            self._rest = (self._rest + part)[: LINE_BYTES_MAX + 1]

    def _see(self, part: bytes) -> None:
        self._seen_bytes += len(part)
        self._digest.update(part)


def _unreadable(why: str) -> FareboxError:
    expected = f"a plain or gzip log that can be read to its end ({why})"
    return FareboxError(INVALID_FIELD, field="file", expected=expected)
