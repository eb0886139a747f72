"""Files are inspected in processes of their own, which may use little and touch nothing.

    CPU 5 s and memory 512 MiB a file (POSIX resource limits), 10 s by the clock, no socket, no child process, no file
    opened for writing. What runs out of it is `malformed`, and its process is replaced.

The answer comes back as JSON, never as pickled objects, and the credential in it is verified again on this side: a
process taken over by a hostile file could still not forge a sound seal's claims unseen by the register.
"""

import atexit
import base64
import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from keys.public.keyset import KeySet
from verifier.check.findings import DocumentFindings, InspectionUnavailableError, Refused, read_credential_checked
from verifier.check.words import say
from verifier.record.verdict import Check, Verdict

WALL_SECONDS: Final = 10.0
START_SECONDS: Final = 60.0
READY: Final = b"RDY\n"
RETRY_AFTER_SECONDS: Final = 5
_MAX_ANSWER: Final = 1 << 20


class BusyError(Exception):
    """All processes are at work and the queue is full; try again after `retry_after` seconds."""

    def __init__(self, retry_after: int = RETRY_AFTER_SECONDS) -> None:
        super().__init__(f"busy; try again in {retry_after} s")
        self.retry_after = retry_after


class Sandbox:
    """A bounded pool of inspecting processes; call it as `inspect_document`. Safe for threads.

    `workers` processes run at once (0: one a core, at most 4) and `waiting` more calls may wait for one; beyond
    that BusyError. Processes start when first needed. Close it when done.
    """

    def __init__(self, workers: int = 0, waiting: int = 16) -> None:
        count = workers or min(4, os.cpu_count() or 1)
        self._places = threading.BoundedSemaphore(count + waiting)
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()
        self._workers = [_Worker() for _ in range(count)]
        for worker in self._workers:
            self._idle.put(worker)
        atexit.register(self.close)

    def __call__(
        self, pdf: bytes, key_set: KeySet, *, now: datetime, known_since: datetime | None = None
    ) -> DocumentFindings:
        """As `inspect_document`; raises BusyError, InspectionUnavailableError (no process can be started)."""
        answer = self._ask(_question(pdf, key_set, now, known_since), pdf)
        if answer is None:
            return DocumentFindings(Verdict.MALFORMED, (say("input-exhausting"),))
        return _findings(answer, key_set)

    def rows(self, xlsx: bytes) -> list[list[str]] | None:
        """A workbook's first sheet as text (`verifier.check.sheet`), read under the same limits; None for what cannot
        be read within them. Raises as a call does."""
        answer = self._ask(b'{"task": "sheet"}', xlsx)
        rows = answer.get("rows") if answer is not None else None
        if not isinstance(rows, list) or not all(
            isinstance(row, list) and all(isinstance(cell, str) for cell in row) for row in rows
        ):
            return None
        return rows

    def _ask(self, question: bytes, file: bytes) -> dict[str, Any] | None:
        if not self._places.acquire(blocking=False):
            raise BusyError
        try:
            worker = self._idle.get()
            try:
                return worker.ask(question, file)
            finally:
                self._idle.put(worker)
        finally:
            self._places.release()

    def close(self) -> None:
        """End the processes."""
        atexit.unregister(self.close)
        for worker in self._workers:
            worker.stop()


class _Worker:
    """One process, started when needed and again after it was lost."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, question: bytes, pdf: bytes) -> dict[str, Any] | None:
        """The answer, or None when the process ran out of what it may use."""
        process = self._start()
        watchdog = threading.Timer(WALL_SECONDS, process.kill)
        watchdog.start()
        try:
            stdin, stdout = process.stdin, process.stdout
            if stdin is None or stdout is None:
                raise OSError("the process has no pipes")
            for part in (question, pdf):
                stdin.write(len(part).to_bytes(4, "big") + part)
            stdin.flush()
            size = int.from_bytes(_exactly(stdout, 4), "big")
            if size > _MAX_ANSWER:
                raise OSError("an answer longer than any")
            answer = json.loads(_exactly(stdout, size))
            return answer if isinstance(answer, dict) else None
        except (OSError, ValueError):
            self.stop()
            return None
        finally:
            watchdog.cancel()

    def stop(self) -> None:
        """Kill the process and forget it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        process.wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.stop()
        # The command line is constant; the environment holds nothing of ours but where the modules are.
        paths = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
        environment = {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "verifier.check.sandbox_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        self._await_ready(self._process)
        return self._process

    def _await_ready(self, process: "subprocess.Popen[bytes]") -> None:
        """A process that does not come up is our trouble, and must not be blamed on the file."""
        watchdog = threading.Timer(START_SECONDS, process.kill)
        watchdog.start()
        try:
            if process.stdout is None or process.stdout.read(len(READY)) != READY:
                self.stop()
                raise InspectionUnavailableError("the inspecting process did not start")
        finally:
            watchdog.cancel()


def _question(pdf: bytes, key_set: KeySet, now: datetime, known_since: datetime | None) -> bytes:
    return json.dumps(
        {
            "key_set": key_set.to_json(),
            "now": now.isoformat(),
            "known_since": known_since.isoformat() if known_since else None,
        }
    ).encode()


def _findings(answer: dict[str, Any], key_set: KeySet) -> DocumentFindings:
    try:
        checks = tuple(Check(**check) for check in answer["checks"])
        if answer["failure"] is not None:
            return DocumentFindings(Verdict(answer["failure"]), checks)
        credential = base64.b64decode(answer["credential"])
        claims, _ = read_credential_checked(credential, key_set)
        sealed_at = datetime.fromisoformat(answer["sealed_at"])
        return DocumentFindings(None, checks, credential, claims, answer["level"], sealed_at)
    except (KeyError, TypeError, ValueError, Refused):
        return DocumentFindings(Verdict.MALFORMED, (say("input-exhausting"),))


def _exactly(pipe: Any, size: int) -> bytes:
    data: bytes = pipe.read(size)
    if len(data) != size:
        raise OSError("the process ended")
    return data
