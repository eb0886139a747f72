"""Finding certificates: lists by page, and exact search for a person through the blind index."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, select, true

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.context import Context
from issuer.errors import InputError, Words
from issuer.records.certificates import NOT_VALID, ECertificate
from issuer.records.people import Person, Registration
from issuer.records.sittings import Sitting
from issuer.rules.identity import canonical_id
from issuer.rules.terms import Role
from verifier.record.names import name_key
from verifier.record.status import CertificateStatus

READERS = (
    Role.AUTHORITY_ISSUER,
    Role.AUTHORITY_APPROVER,
    Role.REVIEW_BODY,
    Role.SUPERVISOR,
    Role.AUDITOR,
)
MOST = 100


@dataclass(frozen=True, slots=True)
class CertificateLine:
    """A certificate in a list. `name` is filled only where a person was searched for."""

    id: int
    management_no: str
    sitting: str
    state: str
    status: str | None
    approved_on: date
    issued_on: date
    name: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values; no name."""
        return {
            "id": self.id,
            "management_no": self.management_no,
            "sitting": self.sitting,
            "state": self.state,
            "status": self.status,
            "approved_on": self.approved_on.isoformat(),
            "issued_on": self.issued_on.isoformat(),
        }


def list_certificates(
    ctx: Context,
    actor: Actor,
    *,
    sitting_code: str | None = None,
    status: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[CertificateLine]:
    """Certificates newest first, a page at a time (`before`: the last page's smallest id); own programmes only (R1).

    `status`: valid, invalid, suspended, superseded. Raises NotAllowedError.
    """
    actor.require(*READERS)
    query = _reachable(actor).order_by(ECertificate.id.desc()).limit(limit)
    if sitting_code is not None:
        query = query.where(ECertificate.sitting_code == sitting_code)
    if status is not None:
        query = query.where(ECertificate.status == status)
        if status != CertificateStatus.VALID:
            query = query.where(NOT_VALID)  # literally, so that the index over the few is seen to serve
    if before is not None:
        query = query.where(ECertificate.id < before)
    with ctx.database.read() as session:
        return [_line(row) for row in session.scalars(query)]


def find_by_person(
    ctx: Context, actor: Actor, *, name: str | None = None, id_no: str | None = None
) -> list[CertificateLine]:
    """Certificates of whom exactly this name, or ID number, or both, stand for; at most MOST.

    The look-up is put on record (not what was looked for). Raises NotAllowedError, InputError (neither given).
    """
    actor.require(*READERS)
    name, id_no = (name or "").strip(), (id_no or "").strip()
    if not name and not id_no:
        raise InputError(
            "nothing-to-search",
            Words("请填写姓名或证件号码。", "Give a name or an ID number."),
        )
    query = _reachable(actor)
    if name:
        indexes = ctx.data_key.blind_indexes("registrations.name", name_key(name[:200]))
        query = query.where(Registration.name_index.in_(indexes))
    if id_no:
        indexes = ctx.data_key.blind_indexes("persons.id_no", canonical_id(id_no)[:64])
        query = query.join(Person, Registration.person_id == Person.id).where(Person.id_index.in_(indexes))
    by = "+".join(kind for kind, value in (("name", name), ("id", id_no)) if value)
    with ctx.database.write() as session:
        found = session.scalars(query.order_by(ECertificate.id.desc()).limit(MOST)).all()
        details = {"by": by, "found": len(found)}
        record_event(session, ctx.clock, actor, "certificate.search", "certificates", details=details)
        return [_line(row, named=True) for row in found]


def _reachable(actor: Actor) -> Any:
    return (
        select(ECertificate)
        .join(Registration, ECertificate.registration_id == Registration.id)
        .join(Sitting, ECertificate.sitting_code == Sitting.code)
        .where(_reach(actor))
    )


def _reach(actor: Actor) -> ColumnElement[bool]:
    if actor.roles - {Role.REVIEW_BODY}:
        return true()
    own = Sitting.programme_code.in_(actor.programmes)
    return own & Registration.city.in_(actor.cities) if actor.cities else own


def _line(row: ECertificate, *, named: bool = False) -> CertificateLine:
    return CertificateLine(
        id=row.id,
        management_no=row.management_no,
        sitting=row.sitting_code,
        state=row.state,
        status=row.status,
        approved_on=row.approved_on,
        issued_on=row.issued_on,
        name=row.name if named else None,
    )
