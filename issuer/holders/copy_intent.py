"""A copy that is about to be sealed: allowed by the rules, numbered, stored before a key is used (R16)."""

import secrets
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.audit import record_event
from issuer.context import Context
from issuer.errors import InputError, NotFoundError, Words
from issuer.holders.copy_content import CopyContent
from issuer.holders.sign_in import Holder
from issuer.issuance.facts import load_cases, load_examination
from issuer.issuance.intent import content_of
from issuer.issuance.numbers import take_entries
from issuer.records.certificates import ECertificate
from issuer.records.copies import AnnotatedCopy
from issuer.records.holdings import lock_holding
from issuer.refusals import refusal_from
from issuer.rules.copies import CLAUSE, CopyFacts, clean_purpose, is_live, may_copy
from issuer.rules.policy import Policy
from issuer.rules.violation import RuleViolation
from keys.public.purposes import KeyPurpose
from templates.fonts import missing_glyphs
from verifier.record.qr import new_token

_MARK: Final = "ACDEFGHJKLMNPQRTUVWXY346789"
"""Letters and digits that nobody takes for another: no B/8, I/1, O/0, S/5, Z/2."""
GIVEN_UP_AFTER: Final = timedelta(minutes=10)
"""An intent this old was left by a program that ended; it no longer counts against the limit."""


def intend(
    ctx: Context, holder: Holder, management_no: str, purpose: str, valid_until: date
) -> tuple[int, CopyContent, str | None]:
    """Store what is about to be sealed, under the holding's lock, if the rules allow it.

    The copy's row, its content, and where the photo lies. Raises what `make_copy` raises before anything is sealed.
    """
    with ctx.database.write() as session:
        certificate = session.scalars(
            select(ECertificate).where(
                ECertificate.management_no == management_no,
                ECertificate.person_id == holder.person_id,
                ECertificate.state == "published",
            )
        ).one_or_none()
        if certificate is None:
            raise not_yours()
        lock_holding(session, certificate.person_id, certificate.qualification)
        session.refresh(certificate)
        examination = load_examination(session, certificate.sitting_code)
        policy = Policy.from_dict(examination.programme.policy)
        now, today = ctx.clock.now(), ctx.clock.today()
        facts = CopyFacts(
            certificate.status or "", _counted(session, certificate, now, today), policy.copy_days, policy.copies_live
        )
        try:
            purpose = clean_purpose(purpose)
            may_copy(facts, valid_until, today)
        except RuleViolation as violation:
            raise refusal_from(violation) from violation
        if missing_glyphs(purpose):
            raise InputError(
                "glyph-missing",
                Words("用途中有字库无法显示的字。", "A character of the purpose cannot be drawn."),
                remedy=Words("请换一个常用字。", "Use another character."),
            )
        (case,) = load_cases(session, examination, [certificate.registration_id])
        (entry,) = take_entries(session, ctx.lookup_key, 1)
        row = AnnotatedCopy(
            certificate_id=certificate.id,
            token=new_token(),
            copy_no=_copy_no(session, certificate.management_no),
            purpose=purpose,
            valid_until=valid_until,
            state="intent",
            list_id=entry[0],
            list_index=entry[1],
            content_sha256="",
            seal_kid=ctx.room().key_set.current(KeyPurpose.DOCUMENT_SEAL).kid,
            intended_at=now,
        )
        original = content_of(ctx, examination, case.registration, case, certificate, now)
        content = CopyContent.of(
            original, token=row.token, copy_no=row.copy_no, entry=entry, purpose=purpose, valid_until=valid_until
        )
        row.content_sha256 = content.digest(ctx.data_key)
        session.add(row)
        session.flush()
        details = {"certificate": certificate.id, "content": row.content_sha256, "kid": row.seal_kid}
        subject = f"copy:{row.id}"
        record_event(
            session, ctx.clock, holder.actor, "copy.intent", subject, outcome="intent", clause=CLAUSE, details=details
        )
        return row.id, content, case.registration.photo_key


def _counted(session: Session, certificate: ECertificate, now: datetime, today: date) -> int:
    rows = session.scalars(select(AnnotatedCopy).where(AnnotatedCopy.certificate_id == certificate.id))
    return sum(
        is_live(row.valid_until, row.withdrawn_at is not None, today)
        for row in rows
        if row.state == "published" or (row.state == "intent" and now - row.intended_at < GIVEN_UP_AFTER)
    )


def _copy_no(session: Session, management_no: str) -> str:
    while True:
        number = f"{management_no}-{''.join(secrets.choice(_MARK) for _ in range(4))}"
        if session.scalar(select(AnnotatedCopy.id).where(AnnotatedCopy.copy_no == number)) is None:
            return number


def not_yours() -> NotFoundError:
    """What a holder is told of a certificate or copy that is not theirs, or that is none."""
    return NotFoundError(
        "certificate-not-found",
        Words("没有找到您的这份证书或加注件。", "You have no such certificate or copy."),
        remedy=Words("请从“我的证书”页面办理。", "Use the page of your certificates."),
    )
