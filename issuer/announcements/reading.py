"""What the public and staff read: published announcements newest first, one of them with its list."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, defer

from issuer.access.actor import Actor
from issuer.announcements.cases import case_lines, lifted_positions
from issuer.announcements.drafts import DRAFTERS, PUBLISHERS, not_found, text_of
from issuer.announcements.files import read_announcement
from issuer.announcements.listing import Line, lines_of, unpacked
from issuer.announcements.wording import Text
from issuer.context import Context
from issuer.errors import NotFoundError, Words
from issuer.records.announcements import Announcement, Sampling
from issuer.records.sittings import Programme, Sitting
from issuer.review.sitting import READERS, open_sitting
from issuer.rules.announcements import AnnouncementKind
from issuer.rules.terms import Role

PUBLIC = (Announcement.state == "published") | (
    (Announcement.state == "withdrawn") & Announcement.number.is_not(None)
)
"""What the public reads: published ones, and those taken back with a note."""
PAGE_LINES = 500
"""Names on one page: well under 100 kB."""


@dataclass(frozen=True, slots=True)
class Heading:
    """An announcement in a list."""

    id: int
    number: str | None
    kind: str
    state: str
    sitting_code: str
    programme: str
    title: str
    title_en: str
    drafted_by: str
    published_at: datetime | None
    corrects: str | None
    corrected_by: str | None


@dataclass(frozen=True, slots=True)
class AnnouncementView:
    """One announcement. `lines` is one page of the list, empty when the names are no longer shown."""

    heading: Heading
    text: Text
    authority: str
    review_body: str
    clause: str
    version: int
    listed: int
    names_until: date | None
    names_shown: bool
    lines: tuple[Line, ...]
    page: int
    pages: int
    published_by: str | None
    withdrawn_at: datetime | None = None
    withdrawn_note: str | None = None
    lifted: int = 0
    """Lines no longer shown because the case was overturned."""

    def to_json(self) -> dict[str, Any]:
        """For programs: heading, text, and this page of the list."""
        body = asdict(self)
        heading, text = body.pop("heading"), body.pop("text")
        plain: dict[str, Any] = _plain({**heading, **text, **body})
        return plain


@dataclass(frozen=True, slots=True)
class SeedView:
    """A sampling as the public reads it: enough to draw again with the list in hand."""

    id: int
    sitting_code: str
    seed: str
    per_mille: int
    fixed_at: datetime
    drawn_at: datetime | None
    population: int | None
    list_sha256: str | None


def published(ctx: Context, *, before: int | None = None, limit: int = 30) -> list[Heading]:
    """Published announcements, newest first; `before`: the id of the last one on the page before."""
    with ctx.database.read() as session:
        query = _headings().where(PUBLIC).order_by(Announcement.published_at.desc())
        if before is not None:
            last = session.get(Announcement, before)
            if last is None or last.published_at is None:
                return []
            query = query.where(Announcement.published_at < last.published_at)
        return [_heading(session, *row) for row in session.execute(query.limit(limit)).all()]


def read_published(ctx: Context, number: str, *, page: int = 1) -> AnnouncementView:
    """One published announcement by number; raises NotFoundError."""
    with ctx.database.read() as session:
        row = _by_number(session, number)
        lines = _standing_lines(session, row) if _names_shown(ctx, row) else []
        return _view(ctx, session, row, lines, page)


def published_file(ctx: Context, number: str) -> bytes:
    """Its PDF, while the names in it are shown. Raises NotFoundError, UnavailableError."""
    with ctx.database.read() as session:
        row = _by_number(session, number)
        lifted = lifted_positions(session, row.id)
    if lifted or not _names_shown(ctx, row):
        raise NotFoundError(
            "list-taken-down",
            Words("名单已不再公开展示，含名单的 PDF 不再提供。", "The list and its PDF are no longer shown."),
            remedy=Words("公告正文仍可在网页阅读。", "The text can still be read on its page."),
        )
    return read_announcement(ctx, row)


def for_staff(ctx: Context, actor: Actor, *, limit: int = 100) -> list[Heading]:
    """Drafts and published ones of the reader's programmes (R1), newest first."""
    actor.require(*READERS)
    query = (
        _headings()
        .where((Announcement.state != "withdrawn") | Announcement.number.is_not(None))
        .order_by(Announcement.id.desc())
        .limit(limit)
    )
    if not actor.roles - {Role.REVIEW_BODY}:
        query = query.where(Sitting.programme_code.in_(actor.programmes))
    with ctx.database.read() as session:
        return [_heading(session, *row) for row in session.execute(query).all()]


