"""A real demo: the program in a process of its own, and what it has printed."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

LAST_LINE = "Press Ctrl+C to stop."
CURLRC = 'dump-header = "{headers}"\nconnect-timeout = 5\nmax-time = 20\n'


class Answer(NamedTuple):
    """What a pasted line gave."""

    status: int
    output: str


class RunningDemo:
    """Started when made: `--port 0`, the arguments and settings; ready when all was printed."""

    def __init__(self, folder: Path, *arguments: str, **settings: str) -> None:
        self.folder = folder
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("FAREBOX_")
        }
        self.environment |= {"CURL_HOME": str(folder), "LC_ALL": "C.UTF-8", **settings}
        self._headers = folder / "headers"
        (folder / ".curlrc").write_text(CURLRC.format(headers=self._headers))
        with (folder / "stderr").open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "farebox", "demo", "--port", "0", *arguments],
                stdout=subprocess.PIPE,
                stderr=errors,
                env=self.environment,
                text=True,
            )
        self.lines: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if line.startswith(LAST_LINE):
                break
        else:
            message = f"the demo ended early: {self.errors()}"
            raise AssertionError(message)

    def value(self, label: str) -> str:
        """What is printed beside a label."""
        (line,) = (line for line in self.lines if line.strip().startswith(label + "  "))
        return line.split()[-1]

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.value("Metrics").removesuffix("/metrics")

    def curls(self) -> list[str]:
        """The lines to be pasted."""
        return [line for line in self.lines if line.startswith("curl ")]

    def paste(self, line: str) -> Answer:
        """Run a line in a shell, with the real curl."""
        done = subprocess.run(
            ["bash", "-c", line],
            capture_output=True,
            env=self.environment,
            text=True,
            check=True,
            timeout=30,
        )
        return Answer(int(self._headers.read_text().split()[1]), done.stdout)

    def curl_of(self, path: str) -> str:
        """The printed line for a path."""
        (line,) = (line for line in self.curls() if self.url + path in shlex.split(line))
        return line

    def errors(self) -> str:
        """What it has written to stderr so far."""
        return (self.folder / "stderr").read_text()

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and wait for the end; the exit status."""
        self.process.send_signal(number)
        self.process.communicate(timeout=30)
        return self.process.returncode
