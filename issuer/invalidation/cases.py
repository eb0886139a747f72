"""Finding a certificate or a case and holding it still: every act on a holding takes its lock first."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.errors import ConflictError, NotFoundError, Words
from issuer.invalidation.subject import (
    Kind,
    Reference,
    Seat,
    Subject,
    case_subject,
    find_subject,
    hold,
    require_reach,
)
from issuer.records.certificates import ECertificate, Invalidation
from issuer.records.paper import PaperCertificate


@dataclass(frozen=True, slots=True)
class InvalidationView:
    """A case as staff see it. `basis` may name people: it goes to screens, never into logs."""

    id: int
    registration_id: int
    certificate_id: int | None
    about: Kind
    management_no: str | None
    paper_serial: str | None
    sitting_code: str
    admission_no: str
    kind: str
    ground: str
    clause: str
    state: str
    basis: str
    effective_on: date
    from_beginning: bool
    suspended: bool
    misconduct_term: str | None
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision_note: str | None
    overturns_id: int | None
    overturned_by: str | None
    overturned_at: datetime | None

    @property
    def reference(self) -> Reference:
        """What names its subject again: the certificate's number, else the seat."""
        held = self.management_no if self.certificate_id else None
        return held or Seat(self.sitting_code, self.admission_no)

    def to_json(self) -> dict[str, Any]:
        """Plain values, days and instants in RFC 3339."""
        return {
            key: value.isoformat() if isinstance(value, date) else value  # a datetime is a date
            for key, value in asdict(self).items()
        }


def view_of(session: Session, case: Invalidation, subject: Subject) -> InvalidationView:
    """The frozen view of a case's row and what it is about; a sheet that fell by it is still named."""
    sheet = session.get(PaperCertificate, case.paper_id) if case.paper_id else None
    return view_from(
        case,
        Named(
            subject.sitting.code,
            subject.registration.admission_no,
            subject.certificate.management_no if subject.certificate else None,
            sheet.management_no if sheet else None,
            sheet.serial if sheet else None,
        ),
    )


@dataclass(frozen=True, slots=True)
class Named:
    """What a case is about, by its numbers."""

    sitting_code: str
    admission_no: str
    certificate_no: str | None
    paper_no: str | None
    serial: str | None


def view_from(case: Invalidation, named: Named) -> InvalidationView:
    """The frozen view of a case's row."""
    return InvalidationView(
        id=case.id,
        registration_id=case.registration_id,
        certificate_id=case.certificate_id,
        about="certificate" if case.certificate_id else "paper" if case.paper_id else "score-report",
        management_no=named.certificate_no or named.paper_no,
        paper_serial=named.serial,
        sitting_code=named.sitting_code,
        admission_no=named.admission_no,
        kind=case.kind,
        ground=case.ground,
        clause=case.clause,
        state=case.state,
        basis=case.basis,
        effective_on=case.effective_on,
        from_beginning=case.from_beginning,
        suspended=case.suspended,
        misconduct_term=case.misconduct_term,
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


def hold_subject(session: Session, actor: Actor, reference: Reference) -> Subject:
    """What `reference` names, read again under the lock of its holding, if it is within the actor's reach (R1)."""
    subject = find_subject(session, reference)
    require_reach(actor, subject)
    return hold(session, subject)


def hold_case(session: Session, actor: Actor, case_id: int) -> tuple[Invalidation, Subject]:
    """An open case and what it is about, read again under the lock of the holding.

    Raises NotFoundError, NotAllowedError (R1) and, when somebody has decided it, ConflictError.
    """
    case = find_case(session, case_id)
    subject = case_subject(session, case)
    require_reach(actor, subject)
    subject = hold(session, subject)
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
    return case, subject


def _no_case() -> NotFoundError:
    return NotFoundError(
        "case-not-found",
        Words("没有这个编号的无效（恢复）事项。", "There is no invalidation case with that number."),
        remedy=Words("用 ecert invalidation list 查看全部事项。", "See all cases with: ecert invalidation list"),
    )


_STATES = {"rejected": "未予批准", "withdrawn": "已撤回", "applied": "已生效", "overturned": "已恢复"}
