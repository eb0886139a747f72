"""One paper certificate in a unit of work: found by what a scanner reads, locked, moved by the rules, recorded."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import NewEvent
from issuer.clock import Clock
from issuer.errors import NotAllowedError, NotFoundError, Words
from issuer.records.paper import PaperCertificate, PaperEvent
from issuer.records.people import Registration
from issuer.records.sittings import Programme, Sitting
from issuer.records.suspensions import suspended_registrations
from issuer.refusals import refusal_from
from issuer.rules.paper_states import ENDED, PaperAction, PaperState, after, clause_of, place_of
from issuer.rules.policy import Policy
from issuer.rules.suspension import HELD_BACK, require_not_suspended
from issuer.rules.terms import Role
from issuer.rules.violation import RuleViolation

CLERKS = (Role.AUTHORITY_ISSUER, Role.REVIEW_BODY)
"""R11: the review body issues the paper of its programmes; the department may do it for them."""
SECONDS = (*CLERKS, Role.AUTHORITY_APPROVER)
"""Who may be the second person of a count or of a replacement."""
READERS = (*SECONDS, Role.SUPERVISOR, Role.AUDITOR)

_REMEDIES: Mapping[str, Words] = {
    "paper-state": Words("打开该证书的页面查看经过。", "Open the certificate's page to see what happened to it."),
    "case-suspends": Words("等待该事项办结，或查看：/console/cases", "Wait for the case; see /console/cases"),
    "registration-void": Words("请收回并作废该证书。", "Recall the certificate and make it void."),
    "booking-closed": Words("请携带有效证件现场领取。", "Collect it on site with your identity document."),
    "booking-not-open": Words("请等待核查结果公告。", "Wait for the announcement of the review's results."),
    "courier-has-it": Words("请与快递公司联系。", "Contact the courier."),
    "wrong-envelope": Words("停下，取出证书并逐一核对。", "Stop, take the sheet out and compare each one."),
    "outdated-label": Words("重新导出并导入运单号。", "Export again and import the new waybill."),
    "waybill-unknown": Words("核对扫描的是否为运单条码。", "Make sure that the waybill's bar code was scanned."),
    "stock-short": Words("登记并复核新到的空白证书。", "Receive more forms and have them counted twice."),
    "count-differs": Words("重新清点；差异未查清前不能办结。", "Count again; nothing is closed while it differs."),
    "two-people": Words("请由另一名工作人员登录办理。", "Another member of staff must sign in and do it."),
}


@dataclass(frozen=True, slots=True)
class Found:
    """A sheet with what the rules ask about it."""

    paper: PaperCertificate
    registration: Registration
    sitting: Sitting
    programme: Programme

    @property
    def policy(self) -> Policy:
        """The programme's numbers of days and years."""
        return Policy.from_dict(self.programme.policy)

    @property
    def state(self) -> PaperState:
        """How far it has come."""
        return PaperState(self.paper.state)


@contextmanager
def lawful() -> Iterator[None]:
    """Turn a rule's refusal into the domain error with its clause and what to do about it."""
    try:
        yield
    except RuleViolation as violation:
        raise refusal_from(violation, remedy=_REMEDIES.get(violation.code)) from violation


def scanned(text: str) -> str:
    """What a hand scanner typed, without blanks, in upper case, at most 40 characters."""
    return re.sub(r"[^0-9A-Z-]", "", text.upper())[:40]


def find_sheet(session: Session, actor: Actor, reference: str, *, lock: bool = True) -> Found:
    """The sheet with this serial, or the one that counts among those with this management number, else the newest.

    `lock`: nobody else moves it until the unit of work ends. Raises NotFoundError, NotAllowedError (R1).
    """
    wanted = scanned(reference)
    statement = (
        select(PaperCertificate)
        .where((PaperCertificate.serial == wanted) | (PaperCertificate.management_no == wanted))
        .order_by(PaperCertificate.serial != wanted, PaperCertificate.slot.desc(), PaperCertificate.id.desc())
        .limit(1)
    )
    paper = session.scalars(statement).one_or_none() if wanted else None
    if paper is None:
        raise NotFoundError(
            "paper-unknown",
            Words("没有该编号的纸质证书。", "There is no paper certificate with that number."),
            remedy=Words("核对扫描或输入的编号。", "Check what was scanned or typed."),
        )
    found = with_registration(session, locked(session, paper.id) if lock else paper)
    if actor.via != "holder":
        actor.require_programme(found.programme.code, found.registration.city)
    return found


