"""A private Redis for tests: own port, nothing on disk, gone at the end; can be stopped and started again."""

import shutil
import subprocess
import time
from types import TracebackType

import pytest
import redis

from tests.services.ports import free_port

STARTS_WITHIN = 200.0


class RedisServer:
    """A running server at `url`. Use as a context manager."""

    def __init__(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            pytest.fail("redis-server is missing: install it (Debian: apt-get install redis-server)")
        self._program = program
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def pid(self) -> int:
        """Number of its process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen([self._program, *options], stdout=subprocess.DEVNULL, cwd="/")
        client = redis.Redis(port=self.port, socket_timeout=30)
        until = time.monotonic() + STARTS_WITHIN
        while True:
            if self._process.poll() is not None:
                pytest.fail(f"redis-server ended with {self._process.returncode} before it answered")
            try:
                client.ping()
                break
            except (redis.ConnectionError, redis.TimeoutError):
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)
        client.close()

    def stop(self) -> None:
        """End it at once, as a crash would."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def __enter__(self) -> "RedisServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
