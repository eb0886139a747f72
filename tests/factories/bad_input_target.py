"""A demo with its server, to which everything bad is handed in; and what it held before."""

from dataclasses import dataclass
from typing import Any

import httpx

from tests.factories.command_line import CommandLine
from tests.factories.stored_rows import digest_of_rows

SITTING = "EJJZ-DEMO-1"
LONG = "王" * 3400
"""A name of 10 kB."""


@dataclass(frozen=True)
class Target:
    """A demo's folder, its server on one port, and a staff token; what it held before anything bad came."""

    ecert: CommandLine
    web: httpx.Client
    token: str
    line: dict[str, Any]
    before: dict[str, str]

    @property
    def bearer(self) -> dict[str, str]:
        """A signed-in program's header."""
        return {"Authorization": f"Bearer {self.token}"}

    def assert_as_before(self) -> None:
        """Every row of both databases is what it was."""
        now = digest_of_rows(self.ecert.folder)
        assert [table for table in now if now[table] != self.before.get(table)] == []
