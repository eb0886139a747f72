"""Purpose-bound copies (加注件) as the register knows them.

A copy has a token, a number and a file of its own, so that every way of asking finds the copy and not its
certificate. It has no status of its own: it is read together with its certificate's row, in one statement, and so
falls with it at the same instant.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, select

from verifier.record.public_record import PublicRecord
from verifier.record.readonly import ReadOnlyDatabase
from verifier.record.tables import certificates, copies


@dataclass(frozen=True, slots=True)
class CopyRecord(PublicRecord):
    """A copy as the register knows it: token, number, file and credential its own, all else of its certificate.

    `of_token` is the certificate's. `list_id` and `list_index` are the certificate's entry, `copy_list_id` and
    `copy_list_index` the copy's, which is set when it is withdrawn.
    """

    of_token: str = ""
    valid_until: date = date.min
    withdrawn_at: datetime | None = None
    copy_list_id: str = ""
    copy_list_index: int = 0


_SHARED: Final = {"list_id", "list_index"}
_JOINED: Final = select(
    *(copies.c[c.name] if c.name in copies.c and c.name not in _SHARED else c for c in certificates.c),
    copies.c.of_token,
    copies.c.valid_until,
    copies.c.withdrawn_at,
    copies.c.list_id.label("copy_list_id"),
    copies.c.list_index.label("copy_list_index"),
).join_from(copies, certificates, copies.c.of_token == certificates.c.token)


_BY: Final = {
    column: _JOINED.where(copies.c[column] == bindparam("key")).limit(1)
    for column in ("token", "file_sha256", "number_digest", "holder_digest")
}
_PARENT: Final = select(copies.c.of_token).where(copies.c.token == bindparam("key"))


def find_copy(database: ReadOnlyDatabase, column: str, key: str) -> Row[Any] | None:
    """The joined row of the copy with `key` in one of its own columns; raises RegisterUnavailableError."""
    return database.first(_BY[column], {"key": key})


def certificate_of(database: ReadOnlyDatabase, token: str) -> str | None:
    """The token of the certificate a copy was made of, None for any other token; raises RegisterUnavailableError."""
    row = database.first(_PARENT, {"key": token})
    return None if row is None else str(row.of_token)
