"""Finding a certificate or a case and holding it still: every act on a holding takes its lock first."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.errors import ConflictError, NotFoundError, Words
from issuer.records.certificates import ECertificate, Invalidation
from issuer.records.holdings import lock_holding
from issuer.records.people import Registration
from issuer.records.sittings import Sitting


@dataclass(frozen=True, slots=True)
class InvalidationView:
    """A case as staff see it. `basis` may name people: it goes to screens, never into logs."""

    id: int
    certificate_id: int
    management_no: str
    sitting_code: str
    kind: str
    ground: str
    clause: str
    state: str
    basis: str
    effective_on: date
    from_beginning: bool
    suspended: bool
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision_note: str | None
    overturns_id: int | None
    overturned_by: str | None
    overturned_at: datetime | None

    def to_json(self) -> dict[str, Any]:
        """Plain values, days and instants in RFC 3339."""
        return {
            key: value.isoformat() if isinstance(value, date) else value  # a datetime is a date
            for key, value in asdict(self).items()
        }


def view_of(case: Invalidation, certificate: ECertificate) -> InvalidationView:
    """The frozen view of a case's row."""
    return InvalidationView(
        id=case.id,
        certificate_id=case.certificate_id,
        management_no=certificate.management_no,
        sitting_code=certificate.sitting_code,
        kind=case.kind,
        ground=case.ground,
        clause=case.clause,
        state=case.state,
        basis=case.basis,
        effective_on=case.effective_on,
        from_beginning=case.from_beginning,
        suspended=case.suspended,
        proposed_by=case.proposed_by,
        proposed_at=case.proposed_at,
        decided_by=case.decided_by,
        decided_at=case.decided_at,
        decision_note=case.decision_note,
        overturns_id=case.overturns_id,
        overturned_by=case.overturned_by,
        overturned_at=case.overturned_at,
    )


def find_certificate(session: Session, management_no: str) -> ECertificate:
    """The certificate of that management number; raises NotFoundError."""
    wanted = "".join(management_no.split()).upper()
    certificate = session.scalars(select(ECertificate).where(ECertificate.management_no == wanted)).one_or_none()
    if certificate is None:
        raise NotFoundError(
            "certificate-not-found",
            Words("没有这个管理号的电子证书。", "There is no certificate with that management number."),
            remedy=Words("请核对管理号。", "Check the management number."),
        )
    return certificate


def find_case(session: Session, case_id: int) -> Invalidation:
    """The case of that number; raises NotFoundError."""
    case = session.get(Invalidation, case_id)
    if case is None:
        raise _no_case()
    return case


def hold_certificate(session: Session, actor: Actor, management_no: str) -> ECertificate:
    """The certificate, read again under the lock of its holding, if it is within the actor's reach (R1)."""
    certificate = find_certificate(session, management_no)
    require_reach(session, actor, certificate)
    return _locked(session, certificate)


def hold_case(session: Session, actor: Actor, case_id: int) -> tuple[Invalidation, ECertificate]:
    """An open case and its certificate, read again under the lock of the holding.

    Raises NotFoundError, NotAllowedError (R1) and, when somebody has decided it, ConflictError.
    """
    case = find_case(session, case_id)
    certificate = session.get_one(ECertificate, case.certificate_id)
    require_reach(session, actor, certificate)
    certificate = _locked(session, certificate)
    session.refresh(case)
    if case.state != "proposed":
        raise ConflictError(
            "case-already-decided",
            Words(
                f"该事项已办结（{_STATES[case.state]}），本次操作未作任何更改。",
                f"This case has been decided already ({case.state}); nothing was changed.",
            ),
            remedy=Words("请查看该事项的办理结果。", "Look at the case to see its result."),
            clause=case.clause,
        )
    return case, certificate


def require_reach(session: Session, actor: Actor, certificate: ECertificate) -> None:
    """Raise NotAllowedError when a review body reaches outside its programmes or city (R1)."""
    programme, city = session.execute(
        select(Sitting.programme_code, Registration.city)
        .join_from(Registration, Sitting, Registration.sitting_code == Sitting.code)
        .where(Registration.id == certificate.registration_id)
    ).one()
    actor.require_programme(programme, city)


def _locked(session: Session, certificate: ECertificate) -> ECertificate:
    lock_holding(session, certificate.person_id, certificate.qualification)
    session.refresh(certificate)
    return certificate


def _no_case() -> NotFoundError:
    return NotFoundError(
        "case-not-found",
        Words("没有这个编号的无效（恢复）事项。", "There is no invalidation case with that number."),
        remedy=Words("用 ecert invalidation list 查看全部事项。", "See all cases with: ecert invalidation list"),
    )


_STATES = {"rejected": "未予批准", "withdrawn": "已撤回", "applied": "已生效", "overturned": "已恢复"}
