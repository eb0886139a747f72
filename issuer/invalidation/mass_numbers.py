"""What the numbers of a list name: e-certificates, paper certificates, or registrations without either (R9)."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.errors import Words
from issuer.invalidation.mass_file import ADMISSION, NUMBER, MassRow
from issuer.invalidation.subject import Subject, subject_of
from issuer.records.certificates import ECertificate
from issuer.records.paper import PaperCertificate
from issuer.records.people import Registration
from issuer.roster.findings import Finding


def subjects_of(session: Session, rows: Sequence[MassRow]) -> dict[int, Subject | Finding]:
    """By row: the subject, or what is wrong with its number. A handful of questions for any number of rows.

    An e-certificate's number counts before a paper certificate's, and both before an admission number.
    """
    wanted = {row.management_no for row in rows}
    query = select(ECertificate).where(ECertificate.management_no.in_(wanted))
    electronic = {each.management_no: each for each in session.scalars(query)}
    paper = _papers(session, wanted - electronic.keys())
    people = _registrations(session, wanted - electronic.keys() - paper.keys())
    found: dict[int, Subject | Finding] = {}
    for row in rows:
        if (certificate := electronic.get(row.management_no)) is not None:
            registration = session.get_one(Registration, certificate.registration_id)
            found[row.row] = subject_of(session, registration, certificate)
        elif (registration_id := paper.get(row.management_no)) is not None:
            found[row.row] = subject_of(session, session.get_one(Registration, registration_id))
        else:
            found[row.row] = _seated(session, row, people.get(row.management_no, []))
    return found


def _papers(session: Session, numbers: set[str]) -> dict[str, int]:
    """Registration by management number or serial; of a number used again the newest sheet counts."""
    found: dict[str, int] = {}
    query = select(PaperCertificate.management_no, PaperCertificate.serial, PaperCertificate.registration_id).where(
        PaperCertificate.management_no.in_(numbers) | PaperCertificate.serial.in_(numbers)
    )
    for management_no, serial, registration_id in session.execute(query.order_by(PaperCertificate.id)):
        found |= {number: registration_id for number in (management_no, serial) if number in numbers}
    return found


def _registrations(session: Session, numbers: set[str]) -> dict[str, list[Registration]]:
    found: dict[str, list[Registration]] = {}
    for registration in session.scalars(select(Registration).where(Registration.admission_no.in_(numbers))):
        found.setdefault(registration.admission_no, []).append(registration)
    return found


def _seated(session: Session, row: MassRow, people: Sequence[Registration]) -> Subject | Finding:
    here = [each for each in people if not row.sitting or each.sitting_code == row.sitting]
    if len(here) == 1:
        return subject_of(session, here[0])
    if here:
        message = Words("该准考证号在多个考次中都有", "that admission number stands in several sittings")
        remedy = Words("在“考次”一列写明考次代码", "name the sitting in the column 考次")
        return Finding(row.row, ADMISSION, "admission-no-ambiguous", "error", message, remedy)
    message = Words(
        "没有这个编号的电子证书、纸质证书或报名",
        "no e-certificate, paper certificate or registration has that number",
    )
    return Finding(
        row.row, NUMBER, "certificate-not-found", "error", message, Words("请核对编号", "check the number")
    )
