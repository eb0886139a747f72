"""Purpose-bound copies (加注件): a holder makes one, sees those there are, takes one back.

A copy is decided, stored as an intent, then sealed, checked and published, as a certificate is; the last step asks
again under the holding's lock whether the certificate still stands. A copy has no status of its own (R9: it falls
with its certificate in the same instant, because both are the same fact).
"""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.audit import record_event
from issuer.context import Context
from issuer.errors import ConflictError, DomainError, UnavailableError, Words
from issuer.holders.copy_intent import intend, not_yours
from issuer.holders.sign_in import Holder
from issuer.issuance.photos import read_photo
from issuer.issuance.press import Pressed, PressRefusal, press
from issuer.publication.copies import PublicCopy, announce_copy, announce_withdrawal
from issuer.records.certificates import ECertificate
from issuer.records.copies import AnnotatedCopy
from issuer.records.database import after_commit
from issuer.records.holdings import lock_holding
from issuer.records.storage import FileMissingError
from issuer.rules.copies import CLAUSE, is_live, last_day
from issuer.rules.policy import Policy
from verifier.record.lookup import holder_digest, number_digest


@dataclass(frozen=True, slots=True)
class HeldCopy:
    """A copy as its holder sees it. `live`: not withdrawn, and its last day is not over."""

    id: int
    copy_no: str
    token: str
    purpose: str
    valid_until: date
    made_at: datetime
    file_size: int
    withdrawn_at: datetime | None
    live: bool


@dataclass(frozen=True, slots=True)
class CopyTerms:
    """What a holder may ask for now: the latest last day, how many at a time, and how many are live."""

    last_day: date
    at_most: int
    live: int


def make_copy(ctx: Context, holder: Holder, management_no: str, purpose: str, valid_until: date) -> HeldCopy:
    """Make, seal and publish a copy for one purpose; when this returns every way of checking knows it.

    Raises InputError (purpose with a character that cannot be drawn), NotFoundError (not the holder's certificate),
    ConflictError (R9, R16: not valid, term, number of copies), UnavailableError (a key, the time service).
    """
    copy_id, content, photo_key = intend(ctx, holder, management_no, purpose, valid_until)
    try:
        pressed = press(ctx.room(), content, read_photo(ctx, photo_key), level=ctx.settings.seal_level)
        file_key = f"copies/{content.own_list_id}/{content.token}.pdf"
        ctx.storage.put(file_key, pressed.pdf)
    except PressRefusal as refusal:
        _give_up(ctx, holder, copy_id, refusal.code)
        raise UnavailableError(
            refusal.code,
            Words("加注件未能制成，证书本身不受影响。", "The copy could not be made; the certificate is as it was."),
            remedy=Words("请换一种用途写法，或稍后重试。", "Word the purpose differently, or try again later."),
        ) from refusal
    except (DomainError, FileMissingError):
        _give_up(ctx, holder, copy_id, "unavailable")
        raise
    with ctx.database.write() as session:
        row = session.get_one(AnnotatedCopy, copy_id)
        certificate = session.get_one(ECertificate, row.certificate_id)
        lock_holding(session, certificate.person_id, certificate.qualification)
        session.refresh(certificate)
        if certificate.status != "valid":
            row.state = "failed"
        else:
            _publish(ctx, session, holder, certificate, row, pressed, file_key)
            after_commit(session, ctx.publish)
        made = _view(row, ctx.clock.today())
    if row.state == "failed":
        raise ConflictError(
            "certificate-not-valid",
            Words("制作期间证书状态已变化，未生成加注件。", "The certificate changed meanwhile; no copy was made."),
            clause="R9",
        )
    return made


def withdraw_copy(ctx: Context, holder: Holder, copy_id: int) -> HeldCopy:
    """Take a copy back: from now on every way of checking says so. A second time changes nothing.

    Raises NotFoundError, also for somebody else's copy.
    """
    with ctx.database.write() as session:
        row, certificate = _own_copy(session, holder, copy_id)
        lock_holding(session, certificate.person_id, certificate.qualification)
        session.refresh(row)
        if row.withdrawn_at is None:
            row.withdrawn_at = ctx.clock.now()
            announce_withdrawal(session, row.token, (row.list_id, row.list_index), row.withdrawn_at)
            record_event(session, ctx.clock, holder.actor, "copy.withdraw", f"copy:{row.id}", clause=CLAUSE)
            after_commit(session, ctx.publish)
        return _view(row, ctx.clock.today())


