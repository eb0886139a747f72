"""Drafting and publishing: one person writes, another publishes what they looked at; nothing changes afterwards."""

from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.announcements.cases import collectable, placed_lines, put_on
from issuer.announcements.drafts import (
    DRAFTERS,
    PUBLISHERS,
    kind_of,
    not_found,
    note,
    open_draft,
    require_first,
    require_own,
    standing,
    text_of,
    to_correct,
    usable,
)
from issuer.announcements.files import announcement_pdf, keep_file
from issuer.announcements.listing import lines_of, packed
from issuer.announcements.wording import Facts, Text, correcting_text, first_text
from issuer.context import Context
from issuer.errors import ConflictError, InputError, NotAllowedError, Words
from issuer.records.announcements import Announcement
from issuer.records.series import next_serial
from issuer.records.sittings import Programme, Sitting
from issuer.review.rounds import open_notice
from issuer.review.sitting import lock_results, open_sitting, require_whole_programme
from issuer.rules.announcements import AnnouncementKind, names_shown_until
from issuer.rules.deadlines import notice_closes_on
from issuer.rules.notice import PublicNotice
from issuer.rules.policy import Policy

NOTE_MIN, NOTE_MAX = 4, 2000


def draft_announcement(
    ctx: Context, actor: Actor, sitting_code: str, kind: str, *, corrects: int | None = None
) -> int:
    """Begin a draft from the template text of its kind, or of the published announcement it corrects; its id.

    Raises NotFoundError, NotAllowedError (R1), InputError (unknown kind), ConflictError (that kind is published:
    only a correction may follow; or it has been corrected already).
    """
    chosen = kind_of(kind)
    with ctx.database.write() as session:
        sitting = open_sitting(session, actor, sitting_code, DRAFTERS)
        require_whole_programme(actor)
        earlier = to_correct(session, corrects, sitting.code, chosen)
        cases = collectable(session, sitting.code, chosen) if chosen.of_cases else []
        if chosen.of_cases and not cases:
            raise _nobody(chosen)
        if earlier is None:
            require_first(session, sitting.code, chosen)
            text = first_text(chosen, _facts(ctx, session, sitting.code, chosen))
        else:
            text = correcting_text(earlier.number or "", text_of(earlier))
        row = Announcement(
            sitting_code=sitting.code,
            kind=chosen.value,
            state="draft",
            corrects_id=earlier.id if earlier else None,
            **asdict(text),
            version=0,
            drafted_by=actor.username,
            drafted_at=ctx.clock.now(),
        )
        session.add(row)
        session.flush()
        put_on(session, row, cases)
        note(session, ctx, actor, "draft", row)
        return row.id


def edit_announcement(ctx: Context, actor: Actor, announcement_id: int, text: Text, *, version: int) -> int:
    """Change a draft of one's own; its new version. Raises NotFoundError, NotAllowedError (somebody else's),
    InputError (empty or too long), ConflictError (published or withdrawn, or changed since `version`)."""
    text = usable(text)
    with ctx.database.write() as session:
        row = open_draft(session, actor, announcement_id, DRAFTERS, version)
        require_own(row, actor)
        if text != text_of(row):
            for name, value in asdict(text).items():
                setattr(row, name, value)
            row.version += 1
            note(session, ctx, actor, "edit", row)
        return row.version


def withdraw_announcement(ctx: Context, actor: Actor, announcement_id: int) -> None:
    """Let go of a draft of one's own. Raises as `edit_announcement`."""
    with ctx.database.write() as session:
        row = open_draft(session, actor, announcement_id, DRAFTERS, None)
        require_own(row, actor)
        row.state = "withdrawn"
        note(session, ctx, actor, "withdraw", row)


def take_back(ctx: Context, actor: Actor, announcement_id: int, why: str) -> str:
    """Take a published announcement back, saying why in public: its text stays with that note, its list goes.
    Its number.

    By somebody other than who published it. Raises NotFoundError, NotAllowedError (role, R1, the publisher),
    InputError (no reason), ConflictError (not published).
    """
    why = why.replace("\r\n", "\n").strip()
    if not NOTE_MIN <= len(why) <= NOTE_MAX or not all(char.isprintable() or char == "\n" for char in why):
        raise InputError(
            "note-missing",
            Words(
                f"请写明撤回原因（{NOTE_MIN} 至 {NOTE_MAX} 字），原因将公开。",
                "Say why; the reason stands in public.",
            ),
        )
    with ctx.database.write() as session:
        query = select(Announcement).where(Announcement.id == announcement_id).with_for_update()
        row = session.scalars(query).one_or_none()
        if row is None:
            raise not_found()
        open_sitting(session, actor, row.sitting_code, (*DRAFTERS, *PUBLISHERS))
        if row.state != "published":
            raise ConflictError(
                "announcement-not-published",
                Words("该公告未在发布中，未作更改。", "It is not published; nothing was changed."),
                remedy=Words("草稿由起草人撤回。", "A draft is let go by its drafter."),
            )
        if (row.published_by or "").casefold() == actor.username.casefold():
            raise NotAllowedError(
                "same-person",
                Words("发布人不能撤回自己发布的公告。", "Somebody other than its publisher takes it back."),
                remedy=Words("请由另一人办理。", "Ask somebody else."),
            )
        row.state, row.withdrawn_note = "withdrawn", why
        row.withdrawn_by, row.withdrawn_at = actor.username, ctx.clock.now()
        session.flush()
        note(session, ctx, actor, "take-back", row)
        return row.number or ""


