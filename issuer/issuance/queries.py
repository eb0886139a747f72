"""Looking at certificates and batches: what staff screens, the API and the command line show."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from issuer.access.actor import Actor
from issuer.context import Context
from issuer.errors import NotFoundError, Words
from issuer.invalidation.cases import find_certificate
from issuer.records.certificates import Batch, BatchItem, ECertificate, StatusEvent
from issuer.records.corrections import Correction
from issuer.records.people import Registration
from issuer.records.sittings import Programme, Sitting
from issuer.rules.terms import Role

READERS = tuple(Role)


@dataclass(frozen=True, slots=True)
class CertificateView:
    """One certificate as staff see it. Holds the name: for screens, never for logs."""

    certificate: ECertificate
    programme: str
    level: str
    specialty: str
    history: tuple[StatusEvent, ...]
    verify_url: str
    successor: str | None

    def to_json(self) -> dict[str, Any]:
        """Plain values, days and instants in ISO 8601."""
        row = self.certificate
        return {
            "management_no": row.management_no,
            "name": row.name,
            "programme": self.programme,
            "level": self.level,
            "specialty": self.specialty,
            "sitting": row.sitting_code,
            "state": row.state,
            "status": row.status,
            "approved_on": row.approved_on.isoformat(),
            "issued_on": row.issued_on.isoformat(),
            "published_at": row.published_at.isoformat() if row.published_at else None,
            "token": row.token,
            "verify_url": self.verify_url,
            "file_sha256": row.file_sha256,
            "file_size": row.file_size,
            "superseded_by": self.successor,
            "history": [
                {
                    "status": event.status,
                    "reason": event.reason_class,
                    "effective_on": event.effective_on.isoformat(),
                    "at": event.at.isoformat(),
                }
                for event in self.history
            ],
        }


def show_certificate(ctx: Context, actor: Actor, management_no: str) -> CertificateView:
    """One certificate by its number. Raises NotFoundError, NotAllowedError (R1)."""
    actor.require(*READERS)
    with ctx.database.read() as session:
        row = find_certificate(session, management_no)
        registration = session.get_one(Registration, row.registration_id)
        sitting = session.get_one(Sitting, row.sitting_code)
        programme = session.get_one(Programme, sitting.programme_code)
        actor.require_programme(programme.code, registration.city)
        events = session.scalars(
            select(StatusEvent).where(StatusEvent.certificate_id == row.id).order_by(StatusEvent.sequence)
        )
        successor = session.scalar(
            select(ECertificate.management_no).where(
                ECertificate.supersedes_id == row.id, ECertificate.state == "published"
            )
        )
        return CertificateView(
            certificate=row,
            programme=programme.name,
            level=registration.level or programme.level,
            specialty=registration.specialty,
            history=tuple(events),
            verify_url=f"{ctx.settings.verify_base_url.rstrip('/')}/v/{row.token}",
            successor=successor,
        )


def show_batch(ctx: Context, actor: Actor, batch_id: int) -> dict[str, Any]:
    """How far a batch has come, and per person why not. Raises NotFoundError, NotAllowedError."""
    actor.require(*READERS)
    with ctx.database.read() as session:
        batch = session.get(Batch, batch_id)
        if batch is None:
            raise NotFoundError("batch-unknown", Words("没有这个签发批次。", "There is no such batch."))
        counts = dict(
            session.execute(
                select(BatchItem.result, func.count())
                .where(BatchItem.batch_id == batch_id)
                .group_by(BatchItem.result)
            ).all()
        )
        refused = session.execute(
            select(BatchItem.registration_id, BatchItem.code, BatchItem.clause)
            .where(BatchItem.batch_id == batch_id, BatchItem.result == "refused")
            .order_by(BatchItem.registration_id)
        ).all()
        return {
            "batch": batch.id,
            "sitting": batch.sitting_code,
            "kind": batch.kind,
            "state": batch.state,
            "actor": batch.actor,
            "created_at": batch.created_at.isoformat(),
            "finished_at": batch.finished_at.isoformat() if batch.finished_at else None,
            "counts": counts,
            "refused": [{"registration": number, "code": code, "clause": clause} for number, code, clause in refused],
        }


def list_corrections(
    ctx: Context, actor: Actor, state: str | None = None, *, management_no: str | None = None, limit: int = 200
) -> list[dict[str, Any]]:
    """Corrections, newest first, also of one certificate. The new name is shown only to who may decide."""
    actor.require(Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER, Role.AUDITOR)
    statement = select(Correction, ECertificate.management_no).join(
        ECertificate, Correction.certificate_id == ECertificate.id
    )
    if state is not None:
        statement = statement.where(Correction.state == state)
    if management_no is not None:
        statement = statement.where(ECertificate.management_no == management_no)
    with ctx.database.read() as session:
        rows = session.execute(statement.order_by(Correction.id.desc()).limit(limit)).all()
    may_see = bool(actor.roles & {Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER})
    return [
        {
            "id": row.id,
            "management_no": number,
            "state": row.state,
            "new_name": row.new_name if may_see else None,
            "proposed_by": row.proposed_by,
            "decided_by": row.decided_by,
        }
        for row, number in rows
    ]
