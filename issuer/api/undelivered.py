"""Messages to watchers that were given up, over HTTP: look, and try once more."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from issuer.access.actor import Actor
from issuer.api.access import Ctx, requires
from issuer.api.idempotency import Key, once
from issuer.api.models import problems
from issuer.sharing import undelivered as service

router = APIRouter(prefix="/api/v1/watches/undelivered", tags=["watches"])

Looking = Annotated[Actor, requires(*service.READERS)]
Retrying = Annotated[Actor, requires(*service.RETRIERS)]


class GivenUp(BaseModel):
    """One message. `place`: the part of a mail address behind the @, or a webhook's host."""

    id: int
    message_id: str
    kind: str = Field(description="confirm | status | ended")
    by: str = Field(description="email | webhook")
    place: str
    organisation: str
    management_no: str | None
    code: str
    attempts: int
    created_at: datetime


class GivenUpPage(BaseModel):
    """Newest first; `next` is the `before` of the following page."""

    items: list[GivenUp]
    next: int | None


class Again(BaseModel):
    """Which to try again; null: all."""

    model_config = ConfigDict(extra="forbid")

    ids: list[Annotated[int, Field(ge=1, le=2**31 - 1)]] | None = Field(None, max_length=service.MOST_AT_ONCE)


class Waiting(BaseModel):
    """How many wait again."""

    waiting: int


@router.get("", response_model=GivenUpPage, responses=problems(422))
def list_undelivered(
    ctx: Ctx, actor: Looking, before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None
) -> dict[str, Any]:
    """Messages that were given up, newest first."""
    page = service.undelivered(ctx, actor, before=before)
    names = GivenUp.model_fields
    return {"items": [{n: v for n, v in asdict(one).items() if n in names} for one in page.items], "next": page.next}


@router.post("/retry", response_model=Waiting, responses=problems(409, 422))
def retry_undelivered(ctx: Ctx, actor: Retrying, body: Again, key: Key = None) -> JSONResponse:
    """Send them again from the first attempt on; what is not given up is left as it is."""

    def act() -> dict[str, int]:
        return {"waiting": service.retry(ctx, actor, body.ids)}

    return once(ctx, actor, key, "watches.retry", body.model_dump(), act)
