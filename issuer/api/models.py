"""What the private API answers, as the OpenAPI description tells it."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict


class Problem(BaseModel):
    """RFC 9457, with the clause of the notice where the law refuses."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    detail_en: str
    clause: str | None = None
    remedy: str | None = None
    remedy_en: str | None = None


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an endpoint: who is not signed in, may not, and `statuses`."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    words = {
        400: "The body or the Idempotency-Key cannot be read",
        401: "Not signed in",
        403: "Not allowed, or outside the own programmes (R1)",
        404: "Nothing by that name",
        409: "The law or the state of things refuses it; `clause` names the clause",
        413: "Over the stated limit",
        422: "What was sent cannot be used",
        503: "A part that is needed is down; nothing was changed",
    }
    return {status: {"description": words[status], "content": content} for status in (401, 403, *statuses)}


def state_refusals(described: dict[str, Any]) -> None:
    """Put the refusals that any endpoint may give into an OpenAPI description, in our form.

    FastAPI describes what it refuses itself (422) in a form of its own, an unreadable or too large body not at all.
    """
    ours = problems(400, 413, 422)
    for operations in described["paths"].values():
        for operation in operations.values():
            answers = operation["responses"]
            if "application/json" in answers.get("422", {}).get("content", {}):
                answers["422"] = ours[422]
            if "requestBody" in operation:
                answers.setdefault("400", ours[400])
                answers.setdefault("413", ours[413])


class Finding(BaseModel):
    """What is wrong with one row, and what to do."""

    row: int
    column: str
    code: str
    level: str
    message: str
    message_en: str
    remedy: str
    remedy_en: str
    clause: str | None


class Remark(BaseModel):
    """What concerns a file as a whole."""

    message: str
    message_en: str


class RosterAnswer(BaseModel):
    """What an import did. `annotated`: address of the rows to mend, as a workbook, for a few days."""

    sitting: str
    file: str
    file_sha256: str
    dry_run: bool
    import_id: int | None
    sheet: str
    header_row: int
    ignored_columns: list[str]
    rows: int
    imported: int
    updated: int
    unchanged: int
    rejected: int
    remarks: list[Remark]
    findings: list[Finding]
    annotated: str | None


class DecisionAnswer(BaseModel):
    """What a decision file did."""

    sitting: str
    round: str
    rows: int
    moved: dict[str, int]
    unchanged: int
    refused: int
    dry_run: bool
    findings: list[Finding]


class Count(BaseModel):
    """How many reviews stand somewhere."""

    round: str
    outcome: str
    count: int


class Deadline(BaseModel):
    """A day of the sitting; `days` left, negative when it is over."""

    name: str
    last_day: date
    clause: str
    days: int


class ProgressAnswer(BaseModel):
    """How the review of a sitting stands, within the caller's reach."""

    sitting: str
    programme: str
    today: date
    total: int
    counts: list[Count]
    open_objections: list[int]
    open_defences: int
    deadlines: list[Deadline]
    next: str | None


class SittingDays(BaseModel):
    """A sitting's days; each ends at 24:00 in Asia/Shanghai."""

    code: str
    programme_code: str
    exam_ended_on: date
    results_released_on: date
    notice_opens_on: date
    notice_closes_on: date
    review_report_due_on: date
    supplementary_closes_on: date
    approved_on: date


class SittingAnswer(SittingDays):
    """A sitting with its days and its programme."""

    programme: str
    level: str
    medium: str
    review_body: str
    authority: str
    specialties: list[str]
    pass_marks: dict[str, int]
    registrations: int
    certificates: int


class SittingPage(BaseModel):
    """Sittings, the latest score release first; `next` is the `before` of the following page."""

    items: list[SittingAnswer]
    next: str | None


class SittingWithProgress(SittingAnswer):
    """A sitting with its days and how its review stands."""

    progress: ProgressAnswer


class Refusal(BaseModel):
    """One registration without a certificate, and why."""

    registration: int
    code: str
    clause: str | None


class PlanAnswer(BaseModel):
    """What issuing would do now; `digest` holds the plan to what it rests on."""

    sitting: str
    new: int
    resumed: int
    already_published: int
    refused: list[Refusal]
    digest: str


class BatchAnswer(BaseModel):
    """How far a batch has come. `counts`: waiting, published, refused, cancelled."""

    batch: int
    sitting: str
    kind: str
    state: str
    actor: str
    created_at: datetime
    finished_at: datetime | None
    counts: dict[str, int]
    refused: list[Refusal]


class BatchLine(BaseModel):
    """A batch in a list."""

    batch: int
    sitting: str
    kind: str
    state: str
    actor: str
    created_at: datetime
    finished_at: datetime | None


class BatchPage(BaseModel):
    """Batches newest first."""

    items: list[BatchLine]
    next: int | None


class BatchItemAnswer(BaseModel):
    """What became of one registration in a batch."""

    registration: int
    result: str
    code: str | None
    clause: str | None
    management_no: str | None


class PersonOutcome(BatchItemAnswer):
    """What became of one person in a batch, in words."""

    admission_no: str
    name: str
    message: str
    message_en: str


class OutcomeAnswer(BaseModel):
    """All people of a batch by registration number."""

    batch: int
    people: list[PersonOutcome]


class BatchItemPage(BaseModel):
    """Per-person results by registration number; `next` is the `after` of the following page."""

    items: list[BatchItemAnswer]
    next: int | None


class StatusLine(BaseModel):
    """One status a certificate has had."""

    status: str
    reason: str | None
    effective_on: date
    at: datetime


class CertificateAnswer(BaseModel):
    """One certificate as staff see it."""

    management_no: str
    name: str
    programme: str
    level: str
    specialty: str
    sitting: str
    state: str
    status: str | None
    approved_on: date
    issued_on: date
    published_at: datetime | None
    token: str
    verify_url: str
    file_sha256: str | None
    file_size: int | None
    superseded_by: str | None
    history: list[StatusLine]


class CertificateLine(BaseModel):
    """A certificate in a list: no name, so that a list can be kept."""

    id: int
    management_no: str
    sitting: str
    state: str
    status: str | None
    approved_on: date
    issued_on: date


class CertificatePage(BaseModel):
    """Certificates newest first; `next` is the `before` of the following page."""

    items: list[CertificateLine]
    next: int | None


class Numbered(BaseModel):
    """Something was written down under this number."""

    model_config = ConfigDict(extra="allow")

    id: int
    state: str
