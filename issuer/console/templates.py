"""How a programme's certificate looks, with invented people on it: nobody's data, nothing sealed."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from issuer.console.session import Visit, looks
from issuer.errors import NotFoundError, Words
from issuer.issuance import template_preview as previews
from issuer.issuance.template_preview import PEOPLE, READERS

router = APIRouter(prefix="/console/templates", include_in_schema=False)

Looking = Annotated[Visit, looks(*READERS)]


@router.get("")
def show(visit: Looking, programme: str = "", person: str = "rare") -> HTMLResponse:
    """Pick a programme and a kind of name, see the page."""
    looks_ = previews.list_looks(visit.ctx, visit.actor)
    look = next((each for each in looks_ if each.code == programme), looks_[0] if looks_ else None)
    chosen = person if person in PEOPLE else "rare"
    problems: tuple[str, ...] = ()
    if look is not None:
        problems = previews.draw(previews.sample_page(PEOPLE[chosen].name, look=look, photo=PEOPLE[chosen].photo))[1]
    return visit.render(
        "templates.html",
        looks=looks_,
        look=look,
        people=PEOPLE,
        chosen=chosen,
        holder=PEOPLE[chosen].name,
        problems=problems,
    )


@router.get("/{code}/{name}.png")
def picture(visit: Looking, code: str, name: str) -> Response:
    """The page as a picture."""
    headers = {"Cache-Control": "no-store"}
    return Response(previews.picture(_drawn(visit, code, name)), media_type="image/png", headers=headers)


@router.get("/{code}/{name}.pdf")
def pdf(visit: Looking, code: str, name: str) -> Response:
    """The page itself."""
    headers = {"Cache-Control": "no-store", "Content-Disposition": 'inline; filename="sample.pdf"'}
    return Response(_drawn(visit, code, name), media_type="application/pdf", headers=headers)


def _drawn(visit: Visit, code: str, name: str) -> bytes:
    person = PEOPLE.get(name)
    if person is None:
        raise NotFoundError("sample-unknown", Words("没有这个示例人员。", "There is no such sample person."))
    look = previews.look_of(visit.ctx, visit.actor, code)
    return previews.draw(previews.sample_page(person.name, look=look, photo=person.photo))[0]
