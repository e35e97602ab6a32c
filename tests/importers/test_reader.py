"""The whole way of a log file: every line becomes a draft or a refusal, and no secret gets out."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farebox.core.errors import FareboxError
from farebox.importers.lines import LogFile
from farebox.importers.mapping_file import read_mapping
from farebox.importers.progress import Checkpoint
from farebox.importers.reader import LogReader
from farebox.importers.refusal import Reason, Refusal, RefusalReport
from tests.importers.logs import (
    APACHE,
    CADDY,
    KEY,
    KEY_HEADERS,
    KEYED,
    NGINX,
    NGINX_JSON,
    drafts_of,
    read,
    refusals_of,
)

SAMPLES = {"combined": NGINX, "nginx_json": NGINX_JSON, "caddy_json": CADDY}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reader") / "access.log"


def log_of(count: int) -> bytes:
    """A log of `count` lines, an eighth of which have equals, not wholly in order."""
    draw = random.Random(count)
    lines = []
    for number in range(count):
        second = (number + draw.randrange(-5, 5)) // 8 % 60
        size = draw.randrange(10)
        line = NGINX.replace(b":00 +0200", b":%02d +0200" % second)
        lines.append(line.replace(b" 512 ", b" %d " % size))
    return b"\n".join(lines) + b"\n"


@pytest.mark.parametrize("name", SAMPLES)
def test_the_format_is_found_by_itself_and_can_be_chosen(name: str, path: Path) -> None:
    path.write_bytes(SAMPLES[name] + b"\n")
    for toml in (KEYED, f'format = "{name}"\n{KEYED}'):
        with LogFile(path) as file:
            reader = LogReader(file, read_mapping(toml, KEY_HEADERS))
            drafts = drafts_of(list(reader.batches()))
            assert reader.format == name
        assert [draft.key and draft.key.reveal() for draft in drafts] == [KEY]


def test_a_renamed_packed_or_re_read_file_has_the_same_identities(tmp_path: Path) -> None:
    content = log_of(5_000)
    forms = {
        "access.log": content,
        "renamed.txt": content,
        "access.log.1.gz": gzip.compress(content),
        "two-members": gzip.compress(content[:1000]) + gzip.compress(content[1000:]),
        "windows.log": content.replace(b"\n", b"\r\n"),
    }
    found = set()
    for name, form in forms.items():
        (tmp_path / name).write_bytes(form)
        drafts = drafts_of(read(tmp_path / name, KEYED))
        # Secrets are compared by what they are.
        found.add(tuple(draft._replace(key=None) for draft in drafts))
    assert len(found) == 1
    ids = [draft.request_id for draft in found.pop()]
    assert len(ids) == len(set(ids)) == 5_000
    assert sum("-" in request_id for request_id in ids) > 500


def test_a_log_that_grew_keeps_the_identities_of_its_older_lines(tmp_path: Path) -> None:
    content = log_of(400)
    (tmp_path / "grown.log").write_bytes(content)
    half = b"\n".join(content.split(b"\n")[:200]) + b"\n"
    (tmp_path / "young.log").write_bytes(half)
    young, grown = (
        [draft.request_id for draft in drafts_of(read(tmp_path / name, KEYED))]
        for name in ("young.log", "grown.log")
    )
    assert grown[:200] == young


def test_refused_lines_are_told_by_number_and_blank_ones_are_nothing(path: Path) -> None:
    long = b"x" * 70_000
    lines = [NGINX, b"", b"broken", NGINX, b"  ", long, NGINX.replace(KEY.encode(), b"-")]
    path.write_bytes(b"\n".join([*lines, b"half"]))
    batches = read(path, KEYED)
    assert [draft.line_number for draft in drafts_of(batches)] == [1, 4]
    assert refusals_of(batches) == [
        Refusal(3, Reason.NOT_COMBINED),
        Refusal(6, Reason.TOO_LONG),
        Refusal(7, Reason.NO_KEY),
        Refusal(8, Reason.UNENDED),
    ]


def test_a_half_written_last_line_counts_once_when_it_is_whole(path: Path) -> None:
    # Cut within the request time, the line would still look whole.
    whole = APACHE + b" 0.034"
    path.write_bytes(APACHE + b"\n" + whole[:-1])
    toml = 'key_id.value = "key_a"\n'
    assert len(drafts_of(read(path, toml))) == 1
    path.write_bytes(APACHE + b"\n" + whole + b"\n")
    assert [draft.duration_ms for draft in drafts_of(read(path, toml))] == [None, 34]


def test_equal_keys_are_one_secret_that_no_draft_shows(path: Path) -> None:
    path.write_bytes((NGINX + b"\n") * 3)
    drafts = drafts_of(read(path, KEYED))
    assert len({id(draft.key) for draft in drafts}) == 1
    assert KEY not in repr(drafts)


@pytest.mark.parametrize(
    "content", [b"", b"\n\n  \n", gzip.compress(b"")], ids=["empty", "blank", "packed"]
)
def test_a_file_without_lines_has_no_drafts_and_no_error(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    batches = read(path)
    assert drafts_of(batches) == []
    assert refusals_of(batches) == []


def test_an_unknown_format_is_an_error_before_anything_is_given(path: Path) -> None:
    path.write_bytes(b"one\ntwo\n")
    with pytest.raises(FareboxError, match="combined, nginx_json, caddy_json"):
        read(path)


def test_a_mapping_that_doesn_t_fit_is_an_error_before_anything_is_given(path: Path) -> None:
    path.write_bytes(APACHE + b"\n")
    with pytest.raises(FareboxError, match="'key' or 'key_id' must name"):
        read(path)


@pytest.mark.parametrize("acknowledged", [0, 1, 1500, 4999, 5000])
def test_acknowledged_lines_are_left_out_and_ordinals_stay_right(
    acknowledged: int, path: Path
) -> None:
    path.write_bytes(log_of(5_000))
    everything = [draft._replace(key=None) for draft in drafts_of(read(path, KEYED))]
    with LogFile(path) as file:
        resume = Checkpoint(acknowledged, 0, "")
        batches = list(LogReader(file, read_mapping(KEYED, KEY_HEADERS), resume).batches())
    rest = [draft._replace(key=None) for draft in drafts_of(batches)]
    assert rest == everything[acknowledged:]
    assert sum(batch.skipped for batch in batches) == acknowledged


def test_checkpoints_count_lines_and_content(path: Path) -> None:
    content = log_of(5_000)
    path.write_bytes(content)
    batches = read(path, KEYED)
    assert len(batches) > 2
    for batch in batches:
        ended = content[: batch.checkpoint.end_bytes]
        assert ended.endswith(b"\n")
        assert ended.count(b"\n") == batch.checkpoint.lines
    assert batches[-1].checkpoint.end_bytes == batches[-1].read_bytes == len(content)


@given(
    name=st.sampled_from(sorted(SAMPLES)),
    damages=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 30), st.binary(max_size=12)),
        min_size=1,
        max_size=4,
    ),
)
@settings(max_examples=400)
def test_no_damaged_line_crashes_or_gets_its_key_out(
    name: str, damages: list[tuple[float, int, bytes]], path: Path
) -> None:
    line = SAMPLES[name]
    for place, length, other in damages:
        at = int(place * len(line))
        line = line[:at] + other + line[at + length :]
    path.write_bytes(SAMPLES[name] + b"\n" + line + b"\n")
    toml = f"""
        format = "{name}"
        request_id.field = "http_referer"
        log_type.header = "kind"
        channel.header = "channel"
        credits.header = "paid"
        [combined]
        trailing = ["http_x_api_key", "http_kind", "http_channel", "http_paid"]
    """
    for mapping in (toml, KEYED):
        batches = read(path, mapping)
        report = RefusalReport()
        refusals = refusals_of(batches)
        for refusal in refusals:
            report.add(refusal)
        handled = len(drafts_of(batches)) + report.total
        blank = sum(not part.strip() for part in path.read_bytes().split(b"\n")[:-1])
        assert handled + blank == path.read_bytes().count(b"\n")
        shown = repr(refusals) + report.to_text("access.log") + repr(report.samples)
        assert not any(KEY[at : at + 6] in shown for at in range(len(KEY) - 5))


@given(content=st.binary(max_size=2000), name=st.sampled_from(sorted(SAMPLES)))
@settings(max_examples=200)
def test_arbitrary_bytes_never_crash(content: bytes, name: str, path: Path) -> None:
    path.write_bytes(b"\n" + content + b"\n")
    read(path, f'format = "{name}"\nkey_id.value = "key_a"')


def test_a_report_is_bounded_and_puts_the_most_frequent_first() -> None:
    report = RefusalReport()
    report.add(Refusal(7, Reason.NO_TIME))
    for number in range(1, 1001):
        report.add(Refusal(number, Reason.NO_KEY))
    assert report.total == 1001
    first, second = report.to_text("a.log").splitlines()
    assert first.startswith("a.log: 1000 lines (1, 2, 3,")
    assert first.endswith(f"20, …): {Reason.NO_KEY}")
    assert second == f"a.log: 1 line (7): {Reason.NO_TIME}"
