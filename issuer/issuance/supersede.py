"""A corrected name: a new certificate with a number of its own takes the place of the old one, by two people.

The old certificate stays valid until the very unit of work in which the new one is published; then it reads
superseded and points to its successor. The qualification is never without a live certificate, and never has two.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import NewEvent, record_event, record_many
from issuer.context import Context
from issuer.errors import ConflictError, InputError, NotAllowedError, NotFoundError, UnavailableError, Words
from issuer.invalidation.cases import find_certificate
from issuer.issuance.facts import Case, Examination, load_cases, load_examination
from issuer.issuance.intent import PressOrder, abandon, new_draft, still_refused, write_intents
from issuer.issuance.lock import exclusive
from issuer.issuance.numbers import take_entries, take_numbers
from issuer.issuance.plan import Refused
from issuer.issuance.publish import make_public, record_outcomes
from issuer.issuance.workers import open_press
from issuer.publication.outbox import announce_status
from issuer.queues.binding import require_not_held
from issuer.records.certificates import ECertificate, Invalidation, StatusEvent
from issuer.records.corrections import Correction
from issuer.records.database import after_commit
from issuer.records.holdings import lock_holding
from issuer.refusals import refusal_from
from issuer.rules.invalidation import require_basis, require_two_people
from issuer.rules.names import require_printable_name
from issuer.rules.queues import CaseKind
from issuer.rules.terms import Role
from issuer.rules.violation import RuleViolation
from issuer.sharing.following import follow_successor
from issuer.sharing.news import tell_watchers
from templates.fonts import missing_glyphs
from verifier.record.names import name_key, normalise_name
from verifier.record.public_record import StatusChange
from verifier.record.status import CertificateStatus, ReasonClass

CLAUSE = "R11"
"""The department makes the certificate, and so a corrected one."""


def supersede(ctx: Context, actor: Actor, management_no: str, new_name: str, basis: str) -> int:
    """Propose to correct the name on a certificate; the proposal's number. Nothing changes until it is approved.

    Raises NotFoundError, NotAllowedError, InputError (a name that cannot be printed, or the same one),
    ConflictError (not valid, a case or another correction open).
    """
    actor.require(Role.AUTHORITY_ISSUER)
    name = normalise_name(new_name)
    try:
        require_basis(CLAUSE, basis)
        require_printable_name(name)
    except RuleViolation as violation:
        raise refusal_from(violation) from violation
    if missing_glyphs(name):
        raise InputError(
            "glyph-missing",
            Words("姓名中有字库无法显示的字。", "A character of the name cannot be drawn."),
            remedy=Words("安装 fonts-hanazono 后重试：ecert doctor", "Install fonts-hanazono; see ecert doctor."),
        )
    with ctx.database.write() as session:
        certificate = find_certificate(session, management_no)
        lock_holding(session, certificate.person_id, certificate.qualification)
        session.refresh(certificate)
        _require_correctable(session, certificate)
        if certificate.name == name:
            raise InputError("name-unchanged", Words("姓名与原证书相同。", "The name is the one it has."))
        row = Correction(
            certificate_id=certificate.id,
            new_name=name,
            basis=basis.strip(),
            state="proposed",
            proposed_by=actor.username,
            proposed_at=ctx.clock.now(),
        )
        session.add(row)
        session.flush()
        subject = f"correction:{row.id}"
        details = {"certificate": certificate.id}
        record_event(session, ctx.clock, actor, "correction.propose", subject, clause=CLAUSE, details=details)
        return row.id


def approve_supersession(ctx: Context, actor: Actor, correction_id: int) -> str:
    """Approve a correction; makes and publishes the new certificate and returns its management number.

    The decision and the intent are committed first, so a failure of the press leaves an approved correction
    that the same call finishes later, with the same number. Raises NotFoundError, NotAllowedError (role, or
    the proposer), ConflictError, UnavailableError (a key, the time service).
    """
    actor.require(Role.AUTHORITY_APPROVER)
    with ctx.database.write() as session:
        row = _correction(session, correction_id, {"proposed", "approved"})
        try:
            require_two_people(CLAUSE, row.proposed_by, actor.username)
        except RuleViolation as violation:
            raise NotAllowedError(
                "same-person",
                Words("提议人与批准人不能是同一人。", "Proposer and approver must be two people."),
                remedy=Words("请由另一名批准人员办理。", "Ask another approver."),
                clause=CLAUSE,
            ) from violation
        old = session.get_one(ECertificate, row.certificate_id)
        lock_holding(session, old.person_id, old.qualification)
        session.refresh(old)
        _require_state(row, {"proposed", "approved"}, session)
        require_not_held(session, ctx.clock, actor, CaseKind.CORRECTION, row.id)
        examination = load_examination(session, old.sitting_code)
        (case,) = load_cases(session, examination, [old.registration_id], lock=True)
        new, events = _successor(ctx, session, actor, row, old, examination, case)
        (order,) = write_intents(ctx, session, actor, examination, [(case, new)])
        record_many(session, ctx.clock, actor, events)
        after_commit(session, lambda: _finish(ctx, actor, correction_id, order))
        return new.management_no


def is_unfinished(ctx: Context, correction_id: int) -> bool:
    """Whether a correction was approved and its certificate is not yet made."""
    with ctx.database.read() as session:
        return session.scalar(select(Correction.state).where(Correction.id == correction_id)) == "approved"


def refuse_supersession(ctx: Context, actor: Actor, correction_id: int) -> None:
    """Reject a proposal (an approver) or withdraw it (its proposer); the old certificate stays as it is."""
    actor.require(Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER)
    with ctx.database.write() as session:
        row = _correction(session, correction_id, {"proposed"})
        own = row.proposed_by == actor.username
        if not own:
            actor.require(Role.AUTHORITY_APPROVER)
        old = session.get_one(ECertificate, row.certificate_id)
        lock_holding(session, old.person_id, old.qualification)
        _require_state(row, {"proposed"}, session)
        if not own:
            require_not_held(session, ctx.clock, actor, CaseKind.CORRECTION, row.id)
        row.state = "withdrawn" if own else "rejected"
        row.decided_by, row.decided_at = actor.username, ctx.clock.now()
        act = "correction.withdraw" if own else "correction.reject"
        record_event(session, ctx.clock, actor, act, f"correction:{row.id}", clause=CLAUSE)


def _successor(
    ctx: Context,
    session: Session,
    actor: Actor,
    row: Correction,
    old: ECertificate,
    examination: Examination,
    case: Case,
) -> tuple[ECertificate, list[NewEvent]]:
    if row.state == "approved":
        return session.get_one(ECertificate, row.successor_id), []
    _require_correctable(session, old, own=row.id)
    refusal = still_refused(ctx, examination, case)
    if refusal is not None:
        raise ConflictError(
            refusal.code,
            Words("目前不具备制发条件，未作任何改动。", "A certificate may not be made now; nothing was changed."),
            remedy=Words("先办结相关异议或核查。", "Settle the open objection or review first."),
            clause=refusal.clause,
        )
    (number,) = take_numbers(session, examination, [case])
    (entry,) = take_entries(session, ctx.lookup_key, 1)
    new = new_draft(
        ctx, examination, case, management_no=number, entry=entry, name=row.new_name, supersedes_id=old.id
    )
    session.add(new)
    session.flush()
    row.state, row.successor_id = "approved", new.id
    row.decided_by, row.decided_at = actor.username, ctx.clock.now()
    details = {"certificate": old.id, "successor": new.id}
    return new, [NewEvent("correction.approve", f"correction:{row.id}", clause=CLAUSE, details=details)]


def _finish(ctx: Context, actor: Actor, correction_id: int, order: PressOrder) -> None:
    with exclusive(ctx.settings, ctx.database, f"correction/{correction_id}"):
        with open_press(ctx, 1, 1) as press:
            press.submit(order)
            outcomes = list(press.done(finish=True))
        refused = record_outcomes(ctx, actor, outcomes)
        if refused:
            raise UnavailableError(
                refused[0].code,
                Words("更正证书未能制成，原证书仍有效。", "The correction could not be made; the old one stands."),
                remedy=Words("排除原因后再次批准即可继续。", "Mend the cause and approve again to go on."),
            )
        _exchange(ctx, actor, correction_id)


def _exchange(ctx: Context, actor: Actor, correction_id: int) -> None:
    """One unit of work: the old certificate becomes superseded, the new one public."""
    with ctx.database.write() as session:
        row = _correction(session, correction_id, {"approved"})
        new = session.get_one(ECertificate, row.successor_id)
        old = session.get_one(ECertificate, row.certificate_id)
        lock_holding(session, old.person_id, old.qualification)
        session.refresh(old)
        examination = load_examination(session, old.sitting_code)
        (case,) = load_cases(session, examination, [old.registration_id], lock=True)
        refusal = still_refused(ctx, examination, case)
        if refusal is None and old.status != CertificateStatus.VALID:
            refusal = Refused(old.registration_id, "old-certificate-not-valid", CLAUSE)
        if refusal is not None:
            row.state = "abandoned"
            record_many(session, ctx.clock, actor, [abandon(new, refusal)])
            return
        now = ctx.clock.now()
        old.status, old.slot = CertificateStatus.SUPERSEDED, "ended"
        last = session.scalar(select(func.max(StatusEvent.sequence)).where(StatusEvent.certificate_id == old.id))
        sequence = (last or 0) + 1
        session.add(
            StatusEvent(
                certificate_id=old.id,
                sequence=sequence,
                status=CertificateStatus.SUPERSEDED,
                reason_class=ReasonClass.CORRECTED,
                effective_on=ctx.clock.today(),
                at=now,
                actor=actor.username,
            )
        )
        session.flush()  # the old one gives up the slot before the new one takes it
        tell_watchers(session, old.id, sequence, now)
        published = make_public(ctx, session, actor, examination, case, new)
        change = StatusChange(
            old.token,
            sequence,
            CertificateStatus.SUPERSEDED,
            ReasonClass.CORRECTED,
            ctx.clock.today(),
            now,
        )
        announce_status(session, change, superseded_by=new.token)
        followed = follow_successor(session, old.id, new.id, now)
        _rename(ctx, case, row.new_name)
        row.state = "applied"
        details = {"successor": new.id}
        superseded = NewEvent("certificate.supersede", f"certificate:{old.id}", clause=CLAUSE, details=details)
        session.flush()
        record_many(session, ctx.clock, actor, [published, superseded, *followed])
        after_commit(session, ctx.publish)


def _rename(ctx: Context, case: Case, name: str) -> None:
    case.registration.name = name
    case.registration.name_index = ctx.data_key.blind_index("registrations.name", name_key(name))


def _require_correctable(session: Session, certificate: ECertificate, own: int | None = None) -> None:
    if certificate.state != "published" or certificate.status != CertificateStatus.VALID:
        raise ConflictError(
            "not-correctable",
            Words("只有有效的证书可以更正。", "Only a valid certificate can be corrected."),
            remedy=Words("先办结该证书的其他事项。", "Finish what else is open on it first."),
            clause=CLAUSE,
        )
    cases = select(Invalidation.id).where(
        Invalidation.certificate_id == certificate.id, Invalidation.state == "proposed"
    )
    corrections = select(Correction.id).where(
        Correction.certificate_id == certificate.id,
        Correction.state.in_(("proposed", "approved")),
        Correction.id != (own or 0),
    )
    if session.scalar(cases.limit(1)) is not None or session.scalar(corrections.limit(1)) is not None:
        raise ConflictError(
            "case-open",
            Words("该证书有未决定的事项。", "Something else is open on this certificate."),
            remedy=Words("先办结该事项：ecert invalidation list", "Finish it first: ecert invalidation list"),
        )


def _correction(session: Session, correction_id: int, states: set[str]) -> Correction:
    row = session.get(Correction, correction_id)
    if row is None:
        raise NotFoundError("correction-unknown", Words("没有这项更正。", "There is no such correction."))
    _require_state(row, states)
    return row


def _require_state(row: Correction, states: set[str], again: Session | None = None) -> None:
    """Raise ConflictError unless the correction stands in one of `states`; `again`: read anew, under the lock."""
    if again is not None:
        again.refresh(row)
    if row.state not in states:
        raise ConflictError(
            "correction-decided",
            Words(
                f"该更正已办结（{row.state}），本次操作未作任何更改。",
                f"This correction has been settled ({row.state}); nothing was changed.",
            ),
            remedy=Words("请查看办理结果：ecert certificate corrections", "See: ecert certificate corrections"),
            clause=CLAUSE,
        )
