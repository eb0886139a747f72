"""`/my/registrations/…`: the holder's commitment, how each item compared, and the materials asked for (R2, R3)."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import select

from issuer.api.access import Ctx
from issuer.api.registrations import PNG_HEADERS
from issuer.context import Context
from issuer.errors import DomainError, InputError, NotFoundError, Words
from issuer.holders.sign_in import Holder
from issuer.holders.visiting import Acting, Looking
from issuer.pages import page
from issuer.problems import status_of
from issuer.records.people import Registration
from issuer.records.sittings import Programme, Sitting
from issuer.registration import commitments, materials
from issuer.registration.pictures import MAX_BYTES
from issuer.registration.view import facts_of

router = APIRouter(prefix="/my/registrations", include_in_schema=False)

Secret = Annotated[str, Form(max_length=200)]
Short = Annotated[str, Form(max_length=80)]


@router.get("/materials/{material_id}/{number}.png")
def material_page(ctx: Ctx, holder: Looking, material_id: int, number: int) -> Response:
    """One page of one's own material, painted here."""
    picture = materials.look_at_own(ctx, holder.person_id, material_id, number)
    return Response(picture, media_type="image/png", headers=PNG_HEADERS)


@router.post("/materials/{material_id}/withdraw")
def take_back(ctx: Ctx, holder: Acting, material_id: int) -> Response:
    """Take an undecided file back."""
    number = materials.take_back(ctx, holder.person_id, holder.actor, material_id)
    return RedirectResponse(f"/my/registrations/{number}#materials", 303)


@router.get("/{registration_id}")
def show(ctx: Ctx, holder: Looking, registration_id: int) -> Response:
    """Commitment, comparison and materials of one registration."""
    return _page(ctx, holder, registration_id)


@router.post("/{registration_id}/commitment")
def accept(ctx: Ctx, holder: Acting, registration_id: int, version: Short = "", digest: Short = "") -> Response:
    """Accept the text that was shown."""

    def act() -> None:
        commitments.accept(ctx, holder.person_id, holder.actor, registration_id, version, digest)

    return _act(ctx, holder, registration_id, act, "commitment")


@router.post("/{registration_id}/commitment/withdraw")
def withdraw(ctx: Ctx, holder: Acting, registration_id: int) -> Response:
    """Take the commitment back."""

    def act() -> None:
        commitments.withdraw(ctx, holder.person_id, holder.actor, registration_id)

    return _act(ctx, holder, registration_id, act, "commitment")


@router.post("/{registration_id}/materials")
def hand_in(
    ctx: Ctx,
    holder: Acting,
    registration_id: int,
    kind: Short = "",
    file: Annotated[UploadFile | None, File()] = None,
    replaces: Annotated[int | None, Form()] = None,
) -> Response:
    """Hand in a file as proof, or put it in the place of another."""

    def act() -> None:
        if file is None or not file.filename:
            raise InputError("file-missing", Words("没有选择文件。", "No file was chosen."))
        content = file.file.read(MAX_BYTES + 1)
        name = file.filename
        materials.hand_in(
            ctx, holder.person_id, holder.actor, registration_id, kind, name, content, replaces=replaces
        )

    return _act(ctx, holder, registration_id, act, "materials")


def _act(ctx: Context, holder: Holder, registration_id: int, act: Callable[[], None], at: str) -> Response:
    try:
        act()
    except NotFoundError:
        raise
    except DomainError as refusal:
        return _page(ctx, holder, registration_id, refusal)
    return RedirectResponse(f"/my/registrations/{registration_id}#{at}", 303)


def _page(ctx: Context, holder: Holder, registration_id: int, refusal: DomainError | None = None) -> HTMLResponse:
    with ctx.database.read() as session:
        found = session.execute(
            select(Registration, Programme.name)
            .join(Sitting, Sitting.code == Registration.sitting_code)
            .join(Programme, Programme.code == Sitting.programme_code)
            .where(Registration.id == registration_id, Registration.person_id == holder.person_id)
        ).one_or_none()
        if found is None:
            raise NotFoundError("registration-unknown", Words("没有这个报名。", "There is no such registration."))
        registration, programme = found
        facts = facts_of(session, registration, ctx.clock.today())
    return page(
        "holder/registration.html",
        status_of(refusal) if refusal else 200,
        facts=facts,
        programme=programme,
        specialty=registration.specialty,
        void=registration.void_since is not None,
        max_mib=MAX_BYTES >> 20,
        max_files=materials.MAX_FILES,
        csrf=holder.csrf,
        refusal=refusal,
    )
