"""告知承诺书 (R2): publishing a text, accepting it as oneself, taking it back, writing down one signed on paper."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.clock import SHANGHAI
from issuer.errors import ConflictError, InputError, NotFoundError, Words
from issuer.ports import ServiceContext
from issuer.records.people import Registration
from issuer.records.registration import CommitmentAcceptance, CommitmentTextRow
from issuer.records.sittings import Programme, Sitting
from issuer.refusals import refusal_from
from issuer.registration.dossier_rows import day_of, texts_of
from issuer.rules.commitment import AcceptanceChannel, CommitmentText, require_new_text, require_text_in_force
from issuer.rules.terms import Role
from issuer.rules.violation import RuleViolation

PUBLISHERS = (Role.AUTHORITY_ISSUER,)
RECORDERS = (Role.REVIEW_BODY, Role.AUTHORITY_ISSUER)
READERS = (*RECORDERS, Role.AUTHORITY_APPROVER, Role.SUPERVISOR, Role.AUDITOR)
MAX_TEXT = 8000
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.\-]{0,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class TextView:
    """One version of a programme's text, whole."""

    programme: str
    version: str
    in_force_from: date
    digest: str
    text_zh: str
    text_en: str
    published_by: str
    published_at: datetime


def digest_of(text_zh: str, text_en: str) -> str:
    """SHA-256 over both languages, a line feed and a zero byte between them; 64 hex characters."""
    return hashlib.sha256(f"{text_zh}\n\0{text_en}".encode()).hexdigest()


def publish_text(
    ctx: ServiceContext,
    actor: Actor,
    programme_code: str,
    *,
    version: str,
    in_force_from: date,
    text_zh: str,
    text_en: str,
) -> TextView:
    """Publish a version; the very same one again changes nothing.

    Raises NotAllowedError, NotFoundError (programme), InputError, ConflictError (R2: it would change a promise made).
    """
    actor.require(*PUBLISHERS)
    version, text_zh, text_en = version.strip(), _clean(text_zh), _clean(text_en)
    if _VERSION.fullmatch(version) is None:
        raise InputError(
            "commitment-version-form",
            Words("版本号为 1 至 40 位字母、数字、点或连字符。", "A version has 1 to 40 letters, digits, . or -."),
        )
    new = CommitmentText(version, in_force_from, digest_of(text_zh, text_en))
    with ctx.database.write() as session:
        programme = session.get(Programme, programme_code, with_for_update=True)
        if programme is None:
            raise NotFoundError("programme-not-found", Words("没有这个考试项目。", "There is no such programme."))
        texts = texts_of(session, programme_code)
        if new not in texts:
            try:
                require_new_text(texts, new, _last_acceptance(session, programme_code))
            except RuleViolation as violation:
                raise refusal_from(violation) from violation
            session.add(
                CommitmentTextRow(
                    programme_code=programme_code,
                    version=version,
                    text_zh=text_zh,
                    text_en=text_en,
                    digest=new.digest,
                    in_force_from=in_force_from,
                    published_by=actor.username,
                    published_at=ctx.clock.now(),
                )
            )
            session.flush()
            details = {"version": version, "in_force_from": in_force_from.isoformat(), "sha256": new.digest}
            subject = f"programme:{programme_code}"
            record_event(session, ctx.clock, actor, "commitment.publish", subject, clause="R2", details=details)
        return next(view for view in _views(session, programme_code) if view.version == version)


def list_texts(ctx: ServiceContext, actor: Actor, programme_code: str) -> list[TextView]:
    """Every version, newest first. Raises NotAllowedError (role, R1)."""
    actor.require(*READERS)
    actor.require_programme(programme_code)
    with ctx.database.read() as session:
        return _views(session, programme_code)


def text_for(session: Session, programme_code: str, on: date) -> TextView | None:
    """The text that is in force on a day."""
    begun = (view for view in _views(session, programme_code) if view.in_force_from <= on)
    return next(begun, None)


def accept(
    ctx: ServiceContext, person_id: int, actor: Actor, registration_id: int, version: str, digest: str
) -> None:
    """The candidate accepts, on their own page, the text they were shown. A standing one stays as it is.

    Raises NotFoundError (not their registration), ConflictError (R2: the text changed meanwhile; R9: void).
    """
    with ctx.database.write() as session:
        registration = _own(session, person_id, registration_id)
        sitting = session.get_one(Sitting, registration.sitting_code)
        if registration.void_since is not None:
            raise ConflictError(
                "registration-void", Words("该报名已无效。", "This registration is void."), clause="R9"
            )
        try:
            texts = texts_of(session, sitting.programme_code)
            require_text_in_force(texts, version, digest, ctx.clock.today())
        except RuleViolation as violation:
            raise refusal_from(violation) from violation
        _add(ctx, session, actor, registration_id, version, ctx.clock.now(), AcceptanceChannel.ONLINE)


