"""Composition root of the private side's web: API, console, holder pages; alone, or with the verifier on one port."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute

from issuer import mending
from issuer.access.oidc import provider_of
from issuer.announcements import pages as announcement_pages
from issuer.api import (
    announcements,
    batches,
    certificates,
    corrections,
    erasures,
    extensions,
    hearings,
    invalidations,
    mass_invalidations,
    misconduct,
    objections,
    paper,
    paper_desk,
    paper_registers,
    registrations,
    reviews,
    rosters,
    sittings,
    undelivered,
    work,
)
from issuer.api.models import Problem, state_refusals
from issuer.bodies import AsgiApp, BodyLimits, Message, Receive, Scope, Send
from issuer.console import objections as console_objections
from issuer.console.routes import ROUTERS as CONSOLE_ROUTERS
from issuer.context import Context, open_context
from issuer.holders import data_pages as holder_data
from issuer.holders import hearing_pages as holder_hearings
from issuer.holders import pages as holder_pages
from issuer.holders import paper_pages as holder_paper
from issuer.holders import registration_pages as holder_registration
from issuer.holders.limits import SignInLimits
from issuer.holders.visiting import send_to_sign_in
from issuer.pages import SecurityHeaders, install_pages
from issuer.problems import install_problem_handlers
from issuer.settings import Settings
from issuer.sharing import api as watching
from issuer.sharing import pages as watching_pages
from verifier.record.qr import is_token
from verifier.web.clients import Clients
from verifier.web.problems import PROBLEM_TYPES

HOLDER_ROUTERS = (
    holder_pages.router,
    holder_paper.router,
    holder_data.router,
    holder_registration.router,
    holder_hearings.router,
    announcement_pages.router,
    watching_pages.router,
    watching.router,
    undelivered.router,
    console_objections.router,
)
API_ROUTERS = (
    sittings.router,
    rosters.router,
    reviews.router,
    batches.router,
    corrections.router,
    extensions.router,
    certificates.router,
    mass_invalidations.router,
    invalidations.router,
    objections.router,
    announcements.router,
    misconduct.router,
    hearings.router,
    erasures.router,
    work.router,
    registrations.router,
    paper.router,
    paper_desk.router,
    paper_registers.router,
)
ISSUER_API = (
    *("sittings", "rosters", "reviews", "batches", "invalidations", "paper", "corrections", "certificates"),
    "watches",
    "objections",
    "hearings",
    "erasures",
    "extensions",
    "work",
    "announcements",
    "misconduct",
    "registrations",
)


log = logging.getLogger(__name__)


class IssuerApp(FastAPI):
    """Stops an unexpected error once it is answered: a server's log of it could hold somebody's data."""

    def openapi(self) -> dict[str, Any]:
        """The description, with the shape of problems that every endpoint refers to."""
        if self.openapi_schema is None:
            described = super().openapi()
            described.setdefault("components", {}).setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
            state_refusals(described)
        return self.openapi_schema or {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        try:
            await super().__call__(scope, receive, send)
        except Exception as exc:
            if scope["type"] != "http":
                raise
            log.error("a request ended with %s", type(exc).__qualname__)


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """Every address, read once in a process: none knows a context, and what they take and give is costly to read."""
    every = APIRouter()
    for router in (*HOLDER_ROUTERS, *API_ROUTERS, *CONSOLE_ROUTERS, mending.router):
        every.include_router(router)
    return tuple(every.routes)


def create_issuer_app(ctx: Context) -> FastAPI:
    """The private side's application over an open context.

    Whoever serves it also keeps the public record fresh and takes up unfinished batches (`issuer.serving`).
    """
    app = IssuerApp(
        title="ecert issuer",
        version="1",
        description="电子证书签发端接口 / Private API of the certificate issuer.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/console/openapi.json",
    )
    app.state.ctx = ctx
    app.state.clients = Clients(ctx.settings.trusted_proxies)
    app.state.sign_in_limits = SignInLimits(ctx.settings.redis_url)
    app.state.oidc = provider_of(ctx.settings, ctx.clock)
    install_problem_handlers(app)
    send_to_sign_in(app)
    install_pages(app)
    app.router.routes.extend(_routes())
    app.add_middleware(BodyLimits)
    app.add_middleware(SecurityHeaders)
    return app


def belongs_to_issuer(path: str) -> bool:
    """Whether a path of the combined server is the private side's (design §7)."""
    first, _, rest = path.lstrip("/").partition("/")
    if first in ("console", "my", "watch", "announcements"):
        return True
    if first == "help":
        # The public side's own codes keep its pages.
        return rest not in PROBLEM_TYPES and mending.help_of(rest) is not None
    if first != "api" or not rest.startswith("v1/"):
        return False
    family, _, name = rest.removeprefix("v1/").partition("/")
    if family == "certificates":
        return not is_token(name.partition("/")[0])
    return family in ISSUER_API


def create_public_app(settings: Settings, *, watching: bool = False) -> AsgiApp:
    """The verifier alone, over this folder's public record; `watching`: the private side answers beside it."""
    from verifier.settings import VerifierSettings
    from verifier.web.app import create_app

    seen = VerifierSettings(data_dir=settings.data_dir, verify_base_url=settings.verify_base_url)
    public: AsgiApp = create_app(seen.model_copy(update={"watching": True}) if watching else seen)
    return public


def create_combined_app(settings: Settings, ctx: Context | None = None) -> AsgiApp:
    """Both sides on one port, for a laptop: paths decide which side answers, and nothing else is shared."""
    private: AsgiApp = create_issuer_app(ctx or open_context(settings))
    public = create_public_app(settings, watching=True)

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(scope, receive, send, (private, public))
            return
        await (private if belongs_to_issuer(scope["path"]) else public)(scope, receive, send)

    return dispatch


async def _live(scope: Scope, receive: Receive, send: Send, apps: tuple[AsgiApp, ...]) -> None:
    """Start all applications in order and stop them in the reverse one, as one application to the server."""
    await receive()
    async with _started(scope, apps) as failure:
        if failure is not None:
            await send({"type": "lifespan.startup.failed", "message": failure})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})


@asynccontextmanager
async def _started(scope: Scope, apps: tuple[AsgiApp, ...]) -> AsyncIterator[str | None]:
    running: list[_Life] = []
    failure = None
    try:
        for app in apps:
            life = _Life(app, scope)
            said = await life.tell("lifespan.startup")
            if said == "lifespan.startup.failed":
                failure = "a part of the application did not start"
                break
            running.append(life)
        yield failure
    finally:
        for life in reversed(running):
            await life.tell("lifespan.shutdown")


class _Life:
    """One application's own lifespan conversation."""

    def __init__(self, app: AsgiApp, scope: Scope) -> None:
        self._heard: asyncio.Queue[Message] = asyncio.Queue()
        self._said: asyncio.Queue[Message] = asyncio.Queue()
        own: dict[str, Any] = {**scope, "state": {}}
        self._task = asyncio.ensure_future(app(own, self._heard.get, self._said.put))

    async def tell(self, kind: str) -> str:
        """Send one message and return the type of the answer; an application that has ended says nothing."""
        await self._heard.put({"type": kind})
        answer = asyncio.ensure_future(self._said.get())
        done, _ = await asyncio.wait({answer, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if answer in done:
            return str(answer.result()["type"])
        answer.cancel()
        return "ended"
