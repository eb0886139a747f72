"""`/watch/`: ask to be told of a certificate's changes; confirm, see, end, and upload a list of one's own."""

from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.api.access import Ctx
from issuer.api.uploads import on_disk
from issuer.context import Context
from issuer.errors import DomainError, InputError, Words
from issuer.pages import page, require_same_site
from issuer.problems import status_of
from issuer.rules.watching import MAX_LABEL, MAX_ORGANISATION, ROSTER_ROWS
from issuer.sharing import watchers
from issuer.sharing.api import limit_watching
from issuer.sharing.mail import offers_mail
from issuer.sharing.roster_file import read_list
from issuer.sharing.watchers import Asked
from verifier.record.qr import is_token

router = APIRouter(prefix="/watch", include_in_schema=False)

Line = Annotated[str, Form(max_length=600)]


@router.get("/{token}")
def form(ctx: Ctx, token: str) -> HTMLResponse:
    """Where a certificate's verdict page leads: who wants to be told, and where."""
    return _form(ctx, _token(token))


@router.post("/{token}")
def ask(
    request: Request,
    ctx: Ctx,
    token: str,
    organisation: Line = "",
    email: Line = "",
    webhook: Line = "",
    label: Annotated[str, Form(max_length=MAX_LABEL)] = "",
) -> HTMLResponse:
    """Take the request; the address is asked to confirm."""
    require_same_site(request)
    token = _token(token)
    kind, address = ("webhook", webhook) if webhook.strip() else ("email", email)
    try:
        limit_watching(request, ctx, address)
        asked = Asked(token=token, label=label.strip() or None)
        begun = watchers.begin(ctx, kind, address, organisation, asked)  # type: ignore[arg-type]
    except DomainError as refusal:
        typed = {"organisation": organisation, "email": email, "webhook": webhook, "label": label}
        return _form(ctx, token, refusal, typed)
    return page("sharing/asked.html", 202, begun=begun, kind=kind, token=token, key=begun.public_key)


@router.get("/manage/{link}")
def manage(ctx: Ctx, link: str) -> HTMLResponse:
    """An address's own page. Looking at it confirms nothing: mail programs look at every link."""
    return _manage(ctx, link)


@router.post("/manage/{link}/confirm")
def confirm(request: Request, ctx: Ctx, link: str) -> Response:
    """The address says yes."""
    require_same_site(request)
    watchers.confirm(ctx, link)
    return RedirectResponse(f"/watch/manage/{link}", 303)


@router.post("/manage/{link}/end")
def end(request: Request, ctx: Ctx, link: str, watch: Annotated[int | None, Form()] = None) -> Response:
    """End one watch, or all."""
    require_same_site(request)
    watchers.end(ctx, link, watch)
    return RedirectResponse(f"/watch/manage/{link}", 303)


@router.post("/manage/{link}/roster")
def roster(request: Request, ctx: Ctx, link: str, file: Annotated[UploadFile | None, File()] = None) -> HTMLResponse:
    """Watch the certificates of a list; what became of each line is shown at once."""
    require_same_site(request)
    try:
        with on_disk(file) as (path,):
            if path is None:
                raise InputError("file-missing", Words("没有选择名单文件。", "No list was chosen."))
            asked = read_list(path)
            results = watchers.watch_more(ctx, link, asked)
    except DomainError as refusal:
        return _manage(ctx, link, refusal=refusal)
    return _manage(ctx, link, results=[*zip(asked, results, strict=True)])


@router.get("/unsubscribe/{link}")
def before_unsubscribing(ctx: Ctx, link: str) -> HTMLResponse:
    """A person who followed List-Unsubscribe: the same page, with the button that ends everything."""
    return _manage(ctx, link)


@router.post("/unsubscribe/{link}")
def unsubscribe(ctx: Ctx, link: str) -> HTMLResponse:
    """One-click (RFC 8058): sent by the mail provider, so it comes from another site and carries no cookie."""
    watchers.end(ctx, link)
    return _manage(ctx, link)


def _token(token: str) -> str:
    if not is_token(token):
        raise InputError(
            "token-shape",
            Words("地址中的查验码不完整。", "The code in the address is not whole."),
            remedy=Words("请从证书查验页面进入。", "Come here from a certificate's page."),
        )
    return token.upper()


def _form(
    ctx: Context, token: str, refusal: DomainError | None = None, typed: dict[str, str] | None = None
) -> HTMLResponse:
    return page(
        "sharing/ask.html",
        status_of(refusal) if refusal else 200,
        token=token,
        refusal=refusal,
        typed=typed or {"organisation": "", "email": "", "webhook": "", "label": ""},
        mail=offers_mail(ctx.settings),
        longest=MAX_ORGANISATION,
    )


def _manage(
    ctx: Context,
    link: str,
    *,
    refusal: DomainError | None = None,
    results: list[tuple[Asked, str]] | None = None,
) -> HTMLResponse:
    return page(
        "sharing/manage.html",
        status_of(refusal) if refusal else 200,
        view=watchers.look(ctx, link),
        link=link,
        refusal=refusal,
        results=results,
        most=ROSTER_ROWS,
    )
