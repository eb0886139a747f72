"""A public web served by Granian in a process of its own, on a free port."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.ports import free_port

__all__ = ["CHROMIUM", "free_port", "served", "until_it_answers"]

CHROMIUM = "/usr/bin/chromium"


@contextmanager
def served(
    folder: Path, base_url: str, *, starts_within: float = 120.0, interface: str = "rsgi", port: int | None = None
) -> Iterator[None]:
    """Serve the verifier over `folder` at `base_url` (http://127.0.0.1:port) until the block ends.

    `port`: another one than the address names, as behind a proxy.
    """
    port = port or int(base_url.rsplit(":", 1)[1])
    module = {"asgi": "verifier.web.app", "rsgi": "verifier.web.rsgi"}[interface]
    command = [sys.executable, "-m", "granian", "--interface", interface, "--factory", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--log-level", "warning", f"{module}:from_environment"]
    environment = {**os.environ, "ECERT_DATA_DIR": str(folder), "ECERT_VERIFY_BASE_URL": base_url}
    process = subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[2])
    try:
        until_it_answers(f"http://127.0.0.1:{port}/healthz", process, starts_within)
        yield
    finally:
        process.terminate()
        process.wait(120)


def until_it_answers(address: str, process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Wait for the first answer of `process`, whatever its status; raises RuntimeError when none comes."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError("the server ended before it answered")
        try:
            with urllib.request.urlopen(address, timeout=30):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server did not start in time")
