"""Reading cases, and what an invalidation would do before anybody proposes it."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, select

from issuer.access.actor import Actor
from issuer.errors import ConflictError, InputError, Words
from issuer.invalidation.cases import InvalidationView, Named, find_case, view_from, view_of
from issuer.invalidation.grounds import parse_ground, reason_class
from issuer.invalidation.guards import open_case
from issuer.invalidation.subject import Kind, Reference, case_subject, find_subject, require_reach
from issuer.ports import ServiceContext
from issuer.records.certificates import ECertificate, Invalidation
from issuer.records.paper import PaperCertificate
from issuer.records.people import Registration, Score
from issuer.records.sittings import Sitting
from issuer.rules.terms import InvalidationGround, Role
from issuer.sharing.touched import touched

READERS = (
    Role.AUTHORITY_ISSUER,
    Role.AUTHORITY_APPROVER,
    Role.REVIEW_BODY,
    Role.SUPERVISOR,
    Role.AUDITOR,
)
STATES = ("proposed", "rejected", "withdrawn", "applied", "overturned")


@dataclass(frozen=True, slots=True)
class InvalidationPlan:
    """What would fall, and a digest that changes when anything it rests on does."""

    management_no: str | None
    certificate_id: int | None
    ground: str
    clause: str
    reason_shown: str
    status_now: str | None
    status_then: str
    subjects_void: int
    registration_void: bool
    open_case: int | None
    copies_live: int = 0
    """Purpose-bound copies that would fall with it."""
    watchers: int = 0
    """Addresses that would be told."""
    about: Kind = "certificate"
    registration_id: int = 0
    sitting_code: str = ""
    paper_serial: str | None = None
    """The paper sheet that would be void, its mail stopped and its box emptied."""
    paper_state: str | None = None

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of what the decision rests on: 64 hex characters.

        Copies and watchers come and go by other people's acts and decide nothing: they are shown, not bound.
        """
        bound = {name: value for name, value in asdict(self).items() if name not in ("copies_live", "watchers")}
        return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The plan with its digest."""
        return asdict(self) | {"digest": self.digest}


def list_cases(
    ctx: ServiceContext,
    actor: Actor,
    *,
    state: str | None = None,
    management_no: str | None = None,
    registration_id: int | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[InvalidationView]:
    """Cases newest first, a page at a time (`before` is the last page's smallest id); own programmes only (R1).

    Raises NotAllowedError and InputError (unknown state).
    """
    actor.require(*READERS)
    if state is not None and state not in STATES:
        raise InputError(
            "unknown-state",
            Words("没有这种办理状态。", "There is no such state."),
            remedy=Words(f"可选：{', '.join(STATES)}。", f"Choose one of: {', '.join(STATES)}."),
        )
    query = (
        select(
            Invalidation,
            Registration.sitting_code,
            Registration.admission_no,
            ECertificate.management_no,
            PaperCertificate.management_no,
            PaperCertificate.serial,
        )
        .join(Registration, Invalidation.registration_id == Registration.id)
        .outerjoin(ECertificate, Invalidation.certificate_id == ECertificate.id)
        .outerjoin(PaperCertificate, Invalidation.paper_id == PaperCertificate.id)
        .order_by(Invalidation.id.desc())
        .limit(limit)
    )
    if state is not None:
        query = query.where(Invalidation.state == state)
    if management_no is not None:
        wanted = management_no.strip().upper()
        paper = (PaperCertificate.management_no == wanted) | (PaperCertificate.serial == wanted)
        query = query.where((ECertificate.management_no == wanted) | paper)
    if registration_id is not None:
        query = query.where(Invalidation.registration_id == registration_id)
    if before is not None:
        query = query.where(Invalidation.id < before)
    if not actor.roles - {Role.REVIEW_BODY}:
        query = query.join(Sitting, Registration.sitting_code == Sitting.code).where(
            Sitting.programme_code.in_(actor.programmes)
        )
        if actor.cities:
            query = query.where(Registration.city.in_(actor.cities))
    with ctx.database.read() as session:
        return [view_from(case, Named(*numbers)) for case, *numbers in session.execute(query)]


def show_case(ctx: ServiceContext, actor: Actor, case_id: int) -> InvalidationView:
    """One case; raises NotFoundError, NotAllowedError (role, R1)."""
    actor.require(*READERS)
    with ctx.database.read() as session:
        case = find_case(session, case_id)
        subject = case_subject(session, case)
        require_reach(actor, subject)
        return view_of(session, case, subject)


def number_of(ctx: ServiceContext, actor: Actor, reference: Reference) -> int:
    """The registration's row number; raises as `show_case`."""
    actor.require(*READERS)
    with ctx.database.read() as session:
        subject = find_subject(session, reference)
        require_reach(actor, subject)
        return subject.registration.id


def plan_invalidation(
    ctx: ServiceContext, actor: Actor, reference: Reference, ground: InvalidationGround | str
) -> InvalidationPlan:
    """What an invalidation would do; changes nothing. Raises as `show_case`, and InputError (unknown ground)."""
    actor.require(*READERS)
    ground = parse_ground(ground)
    with ctx.database.read() as session:
        subject = find_subject(session, reference)
        require_reach(actor, subject)
        registration, certificate = subject.registration, subject.certificate
        subjects = session.scalar(
            select(func.count()).where(Score.registration_id == registration.id, Score.void_since.is_(None))
        )
        waiting = open_case(session, subject)
        others = touched(session, certificate.id, ctx.clock.today()) if certificate else None
        return InvalidationPlan(
            management_no=subject.management_no,
            certificate_id=certificate.id if certificate else None,
            ground=ground,
            clause=ground.clause,
            reason_shown=reason_class(ground),
            status_now=subject.status,
            status_then="invalid",
            subjects_void=subjects or 0,
            registration_void=registration.void_since is not None,
            open_case=waiting.id if waiting else None,
            copies_live=others.copies_live if others else 0,
            watchers=others.watchers if others else 0,
            about=subject.kind,
            registration_id=registration.id,
            sitting_code=subject.sitting.code,
            paper_serial=subject.sheet.serial if subject.sheet else None,
            paper_state=subject.sheet.state if subject.sheet else None,
        )


def require_plan(
    ctx: ServiceContext, actor: Actor, reference: Reference, ground: InvalidationGround | str, digest: str
) -> None:
    """Raise ConflictError unless the plan still has that digest."""
    if plan_invalidation(ctx, actor, reference, ground).digest != digest.strip().lower():
        raise ConflictError(
            "plan-out-of-date",
            Words("情况已有变化，未作任何更改。", "Things have moved since the plan was made; nothing was changed."),
            remedy=Words("请重新用 --plan 查看。", "Look again with --plan."),
        )
