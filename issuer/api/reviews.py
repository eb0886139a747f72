"""The review over HTTP: decision files, rounds by the calendar, objections, defences (R4–R8)."""

import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from issuer.access.actor import Actor
from issuer.api.access import Ctx, Reader, requires
from issuer.api.idempotency import Key, once
from issuer.api.models import DecisionAnswer, Numbered, ProgressAnswer, problems
from issuer.api.rosters import XLSX
from issuer.api.uploads import on_disk, sha256_of
from issuer.context import Context
from issuer.errors import InputError, Words
from issuer.holders.files import content_disposition
from issuer.review import service
from issuer.review.sitting import REVIEWERS
from issuer.review.statements import RECEIVERS
from issuer.rules.review import ReviewState
from issuer.rules.terms import ReviewRound

router = APIRouter(prefix="/api/v1/reviews", tags=["reviews"])

Reviewer = Annotated[Actor, requires(*REVIEWERS)]
Receiver = Annotated[Actor, requires(*RECEIVERS)]


class Statement(BaseModel):
    """Something said about, or by, one candidate."""

    model_config = ConfigDict(extra="forbid")

    admission_no: str = Field(min_length=1, max_length=40)
    text: str = Field(min_length=1, max_length=4000)


class Resolution(BaseModel):
    """What was found about an objection."""

    model_config = ConfigDict(extra="forbid")

    upheld: bool
    resolution: str = Field(min_length=1, max_length=4000)


class DefenceDecision(BaseModel):
    """What was decided on a candidate's defence."""

    model_config = ConfigDict(extra="forbid")

    admission_no: str = Field(min_length=1, max_length=40)
    accepted: bool
    note: str = Field(min_length=1, max_length=4000)


class TakingBack(BaseModel):
    """A finding of one's own recorded by mistake; the candidate reads why."""

    model_config = ConfigDict(extra="forbid")

    admission_no: str = Field(min_length=1, max_length=40)
    why: str = Field(min_length=1, max_length=1000)


class RoundAnswer(BaseModel):
    """How many reviews an act on a whole sitting moved."""

    sitting: str
    act: str
    moved: int
    clause: str


class NoticeAnswer(BaseModel):
    """When the public notice stands; the last day ends at 24:00 in Asia/Shanghai."""

    sitting: str
    opens_on: date
    closes_on: date


class DefenceAnswer(BaseModel):
    """Where the candidate's review stands now."""

    round: str | None
    outcome: str | None


@router.get("/{sitting}", response_model=ProgressAnswer, responses=problems(404))
def progress(ctx: Ctx, actor: Reader, sitting: str) -> dict[str, Any]:
    """How the review stands, within the caller's reach."""
    return service.sitting_progress(ctx, actor, sitting).to_json()


@router.get(
    "/{sitting}/template",
    response_class=Response,
    responses=problems(404) | {200: {"content": {XLSX: {}}, "description": "The decision file to fill in"}},
)
def template(ctx: Ctx, actor: Reviewer, sitting: str, round: ReviewRound) -> Response:
    """The decision file of a round, with everybody who waits for a decision. Holds names; its making is audited."""
    with tempfile.TemporaryDirectory(prefix="ecert-") as scratch:
        path = Path(scratch) / "template.xlsx"
        service.export_template(ctx, actor, sitting, round, path)
        content = path.read_bytes()
    name = content_disposition(f"核查结果-{sitting}-{round}.xlsx")
    return Response(content, media_type=XLSX, headers={"Content-Disposition": name, "Cache-Control": "no-store"})


@router.post("/{sitting}/decisions", response_model=DecisionAnswer, responses=problems(404, 409, 413, 422))
def decide(
    ctx: Ctx,
    actor: Reviewer,
    sitting: str,
    round: Annotated[ReviewRound, Form()],
    file: Annotated[UploadFile, File(description=".xlsx or .csv: 准考证号, 核查结果, 原因代码, 说明")],
    on: Annotated[date | None, Form(description="day reported, when the department enters it late")] = None,
    dry_run: Annotated[bool, Form()] = False,
    key: Key = None,
) -> JSONResponse:
    """Take in a round's decisions; good rows go through, bad ones come back as findings."""
    with on_disk(file) as (content,):
        if content is None:
            raise no_file()
        asked = {"sitting": sitting, "round": round, "file": sha256_of(content), "on": on}

        def act() -> dict[str, Any]:
            done = service.apply_decisions(ctx, actor, sitting, round, content=content, on=on, dry_run=dry_run)
            return done.to_json()

        return once(ctx, actor, None if dry_run else key, "reviews.decide", asked, act)


@router.post("/{sitting}/open-notice", response_model=NoticeAnswer, responses=problems(404, 409))
def open_notice(ctx: Ctx, actor: Reviewer, sitting: str, on: date | None = None, key: Key = None) -> JSONResponse:
    """Open the public notice (R5): today, or on the day `on` when the department enters it late."""

    def act() -> dict[str, Any]:
        notice = service.open_notice(ctx, actor, sitting, on=on)
        return {"sitting": sitting, "opens_on": str(notice.opens_on), "closes_on": str(notice.closes_on)}

    return once(ctx, actor, key, "reviews.open-notice", {"sitting": sitting, "on": on}, act)


