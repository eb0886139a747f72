"""A person's whole history, and the auditor's pack."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, Response

from issuer.audit import chain_head
from issuer.console.session import Visit, acts, looks
from issuer.errors import DomainError
from issuer.long_work import Tell
from issuer.personal_data.erasing import READERS as DATA_READERS
from issuer.problems import status_of
from issuer.queues.pack import MAKERS, MAX_SEED, MOST_SAMPLED, Pack, pack_of_case, pack_of_person, pack_of_sample
from issuer.queues.person import READERS, Found, find_people, show_person
from issuer.queues.wording import HISTORY, LOOKS

router = APIRouter(prefix="/console", include_in_schema=False)

Looking = Annotated[Visit, looks(*READERS)]
Searching = Annotated[Visit, acts(*READERS)]
Packing = Annotated[Visit, looks(*MAKERS)]
FEW = 5000
"""A pack is made while it is waited for when the audit chain has so many events."""


@router.get("/people")
def form(visit: Looking) -> HTMLResponse:
    """The form to find a person by."""
    return _found(visit, None)


@router.post("/people/search")
def search(
    visit: Searching,
    name: Annotated[str, Form(max_length=200)] = "",
    id_no: Annotated[str, Form(max_length=40)] = "",
    admission_no: Annotated[str, Form(max_length=40)] = "",
) -> HTMLResponse:
    """Find by exact values; never by address."""
    try:
        rows = find_people(visit.ctx, visit.actor, name=name, id_no=id_no, admission_no=admission_no)
    except DomainError as refusal:
        return _found(visit, None, refusal)
    return _found(visit, rows)


@router.get("/people/{person_id}")
def show(visit: Looking, person_id: int) -> HTMLResponse:
    """Everything about one person, this look included."""
    history = show_person(visit.ctx, visit.actor, person_id)
    return visit.render(
        "person.html",
        person=history,
        may_pack=visit.may(*MAKERS),
        may_see_data=visit.may(*DATA_READERS),
        history=HISTORY,
        looks=LOOKS,
    )


@router.get("/people/{person_id}/pack.zip")
def person_pack(visit: Packing, person_id: int) -> Response:
    """The auditor's pack of a person."""
    ctx, actor = visit.ctx, visit.actor
    return _sent(visit, f"person-{person_id}", lambda tell: pack_of_person(ctx, actor, person_id, tell))


@router.get("/cases/{case_id}/pack.zip")
def case_pack(visit: Packing, case_id: int) -> Response:
    """The auditor's pack of a case of invalidation."""
    ctx, actor = visit.ctx, visit.actor
    return _sent(visit, f"case-{case_id}", lambda tell: pack_of_case(ctx, actor, case_id, tell))


@router.get("/samples/{code}/pack.zip")
def sample_pack(
    visit: Packing,
    code: str,
    count: Annotated[int, Query(ge=1, le=MOST_SAMPLED)] = 10,
    seed: Annotated[str, Query(max_length=MAX_SEED)] = "",
) -> Response:
    """The auditor's pack of a random sample of a sitting (R15); without a seed one is made."""
    ctx, actor = visit.ctx, visit.actor
    about = f"sample-{code}-{count}-{seed}"
    return _sent(visit, about, lambda tell: pack_of_sample(ctx, actor, code, count, seed, tell))


def _sent(visit: Visit, about: str, make: Callable[[Tell], Pack]) -> Response:
    """The zip, or how far it is: the whole chain of audit events is walked for it."""
    with visit.ctx.database.read() as session:
        short = chain_head(session).sequence <= FEW
    work = visit.ctx.works.ask(visit.actor.username, ("pack", about), make, here=short)
    if not work.finished:
        return visit.render("packing.html", work=work)
    pack = work.result()
    headers = {"Content-Disposition": f'attachment; filename="{pack.name}"', "Cache-Control": "no-store"}
    return Response(pack.content, media_type="application/zip", headers=headers)


def _found(visit: Visit, rows: list[Found] | None, refusal: DomainError | None = None) -> HTMLResponse:
    return visit.render(
        "people.html",
        status_of(refusal) if refusal else 200,
        rows=rows,
        refusal=refusal,
        may_see_erasures=visit.may(*DATA_READERS),
    )
