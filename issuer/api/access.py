"""Who calls: API token or console session, roles declared per endpoint, nothing allowed by default."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request

from issuer.access import service
from issuer.access.actor import Actor
from issuer.context import Context
from issuer.errors import NotAllowedError, Words
from issuer.rules.terms import Role

SESSION_COOKIE = "ecert_staff"
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def context_of(request: Request) -> Context:
    """The issuer's context, as the composition root put it there."""
    ctx: Context = request.app.state.ctx
    return ctx


Ctx = Annotated[Context, Depends(context_of)]


def caller(request: Request, ctx: Ctx) -> Actor:
    """The actor behind `Authorization: Bearer …` or the console's cookie (with its CSRF value for changes).

    Raises NotAllowedError, told as 401 when nobody is signed in.
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        with ctx.database.read() as session:
            actor = service.actor_of_token(session, ctx.clock, secret.strip())
        if actor is None:
            raise NotAllowedError(
                "token-not-accepted",
                Words("令牌无效、已过期或已停用。", "The token is unknown, expired or revoked."),
                remedy=Words("用 `ecert staff token` 生成新令牌。", "Make a new one with `ecert staff token`."),
            )
        return actor
    cookie = request.cookies.get(SESSION_COOKIE)
    if cookie:
        with ctx.database.read() as session:
            found = service.session_of(session, ctx.clock, cookie)
        if found is not None:
            actor, csrf = found
            if request.method not in SAFE_METHODS and request.headers.get(CSRF_HEADER) != csrf:
                raise NotAllowedError(
                    "csrf", Words("请求缺少页面校验码。", "The request lacks the page's CSRF value.")
                )
            return actor
    raise NotAllowedError(
        "sign-in-needed",
        Words("请先登录，或在请求中提供接口令牌。", "Sign in, or send an API token."),
        remedy=Words("Authorization: Bearer ecert_…", "Authorization: Bearer ecert_…"),
    )


def requires(*roles: Role) -> Any:
    """A dependency that yields the actor when they have one of `roles`.

    It marks the endpoint as having declared its permission; a test fails for an endpoint without the mark.
    """

    def _actor(actor: Annotated[Actor, Depends(caller)]) -> Actor:
        actor.require(*roles)
        return actor

    _actor.declared_roles = roles  # type: ignore[attr-defined]
    return Depends(_actor)


READERS = (
    Role.AUTHORITY_ISSUER,
    Role.AUTHORITY_APPROVER,
    Role.REVIEW_BODY,
    Role.SUPERVISOR,
    Role.AUDITOR,
)

Reader = Annotated[Actor, requires(*READERS)]
Issuer = Annotated[Actor, requires(Role.AUTHORITY_ISSUER)]
Proposer = Annotated[Actor, requires(Role.AUTHORITY_ISSUER, Role.REVIEW_BODY)]
Approver = Annotated[Actor, requires(Role.AUTHORITY_APPROVER)]

Endpoint = Callable[..., Any]
