"""`farebox`, and `python -m farebox`: the commands, with those that need the whole program."""

from __future__ import annotations

import sys

from farebox.cli.main import Plug, make_app, run
from farebox.demo.command import add_demo
from farebox.docs import add_docs
from farebox.importing.command import add_import
from farebox.serve import add_serve

# Commands of files that stand above the command line's own floor.
PLUGS: tuple[Plug, ...] = (add_serve, add_demo, add_docs, add_import)


def main() -> int:
    """Run the command that the arguments name."""
    return run(make_app(*PLUGS))


if __name__ == "__main__":
    sys.exit(main())
