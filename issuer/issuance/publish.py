"""The last steps: store what was sealed, ask the law once more, then make it public. Group commits."""

import hashlib
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import NewEvent, record_many
from issuer.context import Context
from issuer.issuance.batches import mark_published, mark_refused
from issuer.issuance.facts import Case, Examination, load_cases, load_examination
from issuer.issuance.files import file_is_whole
from issuer.issuance.intent import abandon, latest_attempts, still_refused
from issuer.issuance.plan import Refused
from issuer.issuance.workers import Outcome
from issuer.publication.outbox import announce_certificate
from issuer.records.certificates import ECertificate, StatusEvent
from issuer.records.database import after_commit
from issuer.records.holdings import lock_holdings
from issuer.records.ledger import SealIntent
from issuer.rules.identity import canonical_id
from verifier.record.lookup import holder_digest, identity_digest, number_digest
from verifier.record.public_record import PublicRecord
from verifier.record.status import CertificateStatus

CREDENTIAL_PURPOSE = "e_certificates.credential"


def record_outcomes(
    ctx: Context, actor: Actor, outcomes: Sequence[Outcome], *, batch_id: int | None = None
) -> list[Refused]:
    """Write down what came out of the press, sealed or refused; returns the refused ones. One unit of work.

    Only the latest attempt at a certificate that is still being made counts: what any other made (a worker that
    was frozen, and whose work somebody else took over) is noted as lost and its file removed.
    """
    refused: list[Refused] = []
    events: list[NewEvent] = []
    with ctx.database.write() as session:
        rows = _rows(session, [outcome.order.certificate_id for outcome in outcomes], lock=True)
        latest = latest_attempts(session, list(rows))
        intents = _intents(session, [outcome.order.intent_id for outcome in outcomes])
        now = ctx.clock.now()
        for outcome in outcomes:
            row, intent = rows[outcome.order.certificate_id], intents[outcome.order.intent_id]
            subject = f"certificate:{row.id}"
            if intent.attempt != latest[row.id] or not _in_the_making(ctx, row):
                # The file goes first: a crash in between leaves an intent without outcome, which is swept.
                if outcome.code is None:
                    ctx.storage.delete(outcome.file_key)
                    intent.sealed_sha256 = outcome.sha256
                intent.outcome = "lost"
                details = {"code": "another-attempt-counts", "attempt": intent.attempt}
                events.append(NewEvent("certificate.seal", subject, "refused", details=details))
                continue
            if outcome.code is not None:
                intent.outcome, row.refusal = "failed", {"code": outcome.code}
                refused.append(Refused(row.registration_id, outcome.code, None))
                events.append(NewEvent("certificate.seal", subject, "refused", details={"code": outcome.code}))
                continue
            intent.outcome, intent.sealed_sha256 = "sealed", outcome.sha256
            row.file_key, row.file_sha256, row.file_size = outcome.file_key, outcome.sha256, outcome.size
            row.credential = ctx.data_key.seal(CREDENTIAL_PURPOSE, outcome.credential)
            row.credential_sha256 = hashlib.sha256(outcome.credential).hexdigest()
            row.template_version = outcome.order.template_version  # the draft may have been begun by another release
            row.state, row.sealed_at, row.refusal = "checked", now, None
            events.append(NewEvent("certificate.seal", subject, details={"sha256": outcome.sha256}))
        mark_refused(session, batch_id, refused)
        record_many(session, ctx.clock, actor, events)
    return refused


def publish_checked(
    ctx: Context,
    actor: Actor,
    sitting_code: str,
    certificate_ids: Sequence[int],
    *,
    batch_id: int | None = None,
) -> tuple[list[ECertificate], list[Refused]]:
    """Publish sealed and checked certificates, each only if the law still allows it; one unit of work.

    Returns the published rows and those that were abandoned: their number, token and file are never used again.
    When this returns every way of checking shows the published ones.
    """
    published: list[ECertificate] = []
    abandoned: list[Refused] = []
    events: list[NewEvent] = []
    with ctx.database.write() as session:
        rows = _rows(session, certificate_ids)
        lock_holdings(session, {(row.person_id, row.qualification) for row in rows.values()})
        session.expire_all()
        rows = _rows(session, certificate_ids)  # all at once, as they stand under the locks
        examination = load_examination(session, sitting_code)
        cases = {
            case.registration.id: case
            for case in load_cases(session, examination, [row.registration_id for row in rows.values()], lock=True)
        }
        for row in rows.values():
            if row.state != "checked":
                continue
            case = cases[row.registration_id]
            refusal = still_refused(ctx, examination, case)
            if refusal is None:
                events.append(make_public(ctx, session, actor, examination, case, row))
                published.append(row)
            else:
                events.append(abandon(row, refusal))
                abandoned.append(refusal)
        mark_published(session, batch_id, published)
        mark_refused(session, batch_id, abandoned)
        session.flush()
        record_many(session, ctx.clock, actor, events)
        after_commit(session, ctx.publish)
    return published, abandoned


def make_public(
    ctx: Context, session: Session, actor: Actor, examination: Examination, case: Case, row: ECertificate
) -> NewEvent:
    """Turn one checked row into a published certificate in this unit of work; returns the audit event to record."""
    now = ctx.clock.now()
    assert row.file_sha256 is not None and row.credential_sha256 is not None, "a checked row has both"
    row.state, row.status, row.slot, row.published_at = "published", CertificateStatus.VALID, "live", now
    session.add(
        StatusEvent(
            certificate_id=row.id,
            sequence=0,
            status=CertificateStatus.VALID,
            effective_on=row.issued_on,
            at=now,
            actor=actor.username,
        )
    )
    registration, programme = case.registration, examination.programme
    announce_certificate(
        session,
        PublicRecord(
            token=row.token,
            status=CertificateStatus.VALID,
            reason_class=None,
            programme_code=programme.code,
            programme_name=programme.name,
            level=registration.level or programme.level,
            specialty=registration.specialty,
            approved_on=row.approved_on,
            issued_on=row.issued_on,
            file_sha256=row.file_sha256,
            credential_sha256=row.credential_sha256,
            number_digest=number_digest(ctx.lookup_key, row.management_no),
            holder_digest=holder_digest(ctx.lookup_key, row.management_no, row.name),
            list_id=row.list_id,
            list_index=row.list_index,
            published_at=now,
            identity_digest=identity_digest(
                ctx.lookup_key, row.management_no, row.name, canonical_id(case.person.id_no)[-4:]
            ),
        ),
    )
    return NewEvent("certificate.publish", f"certificate:{row.id}", clause="R11", details={"sha256": row.file_sha256})


def _in_the_making(ctx: Context, row: ECertificate) -> bool:
    if row.state == "checked":
        return not file_is_whole(ctx.storage, row)
    return row.state == "draft"


def _rows(session: Session, ids: Sequence[int], *, lock: bool = False) -> dict[int, ECertificate]:
    statement = select(ECertificate).where(ECertificate.id.in_(ids)).order_by(ECertificate.id)
    if lock:
        statement = statement.with_for_update(key_share=True)  # leaves room for others' references to these rows
    return {row.id: row for row in session.scalars(statement)}


def _intents(session: Session, ids: Sequence[int]) -> dict[int, SealIntent]:
    return {row.id: row for row in session.scalars(select(SealIntent).where(SealIntent.id.in_(ids)))}
