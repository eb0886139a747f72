"""What staff do about a hearing: notify it, record it, close its minutes. Each act is put on record (R7, R9, R10)."""

import hashlib
import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.access.service import actor_for
from issuer.audit import record_event
from issuer.clock import SHANGHAI
from issuer.context import Context
from issuer.errors import ConflictError, DomainError, InputError, NotAllowedError, NotFoundError, Words
from issuer.hearings.matter import (
    STAFF,
    About,
    Matter,
    find_hearing,
    hearing_about,
    hold_matter,
    matter_of,
    new_hearing,
    require_reach,
)
from issuer.invalidation.guards import require_person
from issuer.paper.sheets import lawful
from issuer.ports import ServiceContext
from issuer.records.hearings import SCAN_PURPOSE, Hearing
from issuer.records.series import next_serial
from issuer.rules import hearing as rules
from issuer.rules.hearing import HearingState

CAPACITIES: Final = ("party", "agent", "investigator", "witness", "recorder", "other")
"""In what capacity somebody was there; the chair is named by the notice."""
MAX_MINUTES: Final = 20_000
MAX_PRESENT: Final = 40
MAX_SCAN: Final = 10 * 1024 * 1024
_SCANS: Final = ((b"%PDF-", "application/pdf"), (b"\x89PNG\r\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody who was there. Holds a name: encrypted at rest, never in logs."""

    capacity: str
    name: str


def set_hearing(
    ctx: ServiceContext, actor: Actor, about: About, *, starts_at: datetime, place: str, chair: str
) -> int:
    """Notify time, place and chair, or notify another time; the hearing's id. The person reads it on their page.

    `starts_at`: an instant with its zone. Raises NotFoundError, NotAllowedError (role, R1), InputError (place, chair,
    time) and ConflictError (hearing-over, hearing-notice-short, hearing-after-deadline, chair-investigated, …).
    """
    require_person(actor, STAFF)
    place = usable(place, 4, 200, one_line=True)
    if starts_at.tzinfo is None:
        raise InputError("time-without-zone", Words("听证时间须带时区。", "The time needs a zone."))
    try:
        with ctx.database.write() as session:
            matter = hold_matter(session, about)
            actor.require_programme(matter.programme.code, matter.registration.city)
            row = hearing_about(session, matter)
            named = _chair(session, chair, matter)
            with lawful():
                rules.may_set(
                    matter.clause,
                    HearingState(row.state) if row else None,
                    matter.days,
                    today=ctx.clock.today(),
                    on=starts_at.astimezone(SHANGHAI).date(),
                    chair=named,
                    investigators=matter.investigators,
                )
            again = row is not None and row.state == HearingState.SET
            if row is None:
                row = new_hearing(session, matter)
            now = ctx.clock.now()
            if row.number is None:
                year = now.astimezone(SHANGHAI).year
                row.number = f"TZ-{year}-{next_serial(session, f'hearing-{year}'):04}"
            row.state, row.place, row.chair = HearingState.SET, place, named
            row.notified_at, row.notified_by, row.starts_at = now, actor.username, starts_at
            session.flush()
            details = {"number": row.number, "starts_at": starts_at.isoformat(), "chair": named, "moved": again}
            note(ctx, session, actor, "hearing.notify", row, **details)
            return row.id
    except IntegrityError as exc:  # two people made the first notice in one moment
        raise _changed() from exc


def record_hearing(
    ctx: Context,
    actor: Actor,
    hearing_id: int,
    *,
    present: Sequence[Present],
    minutes: str,
    scan: bytes | None = None,
    signed: bool = False,
) -> None:
    """Write down who came and what was said. With a scan of the minutes signed on paper (`signed`) it is confirmed at
    once; otherwise the person reads them on their page within the policy's days.

    Raises NotFoundError, NotAllowedError (not the chair), InputError, ConflictError (hearing-ahead, hearing-not-set).
    """
    require_person(actor, STAFF)
    minutes = usable(minutes, 10, MAX_MINUTES)
    people = _present(present)
    kind = _scan_type(scan) if scan else None
    if signed and (not scan or not any(one.capacity in ("party", "agent") for one in people)):
        raise InputError(
            "signature-unproved",
            Words(
                "当事人当场签字的，须列明其到场并上传签字扫描件。",
                "A signature on paper needs its scan and its signer.",
            ),
            remedy=Words(
                "未签字的，由当事人在网上核对笔录。", "Without it the person reads the minutes on their page."
            ),
        )
    with ctx.database.write() as session:
        row, matter = _chaired(session, actor, hearing_id)
        now = ctx.clock.now()
        with lawful():
            rules.may_record(row.clause, HearingState(row.state), row.starts_at or now, now)
        row.present = json.dumps([[one.capacity, one.name] for one in people], ensure_ascii=False)
        row.minutes, row.recorded_at = minutes, now
        row.answer_due_on = ctx.clock.today() + timedelta(days=matter.days.answer_days)
        row.state = HearingState.HELD
        if scan and kind:
            row.scan_sha256, row.scan_type = hashlib.sha256(scan).hexdigest(), kind
            row.scan_key = f"hearings/{row.id}-{row.scan_sha256[:16]}.sealed"
            ctx.storage.put(row.scan_key, ctx.data_key.seal(SCAN_PURPOSE, scan))
        if signed:
            row.state, row.answered_at, row.answered_by = HearingState.CONFIRMED, now, actor.username
        session.flush()
        details = {"present": len(people), "scan_sha256": row.scan_sha256, "signed": signed}
        note(ctx, session, actor, "hearing.record", row, **details)


def note_absence(ctx: ServiceContext, actor: Actor, hearing_id: int, why: str) -> None:
    """The person did not come without good reason, which gives the hearing up. Raises as `record_hearing`."""
    require_person(actor, STAFF)
    why = usable(why, 4, 2000)
    with ctx.database.write() as session:
        row, _ = _chaired(session, actor, hearing_id)
        now = ctx.clock.now()
        with lawful():
            rules.may_record(row.clause, HearingState(row.state), row.starts_at or now, now)
        row.state, row.answer = HearingState.WAIVED, why
        row.answered_at, row.answered_by = now, actor.username
        session.flush()
        note(ctx, session, actor, "hearing.absent", row)


def close_unsigned(ctx: ServiceContext, actor: Actor, hearing_id: int, why: str) -> None:
    """The days to answer are over, or a signature was refused: the chair notes why. Raises as `record_hearing`."""
    require_person(actor, STAFF)
    why = usable(why, 4, 2000)
    with ctx.database.write() as session:
        row, _ = _chaired(session, actor, hearing_id)
        today = ctx.clock.today()
        with lawful():
            rules.may_close_unsigned(row.clause, HearingState(row.state), row.answer_due_on or today, today)
        row.state, row.answer = HearingState.UNSIGNED, why
        row.answered_at, row.answered_by = ctx.clock.now(), actor.username
        session.flush()
        note(ctx, session, actor, "hearing.unsigned", row)


def usable(text: str, least: int, most: int, *, one_line: bool = False) -> str:
    """The text without surrounding blanks; raises InputError unless it is readable and of a good length."""
    text = text.replace("\r\n", "\n").strip()
    hidden = any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn") and char not in "\n\t" for char in text)
    if not least <= len(text) <= most or hidden or (one_line and ("\n" in text or "\t" in text)):
        raise InputError(
            "hearing-text",
            Words(
                f"内容须为 {least} 至 {most} 个可见字符，未作改动。", f"Write {least} to {most} visible characters."
            ),
            remedy=Words("请修改后重新提交。", "Mend it and send it again."),
        )
    return text


def note(ctx: ServiceContext, session: Session, actor: Actor, act: str, row: Hearing, **details: Any) -> None:
    """The audit event of an act on a hearing, on the registration it is about."""
    about = {"hearing": row.id, "case": row.case_id, "defence": row.defence_id, "state": str(row.state)}
    subject = f"registration:{row.registration_id}"
    record_event(session, ctx.clock, actor, act, subject, clause=row.clause, details=about | details)


def _chaired(session: Session, actor: Actor, hearing_id: int) -> tuple[Hearing, Matter]:
    row = find_hearing(session, hearing_id)
    require_reach(session, actor, row)
    matter = hold_matter(session, matter_of(session, row))
    if (row.chair or "").casefold() != actor.username.casefold():
        raise NotAllowedError(
            "not-the-chair",
            Words("只有听证主持人可以记录听证。", "Only its chair records a hearing."),
            remedy=Words(
                f"请由主持人 {row.chair or '（未定）'} 办理。", f"Ask {row.chair or 'the chair, once named'}."
            ),
            clause=row.clause,
        )
    return row, matter


def _chair(session: Session, chair: str, matter: Matter) -> str:
    try:
        other = actor_for(session, chair.strip(), "console")
        other.require(*STAFF)
        other.require_programme(matter.programme.code, matter.registration.city)
    except (NotFoundError, NotAllowedError) as exc:
        raise InputError(
            "chair-unusable",
            Words("主持人不是可以办理此事项的在用账号。", "The chair is no open account that may act here."),
            remedy=Words("请填写工作人员的用户名。", "Give the user name of a member of staff."),
        ) from exc
    return other.username


def _present(present: Sequence[Present]) -> list[Present]:
    people = [Present(one.capacity, " ".join(one.name.split())) for one in present]
    good = all(one.capacity in CAPACITIES and 1 <= len(one.name) <= 80 and one.name.isprintable() for one in people)
    if not good or not 1 <= len(people) <= MAX_PRESENT:
        raise InputError(
            "present-unusable",
            Words(
                f"请列明到场人员（1 至 {MAX_PRESENT} 人），写明身份和姓名。",
                "Name who was there, with their capacity.",
            ),
            remedy=Words(f"身份：{'、'.join(CAPACITIES)}", f"Capacities: {', '.join(CAPACITIES)}"),
        )
    return people


def _scan_type(scan: bytes) -> str:
    kind = next((name for start, name in _SCANS if scan.startswith(start)), None)
    if kind is None or len(scan) > MAX_SCAN:
        raise InputError(
            "scan-unusable",
            Words("扫描件须为 PDF、PNG 或 JPEG，不超过 10 MB。", "The scan is a PDF, PNG or JPEG of at most 10 MB."),
            remedy=Words("请换一个文件。", "Choose another file."),
        )
    return kind


def _changed() -> DomainError:
    return ConflictError(
        "hearing-changed",
        Words("该听证刚被他人办理，未作改动。", "Somebody else has just acted on this hearing; nothing was changed."),
        remedy=Words("请查看最新情况。", "Look at it again."),
    )
