"""A private PostgreSQL server for tests: own cluster in a temporary folder, own port, gone at the end.

Use `postgres_url` (a fresh, empty database for each test) by importing it into a test module. The binaries are
found under /usr/lib/postgresql or on the PATH; without them the test fails and says what to install. As root
the server runs as the user `postgres`, because it refuses to run as root.
"""

import atexit
import functools
import itertools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.services.ports import free_port

SERVER_USER = "postgres"
WITHIN_SECONDS = 200
"""How long the server may take to start, to stop, and to see that those whose connections it ended are gone."""
_names = itertools.count(1)


class PostgresServer:
    """A running cluster. `url(name)` is a SQLAlchemy URL of one of its databases.

    `more`: further options of the server (`-c name=value …`); what a test writes is not synced unless they say so.
    `folder`: a place that is kept: what an earlier server left there (after `leave`) is served again.
    """

    def __init__(self, more: str = "", folder: Path | None = None) -> None:
        self._binaries = _find_binaries()
        self._folder = folder or Path(tempfile.mkdtemp(prefix="ecert-pg-"))
        self._folder.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(self._folder, SERVER_USER)
        self.port = free_port()
        data = self._folder / "data"
        if not data.exists():
            self._run("initdb", "-D", data, "-U", SERVER_USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self._options = f"-h 127.0.0.1 -p {self.port} -k {self._folder} -c fsync=off -c max_connections=60 {more}"
        self._control("-l", self._folder / "log", "-o", self._options, "start")

    @property
    def pid(self) -> int:
        """Number of its first process; those it starts later take over what binds it."""
        return int((self._folder / "data" / "postmaster.pid").read_text().splitlines()[0])

    def url(self, name: str) -> str:
        """Address of a database."""
        return f"postgresql+psycopg://{SERVER_USER}@127.0.0.1:{self.port}/{name}"

    def new_database(self) -> str:
        """Make an empty database; returns its URL."""
        name = f"test_{os.getpid()}_{next(_names)}"
        self._execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def copy_database(self, url: str) -> str:
        """Make a database that holds what another, to which nobody is connected, holds; returns its URL."""
        name = f"test_{os.getpid()}_{next(_names)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {url.rpartition('/')[2]}")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Remove a database and throw out whoever is still connected."""
        self._execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        self._control("-m", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def leave(self) -> None:
        """Stop in good order and keep the folder, for another server made with it."""
        self._control("-m", "fast", "stop")

    def halt(self) -> None:
        """Stop at once, as a crash would; `start` brings it back with what it held."""
        self._control("-m", "immediate", "stop")

    def start(self) -> None:
        """Start again on the same port after `halt`."""
        # The options of the first start are in postmaster.opts, which pg_ctl reads only for a restart.
        self._control("-l", self._folder / "log", "-o", self._options, "start")

    def restart(self) -> None:
        """Stop at once, as a crash would, and start again on the same port."""
        self._control("-l", self._folder / "log", "-m", "immediate", "restart")

    def _control(self, *arguments: str | Path) -> None:
        self._run("pg_ctl", "-D", self._folder / "data", "-w", "-t", str(WITHIN_SECONDS), *arguments)

    def _execute(self, statement: str) -> None:
        until = time.monotonic() + WITHIN_SECONDS
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user=SERVER_USER, dbname="postgres", autocommit=True
        ) as connection:
            while True:
                try:
                    connection.execute(statement.encode())
                    return
                except psycopg.errors.ObjectInUse:
                    # The server waits five seconds for those who were just leaving the database.
                    if time.monotonic() > until:
                        raise

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [str(self._binaries / program), *map(str, arguments)]
        if os.geteuid() == 0:
            command = ["runuser", "-u", SERVER_USER, "--", *command]
        # A server started here inherits our pipes, so its output goes to a file of its own.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd="/", check=False
            )
            if done.returncode:
                output.seek(0)
                pytest.fail(f"{program} failed: {output.read().decode(errors='replace')}")


def _find_binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    if found:
        return found[-1].parent
    if on_path:
        return Path(on_path).resolve().parent
    pytest.fail("PostgreSQL's server programs are missing: install them (Debian: apt-get install postgresql)")


@functools.cache
def postgres_server() -> PostgresServer:
    """The one server of this test process, started on first use."""
    server = PostgresServer()
    atexit.register(server.stop)
    return server


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """SQLAlchemy URL of an empty database, dropped afterwards."""
    server = postgres_server()
    url = server.new_database()
    yield url
    server.drop_database(url)