def show_to_staff(ctx: Context, actor: Actor, announcement_id: int, *, page: int = 1) -> AnnouncementView:
    """One with its list: a draft's as it would be published now. Raises NotFoundError, NotAllowedError (R1)."""
    with ctx.database.read() as session:
        row = session.get(Announcement, announcement_id)
        if row is None:
            raise not_found()
        open_sitting(session, actor, row.sitting_code, READERS)
        may_see = bool(actor.roles.intersection((*DRAFTERS, *PUBLISHERS)))
        if row.state == "draft":
            lines: Sequence[Line] = _draft_lines(session, row) if may_see else ()
        else:
            lines = unpacked(row.lines) if may_see or _names_shown(ctx, row) else ()
        return _view(ctx, session, row, lines, page)


def published_seeds(ctx: Context, *, limit: int = 30) -> list[SeedView]:
    """Seeds of random samples, newest first (R15)."""
    with ctx.database.read() as session:
        rows = session.scalars(select(Sampling).order_by(Sampling.id.desc()).limit(limit)).all()
        return [SeedView(**{name: getattr(row, name) for name in SeedView.__slots__}) for row in rows]


def _headings() -> Select[Announcement, Programme]:
    return (
        select(Announcement, Programme)
        .join(Sitting, Announcement.sitting_code == Sitting.code)
        .join(Programme, Sitting.programme_code == Programme.code)
        # A list can be as long as its sitting.
        .options(defer(Announcement.lines), defer(Announcement.body), defer(Announcement.body_en))
    )


def _heading(session: Session, row: Announcement, programme: Programme) -> Heading:
    corrects = session.get(Announcement, row.corrects_id) if row.corrects_id else None
    newer = (Announcement.corrects_id == row.id, Announcement.state == "published")
    return Heading(
        id=row.id,
        number=row.number,
        kind=row.kind,
        state=row.state,
        sitting_code=row.sitting_code,
        programme=programme.name,
        title=row.title,
        title_en=row.title_en,
        drafted_by=row.drafted_by,
        published_at=row.published_at,
        corrects=corrects.number if corrects else None,
        corrected_by=session.scalar(select(Announcement.number).where(*newer)),
    )


def _by_number(session: Session, number: str) -> Announcement:
    found = select(Announcement).where(Announcement.number == number, PUBLIC)
    row = session.scalars(found).one_or_none()
    if row is None:
        raise not_found()
    return row


def _draft_lines(session: Session, row: Announcement) -> list[Line]:
    kind = AnnouncementKind(row.kind)
    return case_lines(session, row.id) if kind.of_cases else lines_of(session, row.sitting_code, kind)


def _standing_lines(session: Session, row: Announcement) -> list[Line]:
    """The published list without the lines of cases that were overturned since."""
    lifted = lifted_positions(session, row.id)
    return [line for place, line in enumerate(unpacked(row.lines)) if place not in lifted]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def _names_shown(ctx: Context, row: Announcement) -> bool:
    if row.state != "published":
        return False
    return row.names_until is not None and ctx.clock.today() <= row.names_until


def _view(ctx: Context, session: Session, row: Announcement, lines: Sequence[Line], page: int) -> AnnouncementView:
    sitting = session.get_one(Sitting, row.sitting_code)
    programme = session.get_one(Programme, sitting.programme_code)
    pages = max(1, -(-len(lines) // PAGE_LINES))
    page = min(max(page, 1), pages)
    return AnnouncementView(
        heading=_heading(session, row, programme),
        text=text_of(row),
        authority=programme.authority,
        review_body=programme.review_body,
        clause=AnnouncementKind(row.kind).clause,
        version=row.version,
        listed=len(lines) if row.line_count is None else row.line_count,
        names_until=row.names_until,
        names_shown=bool(lines),
        lines=tuple(lines[(page - 1) * PAGE_LINES : page * PAGE_LINES]),
        page=page,
        pages=pages,
        published_by=row.published_by,
        withdrawn_at=row.withdrawn_at,
        withdrawn_note=row.withdrawn_note,
        lifted=len(lifted_positions(session, row.id)),
    )
