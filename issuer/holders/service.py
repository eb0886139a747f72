"""What a holder sees: registrations, where their review stands and why, certificates and their files."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.audit import record_event
from issuer.clock import SHANGHAI
from issuer.context import Context
from issuer.errors import NotFoundError, Words
from issuer.hearings.reading import HearingView, own_hearings
from issuer.holders.sign_in import Holder
from issuer.records.certificates import ECertificate, Invalidation
from issuer.records.people import Registration
from issuer.records.reviews import EligibilityReview, ReviewEvent
from issuer.records.sittings import Programme, Sitting
from issuer.review.timeline import Day, timeline_of
from issuer.rules.policy import Policy

_FILE_MARKS = {"invalid": "（已无效）", "superseded": "（已更换）", "suspended": "（暂停使用）"}


@dataclass(frozen=True, slots=True)
class HeldCertificate:
    """A published certificate as its holder sees it. `fallen_*` say why and from when it is not valid."""

    management_no: str
    token: str
    name: str
    status: str
    issued_on: date
    approved_on: date
    file_size: int
    ground: str | None = None
    clause: str | None = None
    effective_on: date | None = None


@dataclass(frozen=True, slots=True)
class HeldRegistration:
    """One sitting the person passed: where the review stands, and the certificates made from it."""

    registration_id: int
    sitting_code: str
    programme: str
    level: str
    specialty: str
    medium: str
    admission_no: str
    outcome: str | None
    reason_code: str | None
    reason_note: str | None
    notice_closes_on: date
    supplementary_closes_on: date
    void: bool
    certificates: tuple[HeldCertificate, ...]
    days: tuple[Day, ...]
    """The sitting's timeline, the same that staff see, with this person's hearings."""
    hearings: tuple[HearingView, ...] = ()
    proposed: tuple["ProposedCase", ...] = ()


@dataclass(frozen=True, slots=True)
class ProposedCase:
    """A proposal to invalidate that waits for its decision: its ground, and until when a hearing can be asked for.

    What the proposer wrote is not shown before the decision: it may name whoever gave a hint.
    """

    id: int
    ground: str
    clause: str
    proposed_on: date
    ask_until: date


def registrations_of(ctx: Context, holder: Holder) -> list[HeldRegistration]:
    """Everything on record for the signed-in person, newest first."""
    with ctx.database.read() as session:
        rows = session.execute(
            select(Registration, Sitting, Programme, EligibilityReview)
            .join(Sitting, Registration.sitting_code == Sitting.code)
            .join(Programme, Sitting.programme_code == Programme.code)
            .outerjoin(EligibilityReview, EligibilityReview.registration_id == Registration.id)
            .where(Registration.person_id == holder.person_id)
            .order_by(Registration.id.desc())
        ).all()
        held: dict[int, list[HeldCertificate]] = {}
        certificates = session.scalars(
            select(ECertificate)
            .where(ECertificate.person_id == holder.person_id, ECertificate.state == "published")
            .order_by(ECertificate.id.desc())
        )
        for certificate in certificates:
            case = session.scalars(
                select(Invalidation)
                .where(
                    Invalidation.certificate_id == certificate.id,
                    Invalidation.state == "applied",
                    Invalidation.kind == "invalidate",
                )
                .order_by(Invalidation.id.desc())
                .limit(1)
            ).one_or_none()
            fallen = case if certificate.status == "invalid" else None
            held.setdefault(certificate.registration_id, []).append(_certificate(certificate, fallen))
        notes = {
            event.registration_id: event.note
            for event in session.scalars(
                select(ReviewEvent)
                .where(ReviewEvent.registration_id.in_([row[0].id for row in rows]))
                .order_by(ReviewEvent.version)
            )
        }
        today = ctx.clock.today()
        ids = [row[0].id for row in rows]
        hearings = own_hearings(session, ids)
        proposed = _proposed(session, ids)
        return [
            HeldRegistration(
                registration_id=registration.id,
                sitting_code=sitting.code,
                programme=programme.name,
                level=registration.level or programme.level,
                specialty=registration.specialty,
                medium=programme.medium,
                admission_no=registration.admission_no,
                outcome=review.outcome if review else None,
                reason_code=review.reason_code if review else None,
                reason_note=notes.get(registration.id),
                notice_closes_on=sitting.notice_closes_on,
                supplementary_closes_on=sitting.supplementary_closes_on,
                void=registration.void_since is not None,
                certificates=tuple(held.get(registration.id, ())),
                days=with_hearings(
                    timeline_of(sitting, programme, today),
                    [each for each in hearings if each.registration_id == registration.id],
                    today,
                ),
                hearings=tuple(each for each in hearings if each.registration_id == registration.id),
                proposed=tuple(
                    _case_view(case, Policy.from_dict(programme.policy))
                    for case in proposed
                    if case.registration_id == registration.id
                ),
            )
            for registration, sitting, programme, review in rows
        ]


def with_hearings(days: tuple[Day, ...], hearings: list[HearingView], today: date) -> tuple[Day, ...]:
    """The sitting's days with those of a person's hearings among them."""
    own = [day for hearing in hearings for day in hearing.days(today)]
    return tuple(sorted([*days, *own], key=lambda day: day.day))


def _proposed(session: Session, registration_ids: list[int]) -> list[Invalidation]:
    waiting = select(Invalidation).where(
        Invalidation.registration_id.in_(registration_ids),
        Invalidation.state == "proposed",
        Invalidation.kind == "invalidate",
    )
    return list(session.scalars(waiting.order_by(Invalidation.id)))


def _case_view(case: Invalidation, policy: Policy) -> ProposedCase:
    day = case.proposed_at.astimezone(SHANGHAI).date()
    return ProposedCase(case.id, case.ground, case.clause, day, day + timedelta(days=policy.hearing_ask_days))


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A certificate's PDF with the name it is saved under."""

    content: bytes
    file_name: str
    sha256: str


def download(ctx: Context, holder: Holder, management_no: str) -> HeldFile:
    """The PDF of the person's own certificate; the download is put on record. A fallen one says so in its name.

    Raises NotFoundError, also for somebody else's certificate.
    """
    with ctx.database.write() as session:
        certificate = session.scalars(
            select(ECertificate).where(
                ECertificate.management_no == management_no,
                ECertificate.person_id == holder.person_id,
                ECertificate.state == "published",
            )
        ).one_or_none()
        if certificate is None or certificate.file_key is None:
            raise NotFoundError(
                "certificate-not-found",
                Words("没有找到您的这份证书。", "You have no such certificate."),
                remedy=Words("请从“我的证书”列表打开。", "Open it from your list."),
            )
        record_event(session, ctx.clock, holder.actor, "holder.download", f"certificate:{certificate.id}")
        file_key, name, sha256 = certificate.file_key, certificate.name, certificate.file_sha256 or ""
        mark = _FILE_MARKS.get(certificate.status or "", "")
    return HeldFile(ctx.storage.get(file_key), f"{name}-{management_no}{mark}.pdf", sha256)


def _certificate(certificate: ECertificate, case: Invalidation | None) -> HeldCertificate:
    return HeldCertificate(
        management_no=certificate.management_no,
        token=certificate.token,
        name=certificate.name,
        status=certificate.status or "",
        issued_on=certificate.issued_on,
        approved_on=certificate.approved_on,
        file_size=certificate.file_size or 0,
        ground=case.ground if case else None,
        clause=case.clause if case else None,
        effective_on=case.effective_on if case else None,
    )
