"""What the demo says: on a terminal with a progress bar and headings, in a pipe plain text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from farebox.core.instant import MS_PER_DAY
from farebox.demo.curl import Curl, Line
from farebox.demo.replay import OnProgress
from farebox.demo.world import TIMEZONE, WORKSPACE, World

LABEL_COLUMNS = 18


@contextmanager
def showing_progress(console: Console, days: int, now_ms: int) -> Iterator[OnProgress]:
    """Shows how far the import is; what it gives is to be told so. Silent but on a terminal."""
    start_ms = now_ms - days * MS_PER_DAY
    with Progress(
        TextColumn("Importing"),
        BarColumn(),
        TextColumn("{task.fields[requests]:,} requests"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task_id = progress.add_task("", total=now_ms - start_ms, requests=0)

        def on_progress(requests: int, time_ms: int) -> None:
            progress.update(task_id, completed=time_ms - start_ms, requests=requests)

        yield on_progress


class Screen:
    """Writes to a console; lines to be copied are never broken."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def welcome(self, url: str, world: World, manage_url: str, days: int, database: str) -> None:
        """Where everything is, and the three secrets."""
        self._heading(
            f"Farebox demo: {WORKSPACE.name} with {world.requests:,} requests in {days} days"
        )
        for label, value in (
            ("Dashboard", f"{url}/dashboard"),
            ("Manage its keys", manage_url),
            ("Operator", f"{url}/operator"),
            ("Documentation", f"{url}/docs/en/"),
            ("Reference", f"{url}/docs/en/reference"),
            ("OpenAPI", f"{url}/openapi/en.json"),
            ("Metrics", f"{url}/metrics"),
            ("API key", world.key.reveal()),
            ("Admin token", world.admin_token.reveal()),
            ("Timezone", TIMEZONE),
            ("Database", database),
        ):
            self._line(f"  {label:<{LABEL_COLUMNS}}{value}")

    def try_out(self, curl: Curl) -> None:
        """The lines to paste into a shell."""
        self._section("Call the sample API; it is priced, and recorded", curl.sample())
        self._section("See the use, as the customer does", curl.customer())
        self._section(
            "Ask the gate and report requests, as a gateway or back end does", curl.metering()
        )
        self._line("")
        self._heading("Press Ctrl+C to stop.")

    def _section(self, title: str, lines: list[Line]) -> None:
        self._line("")
        self._heading(title)
        for line in lines:
            self._line(f"# {line.title}")
            self._line(line.command)

    def _heading(self, text: str) -> None:
        self._console.print(text, style="bold", markup=False, highlight=False, soft_wrap=True)

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