def locked(session: Session, paper_id: int) -> PaperCertificate:
    """The row, locked and read again."""
    statement = select(PaperCertificate).where(PaperCertificate.id == paper_id).with_for_update()
    return session.execute(statement.execution_options(populate_existing=True)).scalar_one()


def locked_many(session: Session, paper_ids: Iterable[int]) -> dict[int, PaperCertificate]:
    """The rows by id, locked in the order of their ids and read again; a statement for every thousand."""
    ids, found = sorted(set(paper_ids)), dict[int, PaperCertificate]()
    for start in range(0, len(ids), 1000):
        statement = select(PaperCertificate).where(PaperCertificate.id.in_(ids[start : start + 1000]))
        statement = statement.order_by(PaperCertificate.id).with_for_update()
        rows = session.scalars(statement.execution_options(populate_existing=True))
        found |= {row.id: row for row in rows}
    return found


def with_registration(session: Session, paper: PaperCertificate) -> Found:
    """The sheet with its registration, sitting and programme."""
    registration = session.get_one(Registration, paper.registration_id)
    sitting = session.get_one(Sitting, paper.sitting_code)
    return Found(paper, registration, sitting, session.get_one(Programme, sitting.programme_code))


def step(
    session: Session,
    clock: Clock,
    actor: Actor,
    paper: PaperCertificate,
    action: PaperAction,
    *,
    reference: str | None = None,
    clause: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> NewEvent:
    """Move a locked sheet by the rules; returns the event, which the caller records last.

    `reference`: a waybill, a box, a register or a reason code, shown in the sheet's history. Raises RuleViolation.
    """
    if action in HELD_BACK:
        held_back = suspended_registrations(session, (paper.registration_id,))
        require_not_suspended(held_back.get(paper.registration_id))
    state = after(PaperState(paper.state), action)
    paper.state, paper.version, paper.changed_at = state, paper.version + 1, clock.now()
    if state in ENDED:
        paper.slot = "ended"
    clause = clause or clause_of(action)
    note_step(session, clock, actor, paper, action, clause, reference)
    return NewEvent(
        f"paper.{action}", f"paper:{paper.id}", clause=clause, details={"state": str(state), **(details or {})}
    )


def note_step(
    session: Session,
    clock: Clock,
    actor: Actor,
    paper: PaperCertificate,
    action: str,
    clause: str,
    reference: str | None = None,
) -> None:
    """A line of the sheet's own history."""
    state = PaperState(paper.state)
    session.add(
        PaperEvent(
            paper_id=paper.id,
            version=paper.version,
            action=action,
            state=state,
            place=place_of(state),
            clause=clause,
            reference=reference,
            actor=actor.username,
            at=clock.now(),
        )
    )


def reach(actor: Actor) -> ColumnElement[bool]:
    """Condition on joined `Sitting` and `Registration`: a review body sees its own programmes and cities (R1)."""
    if actor.roles - {Role.REVIEW_BODY}:
        return true()
    own = Sitting.programme_code.in_(actor.programmes)
    return own & Registration.city.in_(actor.cities) if actor.cities else own


def require_sitting(session: Session, actor: Actor, sitting_code: str) -> tuple[Sitting, Programme]:
    """The sitting and its programme, if they are the actor's (R1). Raises NotFoundError, NotAllowedError."""
    sitting = session.get(Sitting, sitting_code)
    if sitting is None:
        raise NotFoundError(
            "sitting-unknown",
            Words("没有这个考试批次。", "There is no such sitting."),
            remedy=Words("请核对考次代码。", "Check the sitting's code."),
        )
    programme = session.get_one(Programme, sitting.programme_code)
    actor.require_programme(programme.code)
    return sitting, programme


def require_whole(actor: Actor) -> None:
    """Raise NotAllowedError (R1) when a city office would act on a whole sitting."""
    if not actor.roles - {Role.REVIEW_BODY} and actor.cities:
        raise NotAllowedError(
            "outside-own-city",
            Words("市级核查部门不能办理全考次事项。", "A city office cannot act on the whole sitting."),
            remedy=Words("请由省级核查部门或省厅办理。", "Ask the provincial review body or the department."),
            clause="R1",
        )
