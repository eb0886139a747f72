"""The inspecting process: what it may not do, and what becomes of a file that wears it out."""

import queue
import signal
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.factories.world import World
from tests.vectors.attacks import Target
from verifier.check import sandbox as sandbox_module
from verifier.check.checker import Checker
from verifier.check.document import inspect_document
from verifier.check.findings import InspectionUnavailableError
from verifier.check.sandbox import BusyError, Sandbox
from verifier.record.register import SqlRegister
from verifier.record.verdict import Verdict

ROOT = Path(__file__).parents[3]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """One process."""
    pool = Sandbox(workers=1, waiting=0)
    yield pool
    pool.close()


def locked_down(script: str) -> subprocess.CompletedProcess[str]:
    """Run `script` in a fresh process after the worker's limits fell."""
    prelude = "from verifier.check import sandbox_worker as worker\nworker._lock_down()\n"
    return subprocess.run(
        [sys.executable, "-c", prelude + script], cwd=ROOT, capture_output=True, text=True, timeout=1000, check=False
    )


def test_it_finds_what_the_function_finds(sandbox: Sandbox, target: Target, issued_world: World) -> None:
    keys, now = issued_world.key_set, issued_world.clock.now()
    for pdf in (target.sealed, target.cut, target.page, target.sealed + b"\n", b"", b"%PDF-1.7\n"):
        assert sandbox(pdf, keys, now=now) == inspect_document(pdf, keys, now=now)
    bare = target.room.seal_pdf(target.page, level="B-B")
    assert sandbox(bare, keys, now=now).failure is Verdict.ALTERED
    assert sandbox(bare, keys, now=now, known_since=now).level == "B-B"


@pytest.mark.parametrize(
    "script",
    [
        "import socket; socket.socket()",
        "import socket; socket.getaddrinfo('localhost', 80)",
        "import subprocess; subprocess.Popen(['true'])",
        "import os; os.system('true')",
        "import os; os.fork()",
        "open('written-by-a-test', 'w')",
    ],
)
def test_it_cannot_reach_out(script: str) -> None:
    done = locked_down(script)
    assert "PermissionError" in done.stderr
    assert not (ROOT / "written-by-a-test").exists()


def test_memory_is_bounded() -> None:
    assert "MemoryError" in locked_down("bytearray(600 * 1024 * 1024)").stderr


def test_processor_time_is_bounded() -> None:
    done = locked_down("worker.CPU_SECONDS = 1\nworker._renew_cpu_limit()\nwhile True: pass")
    assert -done.returncode in (signal.SIGXCPU, signal.SIGKILL)


