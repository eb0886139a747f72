"""Ports for servers under test: each given to one process only, and never one the system hands to a client.

A port found by binding to 0 and letting go lies in the range the system draws clients' ports from, so between the
probe and the server's own bind any connection on the machine may take it. These lie below that range, and a locked
file keeps other test processes away until this one ends.
"""

import fcntl
import os
import socket
from pathlib import Path

FIRST, LAST = 12_000, 31_000
"""Above the well-known ports, below Linux's ip_local_port_range (32768 upwards)."""
FOLDER = Path("/tmp") / f"ecert-test-ports-{os.getuid()}"
"""One for all of a user's test processes, whatever folder each uses for its temporary files."""
_held: list[int] = []
_next = FIRST + os.getpid() * 97 % (LAST - FIRST)


def free_port() -> int:
    """A port of 127.0.0.1 that is this process's until it ends; raises RuntimeError when there is none left."""
    global _next
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    for _ in range(LAST - FIRST):
        port = _next
        _next = FIRST + (_next + 1 - FIRST) % (LAST - FIRST)
        # Close-on-exec by default: a server started with this port does not inherit the lock and outlive us with it.
        lock = os.open(FOLDER / str(port), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                # As servers do: a port that only waits for late packets of a past connection may be taken.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            os.close(lock)
            continue
        _held.append(lock)
        return port
    raise RuntimeError("no port is free")
