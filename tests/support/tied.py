"""Run a command as another user, tied to who started it: it gets SIGQUIT when that one dies.

    python tied.py UID GID COMMAND ...

PostgreSQL takes SIGQUIT as an immediate shutdown, so a test that was killed leaves no server
behind. Only the standard library is used, as the user may be unable to read the project.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Become the user, tie the process to its parent, become the command."""
    parent = os.getppid()
    user, group = int(sys.argv[1]), int(sys.argv[2])
    if os.getuid() != user:
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    # After the change of user, which would undo it.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGQUIT), 0, 0, 0)
    if os.getppid() == parent:
        os.execv(sys.argv[3], sys.argv[3:])  # noqa: S606 - there is no shell


if __name__ == "__main__":
    main()
