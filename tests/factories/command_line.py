"""`ecert` as people and programs run it: a process of its own, its exit code and what it wrote; and as a server."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from issuer.cli import run
from tests.factories.web_server import free_port, until_it_answers
from verifier.cli import run as run_verifier

PROGRAMS = Path(sys.executable).parent
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Said:
    """What one command left: its exit code and both outputs."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the JSON document that --json promises."""
        return json.loads(self.out)

    def assert_refused_in_one_line(self) -> None:
        """Non-zero, nothing on standard output, exactly one clear line on standard error, no traceback."""
        assert self.code >= 2, self
        assert self.out == "", self
        assert self.err.count("\n") == 1 and len(self.err) > 10, self.err
        assert "Traceback" not in self.err and "reference" not in self.err, self.err


@dataclass(frozen=True)
class CommandLine:
    """Commands on one data folder. `base_url` is where QR codes made in it point to."""

    folder: Path
    base_url: str = field(default_factory=lambda: f"http://127.0.0.1:{free_port()}")

    @property
    def port(self) -> int:
        """The port of `base_url`."""
        return int(self.base_url.rsplit(":", 1)[1])

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every command: nothing of the machine's own settings for this program."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ECERT_")}
        return kept | {"ECERT_DATA_DIR": str(self.folder), "ECERT_VERIFY_BASE_URL": self.base_url}

    def run(self, *words: object, program: str = "ecert") -> Said:
        """One command to its end; every exit code is an answer."""
        command = [str(PROGRAMS / program), *map(str, words)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=1000, env=self.environment, cwd=ROOT
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def ask(self, *words: object, code: int = 0, program: str = "ecert") -> Any:
        """One command with --json; its document. The exit code must be `code`."""
        said = self.run(*words, "--json", program=program)
        assert said.code == code, (words, said)
        return said.json

    def look(self, *words: object, code: int = 0) -> Any:
        """As `ask`, by the same entry point in this process: for looking at things between the steps of a story."""
        found, document = self._here(run, *words)
        assert found == code, (words, document)
        return document

    def verdict(self, *words: object) -> str:
        """What `ecert verify` answers in a process of its own, exit code and document held to each other."""
        said = self.run("verify", *words, "--json")
        return _verdict(said.code, said.json)

    def verdict_here(self, *words: object) -> str:
        """The same by the same entry point in this process."""
        return _verdict(*self._here(run, "verify", *words))

    def fetch_bundle(self, folder: Path) -> Path:
        """What an offline check needs, fetched anew from the register."""
        code, document = self._here(run_verifier, "fetch", "--bundle", folder)
        assert code == 0, document
        return folder

    def _here(self, program: Callable[[Sequence[str]], int], *words: object) -> tuple[int, Any]:
        out = io.StringIO()
        with redirect_stdout(out), patch.dict(os.environ, self.environment):
            code = program([*map(str, words), "--data-dir", str(self.folder), "--json"])
        return code, json.loads(out.getvalue())

    @contextmanager
    def serving(self, side: str = "all", *, log: Path | None = None) -> Iterator[str]:
        """`ecert serve SIDE` at `base_url` until the block ends, and its exit code held to 0. Yields `base_url`."""
        command = [str(PROGRAMS / "ecert"), "serve", side, "--port", str(self.port)]
        with (log or self.folder.with_suffix(".log")).open("ab") as output:
            server = subprocess.Popen(command, env=self.environment, cwd=ROOT, stdout=output, stderr=output)
            try:
                until_it_answers(f"{self.base_url}/healthz", server, 120.0)
                yield self.base_url
            finally:
                server.terminate()
                code = server.wait(120)
        assert code == 0, f"the server ended with {code}"


def _verdict(code: int, document: Any) -> str:
    verdict = str(document.get("verdict", document))
    assert code == {"valid": 0, "status_unknown": 2}.get(verdict, 1), document
    return verdict
