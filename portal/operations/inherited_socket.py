"""`python -m portal.operations.inherited_socket FD COMMAND…`: run a command with an open socket as systemd hands one over.

gunicorn removes the path of a unix socket when it ends in order, unless the socket came from systemd: the next master would
listen where nobody can connect.
"""

import os
import sys

FIRST = 3
"""The descriptor at which systemd's sockets begin."""


def hand_over(number: int) -> None:
    """Put the open socket where systemd would, for what runs next in this process."""
    os.dup2(number, FIRST)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")


def main(arguments: list[str]) -> None:
    hand_over(int(arguments[0]))
    os.execv(sys.executable, [sys.executable, *arguments[1:]])  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
