"""What holders say is wrong with their data, and the answers (R15)."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from issuer.access.actor import Actor
from issuer.api.access import Ctx, requires
from issuer.api.idempotency import Key, once
from issuer.api.models import Numbered, problems
from issuer.holders.objections import ANSWERERS, MAX_TEXT, READERS, answer_objection, list_objections

router = APIRouter(prefix="/api/v1/objections", tags=["objections"])

ObjectionReader = Annotated[Actor, requires(*READERS)]
Answerer = Annotated[Actor, requires(*ANSWERERS)]


class ObjectionLine(BaseModel):
    """One objection with its answer."""

    id: int
    registration_id: int
    sitting_code: str
    admission_no: str
    matter: str
    text: str
    state: str
    filed_at: datetime
    decided_at: datetime | None
    answer: str | None


class Objections(BaseModel):
    """Oldest first, at most 500."""

    items: list[ObjectionLine]


class Answer(BaseModel):
    """Whether the holder is right, and what they will read."""

    model_config = ConfigDict(extra="forbid")

    accepted: bool
    answer: str = Field(min_length=4, max_length=MAX_TEXT)


@router.get("", response_model=Objections, responses=problems(422))
def list_(
    ctx: Ctx, actor: ObjectionReader, state: Literal["open", "accepted", "declined", "withdrawn"] | None = "open"
) -> dict[str, Any]:
    """Objections within reach (R1), oldest first; open ones unless another state is asked for."""
    lines = list_objections(ctx, actor, state)
    return {"items": [{name: getattr(line, name) for name in ObjectionLine.model_fields} for line in lines]}


@router.post("/{objection_id}/answer", response_model=Numbered, responses=problems(404, 409, 422))
def answer(ctx: Ctx, actor: Answerer, objection_id: int, body: Answer, key: Key = None) -> JSONResponse:
    """Answer an objection; a correction that follows from it is made by its own way."""

    def act() -> dict[str, Any]:
        answer_objection(ctx, actor, objection_id, accepted=body.accepted, answer=body.answer)
        return {"id": objection_id, "state": "accepted" if body.accepted else "declined"}

    asked = {"id": objection_id, **body.model_dump()}
    return once(ctx, actor, key, "objections.answer", asked, act)