def copies_of(ctx: Context, session: Session, certificate_id: int) -> list[HeldCopy]:
    """The published copies of a certificate, newest first."""
    rows = session.scalars(
        select(AnnotatedCopy)
        .where(AnnotatedCopy.certificate_id == certificate_id, AnnotatedCopy.state == "published")
        .order_by(AnnotatedCopy.id.desc())
    )
    return [_view(row, ctx.clock.today()) for row in rows]


def terms_of(ctx: Context, policy: Policy, copies: list[HeldCopy]) -> CopyTerms:
    """What may be asked for now under a programme's policy."""
    live = sum(copy.live for copy in copies)
    return CopyTerms(last_day(policy.copy_days, ctx.clock.today()), policy.copies_live, live)


def copy_file(ctx: Context, holder: Holder, copy_id: int) -> tuple[bytes, str, str]:
    """The copy's PDF, the name it is saved under and its digest; the download is put on record.

    Raises NotFoundError (also for somebody else's), UnavailableError when the stored file is not what was recorded.
    """
    with ctx.database.write() as session:
        row, certificate = _own_copy(session, holder, copy_id)
        record_event(session, ctx.clock, holder.actor, "copy.download", f"copy:{row.id}")
        file_key, sha256, name = row.file_key or "", row.file_sha256 or "", certificate.name
        ended = "" if is_live(row.valid_until, row.withdrawn_at is not None, ctx.clock.today()) else "（已失效）"
        file_name = f"{name}-{row.copy_no}-加注件{ended}.pdf"
    try:
        content = ctx.storage.get(file_key)
    except FileMissingError:
        content = b""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UnavailableError(
            "file-damaged",
            Words("存储中的加注件缺失或与登记不符。", "The stored copy is missing or not the one on record."),
            remedy=Words("请收回后重新制作一份。", "Withdraw it and make a new one."),
        )
    return content, file_name, sha256


def _publish(
    ctx: Context,
    session: Session,
    holder: Holder,
    certificate: ECertificate,
    row: AnnotatedCopy,
    pressed: Pressed,
    file_key: str,
) -> None:
    now = ctx.clock.now()
    row.state, row.published_at = "published", now
    row.file_key, row.file_sha256, row.file_size = file_key, pressed.sha256, len(pressed.pdf)
    row.credential_sha256 = hashlib.sha256(pressed.credential).hexdigest()
    announce_copy(
        session,
        PublicCopy(
            token=row.token,
            of_token=certificate.token,
            file_sha256=row.file_sha256,
            credential_sha256=row.credential_sha256,
            number_digest=number_digest(ctx.lookup_key, row.copy_no),
            holder_digest=holder_digest(ctx.lookup_key, row.copy_no, certificate.name),
            # Each copy would add ten bits about the ID number (decision 13), and two of them give its ending away.
            identity_digest=None,
            list_id=row.list_id,
            list_index=row.list_index,
            valid_until=row.valid_until,
            published_at=now,
        ),
    )
    details = {"certificate": certificate.id, "sha256": row.file_sha256, "until": row.valid_until.isoformat()}
    record_event(session, ctx.clock, holder.actor, "copy.publish", f"copy:{row.id}", clause=CLAUSE, details=details)


def _give_up(ctx: Context, holder: Holder, copy_id: int, code: str) -> None:
    with ctx.database.write() as session:
        session.get_one(AnnotatedCopy, copy_id).state = "failed"
        details = {"code": code}
        subject = f"copy:{copy_id}"
        record_event(session, ctx.clock, holder.actor, "copy.seal", subject, outcome="refused", details=details)


def _own_copy(session: Session, holder: Holder, copy_id: int) -> tuple[AnnotatedCopy, ECertificate]:
    found = session.execute(
        select(AnnotatedCopy, ECertificate)
        .join(ECertificate, AnnotatedCopy.certificate_id == ECertificate.id)
        .where(
            AnnotatedCopy.id == copy_id,
            AnnotatedCopy.state == "published",
            ECertificate.person_id == holder.person_id,
        )
    ).one_or_none()
    if found is None:
        raise not_yours()
    return found[0], found[1]


def _view(row: AnnotatedCopy, today: date) -> HeldCopy:
    return HeldCopy(
        id=row.id,
        copy_no=row.copy_no,
        token=row.token,
        purpose=row.purpose,
        valid_until=row.valid_until,
        made_at=row.published_at or row.intended_at,
        file_size=row.file_size or 0,
        withdrawn_at=row.withdrawn_at,
        live=row.state == "published" and is_live(row.valid_until, row.withdrawn_at is not None, today),
    )
