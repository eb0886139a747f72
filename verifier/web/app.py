"""Composition root of the public web: settings in, an ASGI application out."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from keys.public.keyset import key_set_path
from verifier.check.checker import Checker
from verifier.check.sandbox import Sandbox
from verifier.record.point_reads import open_point_reads
from verifier.record.register import SqlRegister
from verifier.settings import VerifierSettings
from verifier.web import answers
from verifier.web.bulk import bulk_routes
from verifier.web.checking import checking_routes
from verifier.web.clients import Clients
from verifier.web.desk import Desk
from verifier.web.headers import SafeHeaders
from verifier.web.history import history_routes
from verifier.web.hot import HotPath
from verifier.web.keeping import keeping_routes
from verifier.web.keyfile import KeyFile
from verifier.web.negotiation import prefers_html
from verifier.web.problems import PROBLEM_TYPES, Problem
from verifier.web.proof_of_work import ProofOfWork, SpentChallenges
from verifier.web.publishing import publishing_routes
from verifier.web.rates import RateLimits
from verifier.web.receipts import receipt_routes
from verifier.web.render import Pages
from verifier.web.schemas import (
    BulkItemModel,
    LookupModel,
    ProblemModel,
    ProblemResultModel,
    ReceiptModel,
    ReceiptRequestModel,
    ResultModel,
    problem_response,
)

log = logging.getLogger(__name__)


def system_clock() -> datetime:
    """The present instant, UTC. The only reading of the machine's clock in the public web."""
    return datetime.now(UTC)


def create_app(settings: VerifierSettings, *, clock: Callable[[], datetime] = system_clock) -> ASGIApp:
    """The public web over one register and one key set. Opens nothing that needs closing before the first request."""
    return app_over(open_desk(settings, clock), clock)


def open_desk(settings: VerifierSettings, clock: Callable[[], datetime] = system_clock) -> Desk:
    """The parts behind the routes; raises OSError when the lookup key cannot be read."""
    base_url = settings.verify_base_url.rstrip("/")
    lookup_key = (settings.keys_dir / "lookup.key").read_bytes()
    register = SqlRegister(settings.register_database)
    keys = KeyFile(key_set_path(settings.keys_dir))
    sandbox = Sandbox(settings.check_workers)
    return Desk(
        base_url=base_url,
        checker=Checker(register, keys.key_set, lookup_key, clock, (base_url,), inspect=sandbox),
        sandbox=sandbox,
        register=register,
        rows=open_point_reads(settings.register_database),
        keys=keys,
        keys_dir=settings.keys_dir,
        lookup_key=lookup_key,
        clock=clock,
        rates=RateLimits(settings.redis_url),
        work=ProofOfWork(lookup_key, settings.proof_bits, clock, SpentChallenges(settings.redis_url, clock)),
        clients=Clients(settings.trusted_proxies),
        pages=Pages((base_url,), watching=settings.watching),
    )


def app_over(desk: Desk, clock: Callable[[], datetime] = system_clock) -> ASGIApp:
    """The application over parts that are already open."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await desk.close()

    api = FastAPI(
        title="Certificate verification",
        description="Check electronic qualification certificates. No account is needed. 电子证书查验。",
        version="1",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    _pages(api, desk)
    api.include_router(checking_routes(desk))
    api.include_router(bulk_routes(desk))
    api.include_router(history_routes(desk))
    api.include_router(receipt_routes(desk))
    api.include_router(publishing_routes(desk))
    api.include_router(keeping_routes(desk))
    _problems(api, desk)
    _describe(api)
    served: ASGIApp = GZipMiddleware(api, minimum_size=1024, compresslevel=6)
    safe = SafeHeaders(served, https=desk.base_url.startswith("https:"))
    return HotPath(safe, desk, clock, safe)


def _pages(api: FastAPI, desk: Desk) -> None:
    @api.get("/", include_in_schema=False)
    async def start(request: Request) -> Response:
        return desk.pages.start(request)

    @api.get("/help", include_in_schema=False)
    async def help_page(request: Request) -> Response:
        return desk.pages.help(request)

    @api.get("/help/{slug}", include_in_schema=False)
    async def help_kind(request: Request, slug: str) -> Response:
        if slug not in PROBLEM_TYPES:
            raise Problem("no-such-page")
        return desk.pages.help(request, PROBLEM_TYPES[slug])

    @api.get("/healthz", tags=["operations"], summary="Whether checks can be answered", response_class=JSONResponse)
    async def healthz() -> Response:
        position = await desk.read(desk.register.position)
        await desk.published_keys()
        return JSONResponse({"status": "ok", "register_position": position})


def _problems(api: FastAPI, desk: Desk) -> None:
    def answer(request: Request, problem: Problem) -> Response:
        if prefers_html(request):
            return desk.pages.problem(request, problem)
        return answers.problem_json(problem, desk.base_url, answers.instance_of(request))

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        if request.method == "POST":
            # The body may be unread, and then nothing else can follow on this connection: say so.
            error.headers.setdefault("Connection", "close")
        return answer(request, error)

    async def framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        slug = {404: "no-such-page", 405: "method-not-allowed"}.get(error.status_code, "bad-request")
        return answer(request, Problem(slug, headers=dict(error.headers or {})))

    async def invalid(request: Request, error: Exception) -> Response:
        return answer(request, Problem("bad-request"))

    async def unexpected(request: Request, error: Exception) -> Response:
        log.error("unexpected %s while answering", type(error).__name__)
        return answer(request, Problem("internal-error"))

    api.add_exception_handler(Problem, ours)
    api.add_exception_handler(HTTPException, framework)
    api.add_exception_handler(RequestValidationError, invalid)
    api.add_exception_handler(Exception, unexpected)


def _describe(api: FastAPI) -> None:
    """Put the shapes of problems and of the look-up, which routes name by reference, into the description."""
    original = api.openapi

    def described() -> dict[str, object]:
        if not api.openapi_schema:
            schema = original()
            shapes = schema.setdefault("components", {}).setdefault("schemas", {})
            for model in (
                ProblemModel,
                ProblemResultModel,
                LookupModel,
                ReceiptModel,
                ReceiptRequestModel,
                BulkItemModel,
                ResultModel,
            ):
                shape = model.model_json_schema(ref_template="#/components/schemas/{model}")
                shapes.update(shape.pop("$defs", {}))
                shapes[model.__name__] = shape
            # What FastAPI says of a request it refuses itself is not what our handler answers.
            for operations in schema["paths"].values():
                for operation in operations.values():
                    refused = operation["responses"].get("422", {})
                    if "application/json" in refused.get("content", {}):
                        operation["responses"]["422"] = problem_response("What was sent cannot be read")
        return api.openapi_schema or {}

    api.openapi = described  # type: ignore[method-assign]


def from_environment() -> ASGIApp:
    """The public web over `ECERT_*`, for a server that takes a factory (`granian --interface asgi --factory`)."""
    return create_app(VerifierSettings())
