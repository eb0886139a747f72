"""A worker process as `ecert worker` starts them, which keeps a signer's journal and dies on request.

Arguments: data folder, folder of the fault site. In that folder: `journal-PID` gets a line per seal, written
through before the sealed bytes go anywhere; a file `kill-STEP` makes the first process that comes to STEP take
it and kill itself (SIGKILL); while `storage-fails` exists, storage refuses to write; `ready-PID` says that keys
are open. The database's addresses come by environment.
"""

import hashlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from issuer.clock import SimulatedClock, SystemClock
from issuer.context import Context
from issuer.jobs.worker import work
from issuer.settings import Settings
from keys.private.timestamp_authority import TimestampAuthority

SITE = Path(sys.argv[2])
CHUNK_STEPS = (
    "begun",
    "before-intent",
    "intended",
    "before-press",
    "pressed",
    "before-record",
    "recorded",
    "before-publish",
    "published",
    "closed",
)
DOOR_STEPS = (
    "before-seal",
    "sealed",
    "before-timestamp",
    "timestamped",
    "before-store",
    "stored",
    "before-publication",
    "publication",
)
STEPS = CHUNK_STEPS + DOOR_STEPS


def step(name: str) -> None:
    """Die here if somebody asked for it; the request is taken by one process only."""
    try:
        (SITE / f"kill-{name}").rename(SITE / f"killed-{name}-{os.getpid()}")
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def between(before: str, act: Callable[..., Any], after: str) -> Callable[..., Any]:
    """`act` with a step before it and one after."""

    def acted(*arguments: Any, **named: Any) -> Any:
        step(before)
        result = act(*arguments, **named)
        step(after)
        return result

    return acted


def prepare(ctx: Context) -> None:
    """Put the steps and the journal round the doors to keys, storage and the public record."""
    room, storage = ctx.room(), ctx.storage
    seal, put = room.seal_pdf, storage.put
    journal = os.open(SITE / f"journal-{os.getpid()}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def sealing(pdf: bytes, *, level: str = "B-LTA") -> bytes:
        sealed = seal(pdf, level=level)
        os.write(journal, hashlib.sha256(sealed).hexdigest().encode() + b"\n")
        return sealed

    def putting(key: str, content: bytes) -> None:
        if (SITE / "storage-fails").exists():
            raise OSError(5, "storage does not answer (injected)")
        put(key, content)

    room.seal_pdf = between("before-seal", sealing, "sealed")  # type: ignore[method-assign]
    storage.put = between("before-store", putting, "stored")  # type: ignore[method-assign]
    ctx.publish = between("before-publication", ctx.publish, "publication")  # type: ignore[method-assign]
    stamp = TimestampAuthority.token

    def stamping(authority: TimestampAuthority, digest: bytes) -> bytes:
        step("before-timestamp")
        token = stamp(authority, digest)
        step("timestamped")
        return token

    TimestampAuthority.token = stamping  # type: ignore[method-assign]
    (SITE / f"ready-{os.getpid()}").touch()


def main() -> None:
    """Work until told to stop."""
    clock = SimulatedClock.on(SystemClock().today(), hour=0)
    work(Settings(data_dir=Path(sys.argv[1])), clock=clock, observe=step, prepare=prepare)


if __name__ == "__main__":
    main()
