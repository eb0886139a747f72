"""What every act on an announcement asks: the draft, its kind, its text, who wrote it, whether one stands already."""

import hashlib
from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.announcements.wording import Text
from issuer.audit import record_event
from issuer.errors import ConflictError, DomainError, InputError, NotAllowedError, NotFoundError, Words
from issuer.ports import ServiceContext
from issuer.records.announcements import Announcement
from issuer.review.sitting import open_sitting
from issuer.rules.announcements import AnnouncementKind
from issuer.rules.terms import Role

DRAFTERS = (Role.AUTHORITY_ISSUER, Role.REVIEW_BODY)
PUBLISHERS = (Role.AUTHORITY_APPROVER,)
MAX_TITLE, MAX_BODY = 200, 20_000


def text_of(row: Announcement) -> Text:
    """What an announcement says."""
    return Text(row.title, row.title_en, row.body, row.body_en)


def open_draft(
    session: Session, actor: Actor, announcement_id: int, roles: tuple[Role, ...], version: int | None
) -> Announcement:
    """The draft, locked, in the version the caller read. Raises NotFoundError, NotAllowedError, ConflictError."""
    query = select(Announcement).where(Announcement.id == announcement_id).with_for_update()
    row = session.scalars(query).one_or_none()
    if row is None:
        raise not_found()
    open_sitting(session, actor, row.sitting_code, roles)
    if row.state != "draft":
        raise ConflictError(
            "announcement-not-a-draft",
            Words("该公告已发布或已撤回，不能再改。", "It has been published or withdrawn and cannot be changed."),
            remedy=Words("已发布的公告有误，请起草更正公告。", "If a published one is wrong, draft a correction."),
        )
    if version is not None and version != row.version:
        raise ConflictError(
            "announcement-changed",
            Words("草稿在您打开之后有改动，未作任何更改。", "The draft changed since you opened it."),
            remedy=Words("请重新阅读后再办理。", "Read it again, then repeat."),
        )
    return row


def require_own(row: Announcement, actor: Actor) -> None:
    """Raise NotAllowedError unless it is the actor's own draft."""
    if row.drafted_by.casefold() != actor.username.casefold():
        raise NotAllowedError(
            "not-own-draft",
            Words("只有起草人可以修改或撤回草稿。", "Only its drafter changes or withdraws a draft."),
            remedy=Words("请联系起草人，或另行起草。", "Ask the drafter, or begin another draft."),
        )


def to_correct(
    session: Session, corrects: int | None, sitting_code: str, kind: AnnouncementKind
) -> Announcement | None:
    """The published announcement a draft takes the place of. Raises NotFoundError, ConflictError."""
    if corrects is None:
        return None
    if kind.of_cases:
        raise ConflictError(
            "cases-not-corrected",
            Words(
                "认定和恢复类公告不另发更正，未作更改。",
                "Announcements of cases are not corrected; nothing was changed.",
            ),
            remedy=Words("撤回该公告并写明原因，再重新起草。", "Withdraw it with a note, then draft another one."),
        )
    earlier = session.get(Announcement, corrects)
    if earlier is None or earlier.sitting_code != sitting_code or earlier.kind != kind.value:
        raise not_found()
    followed = (Announcement.corrects_id == corrects, Announcement.state == "published")
    newer = session.scalar(select(Announcement.number).where(*followed))
    if earlier.state != "published" or newer is not None:
        raise ConflictError(
            "announcement-not-current",
            Words("只能更正现行公告。", "Only the announcement that counts now can be corrected."),
            remedy=Words(f"请更正 {newer} 号公告。", f"Correct announcement {newer}.") if newer else None,
        )
    return earlier


def require_first(session: Session, sitting_code: str, kind: AnnouncementKind) -> None:
    """Raise ConflictError where one of the kind is published; of cases a sitting may have any number."""
    if kind.of_cases:
        return
    known = select(Announcement.id).where(
        Announcement.sitting_code == sitting_code, Announcement.kind == kind.value, Announcement.state == "published"
    )
    if session.scalars(known.limit(1)).first() is not None:
        raise standing()


def standing() -> DomainError:
    """One of this kind is published already."""
    return ConflictError(
        "announcement-stands",
        Words("同类公告已经发布，未作任何更改。", "One of this kind has been published; nothing was changed."),
        remedy=Words("有误的，请从该公告起草更正公告。", "If it is wrong, draft a correction from it."),
    )


def not_found() -> DomainError:
    """No such announcement, or not one this reader may see."""
    return NotFoundError(
        "announcement-not-found",
        Words("没有这个公告。", "There is no such announcement."),
        remedy=Words("请从公告列表打开。", "Open it from the list."),
    )


def kind_of(kind: str) -> AnnouncementKind:
    """The kind of that name; raises InputError."""
    try:
        return AnnouncementKind(kind)
    except ValueError as exc:
        raise InputError("unknown-kind", Words("没有这种公告。", "There is no such kind of announcement.")) from exc


def usable(text: Text) -> Text:
    """The text without surrounding blanks; raises InputError when a part is empty or too long."""
    cleaned = Text(*(value.replace("\r\n", "\n").strip() for value in asdict(text).values()))
    titles, bodies = (cleaned.title, cleaned.title_en), (cleaned.body, cleaned.body_en)
    good = all(0 < len(title) <= MAX_TITLE and "\n" not in title for title in titles)
    if good and all(0 < len(body) <= MAX_BODY for body in bodies):
        return cleaned
    raise InputError(
        "announcement-text",
        Words(
            "标题和正文的中英文均不能为空，也不能过长；草稿未改动。",
            "A title or text is empty or too long.",
        ),
        remedy=Words(
            f"标题至多 {MAX_TITLE} 字，正文至多 {MAX_BODY} 字。",
            f"At most {MAX_TITLE} characters in a title and {MAX_BODY} in a text.",
        ),
    )


def note(session: Session, ctx: ServiceContext, actor: Actor, act: str, row: Announcement) -> None:
    """The audit event of an act on an announcement; what it says goes in as a digest."""
    said = "\n".join(asdict(text_of(row)).values())
    details = {
        "kind": row.kind,
        "sitting": row.sitting_code,
        "number": row.number,
        "content_sha256": hashlib.sha256(said.encode()).hexdigest(),
        "listed": row.line_count,
    }
    clause = AnnouncementKind(row.kind).clause
    subject = f"announcement:{row.id}"
    record_event(session, ctx.clock, actor, f"announcement.{act}", subject, clause=clause, details=details)
