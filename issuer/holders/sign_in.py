"""A holder signs in with what only they have together: ID number, name, admission number."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.access.service import digest
from issuer.audit import record_event
from issuer.context import Context
from issuer.errors import NotAllowedError, Words
from issuer.holders.limits import SignInLimits
from issuer.records.access import HolderSession
from issuer.records.people import Person, Registration
from issuer.rules.identity import canonical_id
from verifier.record.names import name_key

SESSION_MINUTES = 30


@dataclass(frozen=True, slots=True)
class HolderSignedIn:
    """A fresh session: `secret` goes into the cookie, `csrf` into every form."""

    secret: str
    csrf: str


@dataclass(frozen=True, slots=True)
class Holder:
    """A signed-in holder."""

    person_id: int
    csrf: str

    @property
    def actor(self) -> Actor:
        """The holder as an actor without any staff role."""
        return Actor(username=f"holder:{self.person_id}", roles=frozenset(), via="holder")


def sign_in(
    ctx: Context, limits: SignInLimits, *, address: str, id_no: str, name: str, admission_no: str
) -> HolderSignedIn:
    """Open a session for the person all three facts belong to.

    Raises NotAllowedError: too many tries, or one uniform refusal that never says which fact was wrong.
    """
    canonical = canonical_id(id_no)[:64]
    limits.count(address, canonical)
    with ctx.database.write() as session:
        registration = _find(ctx, session, canonical, name[:200], admission_no.strip()[:40])
        if registration is not None:
            secret, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
            now = ctx.clock.now()
            session.add(
                HolderSession(
                    secret_sha256=digest(secret),
                    person_id=registration.person_id,
                    csrf=csrf,
                    created_at=now,
                    expires_at=now + timedelta(minutes=SESSION_MINUTES),
                )
            )
            holder = Holder(registration.person_id, csrf)
            record_event(session, ctx.clock, holder.actor, "holder.sign-in", f"registration:{registration.id}")
            return HolderSignedIn(secret, csrf)
    raise NotAllowedError(
        "holder-sign-in-failed",
        Words("三项信息不一致，未能登录。", "The three facts do not belong together."),
        remedy=Words(
            "请核对证件号码、姓名和准考证号；如报名信息有误，请联系考试机构。",
            "Check ID number, name and admission number; if the registration is wrong, ask the examination office.",
        ),
    )


def holder_of(ctx: Context, secret: str | None) -> Holder | None:
    """The holder behind a cookie, or None when the session has ended."""
    if not secret:
        return None
    with ctx.database.read() as session:
        found = session.get(HolderSession, digest(secret))
        if found is None or found.expires_at <= ctx.clock.now():
            return None
        return Holder(found.person_id, found.csrf)


def sign_out(ctx: Context, secret: str) -> None:
    """End a session; an unknown secret is ignored."""
    with ctx.database.write() as session:
        found = session.get(HolderSession, digest(secret))
        if found is not None:
            session.delete(found)


def _find(ctx: Context, session: Session, id_no: str, name: str, admission_no: str) -> Registration | None:
    # One query and the same comparisons whatever is wrong, so that time tells nothing.
    id_indexes = ctx.data_key.blind_indexes("persons.id_no", id_no)
    name_indexes = ctx.data_key.blind_indexes("registrations.name", name_key(name))
    rows = session.execute(
        select(Registration, Person.id_index)
        .join(Person, Registration.person_id == Person.id)
        .where(Registration.admission_no == admission_no)
    ).all()
    found: Registration | None = None
    for registration, expected in rows:
        same_id = sum(hmac.compare_digest(expected, each) for each in id_indexes)
        same_name = sum(hmac.compare_digest(registration.name_index, each) for each in name_indexes)
        if same_id and same_name:
            found = registration
    return found
