"""Announcements in the console: drafts and what is published; the editor with its preview; publishing by another."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.announcements import service
from issuer.announcements.drafts import DRAFTERS, PUBLISHERS
from issuer.announcements.reading import for_staff, show_to_staff
from issuer.announcements.wording import Text
from issuer.console.session import Visit, acts, looks
from issuer.errors import DomainError
from issuer.problems import status_of
from issuer.review.sitting import READERS
from issuer.roster.overview import name_sittings
from issuer.rules.announcements import AnnouncementKind

router = APIRouter(prefix="/console/announcements", include_in_schema=False)

Looking = Annotated[Visit, looks(*READERS)]
Drafting = Annotated[Visit, acts(*DRAFTERS)]
Publishing = Annotated[Visit, acts(*PUBLISHERS)]
TakingBack = Annotated[Visit, acts(*DRAFTERS, *PUBLISHERS)]
Title = Annotated[str, Form(max_length=400)]
Body = Annotated[str, Form(max_length=40_000)]
Version = Annotated[int, Form(ge=0, le=2**31 - 1)]


@router.get("")
def list_(visit: Looking) -> HTMLResponse:
    """Drafts and published announcements, newest first."""
    return _list(visit)


@router.post("")
def draft(
    visit: Drafting,
    sitting: Annotated[str, Form(max_length=32)] = "",
    kind: Annotated[str, Form(max_length=16)] = "",
    corrects: Annotated[int | None, Form()] = None,
) -> Response:
    """Begin a draft, or a correction."""
    try:
        number = service.draft_announcement(visit.ctx, visit.actor, sitting, kind, corrects=corrects)
    except DomainError as refusal:
        return _list(visit, refusal)
    return RedirectResponse(f"/console/announcements/{number}", 303)


@router.get("/{announcement_id}")
def show(visit: Looking, announcement_id: int, page: Annotated[int, Query(ge=1, le=2**31 - 1)] = 1) -> HTMLResponse:
    """The editor of one's own draft with its preview, or the announcement."""
    return _one(visit, announcement_id, page=page)


@router.post("/{announcement_id}")
def edit(
    visit: Drafting,
    announcement_id: int,
    version: Version,
    title: Title = "",
    title_en: Title = "",
    body: Body = "",
    body_en: Body = "",
) -> Response:
    """Save a draft; the preview shows it."""
    text = Text(title, title_en, body, body_en)
    try:
        service.edit_announcement(visit.ctx, visit.actor, announcement_id, text, version=version)
    except DomainError as refusal:
        return _one(visit, announcement_id, refusal, typed=text)
    return RedirectResponse(f"/console/announcements/{announcement_id}", 303)


@router.post("/{announcement_id}/withdraw")
def withdraw(visit: Drafting, announcement_id: int) -> Response:
    """Let go of one's own draft."""
    return _act(
        visit, announcement_id, lambda: service.withdraw_announcement(visit.ctx, visit.actor, announcement_id)
    )


@router.post("/{announcement_id}/take-back")
def take_back(visit: TakingBack, announcement_id: int, note: Annotated[str, Form(max_length=4000)] = "") -> Response:
    """Take a published one back, saying why in public."""
    return _act(visit, announcement_id, lambda: service.take_back(visit.ctx, visit.actor, announcement_id, note))


@router.post("/{announcement_id}/publish")
def publish(visit: Publishing, announcement_id: int, version: Version) -> Response:
    """Publish what another person drafted; it does not change afterwards."""
    return _act(
        visit,
        announcement_id,
        lambda: service.publish_announcement(visit.ctx, visit.actor, announcement_id, version=version),
    )


def _act(visit: Visit, announcement_id: int, act: Callable[[], object]) -> Response:
    try:
        act()
    except DomainError as refusal:
        return _one(visit, announcement_id, refusal)
    return RedirectResponse("/console/announcements", 303)


def _list(visit: Visit, refusal: DomainError | None = None) -> HTMLResponse:
    return visit.render(
        "announcements.html",
        status_of(refusal) if refusal else 200,
        rows=for_staff(visit.ctx, visit.actor),
        sittings=name_sittings(visit.ctx, visit.actor) if visit.may(*DRAFTERS) else [],
        kinds=[kind.value for kind in AnnouncementKind],
        may_draft=visit.may(*DRAFTERS),
        refusal=refusal,
    )


def _one(
    visit: Visit,
    announcement_id: int,
    refusal: DomainError | None = None,
    *,
    typed: Text | None = None,
    page: int = 1,
) -> HTMLResponse:
    view = show_to_staff(visit.ctx, visit.actor, announcement_id, page=page)
    own = view.heading.drafted_by.casefold() == visit.actor.username.casefold()
    is_draft = view.heading.state == "draft"
    return visit.render(
        "announcement.html",
        status_of(refusal) if refusal else 200,
        view=view,
        typed=typed or view.text,
        may_edit=is_draft and own and visit.may(*DRAFTERS),
        may_publish=is_draft and not own and visit.may(*PUBLISHERS),
        may_correct=view.heading.state == "published"
        and not view.heading.corrected_by
        and not AnnouncementKind(view.heading.kind).of_cases
        and visit.may(*DRAFTERS),
        may_take_back=view.heading.state == "published"
        and (view.published_by or "").casefold() != visit.actor.username.casefold()
        and visit.may(*DRAFTERS, *PUBLISHERS),
        refusal=refusal,
    )
