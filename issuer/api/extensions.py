"""Archive timestamps over HTTP (R11: the file stays provable): one file at once, many as an act with progress."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from issuer.access.actor import Actor
from issuer.api.access import Ctx, Issuer, requires
from issuer.api.events import events
from issuer.api.idempotency import Key, once
from issuer.api.models import problems
from issuer.issuance import extensions as service
from issuer.issuance.extension import extend_certificate
from issuer.jobs.pausing import pause_act, resume_act

router = APIRouter(prefix="/api/v1/extensions", tags=["extensions"])

Looking = Annotated[Actor, requires(*service.READERS)]
DIGEST = r"[0-9a-fA-F]{1,64}"


class ExtensionPlan(BaseModel):
    """How many files are due, and the digest with which that is to be done."""

    due: int
    digest: str


class Chosen(BaseModel):
    """Which files: of a sitting, or last sealed so long ago, or both. `digest` of the plan it is to be done by."""

    model_config = ConfigDict(extra="forbid")

    sitting: str | None = Field(None, max_length=64)
    older_than_days: int | None = Field(None, ge=1, le=36_500)
    digest: str | None = Field(None, pattern=DIGEST, max_length=64)


class One(BaseModel):
    """The certificate whose file is to be renewed."""

    model_config = ConfigDict(extra="forbid")

    management_no: str = Field(min_length=1, max_length=64)


class Renewed(BaseModel):
    """What became of one file; `unchanged`: it was renewed at `last_at` already."""

    management_no: str
    outcome: str
    sha256: str
    previous_sha256: str
    size: int
    last_at: datetime


class Begun(BaseModel):
    """The act that renews them; null when none is due."""

    act: int | None
    state: str


class Progress(BaseModel):
    """How far an act has come."""

    act: int
    state: str
    paused: bool
    total: int
    finished: int
    counts: dict[str, int]


class Listed(Progress):
    """The same with who asked and when."""

    asked_by: str
    asked_at: datetime


class Acts(BaseModel):
    """The newest 20."""

    items: list[Listed]


@router.get("", response_model=Acts, responses=problems())
def list_extensions(ctx: Ctx, actor: Looking) -> dict[str, Any]:
    """Acts that renew many files, newest first."""
    return {"items": service.list_extensions(ctx, actor)}


@router.get("/plan", response_model=ExtensionPlan, responses=problems(404, 422))
def plan(
    ctx: Ctx,
    actor: Issuer,
    sitting: Annotated[str | None, Query(max_length=64)] = None,
    older_than_days: Annotated[int | None, Query(ge=1, le=36_500)] = None,
) -> dict[str, Any]:
    """Which files are due; changes nothing."""
    return service.plan_extensions(ctx, actor, sitting_code=sitting, older_than_days=older_than_days).to_json()


@router.post("", status_code=202, response_model=Begun, responses=problems(404, 409, 422))
def begin(ctx: Ctx, actor: Issuer, body: Chosen, key: Key = None) -> JSONResponse:
    """Renew them in the background. The same request again, while it is not finished, is that act."""

    def act() -> dict[str, Any]:
        number = service.request_extensions(
            ctx,
            actor,
            sitting_code=body.sitting,
            older_than_days=body.older_than_days,
            expected_digest=body.digest,
        )
        return {"act": number, "state": "nothing-to-do" if number is None else "running"}

    return once(ctx, actor, key, "extensions.begin", body.model_dump(), act, 202)


@router.post("/one", response_model=Renewed, responses=problems(404, 409, 422, 503))
def one(ctx: Ctx, actor: Issuer, body: One, key: Key = None) -> JSONResponse:
    """Add an archive timestamp to one file, and answer when its longer file is public."""

    def act() -> dict[str, Any]:
        return extend_certificate(ctx, actor, body.management_no).to_json()

    return once(ctx, actor, key, "extensions.one", body.model_dump(), act)


@router.get("/{number}", response_model=Progress, responses=problems(404))
def show(ctx: Ctx, actor: Looking, number: int) -> dict[str, Any]:
    """How far an act has come."""
    return service.progress_of(ctx, actor, number)


@router.get(
    "/{number}/events",
    response_class=Response,
    responses=problems(404, 503)
    | {
        200: {
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
            "description": "`progress`, then `end`",
        }
    },
)
def stream(ctx: Ctx, actor: Looking, number: int) -> Response:
    """The same, told with every change (server-sent events)."""
    return events(lambda: service.progress_of(ctx, actor, number))


@router.post("/{number}/pause", response_model=Progress, responses=problems(404, 409))
def pause(ctx: Ctx, actor: Issuer, number: int, key: Key = None) -> JSONResponse:
    """Hold before the next files; what is renewed stands."""
    return _move(ctx, actor, number, "pause", key)


@router.post("/{number}/resume", response_model=Progress, responses=problems(404, 409))
def resume(ctx: Ctx, actor: Issuer, number: int, key: Key = None) -> JSONResponse:
    """Let a paused act go on where it stopped."""
    return _move(ctx, actor, number, "resume", key)


def _move(ctx: Ctx, actor: Actor, number: int, verb: Literal["pause", "resume"], key: str | None) -> JSONResponse:
    def act() -> dict[str, Any]:
        (pause_act if verb == "pause" else resume_act)(ctx, actor, number, service.KIND)
        return service.progress_of(ctx, actor, number)

    return once(ctx, actor, key, f"extensions.{verb}", {"id": number}, act)
