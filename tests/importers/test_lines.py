"""A log file becomes whole lines, whatever it is packed in and however it is cut."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farebox.core.errors import FareboxError
from farebox.importers import lines
from farebox.importers.lines import BLOCK_BYTES, LINE_BYTES_MAX, Block, LogFile

ANY_LINES = st.lists(st.binary(max_size=300), max_size=40)


def blocks_of(path: Path, content: bytes) -> list[Block]:
    """The blocks of a file with this content."""
    path.write_bytes(content)
    with LogFile(path) as file:
        return list(file.blocks())


def lines_of(path: Path, content: bytes) -> list[bytes]:
    """The lines of a file with this content."""
    return [line for block in blocks_of(path, content) for line in block.lines]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lines") / "access.log"


@given(content=st.lists(st.binary(max_size=300), max_size=40).map(b"\n".join))
@settings(max_examples=50)
def test_gzip_is_the_same_as_plain(content: bytes, path: Path) -> None:
    if content.startswith(b"\x1f\x8b"):
        content = b"\n" + content
    plain, packed = blocks_of(path, content), blocks_of(path, gzip.compress(content, mtime=0))
    assert [block.lines for block in packed] == [block.lines for block in plain]
    assert packed[-1:] == plain[-1:]
    ended = b"".join(line + b"\n" for line in content.split(b"\n")[:-1])
    assert lines_of(path, ended) == [line.removesuffix(b"\r") for line in ended.split(b"\n")[:-1]]


@given(content=st.binary(max_size=400), cuts=st.lists(st.integers(0, 400), max_size=6))
def test_lines_don_t_depend_on_where_a_read_ends(content: bytes, cuts: list[int]) -> None:
    whole, cut = lines._Splitter(), lines._Splitter()
    found = []
    at = 0
    for end in [*sorted(cuts), len(content)]:
        block = cut.split(content[at:end])
        found += block.lines if block else []
        at = max(at, end)
    expected = whole.split(content)
    assert found == (expected.lines if expected else [])
    assert cut.finish() == whole.finish()


def test_gzip_members_and_zeros_between_them_are_one_content(path: Path) -> None:
    packed = gzip.compress(b"a\nb") + b"\0" * 70_000 + gzip.compress(b"") + gzip.compress(b"c\n")
    assert lines_of(path, packed + b"\0" * 512) == [b"a", b"bc"]


def test_content_that_unpacks_to_much_more_comes_in_bounded_blocks(path: Path) -> None:
    content = (b"x" * 99 + b"\n") * 60_000
    blocks = blocks_of(path, gzip.compress(content))
    assert sum(len(block.lines) for block in blocks) == 60_000
    assert max(sum(map(len, block.lines)) for block in blocks) <= BLOCK_BYTES + LINE_BYTES_MAX


@pytest.mark.parametrize("size", [LINE_BYTES_MAX + 1, LINE_BYTES_MAX + 2, 3 * BLOCK_BYTES + 5])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_line_over_the_bound_is_cut_and_spoils_no_other(
    size: int, pack: type[bytes], path: Path
) -> None:
    content = b"before\n" + b"x" * size + b"\nafter\n" + b"y" * LINE_BYTES_MAX + b"\n"
    found = lines_of(path, pack(content))
    assert found == [b"before", b"x" * (LINE_BYTES_MAX + 1), b"after", b"y" * LINE_BYTES_MAX]


def test_a_last_line_without_its_end_is_marked(path: Path) -> None:
    ended, unended = blocks_of(path, b"a\nb\nhalf wri")
    assert (ended.lines, ended.is_unended, ended.end_bytes) == ([b"a", b"b"], False, 4)
    assert (unended.lines, unended.is_unended) == ([b"half wri"], True)
    assert (unended.end_bytes, unended.prefix) == (ended.end_bytes, ended.prefix)


def test_the_prefix_is_the_digest_of_the_content_so_far(path: Path) -> None:
    draw = random.Random(3)
    content = b"".join(draw.randbytes(150).hex().encode() + b"\n" for _ in range(4000))
    blocks = blocks_of(path, gzip.compress(content))
    assert len(blocks) > 2
    for block in blocks:
        digest = hashlib.blake2b(content[: block.end_bytes], digest_size=32).digest()
        assert block.prefix == digest
        with LogFile(path) as file:
            assert file.digest(block.end_bytes) == (block.end_bytes, digest)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_progress_goes_by_the_files_own_bytes(pack: type[bytes], path: Path) -> None:
    content = pack(b"".join(b"%d\n" % number for number in range(200_000)))
    path.write_bytes(content)
    with LogFile(path) as file:
        read = [file.read_bytes for _ in file.blocks()]
        assert file.size_bytes == len(content)
        assert read == sorted(read)
        assert read[0] < read[-1] == file.read_bytes == len(content)


def test_a_gzip_file_that_breaks_off_gives_its_lines_and_then_says_so(path: Path) -> None:
    draw = random.Random(4)
    content = b"".join(draw.randbytes(50).hex().encode() + b"\n" for _ in range(20_000))
    path.write_bytes(gzip.compress(content)[:-500])
    blocks: list[Block] = []
    with LogFile(path) as file, pytest.raises(FareboxError, match="breaks off"):
        # One by one: what came before the error stays.
        blocks.extend(file.blocks())
    found = [line for block in blocks for line in block.lines]
    assert len(found) > 19_000
    assert found == content.split(b"\n")[: len(found)]


@pytest.mark.parametrize("at", [3, 12, 40, -6])
def test_a_damaged_gzip_file_is_refused(at: int, path: Path) -> None:
    content = bytearray(gzip.compress(b"canary\n" * 1000, mtime=0))
    content[at] ^= 0xFF
    with pytest.raises(FareboxError) as refused:
        lines_of(path, bytes(content))
    assert "'file' must be a plain or gzip log" in refused.value.message
    assert "canary" not in repr(refused.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.log", tmp_path):
        with pytest.raises(FareboxError, match="'file' must be a plain or gzip log"):
            LogFile(path)


def test_an_empty_file_has_no_lines(path: Path) -> None:
    assert lines_of(path, b"") == []
    assert lines_of(path, b"\n") == [b""]
    assert lines_of(path, gzip.compress(b"")) == []


READ_STDIN = """
import sys
from farebox.importers.lines import LogFile
with LogFile("-") as file:
    found = [line for block in file.blocks() for line in block.lines]
    print(file.size_bytes, len(found), found[-1].decode())
"""


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_pipe_is_read_like_a_file(pack: type[bytes]) -> None:
    content = pack(b"".join(b"line %d\n" % number for number in range(50_000)))
    started = subprocess.Popen(
        [sys.executable, "-c", READ_STDIN], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert started.stdin is not None
    # The first byte comes alone: the two of gzip's mark are waited for.
    os.write(started.stdin.fileno(), content[:1])
    output, _ = started.communicate(content[1:], timeout=60)
    assert output.decode().strip() == "None 50000 line 49999"


def test_a_read_that_fails_is_an_error_of_the_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(b"a\n")

    class Failing(io.FileIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr("io.FileIO", Failing)
    with LogFile(path) as file, pytest.raises(FareboxError, match="Input/output error"):
        list(file.blocks())