def withdraw(ctx: ServiceContext, person_id: int, actor: Actor, registration_id: int) -> None:
    """The candidate takes the promise back: from now on materials prove what it would have. Idempotent.

    Raises NotFoundError.
    """
    with ctx.database.write() as session:
        _own(session, person_id, registration_id)
        row = _standing(session, registration_id)
        if row is None:
            return
        row.withdrawn_at, row.withdrawn_by = ctx.clock.now(), actor.username
        details = {"version": row.version}
        subject = f"registration:{registration_id}"
        record_event(session, ctx.clock, actor, "commitment.withdraw", subject, clause="R2", details=details)


def record_at_counter(ctx: ServiceContext, actor: Actor, registration_id: int, signed_on: date) -> None:
    """Write down a promise signed on paper before staff, by the text in force on that day.

    Raises NotAllowedError (role, R1), NotFoundError, InputError (a day to come), ConflictError (R2).
    """
    actor.require(*RECORDERS)
    if signed_on > ctx.clock.today():
        raise InputError("day-to-come", Words("签署日期不能晚于今日。", "The day lies in the future."))
    with ctx.database.write() as session:
        registration = session.get(Registration, registration_id, with_for_update=True)
        if registration is None:
            raise _unknown()
        sitting = session.get_one(Sitting, registration.sitting_code)
        actor.require_programme(sitting.programme_code, registration.city)
        text = text_for(session, sitting.programme_code, signed_on)
        if text is None:
            raise ConflictError(
                "commitment-text-missing",
                Words("当日没有有效的告知承诺书。", "No commitment text was in force on that day."),
                remedy=Words("先公布承诺书文本。", "Publish a text first."),
                clause="R2",
            )
        at = datetime.combine(signed_on, time(), tzinfo=SHANGHAI)
        _add(ctx, session, actor, registration_id, text.version, at, AcceptanceChannel.COUNTER)


def _add(
    ctx: ServiceContext,
    session: Session,
    actor: Actor,
    registration_id: int,
    version: str,
    at: datetime,
    channel: AcceptanceChannel,
) -> None:
    standing = _standing(session, registration_id)
    if standing is not None:
        if standing.version == version and standing.own:
            return
        # What was accepted before does not count (another text, or by somebody else): it gives way.
        standing.withdrawn_at, standing.withdrawn_by = ctx.clock.now(), actor.username
        session.flush()
    session.add(
        CommitmentAcceptance(
            registration_id=registration_id,
            version=version,
            accepted_at=at,
            channel=channel,
            own=True,
            recorded_by=actor.username,
            recorded_at=ctx.clock.now(),
        )
    )
    session.flush()
    details = {"version": version, "channel": channel.value, "accepted_on": day_of(at).isoformat()}
    subject = f"registration:{registration_id}"
    record_event(session, ctx.clock, actor, "commitment.accept", subject, clause="R2", details=details)


def _standing(session: Session, registration_id: int) -> CommitmentAcceptance | None:
    return session.scalars(
        select(CommitmentAcceptance)
        .where(CommitmentAcceptance.registration_id == registration_id, CommitmentAcceptance.withdrawn_at.is_(None))
        .with_for_update()
    ).one_or_none()


def _own(session: Session, person_id: int, registration_id: int) -> Registration:
    registration = session.get(Registration, registration_id, with_for_update=True)
    if registration is None or registration.person_id != person_id:
        raise _unknown()
    return registration


def _last_acceptance(session: Session, programme_code: str) -> date | None:
    at = session.scalar(
        select(func.max(CommitmentAcceptance.accepted_at))
        .join(Registration, Registration.id == CommitmentAcceptance.registration_id)
        .join(Sitting, Sitting.code == Registration.sitting_code)
        .join(
            CommitmentTextRow,
            (CommitmentTextRow.programme_code == Sitting.programme_code)
            & (CommitmentTextRow.version == CommitmentAcceptance.version),
        )
        .where(Sitting.programme_code == programme_code)
    )
    return day_of(at) if at else None


def _views(session: Session, programme_code: str) -> list[TextView]:
    rows = session.scalars(
        select(CommitmentTextRow)
        .where(CommitmentTextRow.programme_code == programme_code)
        .order_by(CommitmentTextRow.in_force_from.desc())
    )
    return [
        TextView(
            programme=row.programme_code,
            version=row.version,
            in_force_from=row.in_force_from,
            digest=row.digest,
            text_zh=row.text_zh,
            text_en=row.text_en,
            published_by=row.published_by,
            published_at=row.published_at,
        )
        for row in rows
    ]


def _clean(text: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    hidden = any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co") and char != "\n" for char in text)
    if not 10 <= len(text) <= MAX_TEXT or hidden:
        raise InputError(
            "commitment-text-unusable",
            Words(
                f"承诺书文本应有 10 至 {MAX_TEXT} 个可见字符，中英文都要有。",
                f"A commitment text has 10 to {MAX_TEXT} visible characters, in both languages.",
            ),
        )
    return text


def _unknown() -> NotFoundError:
    return NotFoundError("registration-unknown", Words("没有这个报名。", "There is no such registration."))
