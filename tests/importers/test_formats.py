"""The guess of a file's format goes by its first lines."""

from __future__ import annotations

import pytest

from farebox.core.errors import FareboxError
from farebox.importers.formats import FORMATS, GUESSED_LINES_MAX, guess
from tests.importers.logs import APACHE, CADDY, COMMON, NGINX, NGINX_JSON, caddy

STARTED = b'{"level":"info","ts":1646861400.1,"msg":"serving initial configuration"}'


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        ([APACHE], "combined"),
        ([COMMON, NGINX], "combined"),
        ([NGINX_JSON], "nginx_json"),
        ([CADDY], "caddy_json"),
        ([STARTED, STARTED, CADDY], "caddy_json"),
        ([caddy({"level": None, "msg": None})], "caddy_json"),
        ([b"", b"#comment", b"{broken", NGINX_JSON], "nginx_json"),
        ([APACHE, NGINX_JSON, NGINX_JSON], "nginx_json"),
        ([], None),
        ([b"", b"  "], None),
    ],
    ids=range(10),
)
def test_the_format_is_the_one_that_most_of_the_first_lines_are_in(
    lines: list[bytes], name: str | None
) -> None:
    assert guess(lines) == name


def test_a_file_in_no_known_format_is_refused_with_the_choice() -> None:
    with pytest.raises(FareboxError) as refused:
        guess([b"sk_live_canary"] * (GUESSED_LINES_MAX + 1) + [APACHE])
    assert all(name in refused.value.message for name in FORMATS)
    assert "canary" not in repr(refused.value)
