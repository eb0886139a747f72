"""The intent: number, token, list entry and content digest, committed before any key is used.

A crash after this leaves a draft that is continued with the same number and token; a seal the database does
not know of cannot come to be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import NewEvent, record_many
from issuer.context import Context
from issuer.issuance.batches import mark_refused
from issuer.issuance.content import CertificateContent
from issuer.issuance.facts import Case, Examination, load_cases, load_examination
from issuer.issuance.numbers import take_entries, take_numbers
from issuer.issuance.plan import Refused, refusal_of
from issuer.records.certificates import ECertificate
from issuer.records.holdings import lock_holdings
from issuer.records.ledger import SealIntent
from issuer.records.people import Registration
from issuer.rules.violation import RuleViolation
from keys.public.purposes import KeyPurpose
from templates.certificate.wording import template_version
from verifier.record.qr import new_token


@dataclass(frozen=True, slots=True)
class PressOrder:
    """One certificate to be pressed: its row, the intent it is pressed under, and its content."""

    certificate_id: int
    registration_id: int
    intent_id: int
    content: CertificateContent
    attempt: int = 1
    """Which attempt at this certificate it is; each writes a file of its own."""
    template_version: str = ""
    """What this program's pages are drawn by; another attempt may be by a newer or older program."""


@dataclass(frozen=True, slots=True)
class Intended:
    """What one unit of work intended, what it gave up, and what it could not begin."""

    orders: tuple[PressOrder, ...]
    refused: tuple[Refused, ...]


def intend(
    ctx: Context,
    actor: Actor,
    sitting_code: str,
    registration_ids: Sequence[int],
    *,
    batch_id: int | None = None,
) -> Intended:
    """Begin certificates for these registrations, or continue their drafts, in one committed unit of work.

    Eligibility is asked again under the locks. A draft whose case no longer holds is abandoned with the
    reason; its number is never used again.
    """
    refused: list[Refused] = []
    events: list[NewEvent] = []
    with ctx.database.write() as session:
        examination = load_examination(session, sitting_code)
        # Holdings first, as everywhere: then the cases are read again under their locks.
        unlocked = load_cases(session, examination, registration_ids)
        wanted = {(case.person.id, case.qualification) for case in unlocked}
        session.expire_all()  # and not after the locks: each holding would be asked for again by itself
        holdings = lock_holdings(session, wanted)
        examination = load_examination(session, sitting_code)
        fresh: list[Case] = []
        drafts: list[tuple[Case, ECertificate]] = []
        for case in load_cases(session, examination, registration_ids, lock=True):
            certificate, number = case.open_certificate, case.registration.id
            if certificate is not None and certificate.slot == "live":
                continue
            if certificate is not None and certificate.registration_id == number:
                given_up = still_refused(ctx, examination, case)
                if given_up is None:
                    drafts.append((case, certificate))
                else:
                    events.append(abandon(certificate, given_up))
                    refused.append(given_up)
            elif holdings[case.person.id, case.qualification].paper_replacement_open:
                refused.append(Refused(number, "paper-replacement-open", "R14"))
            elif holdings[case.person.id, case.qualification].paper_made_at is not None:
                refused.append(Refused(number, "paper-certificate-made", "R11"))
            elif (refusal := refusal_of(case, examination, ctx.clock, ctx.settings.verify_base_url)) is not None:
                refused.append(refusal)
            else:
                fresh.append(case)
        begun = _begin(ctx, session, examination, fresh)
        now = ctx.clock.now()
        for case in fresh:
            holding = holdings[case.person.id, case.qualification]
            holding.e_certificate_made_at = holding.e_certificate_made_at or now
        pairs = [*zip(fresh, begun, strict=True), *drafts]
        mark_refused(session, batch_id, refused)
        record_many(session, ctx.clock, actor, events)
        orders = write_intents(ctx, session, actor, examination, pairs)
    return Intended(tuple(orders), tuple(refused))


def still_refused(ctx: Context, examination: Examination, case: Case) -> Refused | None:
    """Why a certificate that is being made must not be finished, or None: the law, asked again."""
    try:
        case.require_issuable(examination, ctx.clock.today(), own_certificate=True)
    except RuleViolation as violation:
        return Refused(case.registration.id, violation.code, violation.clause)
    return None


