"""What happened to a person's registrations, read from every table that knows of it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.records.certificates import ECertificate, Invalidation, StatusEvent
from issuer.records.copies import AnnotatedCopy
from issuer.records.corrections import Correction
from issuer.records.holder_requests import DataObjection
from issuer.records.paper import PaperCertificate, PaperEvent, PaperReplacementRequest
from issuer.records.people import Registration
from issuer.records.reviews import DefenceStatement, Objection, ReviewEvent


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened, in the person's order of days: `family` and `code` find its words."""

    at: datetime
    sitting: str
    family: str
    code: str
    clause: str | None
    actor: str | None
    link: str | None = None
    text: str | None = None


def happenings_of(session: Session, registrations: list[Registration]) -> tuple[list[str], list[Happening]]:
    """Row references beside the registrations' own, and what happened, in no order."""
    subjects: list[str] = []
    out: list[Happening] = []
    for row in registrations:
        code = row.sitting_code
        out.append(Happening(row.imported_at, code, "history", "registered", None, None))
        for event in session.scalars(select(ReviewEvent).where(ReviewEvent.registration_id == row.id)):
            family, what = (
                ("history", event.action) if event.action == "take-back" else ("outcome", event.outcome_after)
            )
            out.append(Happening(event.at, code, family, what, event.clause, event.actor, text=event.note))
        for objection in session.scalars(select(Objection).where(Objection.registration_id == row.id)):
            subjects.append(f"objection:{objection.id}")
            by = objection.raised_by
            out.append(Happening(objection.raised_at, code, "history", "objection", "R5", by, text=objection.text))
            if objection.resolved_at:
                kind = "objection-upheld" if objection.upheld else "objection-rejected"
                decided = objection.resolved_by
                out.append(
                    Happening(objection.resolved_at, code, "history", kind, "R5", decided, text=objection.resolution)
                )
        for statement in session.scalars(select(DefenceStatement).where(DefenceStatement.registration_id == row.id)):
            out.append(Happening(statement.filed_at, code, "history", "defence", "R7", None, text=statement.text))
        for wrong in session.scalars(select(DataObjection).where(DataObjection.registration_id == row.id)):
            out.append(Happening(wrong.filed_at, code, "history", "wrong-data", "R15", None, text=wrong.text))
            if wrong.decided_at:
                by_ = wrong.decided_by
                out.append(Happening(wrong.decided_at, code, "objection", wrong.state, "R15", by_, text=wrong.answer))
        _of_certificates(session, row, subjects, out)
        _of_cases(session, row, subjects, out)
        _of_paper(session, row, subjects, out)
    return subjects, out


def _of_certificates(session: Session, row: Registration, subjects: list[str], out: list[Happening]) -> None:
    code = row.sitting_code
    for certificate in session.scalars(select(ECertificate).where(ECertificate.registration_id == row.id)):
        subjects.append(f"certificate:{certificate.id}")
        link = f"/console/certificates/{certificate.management_no}"
        number = certificate.management_no
        for event in session.scalars(select(StatusEvent).where(StatusEvent.certificate_id == certificate.id)):
            out.append(Happening(event.at, code, "status", event.status, None, event.actor, link, number))
        for copy in session.scalars(select(AnnotatedCopy).where(AnnotatedCopy.certificate_id == certificate.id)):
            subjects.append(f"copy:{copy.id}")
            if copy.published_at:
                out.append(Happening(copy.published_at, code, "history", "copy", None, None, link, copy.copy_no))
            if copy.withdrawn_at:
                out.append(Happening(copy.withdrawn_at, code, "history", "copy-withdrawn", None, None, link))
        for correction in session.scalars(select(Correction).where(Correction.certificate_id == certificate.id)):
            subjects.append(f"correction:{correction.id}")
            by = correction.proposed_by
            at = correction.proposed_at
            out.append(Happening(at, code, "history", "correction", "R11", by, "/console/cases#corrections"))
            if correction.decided_at:
                decided = correction.decided_by
                out.append(
                    Happening(correction.decided_at, code, "correction", correction.state, "R11", decided, link)
                )


def _of_cases(session: Session, row: Registration, subjects: list[str], out: list[Happening]) -> None:
    code = row.sitting_code
    for case in session.scalars(select(Invalidation).where(Invalidation.registration_id == row.id)):
        subjects.append(f"invalidation:{case.id}")
        link = f"/console/cases/{case.id}"
        out.append(Happening(case.proposed_at, code, "kind", case.kind, case.clause, case.proposed_by, link))
        if case.decided_at:
            out.append(Happening(case.decided_at, code, "case", case.state, case.clause, case.decided_by, link))


def _of_paper(session: Session, row: Registration, subjects: list[str], out: list[Happening]) -> None:
    code = row.sitting_code
    for paper in session.scalars(select(PaperCertificate).where(PaperCertificate.registration_id == row.id)):
        subjects.append(f"paper:{paper.id}")
        link = f"/console/paper/certificates/{paper.serial}"
        for event in session.scalars(select(PaperEvent).where(PaperEvent.paper_id == paper.id)):
            out.append(
                Happening(event.at, code, "paper-state", event.state, event.clause, event.actor, link, paper.serial)
            )
    requests = select(PaperReplacementRequest).where(PaperReplacementRequest.registration_id == row.id)
    for request in session.scalars(requests):
        subjects.append(f"replacement:{request.id}")
        out.append(
            Happening(
                request.requested_at,
                code,
                "history",
                "replacement",
                request.clause or "R14",
                request.requested_by,
                "/console/paper/replacements",
            )
        )
