"""Reading cases, and what an invalidation would do before anybody proposes it."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, select

from issuer.access.actor import Actor
from issuer.errors import ConflictError, InputError, Words
from issuer.invalidation.cases import InvalidationView, find_case, find_certificate, require_reach, view_of
from issuer.invalidation.grounds import parse_ground, reason_class
from issuer.ports import ServiceContext
from issuer.records.certificates import ECertificate, Invalidation
from issuer.records.people import Registration, Score
from issuer.records.sittings import Sitting
from issuer.rules.terms import InvalidationGround, Role

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

    management_no: str
    certificate_id: int
    ground: str
    clause: str
    reason_shown: str
    status_now: str | None
    status_then: str
    subjects_void: int
    registration_void: bool
    open_case: int | None

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of the plan: 64 hex characters."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The plan with its digest."""
        return asdict(self) | {"digest": self.digest}


def list_cases(
    ctx: ServiceContext,
    actor: Actor,
    *,
    state: str | None = None,
    management_no: str | None = None,
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
        select(Invalidation, ECertificate)
        .join(ECertificate, Invalidation.certificate_id == ECertificate.id)
        .order_by(Invalidation.id.desc())
        .limit(limit)
    )
    if state is not None:
        query = query.where(Invalidation.state == state)
    if management_no is not None:
        query = query.where(ECertificate.management_no == management_no.strip().upper())
    if before is not None:
        query = query.where(Invalidation.id < before)
    if not actor.roles - {Role.REVIEW_BODY}:
        query = (
            query.join(Registration, ECertificate.registration_id == Registration.id)
            .join(Sitting, Registration.sitting_code == Sitting.code)
            .where(Sitting.programme_code.in_(actor.programmes))
        )
        if actor.cities:
            query = query.where(Registration.city.in_(actor.cities))
    with ctx.database.read() as session:
        return [view_of(case, certificate) for case, certificate in session.execute(query)]


def show_case(ctx: ServiceContext, actor: Actor, case_id: int) -> InvalidationView:
    """One case; raises NotFoundError, NotAllowedError (role, R1)."""
    actor.require(*READERS)
    with ctx.database.read() as session:
        case = find_case(session, case_id)
        certificate = session.get_one(ECertificate, case.certificate_id)
        require_reach(session, actor, certificate)
        return view_of(case, certificate)


def plan_invalidation(
    ctx: ServiceContext, actor: Actor, management_no: str, ground: InvalidationGround | str
) -> InvalidationPlan:
    """What an invalidation would do; changes nothing. Raises as `show_case`, and InputError (unknown ground)."""
    actor.require(*READERS)
    ground = parse_ground(ground)
    with ctx.database.read() as session:
        certificate = find_certificate(session, management_no)
        require_reach(session, actor, certificate)
        registration = session.get_one(Registration, certificate.registration_id)
        subjects = session.scalar(
            select(func.count()).where(Score.registration_id == registration.id, Score.void_since.is_(None))
        )
        waiting = session.scalar(
            select(Invalidation.id).where(
                Invalidation.certificate_id == certificate.id, Invalidation.state == "proposed"
            )
        )
        return InvalidationPlan(
            management_no=certificate.management_no,
            certificate_id=certificate.id,
            ground=ground,
            clause=ground.clause,
            reason_shown=reason_class(ground),
            status_now=certificate.status,
            status_then="invalid",
            subjects_void=subjects or 0,
            registration_void=registration.void_since is not None,
            open_case=waiting,
        )


def require_plan(
    ctx: ServiceContext, actor: Actor, management_no: str, ground: InvalidationGround | str, digest: str
) -> None:
    """Raise ConflictError unless the plan still has that digest."""
    if plan_invalidation(ctx, actor, management_no, ground).digest != digest.strip().lower():
        raise ConflictError(
            "plan-out-of-date",
            Words("情况已有变化，未作任何更改。", "Things have moved since the plan was made; nothing was changed."),
            remedy=Words("请重新用 --plan 查看。", "Look again with --plan."),
        )