def abandon(row: ECertificate, refusal: Refused) -> NewEvent:
    """Give a draft up for good: number, token and file are never used again. Returns the event to record."""
    row.state, row.slot = "abandoned", "ended"
    row.refusal = {"code": refusal.code, "clause": refusal.clause}
    details = {"code": refusal.code}
    return NewEvent("certificate.abandon", f"certificate:{row.id}", "refused", refusal.clause, details)


def write_intents(
    ctx: Context,
    session: Session,
    actor: Actor,
    examination: Examination,
    pairs: Sequence[tuple[Case, ECertificate]],
) -> list[PressOrder]:
    """Store what is about to be sealed for these drafts, with an audit event each, and return the orders."""
    now = ctx.clock.now()
    kid = ctx.room().key_set.current(KeyPurpose.DOCUMENT_SEAL).kid
    contents = [content_of(ctx, examination, case.registration, case, row, now) for case, row in pairs]
    attempts = latest_attempts(session, [row.id for _, row in pairs])
    intents = [
        SealIntent(
            certificate_id=row.id,
            attempt=attempts.get(row.id, 0) + 1,
            content_sha256=content.digest(ctx.data_key),
            seal_kid=kid,
            intended_at=now,
        )
        for (_, row), content in zip(pairs, contents, strict=True)
    ]
    session.add_all(intents)
    session.flush()
    events = [
        NewEvent(
            "certificate.intent",
            f"certificate:{intent.certificate_id}",
            "intent",
            details={"attempt": intent.attempt, "content": intent.content_sha256, "kid": kid},
        )
        for intent in intents
    ]
    record_many(session, ctx.clock, actor, events)
    drawn_by = template_version(examination.programme.template)
    return [
        PressOrder(row.id, row.registration_id, intent.id, content, intent.attempt, drawn_by)
        for (_, row), intent, content in zip(pairs, intents, contents, strict=True)
    ]


def new_draft(
    ctx: Context,
    examination: Examination,
    case: Case,
    *,
    management_no: str,
    entry: tuple[str, int],
    name: str,
    supersedes_id: int | None = None,
) -> ECertificate:
    """The row of a certificate that is about to be made."""
    return ECertificate(
        registration_id=case.registration.id,
        sitting_code=examination.sitting.code,
        person_id=case.person.id,
        qualification=case.qualification,
        management_no=management_no,
        token=new_token(),
        name=name,
        state="draft",
        slot="pending",
        approved_on=examination.sitting.approved_on,
        issued_on=ctx.clock.today(),
        list_id=entry[0],
        list_index=entry[1],
        template_version=template_version(examination.programme.template),
        intended_at=ctx.clock.now(),
        supersedes_id=supersedes_id,
    )


def content_of(
    ctx: Context,
    examination: Examination,
    registration: Registration,
    case: Case,
    row: ECertificate,
    made_at: datetime,
) -> CertificateContent:
    """What the certificate in `row` says."""
    programme = examination.programme
    return CertificateContent(
        token=row.token,
        management_no=row.management_no,
        name=row.name,
        gender=registration.gender,
        id_type=case.person.id_type,
        id_no=case.person.id_no,
        programme_code=programme.code,
        programme_name=programme.name,
        level=registration.level or programme.level,
        specialty=registration.specialty,
        approved_on=row.approved_on,
        issued_on=row.issued_on,
        authority=programme.authority,
        list_id=row.list_id,
        list_index=row.list_index,
        template=programme.template,
        base_url=ctx.settings.verify_base_url,
        photo_key=registration.photo_key,
        sample=ctx.settings.sample,
        made_at=made_at,
    )


def _begin(ctx: Context, session: Session, examination: Examination, cases: Sequence[Case]) -> list[ECertificate]:
    if not cases:
        return []
    numbers = take_numbers(session, examination, cases)
    entries = take_entries(session, ctx.lookup_key, len(cases))
    rows = [
        new_draft(ctx, examination, case, management_no=number, entry=entry, name=case.registration.name)
        for case, number, entry in zip(cases, numbers, entries, strict=True)
    ]
    session.add_all(rows)
    session.flush()
    return rows


def latest_attempts(session: Session, certificate_ids: Sequence[int]) -> dict[int, int]:
    """The number of the last attempt at each of these certificates; none for one never tried."""
    statement = (
        select(SealIntent.certificate_id, func.max(SealIntent.attempt))
        .where(SealIntent.certificate_id.in_(certificate_ids))
        .group_by(SealIntent.certificate_id)
    )
    return dict(session.execute(statement).all())
