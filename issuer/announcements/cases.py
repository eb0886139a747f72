"""Which decided cases an announcement lists (R9, R10): drafted by policy on approval, lifted after an appeal."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.announcements.drafts import note
from issuer.announcements.listing import Line
from issuer.announcements.wording import Facts, first_text
from issuer.ports import ServiceContext
from issuer.records.announcements import AnnouncedCase, Announcement
from issuer.records.certificates import Invalidation
from issuer.records.people import Registration
from issuer.records.sittings import Programme, Sitting
from issuer.rules.announcements import AnnouncementKind, masked_admission_no, masked_name
from issuer.rules.policy import Policy

_KINDS = {"invalidate": AnnouncementKind.INVALIDATION, "reinstate": AnnouncementKind.REINSTATEMENT}


def case_applied(ctx: ServiceContext, session: Session, case: Invalidation, sitting: Sitting, policy: Policy) -> None:
    """What an approved case means for announcements, in its unit of work.

    An invalidation is put on its proposer's draft where the policy asks for one. A reinstatement takes the name off
    the list it stood on at once, and is drafted itself when that list was published. Somebody else publishes.
    """
    if case.kind == "invalidate":
        if policy.announce_invalidations:
            _put_on_draft(ctx, session, case, sitting)
        return
    shown = session.get(AnnouncedCase, case.overturns_id) if case.overturns_id else None
    if shown is None:
        return
    announcement = session.get_one(Announcement, shown.announcement_id, with_for_update=True, populate_existing=True)
    shown.lifted_at = ctx.clock.now()
    session.flush()
    if announcement.state == "published":
        _put_on_draft(ctx, session, case, sitting)


def collectable(session: Session, sitting_code: str, kind: AnnouncementKind) -> list[int]:
    """Applied cases of a sitting that stand on no announcement but a withdrawn one, oldest first."""
    taken = (
        select(AnnouncedCase.case_id)
        .join(Announcement, Announcement.id == AnnouncedCase.announcement_id)
        .where(Announcement.state != "withdrawn")
    )
    wanted = "invalidate" if kind is AnnouncementKind.INVALIDATION else "reinstate"
    query = (
        select(Invalidation.id)
        .join(Registration, Registration.id == Invalidation.registration_id)
        .where(
            Registration.sitting_code == sitting_code,
            Invalidation.kind == wanted,
            Invalidation.state == "applied",
            Invalidation.id.not_in(taken),
        )
    )
    if kind is AnnouncementKind.REINSTATEMENT:  # only what the public was told before
        told = select(AnnouncedCase.case_id).where(AnnouncedCase.position.is_not(None))
        query = query.where(Invalidation.overturns_id.in_(told))
    return list(session.scalars(query.order_by(Invalidation.id)))


def put_on(session: Session, row: Announcement, case_ids: Sequence[int]) -> None:
    """Put cases on a draft; those of a withdrawn announcement leave it."""
    for case_id in case_ids:
        known = session.get(AnnouncedCase, case_id, with_for_update=True)
        if known is None:
            session.add(AnnouncedCase(case_id=case_id, announcement_id=row.id))
        else:
            known.announcement_id, known.position, known.lifted_at = row.id, None, None
    session.flush()


def case_lines(session: Session, announcement_id: int) -> list[Line]:
    """A draft's list as it stands now: names and numbers masked, without what was overturned meanwhile."""
    return [_line(registration) for _, registration in session.execute(_listed(announcement_id))]


def placed_lines(session: Session, row: Announcement) -> list[Line]:
    """The list to be published; each case remembers its line, so that its name can be taken off later."""
    lines: list[Line] = []
    for shown, registration in session.execute(_listed(row.id)):
        shown.position = len(lines)
        lines.append(_line(registration))
    return lines


def lifted_positions(session: Session, announcement_id: int) -> set[int]:
    """Lines of a published list that are shown no longer, because the case was overturned."""
    query = select(AnnouncedCase.position).where(
        AnnouncedCase.announcement_id == announcement_id,
        AnnouncedCase.lifted_at.is_not(None),
        AnnouncedCase.position.is_not(None),
    )
    return {position for position in session.scalars(query) if position is not None}


def _listed(announcement_id: int) -> Select[AnnouncedCase, Registration]:
    return (
        select(AnnouncedCase, Registration)
        .join(Invalidation, Invalidation.id == AnnouncedCase.case_id)
        .join(Registration, Registration.id == Invalidation.registration_id)
        .where(AnnouncedCase.announcement_id == announcement_id, AnnouncedCase.lifted_at.is_(None))
        .order_by(Registration.admission_no, AnnouncedCase.case_id)
    )


def _line(registration: Registration) -> Line:
    return Line(
        masked_name(registration.name), masked_admission_no(registration.admission_no), registration.specialty
    )


def _put_on_draft(ctx: ServiceContext, session: Session, case: Invalidation, sitting: Sitting) -> None:
    kind = _KINDS[case.kind]
    waiting = select(Announcement).where(
        Announcement.sitting_code == sitting.code,
        Announcement.kind == kind.value,
        Announcement.state == "draft",
        Announcement.drafted_by == case.proposed_by,
    )
    row = session.scalars(waiting.order_by(Announcement.id).limit(1).with_for_update()).one_or_none()
    if row is None:
        row = _begin(session, case, sitting, kind, ctx.clock.now())
        note(session, ctx, Actor(case.proposed_by, frozenset(), "system"), "draft", row)
    else:
        row.version += 1  # whoever read it before reads it again
    put_on(session, row, [case.id])


def _begin(
    session: Session, case: Invalidation, sitting: Sitting, kind: AnnouncementKind, at: datetime
) -> Announcement:
    programme = session.get_one(Programme, sitting.programme_code)
    facts = Facts(
        sitting_code=sitting.code,
        programme=programme.name,
        authority=programme.authority,
        review_body=programme.review_body,
        opens_on=sitting.notice_opens_on,
        closes_on=sitting.notice_closes_on,
        supplementary_closes_on=sitting.supplementary_closes_on,
        listed=0,
    )
    row = Announcement(
        sitting_code=sitting.code,
        kind=kind.value,
        state="draft",
        **asdict(first_text(kind, facts)),
        version=0,
        drafted_by=case.proposed_by,
        drafted_at=at,
    )
    session.add(row)
    session.flush()
    return row
