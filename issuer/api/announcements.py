"""Announcements over HTTP: drafted, edited, previewed, published by another, taken back with a note (R5–R11)."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from issuer.access.actor import Actor
from issuer.announcements import service
from issuer.announcements.drafts import DRAFTERS, PUBLISHERS
from issuer.announcements.reading import for_staff, show_to_staff
from issuer.announcements.wording import Text
from issuer.api.access import Ctx, Reader, requires
from issuer.api.idempotency import Key, once
from issuer.api.models import problems
from issuer.rules.announcements import AnnouncementKind

router = APIRouter(prefix="/api/v1/announcements", tags=["announcements"])

Drafter = Annotated[Actor, requires(*DRAFTERS)]
Publisher = Annotated[Actor, requires(*PUBLISHERS)]
TakesBack = Annotated[Actor, requires(*DRAFTERS, *PUBLISHERS)]


class Draft(BaseModel):
    """A draft to begin from its kind's template, or from the published announcement it `corrects`."""

    model_config = ConfigDict(extra="forbid")

    sitting: str = Field(min_length=1, max_length=32)
    kind: AnnouncementKind
    corrects: int | None = Field(None, ge=1, le=2**31 - 1)


class Edit(BaseModel):
    """New words for one's own draft, in both languages; `version` is the one that was read."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=0, le=2**31 - 1)
    title: str = Field(max_length=400)
    title_en: str = Field(max_length=400)
    body: str = Field(max_length=40_000, description="a paragraph a line")
    body_en: str = Field(max_length=40_000)


class Publication(BaseModel):
    """The version the publisher read."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=0, le=2**31 - 1)


class Why(BaseModel):
    """Why a published announcement is taken back; it stands in public."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field(min_length=1, max_length=4000)


class AnnouncementLine(BaseModel):
    """One announcement in a list."""

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


class Listed(BaseModel):
    """One person on the list; no ID number, the admission number masked."""

    name: str
    admission_no: str
    specialty: str


class AnnouncementAnswer(AnnouncementLine):
    """One announcement with a page of its list: a draft's as it would be published now."""

    authority: str
    review_body: str
    clause: str
    version: int
    body: str
    body_en: str
    listed: int
    names_until: date | None
    names_shown: bool
    lines: list[Listed]
    page: int
    pages: int
    published_by: str | None
    withdrawn_at: datetime | None
    withdrawn_note: str | None
    lifted: int


class Announcements(BaseModel):
    """Newest first."""

    items: list[AnnouncementLine]


class Acted(BaseModel):
    """An announcement after an act on it."""

    id: int
    number: str | None
    state: str
    version: int | None


@router.get("", response_model=Announcements, responses=problems())
def list_(ctx: Ctx, actor: Reader, limit: Annotated[int, Query(ge=1, le=200)] = 100) -> dict[str, Any]:
    """Drafts and published ones of the caller's programmes (R1), newest first."""
    return {
        "items": [{name: getattr(row, name) for name in row.__slots__} for row in for_staff(ctx, actor, limit=limit)]
    }


@router.get("/{number}", response_model=AnnouncementAnswer, responses=problems(404))
def show(ctx: Ctx, actor: Reader, number: int, page: Annotated[int, Query(ge=1, le=2**31 - 1)] = 1) -> dict[str, Any]:
    """One of them with its list: the preview of a draft."""
    return show_to_staff(ctx, actor, number, page=page).to_json()


@router.post("", status_code=201, response_model=Acted, responses=problems(404, 409, 422))
def draft(ctx: Ctx, actor: Drafter, body: Draft, key: Key = None) -> JSONResponse:
    """Begin a draft, or a correction."""

    def act() -> dict[str, Any]:
        made = service.draft_announcement(ctx, actor, body.sitting, body.kind.value, corrects=body.corrects)
        return _acted(made, "draft", version=0)

    return once(ctx, actor, key, "announcements.draft", body.model_dump(), act, 201)


@router.post("/{number}/edit", response_model=Acted, responses=problems(404, 409, 422))
def edit(ctx: Ctx, actor: Drafter, number: int, body: Edit, key: Key = None) -> JSONResponse:
    """Change one's own draft."""

    def act() -> dict[str, Any]:
        text = Text(body.title, body.title_en, body.body, body.body_en)
        return _acted(
            number, "draft", version=service.edit_announcement(ctx, actor, number, text, version=body.version)
        )

    return once(ctx, actor, key, "announcements.edit", {"id": number, **body.model_dump()}, act)


@router.post("/{number}/discard", response_model=Acted, responses=problems(404, 409))
def discard(ctx: Ctx, actor: Drafter, number: int, key: Key = None) -> JSONResponse:
    """Let go of one's own draft."""

    def act() -> dict[str, Any]:
        service.withdraw_announcement(ctx, actor, number)
        return _acted(number, "withdrawn")

    return once(ctx, actor, key, "announcements.discard", {"id": number}, act)


@router.post("/{number}/publish", response_model=Acted, responses=problems(404, 409, 422, 503))
def publish(ctx: Ctx, actor: Publisher, number: int, body: Publication, key: Key = None) -> JSONResponse:
    """Publish what somebody else drafted; its PDF is sealed. It does not change afterwards."""

    def act() -> dict[str, Any]:
        made = service.publish_announcement(ctx, actor, number, version=body.version)
        return _acted(number, "published", published=made, version=body.version)

    return once(ctx, actor, key, "announcements.publish", {"id": number, **body.model_dump()}, act)


@router.post("/{number}/withdraw", response_model=Acted, responses=problems(404, 409, 422))
def withdraw(ctx: Ctx, actor: TakesBack, number: int, body: Why, key: Key = None) -> JSONResponse:
    """Take a published one back: its text stays with the note, its list goes. Not by who published it."""

    def act() -> dict[str, Any]:
        return _acted(number, "withdrawn", published=service.take_back(ctx, actor, number, body.note))

    return once(ctx, actor, key, "announcements.withdraw", {"id": number, **body.model_dump()}, act)


def _acted(number: int, state: str, *, published: str | None = None, version: int | None = None) -> dict[str, Any]:
    return {"id": number, "number": published, "state": state, "version": version}
