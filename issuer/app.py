"""Composition root of the private side's web: API, console, holder pages; alone, or with the verifier on one port."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from issuer.api import batches, certificates, corrections, invalidations, paper, reviews, rosters, sittings
from issuer.api.models import Problem
from issuer.bodies import AsgiApp, BodyLimits, Message, Receive, Scope, Send
from issuer.console.routes import ROUTERS as CONSOLE_ROUTERS
from issuer.context import Context, open_context
from issuer.holders import pages as holder_pages
from issuer.holders.limits import SignInLimits
from issuer.pages import SecurityHeaders, install_pages
from issuer.problems import install_problem_handlers
from issuer.settings import Settings
from verifier.record.qr import is_token
from verifier.web.clients import Clients

API_ROUTERS = (
    sittings.router,
    rosters.router,
    reviews.router,
    batches.router,
    corrections.router,
    certificates.router,
    invalidations.router,
    paper.router,
)
ISSUER_API = ("sittings", "rosters", "reviews", "batches", "invalidations", "paper", "corrections", "certificates")


log = logging.getLogger(__name__)


class IssuerApp(FastAPI):
    """Stops an unexpected error once it is answered: a server's log of it could hold somebody's data."""

    def openapi(self) -> dict[str, Any]:
        """The description, with the shape of problems that every endpoint refers to."""
        if self.openapi_schema is None:
            shapes = super().openapi().setdefault("components", {}).setdefault("schemas", {})
            shapes["Problem"] = Problem.model_json_schema()
        return self.openapi_schema or {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        try:
            await super().__call__(scope, receive, send)
        except Exception as exc:
            if scope["type"] != "http":
                raise
            log.error("a request ended with %s", type(exc).__qualname__)


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
    install_problem_handlers(app)
    install_pages(app)
    app.include_router(holder_pages.router)
    for router in (*API_ROUTERS, *CONSOLE_ROUTERS):
        app.include_router(router)
    app.add_middleware(BodyLimits)
    app.add_middleware(SecurityHeaders)
    return app


def belongs_to_issuer(path: str) -> bool:
    """Whether a path of the combined server is the private side's (design §7)."""
    first, _, rest = path.lstrip("/").partition("/")
    if first in ("console", "my"):
        return True
    if first != "api" or not rest.startswith("v1/"):
        return False
    family, _, name = rest.removeprefix("v1/").partition("/")
    if family == "certificates":
        return not is_token(name.partition("/")[0])
    return family in ISSUER_API


def create_public_app(settings: Settings) -> AsgiApp:
    """The verifier alone, over this folder's public record."""
    from verifier.settings import VerifierSettings
    from verifier.web.app import create_app

    public: AsgiApp = create_app(
        VerifierSettings(data_dir=settings.data_dir, verify_base_url=settings.verify_base_url)
    )
    return public


def create_combined_app(settings: Settings, ctx: Context | None = None) -> AsgiApp:
    """Both sides on one port, for a laptop: paths decide which side answers, and nothing else is shared."""
    private: AsgiApp = create_issuer_app(ctx or open_context(settings))
    public = create_public_app(settings)

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
