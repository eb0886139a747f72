"""Looking a restored folder over before anybody relies on it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from issuer.audit import verify_chain
from issuer.audit_standing import refusal_of
from issuer.context import Context
from issuer.errors import UnavailableError
from issuer.issuance.files import file_is_whole
from issuer.records.certificates import ECertificate


@dataclass(frozen=True, slots=True)
class Restored:
    """`files` published certificate files were compared; `damaged` are the row numbers of those that differ;
    `replayed` events were missing from the restored public record."""

    files: int
    damaged: tuple[int, ...]
    audit_intact: bool
    replayed: int
    erased_again: int = 0
    """Persons whose data was erased after the backup was made, and now again."""
    read_only: UnavailableError | None = None
    """Why nothing may be written here yet: the second place knows of later audit events."""

    @property
    def good(self) -> bool:
        """Whether everything is as it was."""
        return self.audit_intact and not self.damaged and self.read_only is None

    def to_json(self) -> dict[str, Any]:
        """As --json prints it."""
        return {
            "files": self.files,
            "damaged": list(self.damaged),
            "audit_intact": self.audit_intact,
            "replayed": self.replayed,
            "erased_again": self.erased_again,
            "read_only": None if self.read_only is None else self.read_only.code,
        }


def check_restored(ctx: Context) -> Restored:
    """Bring the public record up to the issuer's state, then compare every file and walk the audit chain.

    Nothing is published while the audit trail's second place knows of later events.
    """
    from issuer.personal_data.erasure_list import apply_again

    erased = apply_again(ctx)  # before anybody can look
    read_only = _read_only(ctx)
    replayed = ctx.relay.rebuild() + ctx.relay.flush() if read_only is None else 0
    with ctx.database.read() as session:
        intact = verify_chain(session).intact
        published = list(session.scalars(select(ECertificate).where(ECertificate.published_at.is_not(None))))
    damaged = tuple(row.id for row in published if not file_is_whole(ctx.storage, row))
    return Restored(len(published), damaged, intact, replayed, erased, read_only)


def _read_only(ctx: Context) -> UnavailableError | None:
    if ctx.second_place is None:
        return None
    standing = ctx.second_place.look_again()
    return None if standing.writable else refusal_of(standing)
