"""One row by token or by file digest, as the answers that most people ask for need it: read anew every time, cheaply.

Nothing is remembered here. SQLite answers within the call, in some ten microseconds. PostgreSQL is asked for all
keys that wait together in one statement, which begins after each of them was asked: under load a row costs a
fraction of a round trip, and an answer is still as fresh as if it had been asked for alone. A status therefore
cannot outlive a change, with or without any notice of the change.
"""

from collections.abc import Awaitable
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from sqlalchemy.engine import make_url

Shape = str
"""What many certificates have in common: a JSON array of texts and nulls in the order of `SHAPE_COLUMNS`.

Dates and instants are ISO 8601 text. Equal content is equal text, so that it can be a key as it is.
"""

SHAPE_COLUMNS: Final = (
    "status",
    "reason_class",
    "programme_code",
    "programme_name",
    "level",
    "specialty",
    "approved_on",
    "issued_on",
    "status_changed_at",
    "effective_on",
    "superseded_by",
)


class PointRow(NamedTuple):
    """A certificate as the register has it now. `valid_until`: of the file asked for, when it is a copy.

    The three in the middle are there only when a page was asked for.
    """

    token: str
    shape: Shape
    credential_sha256: str = ""
    list_id: str = ""
    list_index: str = ""
    valid_until: str | None = None


Reading = PointRow | None | Awaitable[PointRow | None]
"""A row, None when there is no such row, or one of the two to wait for."""


class PointReads(Protocol):
    """Where one row comes from. All raise RegisterUnavailableError, at once or when waited for."""

    def by_token(self, token: str) -> Reading:
        """The content of the certificate with this token (26 upper-case base32 characters)."""
        ...

    def for_page(self, token: str) -> Reading:
        """The same, with what a page needs besides."""
        ...

    def by_file(self, sha256: str) -> Reading:
        """The content of the certificate a file (lower-case hex digest) was sealed for."""
        ...

    async def close(self) -> None:
        """Let go of connections; the next read opens them again."""
        ...


def open_point_reads(url: str) -> PointReads:
    """Point reads of the register at a SQLAlchemy URL. Nothing is opened before the first read."""
    # Here, not above: both need what this module defines.
    from verifier.record.point_reads_postgres import PostgresPointReads
    from verifier.record.point_reads_sqlite import SqlitePointReads

    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return SqlitePointReads(Path(parsed.database or ""))
    return PostgresPointReads(parsed)