def publish_announcement(ctx: Context, actor: Actor, announcement_id: int, *, version: int) -> str:
    """Publish a draft that somebody else wrote, with the list as it stands now; its number.

    A joint announcement (R5) opens the public notice, unless it stands already. `version`: what the publisher read.
    Raises NotFoundError, NotAllowedError (role; one's own draft), ConflictError (changed since, published or
    withdrawn, another of its kind stands, nobody to list, the notice cannot open today), InputError (a character
    that cannot be drawn), UnavailableError (no key to seal its PDF: nothing has happened).
    """
    try:
        with ctx.database.together() as session:
            row = open_draft(session, actor, announcement_id, PUBLISHERS, version)
            lock_results(session, row.sitting_code)
            return _publish(ctx, session, actor, row)
    except IntegrityError as exc:  # somebody else published another draft of the kind in this moment
        raise standing() from exc


def _publish(ctx: Context, session: Session, actor: Actor, row: Announcement) -> str:
    if row.drafted_by.casefold() == actor.username.casefold():
        raise NotAllowedError(
            "same-person",
            Words("公告须由起草人以外的人发布。", "Somebody other than the drafter publishes an announcement."),
            remedy=Words("请由另一名审批人员发布。", "Ask another approver."),
        )
    kind = AnnouncementKind(row.kind)
    earlier = to_correct(session, row.corrects_id, row.sitting_code, kind)
    if earlier is None:
        require_first(session, row.sitting_code, kind)
    sitting = open_sitting(session, actor, row.sitting_code, PUBLISHERS)
    notice = sitting.notice
    if kind is AnnouncementKind.NOTICE and "notice_opened_on" not in sitting.extra:
        notice = open_notice(ctx, actor, row.sitting_code, roles=PUBLISHERS)
    lines = placed_lines(session, row) if kind.of_cases else lines_of(session, row.sitting_code, kind)
    if not lines:
        raise _nobody(kind)
    now = ctx.clock.now()
    day = ctx.clock.today()
    number = f"{day.year}-{next_serial(session, f'announcements-{day.year}')}"
    programme = session.get_one(Programme, sitting.programme_code)
    pdf = announcement_pdf(
        text_of(row),
        lines,
        number=number,
        authority=programme.authority,
        review_body=programme.review_body,
        joint=kind is AnnouncementKind.NOTICE,
        corrects=earlier.number if earlier else None,
        at=now,
        sample=ctx.settings.sample,
    )
    pdf = ctx.room().seal_pdf(pdf, level=ctx.settings.seal_level)
    row.file_key, row.file_sha256 = keep_file(ctx, number, pdf)
    row.number, row.state = number, "published"
    row.published_by, row.published_at = actor.username, now
    row.lines, row.line_count = packed(lines), len(lines)
    row.names_until = names_shown_until(kind, day, notice, sitting.policy)
    session.flush()
    note(session, ctx, actor, "publish", row)
    return number


def _facts(ctx: Context, session: Session, sitting_code: str, kind: AnnouncementKind) -> Facts:
    sitting = session.get_one(Sitting, sitting_code)
    programme = session.get_one(Programme, sitting.programme_code)
    notice = PublicNotice(sitting.notice_opens_on, sitting.notice_closes_on)
    if kind is AnnouncementKind.NOTICE and "notice_opened_on" not in (sitting.extra or {}):
        today = ctx.clock.today()
        earliest = notice_closes_on(today, Policy.from_dict(programme.policy))
        notice = PublicNotice(today, max(sitting.notice_closes_on, earliest))
    return Facts(
        sitting_code=sitting.code,
        programme=programme.name,
        authority=programme.authority,
        review_body=programme.review_body,
        opens_on=notice.opens_on,
        closes_on=notice.closes_on,
        supplementary_closes_on=sitting.supplementary_closes_on,
        listed=0 if kind.of_cases else len(lines_of(session, sitting.code, kind)),
    )


def _nobody(kind: AnnouncementKind) -> ConflictError:
    return ConflictError(
        "nobody-to-list",
        Words("没有可列入名单的人员，未作更改。", "There is nobody to list; nothing was changed."),
        remedy=Words(
            "先导入名单、完成核查、制发或认定。", "Take in the roster, finish the review, issue or decide first."
        ),
        clause=kind.clause,
    )
