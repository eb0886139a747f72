"""Who stands on an announcement's list."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from issuer.records.certificates import ECertificate
from issuer.records.people import Registration
from issuer.records.reviews import EligibilityReview
from issuer.rules.announcements import AnnouncementKind, masked_admission_no
from issuer.rules.terms import ReviewOutcome, ReviewRound


@dataclass(frozen=True, slots=True)
class Line:
    """One person: name, masked admission number, specialty. Never an ID number."""

    name: str
    admission_no: str
    specialty: str


def lines_of(session: Session, sitting_code: str, kind: AnnouncementKind) -> list[Line]:
    """The list as it stands now, by admission number: passers handed over (R5), found eligible in the first (R7) or
    the supplementary round (R8), or holders of a published certificate that is not invalid (R11)."""
    query = (
        select(Registration.name, Registration.admission_no, Registration.specialty)
        .where(Registration.sitting_code == sitting_code, Registration.void_since.is_(None))
        .order_by(Registration.admission_no)
    )
    rows = session.execute(_narrowed(query, kind)).all()
    return [Line(name, masked_admission_no(admission_no), specialty) for name, admission_no, specialty in rows]


def packed(lines: Iterable[Line]) -> str:
    """As it rests in the table (encrypted there)."""
    rows = [[line.name, line.admission_no, line.specialty] for line in lines]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def unpacked(text: str | None) -> list[Line]:
    """Back from `packed`."""
    return [Line(*row) for row in json.loads(text or "[]")]


def _narrowed(query: Select[str, str, str], kind: AnnouncementKind) -> Select[str, str, str]:
    if kind is AnnouncementKind.ISSUE:
        standing = (ECertificate.state == "published", ECertificate.status == "valid")
        return query.join(ECertificate, ECertificate.registration_id == Registration.id).where(*standing)
    query = query.join(EligibilityReview, EligibilityReview.registration_id == Registration.id)
    if kind is AnnouncementKind.NOTICE:
        return query
    round = ReviewRound.FIRST if kind is AnnouncementKind.RESULTS else ReviewRound.SUPPLEMENTARY
    return query.where(EligibilityReview.round == round, EligibilityReview.outcome == ReviewOutcome.ELIGIBLE)
