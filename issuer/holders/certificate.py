"""One certificate as its holder sees it whole: copies, who watches it, and who has opened its file."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from issuer.audit import record_event
from issuer.context import Context
from issuer.errors import NotFoundError, Words
from issuer.holders.copies import CopyTerms, HeldCopy, copies_of, terms_of
from issuer.holders.sign_in import Holder
from issuer.records.certificates import ECertificate
from issuer.records.database import after_commit
from issuer.records.ledger import AuditEvent
from issuer.records.sittings import Programme, Sitting
from issuer.records.watching import Watch, Watcher
from issuer.rules.policy import Policy
from issuer.rules.watching import CLAUSE
from issuer.sharing.following import MOVED
from issuer.sharing.news import new_message

SHOWN = 12
"""Openings of the file that are listed one by one; all are counted."""
_OPENINGS = ("certificate.download", "holder.download", "copy.download")


@dataclass(frozen=True, slots=True)
class SeenWatch:
    """An organisation that watches, or watched until the holder ended it."""

    id: int
    organisation: str
    since: datetime
    expires_on: date
    ended_by: str | None


@dataclass(frozen=True, slots=True)
class Opening:
    """The file or a copy was opened: when, and whether by the holder or by staff."""

    at: datetime
    by_holder: bool


@dataclass(frozen=True, slots=True)
class CertificateDetail:
    """Everything on the page of one certificate."""

    management_no: str
    name: str
    token: str
    status: str
    programme: str
    specialty: str
    copies: tuple[HeldCopy, ...]
    terms: CopyTerms
    watches: tuple[SeenWatch, ...]
    openings: tuple[Opening, ...]
    openings_by_staff: int


def detail_of(ctx: Context, holder: Holder, management_no: str) -> CertificateDetail:
    """The certificate's page; raises NotFoundError, also for somebody else's."""
    with ctx.database.read() as session:
        found = session.execute(
            select(ECertificate, Programme)
            .join(Sitting, ECertificate.sitting_code == Sitting.code)
            .join(Programme, Sitting.programme_code == Programme.code)
            .where(
                ECertificate.management_no == management_no,
                ECertificate.person_id == holder.person_id,
                ECertificate.state == "published",
            )
        ).one_or_none()
        if found is None:
            raise _not_yours()
        certificate, programme = found
        copies = copies_of(ctx, session, certificate.id)
        openings, by_staff = _openings(session, certificate.id, [copy.id for copy in copies])
        return CertificateDetail(
            management_no=certificate.management_no,
            name=certificate.name,
            token=certificate.token,
            status=certificate.status or "",
            programme=programme.name,
            specialty=certificate.qualification.split("|")[2],
            copies=tuple(copies),
            terms=terms_of(ctx, Policy.from_dict(programme.policy), copies),
            watches=tuple(watches_of(session, certificate.id, ctx.clock.today())),
            openings=openings,
            openings_by_staff=by_staff,
        )


def watches_of(session: Session, certificate_id: int, today: date) -> list[SeenWatch]:
    """Confirmed watches that stand, and those the holder ended; newest first."""
    rows = session.execute(
        select(Watch, Watcher.organisation)
        .join(Watcher, Watch.watcher_id == Watcher.id)
        .where(Watch.certificate_id == certificate_id, Watcher.confirmed_at.is_not(None))
        .order_by(Watch.id.desc())
    )
    return [
        SeenWatch(watch.id, organisation, watch.created_at, watch.expires_on, watch.ended_by)
        for watch, organisation in rows
        if watch.ended_by not in ("watcher", MOVED) and (watch.ended_by == "holder" or watch.expires_on >= today)
    ]


def end_watch(ctx: Context, holder: Holder, watch_id: int) -> str:
    """The holder ends somebody's watch of their certificate; the watcher is told so. Its management number.

    A second time changes nothing. Raises NotFoundError, also for a watch of somebody else's certificate.
    """
    with ctx.database.write() as session:
        found = session.execute(
            select(Watch, ECertificate.management_no)
            .join(ECertificate, Watch.certificate_id == ECertificate.id)
            .where(Watch.id == watch_id, ECertificate.person_id == holder.person_id)
            .with_for_update(of=Watch)
        ).one_or_none()
        if found is None:
            raise _not_yours()
        watch, management_no = found
        if watch.ended_at is None:
            now = ctx.clock.now()
            watch.ended_at, watch.ended_by = now, "holder"
            session.add(new_message("ended", watch.watcher_id, now, watch_id=watch.id))
            details = {"watcher": watch.watcher_id}
            subject = f"certificate:{watch.certificate_id}"
            record_event(session, ctx.clock, holder.actor, "watch.refuse", subject, clause=CLAUSE, details=details)
            after_commit(session, ctx.publish)
        return str(management_no)


def _openings(session: Session, certificate_id: int, copy_ids: list[int]) -> tuple[tuple[Opening, ...], int]:
    subjects = [f"certificate:{certificate_id}", *(f"copy:{number}" for number in copy_ids)]
    wanted = select(AuditEvent).where(AuditEvent.subject.in_(subjects), AuditEvent.act.in_(_OPENINGS))
    by_staff = select(func.count()).where(AuditEvent.subject.in_(subjects), AuditEvent.act == "certificate.download")
    newest = session.scalars(wanted.order_by(AuditEvent.sequence.desc()).limit(SHOWN))
    listed = tuple(Opening(event.at, event.act != "certificate.download") for event in newest)
    return listed, session.scalar(by_staff) or 0


def _not_yours() -> NotFoundError:
    return NotFoundError(
        "certificate-not-found",
        Words("没有找到您的这份证书。", "You have no such certificate."),
        remedy=Words("请从“我的证书”列表打开。", "Open it from your list."),
    )
