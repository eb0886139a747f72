"""What a case is about: a registration, with the electronic certificate or the paper sheet it led to, if any (R9).

Whoever passed and holds nothing yet is a subject too: registration, subjects and score report fall.
"""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.errors import InputError, NotFoundError, Words
from issuer.records.certificates import ECertificate, Invalidation
from issuer.records.holdings import lock_holding, qualification_key
from issuer.records.paper import PaperCertificate
from issuer.records.people import Registration
from issuer.records.sittings import Programme, Sitting

Kind = Literal["certificate", "paper", "score-report"]


@dataclass(frozen=True, slots=True)
class Seat:
    """A registration by sitting and admission number, for people without any certificate."""

    sitting_code: str
    admission_no: str


Reference = str | int | Seat
"""A management number (electronic or paper), a paper sheet's serial, a registration's row number, or a seat."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A registration and what stands on it. `sheet` is the paper sheet that counts (slot live), or None."""

    registration: Registration
    sitting: Sitting
    programme: Programme
    certificate: ECertificate | None
    sheet: PaperCertificate | None

    @property
    def kind(self) -> Kind:
        """What a holder would show: an electronic certificate, paper, or only a score report."""
        return "certificate" if self.certificate else "paper" if self.sheet else "score-report"

    @property
    def qualification(self) -> str:
        """The key of the one qualification this registration leads to."""
        if self.certificate is not None:
            return self.certificate.qualification
        level = self.registration.level or self.programme.level
        return qualification_key(self.programme.code, level, self.registration.specialty, self.sitting.code)

    @property
    def management_no(self) -> str | None:
        """The number on what the holder has."""
        held = self.certificate or self.sheet
        return held.management_no if held else None

    @property
    def status(self) -> str | None:
        """As the register says of an electronic certificate (None: not published); else whether it fell."""
        if self.certificate is not None:
            return self.certificate.status if self.certificate.state == "published" else None
        return "invalid" if self.registration.void_since is not None else "valid"


def named(
    management_no: str | None, sitting_code: str | None, admission_no: str | None, registration_id: int | None = None
) -> Reference:
    """One reference out of what a form, a request or a command line gave; raises InputError when it is not one."""
    seat = Seat(sitting_code, admission_no) if sitting_code and admission_no else None
    given: list[Reference] = [each for each in (management_no, seat, registration_id) if each]
    if len(given) != 1 or bool(sitting_code) != bool(admission_no):
        raise InputError(
            "subject-not-named",
            Words(
                "请提供管理号，或考次代码和准考证号，二者取一。",
                "Give either a management number, or a sitting and an admission number.",
            ),
            remedy=Words("没有证书的人员用考次代码和准考证号。", "Who holds no certificate is named by the latter."),
        )
    return given[0]


def find_subject(session: Session, reference: Reference) -> Subject:
    """The subject by management number, serial or seat; raises NotFoundError. Nothing is locked."""
    if isinstance(reference, Seat):
        return subject_of(session, _registration_at(session, reference))
    if isinstance(reference, int):
        registration = session.get(Registration, reference)
        if registration is None:
            raise _no_registration()
        return subject_of(session, registration)
    wanted = "".join(reference.split()).upper()
    certificate = session.scalars(select(ECertificate).where(ECertificate.management_no == wanted)).one_or_none()
    if certificate is not None:
        return subject_of(session, session.get_one(Registration, certificate.registration_id), certificate)
    number = select(PaperCertificate.registration_id).where(
        (PaperCertificate.management_no == wanted) | (PaperCertificate.serial == wanted)
    )
    found = session.scalars(number.order_by(PaperCertificate.id.desc()).limit(1)).one_or_none() if wanted else None
    if found is None:
        raise NotFoundError(
            "certificate-not-found",
            Words("没有这个管理号的证书。", "There is no certificate with that management number."),
            remedy=Words(
                "请核对管理号；尚无证书的，请用考次代码和准考证号。",
                "Check the number; who holds no certificate is named by sitting and admission number.",
            ),
        )
    return subject_of(session, session.get_one(Registration, found))


def subject_of(session: Session, registration: Registration, certificate: ECertificate | None = None) -> Subject:
    """The registration with `certificate`, or else with the newest that was not abandoned; and its live sheet."""
    sitting = session.get_one(Sitting, registration.sitting_code)
    if certificate is None:
        made = select(ECertificate).where(
            ECertificate.registration_id == registration.id, ECertificate.state != "abandoned"
        )
        # what is live before what ended; a successor that is still being made does not stand yet
        ranked = made.order_by(ECertificate.slot != "live", ECertificate.id.desc()).limit(1)
        certificate = session.scalars(ranked).one_or_none()
    sheet = session.scalars(
        select(PaperCertificate).where(
            PaperCertificate.registration_id == registration.id, PaperCertificate.slot == "live"
        )
    ).one_or_none()
    return Subject(registration, sitting, session.get_one(Programme, sitting.programme_code), certificate, sheet)


def case_subject(session: Session, case: Invalidation) -> Subject:
    """What a case is about. Certificates made after it was proposed against a bare registration belong to it."""
    certificate = session.get_one(ECertificate, case.certificate_id) if case.certificate_id else None
    return subject_of(session, session.get_one(Registration, case.registration_id), certificate)


def hold(session: Session, subject: Subject) -> Subject:
    """The same, read again under the lock of its holding, which every act on the qualification takes first."""
    lock_holding(session, subject.registration.person_id, subject.qualification)
    session.refresh(subject.registration)
    if subject.certificate is not None:
        session.refresh(subject.certificate)
        return subject_of(session, subject.registration, subject.certificate)
    return subject_of(session, subject.registration)


def require_reach(actor: Actor, subject: Subject) -> None:
    """Raise NotAllowedError when a review body reaches outside its programmes or city (R1)."""
    actor.require_programme(subject.programme.code, subject.registration.city)


def _registration_at(session: Session, seat: Seat) -> Registration:
    registration = session.scalars(
        select(Registration).where(
            Registration.sitting_code == seat.sitting_code.strip(),
            Registration.admission_no == seat.admission_no.strip(),
        )
    ).one_or_none()
    if registration is None:
        raise _no_registration()
    return registration


def _no_registration() -> NotFoundError:
    return NotFoundError(
        "registration-not-found",
        Words("没有找到对应的报名记录。", "There is no such registration."),
        remedy=Words("请核对考次代码和准考证号。", "Check the sitting and the admission number."),
    )
