"""What staff see of a registration before they act on it: who, what stands, and the cases it had."""

from dataclasses import dataclass
from datetime import datetime

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.invalidation.cases import InvalidationView
from issuer.invalidation.overview import READERS, list_cases
from issuer.invalidation.subject import Kind, Reference, find_subject, require_reach
from issuer.ports import ServiceContext


@dataclass(frozen=True, slots=True)
class SubjectView:
    """A registration for a screen: with the name, so never for logs or addresses."""

    registration_id: int
    about: Kind
    name: str
    programme: str
    specialty: str
    sitting_code: str
    admission_no: str
    management_no: str | None
    paper_serial: str | None
    void_since: datetime | None
    cases: tuple[InvalidationView, ...]

    @property
    def open_case(self) -> InvalidationView | None:
        """The case that waits for a decision."""
        return next((case for case in self.cases if case.state == "proposed"), None)


def show_subject(ctx: ServiceContext, actor: Actor, reference: Reference) -> SubjectView:
    """The registration and its cases; the look is put on record. Raises NotFoundError, NotAllowedError (R1)."""
    actor.require(*READERS)
    with ctx.database.write() as session:
        subject = find_subject(session, reference)
        require_reach(actor, subject)
        registration = subject.registration
        record_event(session, ctx.clock, actor, "registration.read", f"registration:{registration.id}", clause="R9")
    return SubjectView(
        registration_id=registration.id,
        about=subject.kind,
        name=registration.name,
        programme=subject.programme.name,
        specialty=registration.specialty,
        sitting_code=subject.sitting.code,
        admission_no=registration.admission_no,
        management_no=subject.management_no,
        paper_serial=subject.sheet.serial if subject.sheet else None,
        void_since=registration.void_since,
        cases=tuple(list_cases(ctx, actor, registration_id=registration.id, limit=20)),
    )
