"""Who is at a holder's page: the session behind the cookie; forms carry its CSRF value; others go to sign in."""

from typing import Annotated

from fastapi import Depends, FastAPI, Form, Request
from fastapi.responses import RedirectResponse, Response

from issuer.api.access import Ctx
from issuer.context import Context
from issuer.errors import NotAllowedError, Words
from issuer.holders.sign_in import Holder, holder_of
from issuer.pages import require_same_site

COOKIE = "ecert_holder"
HOME = "/my/"


class NotSignedIn(Exception):
    """Nobody is signed in: the answer is the page where one does that."""


def signed_in(request: Request, ctx: Context, csrf: str) -> Holder | None:
    """The holder who sent this form, None when nobody is signed in; raises NotAllowedError (csrf)."""
    require_same_site(request)
    holder = holder_of(ctx, request.cookies.get(COOKIE))
    if holder is not None and holder.csrf != csrf:
        raise NotAllowedError("csrf", Words("页面已过期，请刷新后重试。", "The page is out of date; load it again."))
    return holder


def send_to_sign_in(app: FastAPI) -> None:
    """Answer NotSignedIn with the way to the sign-in form."""

    @app.exception_handler(NotSignedIn)
    def _home(request: Request, exc: NotSignedIn) -> Response:
        return RedirectResponse(HOME, 303)


def _looking(request: Request, ctx: Ctx) -> Holder:
    holder = holder_of(ctx, request.cookies.get(COOKIE))
    if holder is None:
        raise NotSignedIn
    return holder


def _acting(request: Request, ctx: Ctx, csrf: Annotated[str, Form(max_length=200)] = "") -> Holder:
    holder = signed_in(request, ctx, csrf)
    if holder is None:
        raise NotSignedIn
    return holder


Looking = Annotated[Holder, Depends(_looking)]
"""The holder who looks at a page."""
Acting = Annotated[Holder, Depends(_acting)]
"""The holder who sent a form of ours."""