@router.post("/{sitting}/close-first-round", response_model=RoundAnswer, responses=problems(404, 409))
def close_first_round(ctx: Ctx, actor: Reviewer, sitting: str, key: Key = None) -> JSONResponse:
    """From the report date on: the unverified are held as conditions pending (R5)."""
    return _whole(ctx, actor, sitting, key, "close-first-round", service.close_first_round)


@router.post("/{sitting}/open-supplementary", response_model=RoundAnswer, responses=problems(404, 409))
def open_supplementary(
    ctx: Ctx, actor: Reviewer, sitting: str, on: date | None = None, key: Key = None
) -> JSONResponse:
    """Call whose conditions are pending to the supplementary round (R7)."""

    def act() -> dict[str, Any]:
        return service.open_supplementary(ctx, actor, sitting, on=on).to_json()

    return once(ctx, actor, key, "reviews.open-supplementary", {"sitting": sitting, "on": on}, act)


@router.post("/{sitting}/lapse", response_model=RoundAnswer, responses=problems(404, 409))
def lapse(ctx: Ctx, actor: Reviewer, sitting: str, key: Key = None) -> JSONResponse:
    """After the closing day: who has not come is deemed to have given up (R7)."""
    return _whole(ctx, actor, sitting, key, "lapse", service.lapse_supplementary)


@router.post("/{sitting}/objections", status_code=201, response_model=Numbered, responses=problems(404, 409, 422))
def raise_objection(ctx: Ctx, actor: Receiver, sitting: str, body: Statement, key: Key = None) -> JSONResponse:
    """Write down an objection to the public notice; nothing is issued to that person until it is resolved (R5)."""

    def act() -> dict[str, Any]:
        who = service.Candidate(admission_no=body.admission_no)
        return {"id": service.raise_objection(ctx, actor, sitting, who, body.text), "state": "open"}

    return once(ctx, actor, key, "reviews.object", {"sitting": sitting, **body.model_dump()}, act, 201)


@router.post("/objections/{objection_id}/resolve", response_model=Numbered, responses=problems(404, 409, 422))
def resolve_objection(
    ctx: Ctx, actor: Reviewer, objection_id: int, body: Resolution, key: Key = None
) -> JSONResponse:
    """Decide on an objection; where it is upheld the candidate is found ineligible (R5)."""

    def act() -> dict[str, Any]:
        state = service.resolve_objection(ctx, actor, objection_id, upheld=body.upheld, resolution=body.resolution)
        return {"id": objection_id, "state": "resolved", **_state(state)}

    return once(ctx, actor, key, "reviews.resolve", {"id": objection_id, **body.model_dump()}, act)


@router.post("/{sitting}/defences", status_code=201, response_model=Numbered, responses=problems(404, 409, 422))
def file_defence(ctx: Ctx, actor: Reviewer, sitting: str, body: Statement, key: Key = None) -> JSONResponse:
    """Take in the defence of a candidate found ineligible (R7)."""

    def act() -> dict[str, Any]:
        who = service.Candidate(admission_no=body.admission_no)
        return {"id": service.file_defence(ctx, actor, sitting, who, body.text), "state": "open"}

    return once(ctx, actor, key, "reviews.defend", {"sitting": sitting, **body.model_dump()}, act, 201)


@router.post("/{sitting}/defences/decide", response_model=DefenceAnswer, responses=problems(404, 409, 422))
def decide_defence(ctx: Ctx, actor: Reviewer, sitting: str, body: DefenceDecision, key: Key = None) -> JSONResponse:
    """Decide on the open defence of a candidate (R7)."""

    def act() -> dict[str, Any]:
        who = service.Candidate(admission_no=body.admission_no)
        return _state(service.decide_defence(ctx, actor, sitting, who, accepted=body.accepted, note=body.note))

    return once(ctx, actor, key, "reviews.decide-defence", {"sitting": sitting, **body.model_dump()}, act)


@router.post("/{sitting}/take-back", response_model=DefenceAnswer, responses=problems(404, 409, 422))
def take_back(ctx: Ctx, actor: Reviewer, sitting: str, body: TakingBack, key: Key = None) -> JSONResponse:
    """Take back one's own last finding about a candidate while nothing has followed from it (R4)."""

    def act() -> dict[str, Any]:
        who = service.Candidate(admission_no=body.admission_no)
        return _state(service.take_back_finding(ctx, actor, sitting, who, why=body.why))

    return once(ctx, actor, key, "reviews.take-back", {"sitting": sitting, **body.model_dump()}, act)


def no_file() -> InputError:
    """Nothing was chosen."""
    return InputError(
        "file-missing", Words("没有选择文件，未作任何改动。", "No file was chosen; nothing was changed.")
    )


def _whole(
    ctx: Context,
    actor: Actor,
    sitting: str,
    key: str | None,
    name: str,
    move: Callable[[Context, Actor, str], service.RoundReport],
) -> JSONResponse:
    def act() -> dict[str, Any]:
        return move(ctx, actor, sitting).to_json()

    return once(ctx, actor, key, f"reviews.{name}", {"sitting": sitting}, act)


def _state(state: ReviewState | None) -> dict[str, Any]:
    return {"round": state.round, "outcome": state.outcome} if state else {"round": None, "outcome": None}
