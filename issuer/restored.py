"""Looking a restored folder over before anybody relies on it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from issuer.audit import verify_chain
from issuer.context import Context
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

    @property
    def good(self) -> bool:
        """Whether everything is as it was."""
        return self.audit_intact and not self.damaged

    def to_json(self) -> dict[str, Any]:
        """As --json prints it."""
        return {
            "files": self.files,
            "damaged": list(self.damaged),
            "audit_intact": self.audit_intact,
            "replayed": self.replayed,
        }


def check_restored(ctx: Context) -> Restored:
    """Bring the public record up to the issuer's state, then compare every file and walk the audit chain."""
    replayed = ctx.relay.rebuild() + ctx.relay.flush()
    with ctx.database.read() as session:
        intact = verify_chain(session).intact
        published = list(session.scalars(select(ECertificate).where(ECertificate.published_at.is_not(None))))
    damaged = tuple(row.id for row in published if not file_is_whole(ctx.storage, row))
    return Restored(len(published), damaged, intact, replayed)
