"""Who is at the console: the session behind the cookie, roles declared per page, CSRF value in every form."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse

from issuer.access import service, sessions
from issuer.access.actor import Actor
from issuer.api.access import SESSION_COOKIE, Ctx
from issuer.context import Context
from issuer.errors import NotAllowedError, Words
from issuer.pages import page, require_same_site
from issuer.rules.terms import Role

NAVIGATION: tuple[tuple[str, str, str, tuple[Role, ...]], ...] = (
    ("/console/", "概览", "Overview", tuple(Role)),
    (
        "/console/certificates",
        "证书",
        "Certificates",
        (
            Role.AUTHORITY_ISSUER,
            Role.AUTHORITY_APPROVER,
            Role.REVIEW_BODY,
            Role.SUPERVISOR,
            Role.AUDITOR,
        ),
    ),
    (
        "/console/cases",
        "无效与恢复",
        "Cases",
        (
            Role.AUTHORITY_ISSUER,
            Role.AUTHORITY_APPROVER,
            Role.REVIEW_BODY,
            Role.SUPERVISOR,
            Role.AUDITOR,
        ),
    ),
    (
        "/console/objections",
        "更正申请",
        "Wrong data",
        (
            Role.AUTHORITY_ISSUER,
            Role.AUTHORITY_APPROVER,
            Role.REVIEW_BODY,
            Role.SUPERVISOR,
            Role.AUDITOR,
        ),
    ),
    (
        "/console/announcements",
        "公告",
        "Announcements",
        (
            Role.AUTHORITY_ISSUER,
            Role.AUTHORITY_APPROVER,
            Role.REVIEW_BODY,
            Role.SUPERVISOR,
            Role.AUDITOR,
        ),
    ),
    (
        "/console/paper",
        "纸质证书",
        "Paper",
        (
            Role.AUTHORITY_ISSUER,
            Role.AUTHORITY_APPROVER,
            Role.REVIEW_BODY,
            Role.SUPERVISOR,
            Role.AUDITOR,
        ),
    ),
    (
        "/console/audit",
        "审计",
        "Audit",
        (Role.AUDITOR, Role.SUPERVISOR, Role.OPERATOR, Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER),
    ),
    ("/console/staff", "账号", "Accounts", (Role.OPERATOR, Role.SUPERVISOR)),
)


@dataclass(frozen=True, slots=True)
class Visit:
    """A signed-in member of staff looking at a page."""

    ctx: Context
    actor: Actor
    csrf: str
    path: str
    own: sessions.Own

    @property
    def means(self) -> str | None:
        """How this session was opened, such as `oidc+totp`."""
        return self.own.means

    def may(self, *roles: Role) -> bool:
        """Whether the account has one of `roles`; the services decide again by themselves."""
        return bool(self.actor.roles.intersection(roles))

    def render(self, name: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page with the navigation this account has a use for."""
        navigation = [(path, zh, en) for path, zh, en, roles in NAVIGATION if self.may(*roles)]
        return page(
            f"staff/{name}", status, visit=self, navigation=navigation, today=self.ctx.clock.today(), **values
        )


def _visit(request: Request, ctx: Context) -> Visit:
    cookie = request.cookies.get(SESSION_COOKIE)
    if cookie:
        with ctx.database.read() as session:
            found = service.session_of(session, ctx.clock, cookie)
            own = sessions.own(session, cookie) if found is not None else None
        if found is not None and own is not None:
            sessions.notice(ctx.database, ctx.clock, own)
            return Visit(ctx, found[0], found[1], request.url.path, own)
    raise NotAllowedError(
        "sign-in-needed",
        Words("请先登录。", "Sign in first."),
        remedy=Words("会话可能已过期，请重新登录。", "The session may have ended; sign in again."),
    )


def looks(*roles: Role) -> Any:
    """A dependency for a page one looks at: the visit, if the account has one of `roles`."""

    def _looking(request: Request, ctx: Ctx) -> Visit:
        visit = _visit(request, ctx)
        visit.actor.require(*roles)
        return visit

    _looking.declared_roles = roles  # type: ignore[attr-defined]
    return Depends(_looking)


def acts(*roles: Role) -> Any:
    """A dependency for a form that changes something: also the form's own CSRF value must be the session's."""

    def _acting(request: Request, ctx: Ctx, csrf: Annotated[str, Form(max_length=200)] = "") -> Visit:
        require_same_site(request)
        visit = _visit(request, ctx)
        if csrf != visit.csrf:
            raise NotAllowedError(
                "csrf",
                Words("页面已过期，未作任何改动。", "The page is out of date; nothing was changed."),
                remedy=Words("返回并刷新页面后重试。", "Go back, load the page again and repeat."),
            )
        visit.actor.require(*roles)
        return visit

    _acting.declared_roles = roles  # type: ignore[attr-defined]
    return Depends(_acting)