def test_a_lost_process_is_malformed_and_replaced(
    sandbox: Sandbox, target: Target, issued_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, now = issued_world.key_set, issued_world.clock.now()

    class AtOnce:
        """A timer whose time is up when it starts, however busy the machine is."""

        def __init__(self, _: float, act: Callable[[], None]) -> None:
            self.start = act

        def cancel(self) -> None:
            """Too late."""

    assert sandbox(target.sealed, keys, now=now).ok  # the process has started
    with monkeypatch.context() as patched:
        patched.setattr(threading, "Timer", AtOnce)
        lost = sandbox(target.sealed, keys, now=now)
    assert (lost.failure, lost.checks[-1].code) == (Verdict.MALFORMED, "input-exhausting")
    assert sandbox(target.sealed, keys, now=now).ok


def test_a_process_that_cannot_start_is_not_blamed_on_the_file(
    target: Target, issued_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox_module.sys, "executable", "/bin/false")
    pool = Sandbox(workers=1)
    with pytest.raises(InspectionUnavailableError):
        pool(target.sealed, issued_world.key_set, now=issued_world.clock.now())
    keys, register = issued_world.key_set, SqlRegister(issued_world.settings.register_database)
    origins = (issued_world.settings.verify_base_url,)
    lookup_key, clock = issued_world.ctx.lookup_key, issued_world.clock.now
    checker = Checker(register, lambda: keys, lookup_key, clock, origins, inspect=pool)
    assert checker.check_pdf(target.sealed).verdict is Verdict.STATUS_UNKNOWN
    pool.close()


def test_a_full_queue_says_when_to_come_back(sandbox: Sandbox, target: Target, issued_world: World) -> None:
    keys, now = issued_world.key_set, issued_world.clock.now()
    worker = sandbox._idle.get()  # the one process is at work
    in_the_queue = threading.Event()

    class Telling(queue.LifoQueue[sandbox_module._Worker]):
        def get(self, block: bool = True, timeout: float | None = None) -> sandbox_module._Worker:
            in_the_queue.set()
            return super().get(block, timeout)

    sandbox._idle = Telling()
    waiting = threading.Thread(target=lambda: sandbox(target.sealed, keys, now=now))
    waiting.start()
    in_the_queue.wait()
    try:
        with pytest.raises(BusyError) as busy:
            sandbox(target.sealed, keys, now=now)
    finally:
        sandbox._idle.put(worker)
        waiting.join()
    assert busy.value.retry_after > 0


def bomb() -> bytes:
    """A page tree in an object stream that unfolds to 200 MB."""
    packed = zlib.compress(bytes(200_000_000), 9)
    stream = b"<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d >>" % len(packed)
    return b"%PDF-1.7\n1 0 obj\n" + stream + b"\nstream\n" + packed + b"\nendstream\nendobj\n"


HOSTILE = {
    "nested-arrays": b"%PDF-1.7\n1 0 obj\n" + b"[" * 3_000_000,
    "nested-dictionaries": b"%PDF-1.7\ntrailer\n" + b"<</A" * 1_000_000 + b"\nstartxref\n9\n%%EOF\n",
    "many-ranges": b"%PDF-1.7\n" + b"/ByteRange [0 9 9 9] " * 300_000,
    "many-contents": b"%PDF-1.7\n" + b"/Contents <00>" * 500_000,
    "decompression": bomb(),
    "endless-table": b"%PDF-1.7\nxref\n0 9999999\n" + b"0000000000 65535 f \n" * 400_000 + b"startxref\n9\n%%EOF\n",
    "white-space": b"%PDF-1.7\n" + b" " * 9_000_000 + b"startxref\n9\n%%EOF\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_by_the_reader_itself(name: str, issued_world: World) -> None:
    """The sandbox's limits are the second wall, not the first."""
    keys, now = issued_world.key_set, issued_world.clock.now()
    found = inspect_document(HOSTILE[name], keys, now=now)
    assert found.failure is Verdict.MALFORMED
    assert "input-exhausting" not in {check.code for check in found.checks}


def test_a_hostile_file_goes_through_the_sandbox(sandbox: Sandbox, issued_world: World) -> None:
    keys, now = issued_world.key_set, issued_world.clock.now()
    for name in ("decompression", "nested-arrays"):
        assert sandbox(HOSTILE[name], keys, now=now).failure is Verdict.MALFORMED


def test_hostile_updates_behind_a_sound_seal(sandbox: Sandbox, target: Target, issued_world: World) -> None:
    """Here our own reader meets the hostile bytes, and answers within the sandbox's limits."""
    keys, now = issued_world.key_set, issued_world.clock.now()
    for tail in (
        b"900 0 obj\n" + b"[" * 2_000_000,
        b"900 0 obj\n" + b"<</A" * 900_000,
        b"900 0 obj\n(" + b"(" * 3_900_000,
        b"900 0 obj\n(" + b"\\" * 3_900_000,
        b"900 0 obj\n(" + b"()" * 1_900_000,
        b"900 0 obj\n(" + b"\\(" * 1_900_000,
        b"900 0 obj\n" + b" " * 3_900_000,
        b"900 0 obj\n<" + b"0" * 8_000_000,
        b"xref\n0 9999999\n" + b"0000000000 65535 f \n" * 190_000,
        b"900 0 obj\n[" + b"1 " * 1_900_000 + b"]\nendobj\n",
        b"900 0 obj\n[" + (b"[" + b"/A" * 9000 + b"]") * 200 + b"]\nendobj\n",
    ):
        found = sandbox(target.sealed + tail, keys, now=now)
        assert found.failure is Verdict.ALTERED
        assert "input-exhausting" not in {check.code for check in found.checks}
