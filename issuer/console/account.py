"""One's own account: the second factor, set up, renewed and turned off by its owner."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from issuer.access import passkeys, second_factor, sign_in
from issuer.access.oidc import Provider
from issuer.access.oidc_sign_in import linked_since
from issuer.api.access import SESSION_COOKIE
from issuer.audit import record_event
from issuer.console.origin import origin_of
from issuer.console.session import Visit, acts, looks
from issuer.errors import ConflictError, DomainError, InputError, NotAllowedError, NotFoundError, Words
from issuer.problems import status_of
from issuer.rules.terms import Role

router = APIRouter(prefix="/console/account", include_in_schema=False)

Looking = Annotated[Visit, looks(*Role)]
Acting = Annotated[Visit, acts(*Role)]
Code = Annotated[str, Form(min_length=1, max_length=60)]
MaybeCode = Annotated[str, Form(max_length=60)]
Password = Annotated[str, Form(min_length=1, max_length=1000)]


@router.get("")
def show(request: Request, visit: Looking) -> Response:
    """Who one is here, and how one signs in."""
    return account_page(request, visit)


@router.get("/second-factor")
def set_up_page(visit: Looking) -> Response:
    """Setting up goes on from the account's page: the secret is shown in answer to a form only."""
    return RedirectResponse("/console/account", 303)


@router.post("/second-factor")
def set_up(visit: Acting) -> Response:
    """Show the secret an authenticator app is to be given, as QR code and as text."""
    return _set_up_page(visit, None)


@router.post("/second-factor/confirm")
def confirm(visit: Acting, code: Code) -> Response:
    """Take the app into use with its first code, and show the recovery codes, once."""
    ctx, username = visit.ctx, visit.actor.username
    with ctx.database.write() as session:
        account = sign_in.locked_account(session, username)
        if account is None:
            raise _unknown()
        codes = second_factor.confirm(session, ctx.clock, username, code)
        if codes is not None:
            record_event(session, ctx.clock, visit.actor, "staff.second-factor", _subject(username))
    if codes is None:
        return _set_up_page(visit, _refusal())
    return visit.render("account_codes.html", codes=codes)


@router.post("/second-factor/codes")
def renew_codes(request: Request, visit: Acting, code: MaybeCode = "") -> Response:
    """Ten new recovery codes; asks for a code of the app or an old one, but not of who just showed a passkey."""
    ctx, username = visit.ctx, visit.actor.username
    refusal: NotAllowedError | None = None
    codes: list[str] = []
    with ctx.database.write() as session:
        try:
            if not _just_showed_passkey(visit):
                sign_in.require_code(session, ctx.clock, username, code)
        except NotAllowedError as exc:
            refusal = exc
        else:
            codes = second_factor.renew_recovery_codes(session, username)
            record_event(session, ctx.clock, visit.actor, "staff.recovery-codes", _subject(username))
    if refusal is not None:
        return account_page(request, visit, refusal)
    return visit.render("account_codes.html", codes=codes)


@router.post("/second-factor/off")
def turn_off(request: Request, visit: Acting, code: Code) -> Response:
    """Do without the app, where a passkey stays or the house allows it; asks for a code."""
    ctx, username = visit.ctx, visit.actor.username
    refusal: DomainError | None = None
    with ctx.database.write() as session:
        try:
            if ctx.settings.second_factor == "required" and not passkeys.listing(session, username):
                raise ConflictError(
                    "second-factor-required",
                    Words("本单位要求第二验证，不能停用。", "A second factor is required here; it stays on."),
                    remedy=Words(
                        "换手机时请另一位管理员用 ecert staff reset-second-factor 重置。",
                        "For a new phone, another administrator runs `ecert staff reset-second-factor`.",
                    ),
                )
            sign_in.require_code(session, ctx.clock, username, code)
            second_factor.remove(session, username)
            record_event(session, ctx.clock, visit.actor, "staff.second-factor-off", _subject(username))
        except (ConflictError, NotAllowedError) as exc:
            refusal = exc
    return RedirectResponse("/console/account", 303) if refusal is None else account_page(request, visit, refusal)


@router.post("/password")
def change_password(request: Request, visit: Acting, old: Password, new: Password, again: Password) -> Response:
    """Take another password; all sessions end, this one too."""
    ctx, username = visit.ctx, visit.actor.username
    refusal: DomainError | None = None
    with ctx.database.write() as session:
        try:
            if new != again:
                raise InputError(
                    "password-differs",
                    Words("两次输入的新密码不同。", "The new password was typed in two ways."),
                    remedy=Words("请重新输入。", "Type it again."),
                )
            sign_in.change_password(session, ctx.clock, username, old, new)
            record_event(session, ctx.clock, visit.actor, "staff.password", _subject(username))
        except (InputError, NotAllowedError) as exc:
            # Committed all the same: a wrong old password counts as a failed attempt.
            refusal = exc
    if refusal is not None:
        return account_page(request, visit, refusal)
    response = RedirectResponse("/console/sign-in", 303)
    response.delete_cookie(SESSION_COOKIE)
    return response


def account_page(request: Request, visit: Visit, refusal: DomainError | None = None) -> Response:
    """The account's page, with what was refused at its top."""
    username, ctx = visit.actor.username, visit.ctx
    provider: Provider | None = request.app.state.oidc
    origin = origin_of(request, ctx.settings)
    fresh = visit.own.is_fresh(ctx.clock)
    with ctx.database.read() as session:
        shown = {
            "enrolled": second_factor.is_enrolled(session, username),
            "ways": second_factor.ways(session, username),
            "left": second_factor.codes_left(session, username),
            "known": passkeys.listing(session, username),
            "passkey": passkeys.ask_new(session, ctx.clock, origin, username, visit.own.key) if fresh else None,
            "linked": linked_since(session, username, provider.issuer) if provider is not None else None,
        }
    shown["proved"] = _just_showed_passkey(visit)
    shown |= {"fresh": fresh, "label": provider.label if provider is not None else None}
    shown |= {"possible": passkeys.relying_party(origin) is not None, "policy": ctx.settings.second_factor}
    status = 200 if refusal is None else status_of(refusal)
    return visit.render("account.html", status, refusal=refusal, **shown)


def _just_showed_passkey(visit: Visit) -> bool:
    return "passkey" in (visit.means or "").split("+") and visit.own.is_fresh(visit.ctx.clock)


def _set_up_page(visit: Visit, refusal: DomainError | None) -> Response:
    username = visit.actor.username
    with visit.ctx.database.write() as session:
        if sign_in.locked_account(session, username) is None:
            raise _unknown()
        key = second_factor.begin(session, visit.ctx.clock, username)
    picture = second_factor.qr_code(second_factor.address(username, key))
    status = 200 if refusal is None else status_of(refusal)
    return visit.render("account_set_up.html", status, key=key, picture=picture, refusal=refusal)


def _refusal() -> NotAllowedError:
    try:
        sign_in.refuse_code()
    except NotAllowedError as exc:
        return exc


def _unknown() -> NotFoundError:
    return NotFoundError("account-unknown", Words("没有这个工作人员账号。", "There is no such staff account."))


def _subject(username: str) -> str:
    return f"staff:{username}"[:80]
