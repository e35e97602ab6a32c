"""A real nginx with the shipped recipe, in which only addresses and paths are put in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple, Self

from tests.support import nginx

RECIPE = Path(__file__).parents[2] / "docs" / "gateways" / "nginx.conf"
_LINE = re.compile(
    r'\S+ - - \[[^]]+\] "(?P<method>\S+) (?P<path>\S+) [^"]*" (?P<status>\d+) \d+ '
    r'"[^"]*" "[^"]*" "(?P<query_log_id>[^"]*)"'
)


class Line(NamedTuple):
    """One line of the access log; `query_log_id` is None for a request that was not admitted."""

    method: str
    path: str
    status: int
    query_log_id: str | None


class Nginx(nginx.Nginx):
    """Started when it is entered."""

    def __init__(self, folder: Path, farebox_url: str, api_url: str) -> None:
        super().__init__(folder)
        self.url = f"http://{self.listen}"
        self._fitted = self._fit(farebox_url, api_url)

    def __enter__(self) -> Self:
        self.start(self._fitted)
        return self

    def _fit(self, farebox_url: str, api_url: str) -> str:
        """The recipe with addresses and paths of this test."""
        text = RECIPE.read_text()
        for old, new in (
            ("/run/nginx.pid", f"{self.folder}/nginx.pid"),
            ("/var/log/nginx/", f"{self.folder}/"),
            ("127.0.0.1:8080", farebox_url.removeprefix("http://")),
            ("127.0.0.1:9000", api_url.removeprefix("http://")),
            ("listen 80;", f"listen {self.listen};"),
            ("http {\n", f"http {{ {self.temporary}\n"),
        ):
            assert old in text, f"the recipe has no {old}"
            text = text.replace(old, new)
        return text

    def lines(self) -> list[Line]:
        """The access log so far."""
        found = []
        for text in (self.folder / "access.log").read_text().splitlines():
            line = _LINE.fullmatch(text)
            assert line is not None, text
            entry = line["query_log_id"].strip("-") or None
            found.append(Line(line["method"], line["path"], int(line["status"]), entry))
        return found
