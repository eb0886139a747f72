"""A machine with workers, as `ecert worker` is one, whose workers keep a signer's journal and die on request.

Arguments: data folder, number of workers, number of workers for urgent jobs alone. In the folder ECERT_FAULT_SITE:
`journal-PID` gets a line per seal (digest and token), written through before the sealed bytes go anywhere; a file
`kill-STEP` makes the first process that comes to STEP take it and kill itself (SIGKILL), `freeze-STEP` makes it stop
(SIGSTOP); while `storage-fails` exists, storage refuses to write; `ready-PID` says that keys are open. The database's
addresses come by environment. The templates are those of the folder it is started in.
"""

import hashlib
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from issuer.clock import SimulatedClock, SystemClock
from issuer.context import Context
from issuer.issuance import workers
from issuer.issuance.content import CertificateContent
from issuer.issuance.press import press
from issuer.jobs.distributed import URGENT
from issuer.jobs.supervisor import Pool
from issuer.jobs.worker import ALL_QUEUES, work
from issuer.settings import Settings
from keys.private.timestamp_authority import TimestampAuthority

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


def site() -> Path:
    """Where requests, journals and signs of life are."""
    return Path(os.environ["ECERT_FAULT_SITE"])


def step(name: str) -> None:
    """Die or stop here if somebody asked for it; a request is taken by one process only."""
    for act, number in (("kill", signal.SIGKILL), ("freeze", signal.SIGSTOP)):
        try:
            (site() / f"{act}-{name}").rename(site() / f"{act}-done-{name}-{os.getpid()}")
        except FileNotFoundError:
            continue
        os.kill(os.getpid(), number)
    with suppress(FileNotFoundError):  # held here until `held-<name>` is taken away; by one process only
        held = (site() / f"hold-{name}").rename(site() / f"held-{name}")
        while held.exists():
            time.sleep(0.02)


def between(before: str, act: Callable[..., Any], after: str) -> Callable[..., Any]:
    """`act` with a step before it and one after."""

    def acted(*arguments: Any, **named: Any) -> Any:
        step(before)
        result = act(*arguments, **named)
        step(after)
        return result

    return acted


def journaled(ctx: Context, path: Path) -> None:
    """Have every seal of this process written into `path` before anybody gets it."""
    room = ctx.room()
    seal = room.seal_pdf
    journal = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    token = [""]

    def sealing(pdf: bytes, *, level: str = "B-LTA") -> bytes:
        sealed = seal(pdf, level=level)
        os.write(journal, f"{hashlib.sha256(sealed).hexdigest()} {token[0]}\n".encode())
        return sealed

    def pressing(room: Any, content: CertificateContent, photo: bytes | None, *, level: str) -> Any:
        token[0] = content.token
        return press(room, content, photo, level=level)

    room.seal_pdf = sealing  # type: ignore[method-assign]
    workers.__dict__["press"] = pressing


def prepare(ctx: Context) -> None:
    """Put the steps and the journal round the doors to keys, storage and the public record."""
    storage, put = ctx.storage, ctx.storage.put
    journaled(ctx, site() / f"journal-{os.getpid()}")

    def putting(key: str, content: bytes) -> None:
        if (site() / "storage-fails").exists():
            raise OSError(5, "storage does not answer (injected)")
        put(key, content)

    ctx.room().seal_pdf = between("before-seal", ctx.room().seal_pdf, "sealed")  # type: ignore[method-assign]
    storage.put = between("before-store", putting, "stored")  # type: ignore[method-assign]
    ctx.publish = between("before-publication", ctx.publish, "publication")  # type: ignore[method-assign]
    TimestampAuthority.token = between("before-timestamp", TimestampAuthority.token, "timestamped")  # type: ignore[method-assign]
    (site() / f"ready-{os.getpid()}").touch()


def work_under_test(settings: Settings, queues: Sequence[str], number: Any) -> None:
    """What a worker process of this machine runs; the simulated day stands still."""
    clock = SimulatedClock.on(SystemClock().today(), hour=0)
    tell = lambda worker_id: setattr(number, "value", worker_id)  # noqa: E731
    work(settings, queues, clock=clock, observe=step, prepare=prepare, tell=tell)


def main() -> None:
    """Keep workers at work until told to stop."""
    from tests.faults import worker_under_test  # by its name, so that worker processes find it

    queues = [ALL_QUEUES] * int(sys.argv[2]) + [(URGENT,)] * int(sys.argv[3])
    Pool(Settings(data_dir=Path(sys.argv[1])), queues, worker_under_test.work_under_test).run()


if __name__ == "__main__":
    main()
