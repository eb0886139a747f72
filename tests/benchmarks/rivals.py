"""The programs of the comparison: nginx with one static file, our server as it runs in production, and wrk."""

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.factories.web_server import free_port, until_it_answers

ROOT = Path(__file__).parents[2]
SERVER_CORE, LOAD_CORE = 0, 1
CONNECTIONS = 64
_PACKAGES = {"wrk": "wrk", "nginx": "nginx-light"}
_NGINX = """
{user}worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; keepalive_requests 1000000000;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}; root {folder}/www; default_type application/json; }}
}}
"""


@dataclass(frozen=True)
class Measured:
    """One run of wrk: requests a second, and the 99th percentile of the answer time in milliseconds."""

    rate: float
    p99_ms: float


def require_programs() -> None:
    """Install what is missing when that is allowed; otherwise say what to install and end."""
    missing = [package for program, package in _PACKAGES.items() if find(program) is None]
    if not missing:
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], check=True)
    if any(find(program) is None for program in _PACKAGES):
        raise SystemExit(f"missing: {', '.join(missing)}; install them (Debian: apt-get install {' '.join(missing)})")


def find(program: str) -> str | None:
    """Where a program is; servers often lie outside the PATH of people."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def on_core(core: int, command: list[str]) -> list[str]:
    """The command bound to one core, where there is more than one."""
    return ["taskset", "-c", str(core), *command] if core in os.sched_getaffinity(0) else command


@contextmanager
def nginx(folder: Path, size: int) -> Iterator[str]:
    """nginx with one worker on the server's core; yields the address of a file of `size` bytes.

    It opens the file for every request, as is its default: ours reads the register anew for every answer, too.
    """
    port = free_port()
    (folder / "www").mkdir(parents=True)
    (folder / "www" / "answer.json").write_bytes(b"x" * size)
    user = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port, user=user))
    program = find("nginx")
    assert program is not None
    address = f"http://127.0.0.1:{port}/answer.json"
    with _running(on_core(SERVER_CORE, [program, "-c", str(folder / "nginx.conf")]), address):
        yield address


@contextmanager
def verifier(
    folder: Path, *, register: str, core: int | None = SERVER_CORE, **more: str
) -> Iterator[tuple[str, int]]:
    """Our server over `folder` and the register at a URL; yields its address and process number."""
    base = f"http://127.0.0.1:{free_port()}"
    port = base.rsplit(":", 1)[1]
    granian = str(Path(sys.executable).with_name("granian"))
    command = [granian, "--interface", "rsgi", "--factory", "--http", "1", "--no-ws", "--backlog", "2048"]
    command += ["--port", port, "--log-level", "warning", "verifier.web.rsgi:from_environment"]
    environment = {
        "ECERT_DATA_DIR": str(folder),
        "ECERT_VERIFY_BASE_URL": base,
        "ECERT_REGISTER_URL": register,
        **more,
    }
    bound = command if core is None else on_core(core, command)
    with _running(bound, f"{base}/healthz", environment) as process:
        yield base, process.pid


@contextmanager
def _running(
    command: list[str], address: str, more: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(command, env={**os.environ, **(more or {})}, cwd=ROOT)
    try:
        until_it_answers(address, process, 120)
        yield process
    finally:
        process.terminate()
        process.wait(120)


def wrk(address: str, seconds: int, *script: str, fields: tuple[str, ...] = ()) -> Measured:
    """Ask with 64 connections for some seconds; `script` are the arguments of `random_keys.lua`."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", "--latency"]
    for field in fields:
        command += ["-H", field]
    if script:
        command += ["-s", str(Path(__file__).with_name("random_keys.lua"))]
    done = subprocess.run(
        on_core(LOAD_CORE, [*command, address, *(("--", *script) if script else ())]),
        capture_output=True,
        text=True,
        check=True,
    )
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise SystemExit(f"not every answer was good:\n{done.stdout}")
    rate, late = (
        re.search(r"Requests/sec:\s+([\d.]+)", done.stdout),
        re.search(r"99%\s+([\d.]+)(us|ms|s)", done.stdout),
    )
    if rate is None or late is None:
        raise SystemExit(f"wrk said something unexpected:\n{done.stdout}")
    return Measured(float(rate[1]), float(late[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[late[2]])


def peak_mib(pid: int) -> float:
    """The most memory of their own that a process and its children have held, in MiB.

    Mapped files are the system's cache, given back when it needs the room, and are left out.
    """
    total = 0
    for one in [pid, *children(pid)]:
        status = Path(f"/proc/{one}/status").read_text()
        peak, mapped = (re.search(rf"{name}:\s+(\d+) kB", status) for name in ("VmHWM", "RssFile"))
        total += (int(peak[1]) if peak else 0) - (int(mapped[1]) if mapped else 0)
    return total / 1024


def body_of(address: str) -> bytes:
    """The body of one answer; waits a little for a server that is just starting."""
    for _ in range(20):
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return bytes(answer.read())
        except urllib.error.URLError:
            time.sleep(0.1)
    raise SystemExit(f"no answer from {address}")


def children(pid: int) -> list[int]:
    """Process numbers of all its descendants."""
    try:
        found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []  # gone already, even between opening the file and reading it
    return found + [grandchild for child in found for grandchild in children(child)]
