"""The process behind `sandbox`: reads a question and a file, writes the findings, and can do nothing else."""

import base64
import json
import math
import resource
import sys
from datetime import datetime
from typing import Any, BinaryIO, Final

from keys.public.keyset import KeySet

# Imported before the limits fall, so that no file needs to be opened afterwards.
from verifier.check import sheet, stranger
from verifier.check.document import inspect_document
from verifier.check.findings import DocumentFindings
from verifier.check.sandbox import READY

CPU_SECONDS: Final = 5
MEMORY_BYTES: Final = 512 * 1024 * 1024
_FORBIDDEN: Final = (
    "socket.",
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.system",
    "ctypes.",
    "ftplib.",
)
_WRITING: Final = frozenset("wax+")


def main() -> None:
    """Serve questions until the other side hangs up."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    _lock_down()
    answers.write(READY)
    answers.flush()
    while (question := _read(requests)) is not None:
        pdf = _read(requests)
        if pdf is None:
            return
        _renew_cpu_limit()
        answer = json.dumps(_answer(json.loads(question), pdf)).encode()
        answers.write(len(answer).to_bytes(4, "big") + answer)
        answers.flush()


def _answer(question: dict[str, Any], pdf: bytes) -> dict[str, Any]:
    if question.get("task") == "sheet":
        try:
            return {"rows": sheet.read_rows(pdf)}
        except ValueError:
            return {"rows": None}
    known = question["known_since"]
    findings = inspect_document(
        pdf,
        KeySet.from_json(question["key_set"]),
        now=datetime.fromisoformat(question["now"]),
        known_since=datetime.fromisoformat(known) if known else None,
    )
    return _as_json(findings)


def _as_json(findings: DocumentFindings) -> dict[str, Any]:
    return {
        "failure": findings.failure.value if findings.failure else None,
        "checks": [check.to_json() for check in findings.checks],
        "credential": base64.b64encode(findings.credential or b"").decode(),
        "level": findings.level,
        "sealed_at": findings.sealed_at.isoformat() if findings.sealed_at else None,
    }


def _lock_down() -> None:
    stranger.warm_up()
    if sys.platform == "linux":  # elsewhere the kernel does not hold a process to it
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    writing = event == "open" and isinstance(arguments[1], str) and not _WRITING.isdisjoint(arguments[1])
    if writing or event.startswith(_FORBIDDEN):
        raise PermissionError(f"{event} is not for an inspected file")


def _renew_cpu_limit() -> None:
    """The limit counts from the start of the process: move it ahead for every file."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = math.ceil(used.ru_utime + used.ru_stime) + CPU_SECONDS
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))


def _read(pipe: BinaryIO) -> bytes | None:
    head = pipe.read(4)
    if len(head) != 4:
        return None
    size = int.from_bytes(head, "big")
    data = pipe.read(size)
    return data if len(data) == size else None


if __name__ == "__main__":
    main()
