"""Reading requests for the replacement of a paper certificate."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.ports import ServiceContext
from issuer.records.paper import PaperReplacementRequest
from issuer.records.people import Registration
from issuer.records.sittings import Sitting
from issuer.rules.terms import Role

READERS = (
    Role.AUTHORITY_ISSUER,
    Role.AUTHORITY_APPROVER,
    Role.REVIEW_BODY,
    Role.SUPERVISOR,
    Role.AUDITOR,
)


@dataclass(frozen=True, slots=True)
class ReplacementView:
    """A request as staff and its own holder see it; no name, no number of a document."""

    id: int
    registration_id: int
    sitting_code: str
    qualification: str
    state: str
    clause: str | None
    code: str | None
    requested_by: str
    requested_at: datetime
    kind: str | None = None
    approved_by: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values, instants in RFC 3339."""
        return {
            "id": self.id,
            "registration_id": self.registration_id,
            "sitting_code": self.sitting_code,
            "qualification": self.qualification,
            "state": self.state,
            "clause": self.clause,
            "code": self.code,
            "requested_by": self.requested_by,
            "requested_at": self.requested_at.isoformat(),
            "kind": self.kind,
            "approved_by": self.approved_by,
        }


def view_of(row: PaperReplacementRequest, sitting_code: str) -> ReplacementView:
    """The frozen view of a request's row."""
    return ReplacementView(
        id=row.id,
        registration_id=row.registration_id,
        sitting_code=sitting_code,
        qualification=row.qualification,
        state=row.state,
        clause=row.clause,
        code=row.code,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        kind=row.kind,
        approved_by=row.approved_by,
    )


def list_replacements(
    ctx: ServiceContext,
    actor: Actor,
    *,
    state: str | None = None,
    sitting_code: str | None = None,
    person_id: int | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[ReplacementView]:
    """Requests newest first; a review body sees its own programmes (R1), a holder (`person_id`) their own."""
    if actor.via != "holder":
        actor.require(*READERS)
    elif person_id is None:
        return []
    query = (
        select(PaperReplacementRequest, Registration.sitting_code)
        .join(Registration, PaperReplacementRequest.registration_id == Registration.id)
        .join(Sitting, Registration.sitting_code == Sitting.code)
        .order_by(PaperReplacementRequest.id.desc())
        .limit(limit)
    )
    conditions = {
        PaperReplacementRequest.state: state,
        Registration.sitting_code: sitting_code,
        PaperReplacementRequest.person_id: person_id,
    }
    for column, value in conditions.items():
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(PaperReplacementRequest.id < before)
    if actor.via != "holder" and not actor.roles - {Role.REVIEW_BODY}:
        query = query.where(Sitting.programme_code.in_(actor.programmes))
        if actor.cities:
            query = query.where(Registration.city.in_(actor.cities))
    with ctx.database.read() as session:
        return [view_of(row, sitting) for row, sitting in session.execute(query)]
