"""Work queues: lists whose filters stand in the address, taking a case, giving it back, taking it over."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.audit import record_event
from issuer.clock import SHANGHAI
from issuer.console.session import Visit, acts, looks
from issuer.errors import DomainError
from issuer.paper.register_files import table_xlsx
from issuer.problems import status_of
from issuer.queues import claims, filters, review_desk
from issuer.queues.claims import HOLD_MINUTES, TAKERS, WORKERS
from issuer.queues.filters import DUES, HOLDS, KEEPERS, QueueFilter
from issuer.queues.reading import READERS, CaseLine, find_open_case, list_cases_of, list_queues, require_queue
from issuer.queues.wording import REASONS, TITLES, legal_basis
from issuer.rules.queues import RULES, CaseKind, WorkQueue

router = APIRouter(prefix="/console", include_in_schema=False)

Looking = Annotated[Visit, looks(*READERS)]
Working = Annotated[Visit, acts(*WORKERS)]
Deciding = Annotated[Visit, acts(*review_desk.DECIDERS)]
Taking = Annotated[Visit, acts(*TAKERS)]
Keeping = Annotated[Visit, acts(*KEEPERS)]
Query = Annotated[str, Form(max_length=400)]
Short = Annotated[str, Form(max_length=80)]
Text = Annotated[str, Form(max_length=4000)]
SHOWN = 50
MAX_EXPORT = 5000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/queues")
def queues(visit: Looking) -> HTMLResponse:
    """Every queue of this account's roles."""
    rows = list_queues(visit.ctx, visit.actor)
    return visit.render("queues.html", queues=rows, titles=TITLES, may_review=visit.may(*review_desk.DECIDERS))


@router.get("/queues/{queue}.xlsx")
def export(
    visit: Looking, queue: WorkQueue, sitting: str = "", city: str = "", hold: str = "", due: str = ""
) -> Response:
    """What the list shows, as a workbook of text cells; the export is on record."""
    chosen = QueueFilter.of(sitting, city, hold, due)
    lines = list_cases_of(visit.ctx, visit.actor, queue, chosen, limit=MAX_EXPORT)
    heads = ["编号 No.", "考试批次 Sitting", "准考证号/管理号 Number", "地市 City", "起始 Since", "期限 Last day"]
    heads += ["提交人 By", "办理人 In hand"]
    with visit.ctx.database.write() as session:
        details = {"queue": queue.value, "count": len(lines)}
        record_event(session, visit.ctx.clock, visit.actor, "queue.export", f"queue:{queue.value}", details=details)
    content = table_xlsx(TITLES[queue].zh.replace("：", " ")[:31], heads, [_cells(line) for line in lines])
    name = f"queue-{queue.value}-{visit.ctx.clock.today():%Y%m%d}.xlsx"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=XLSX, headers=headers)


@router.get("/queues/{queue}")
def list_(
    visit: Looking,
    queue: WorkQueue,
    sitting: str = "",
    city: str = "",
    hold: str = "",
    due: str = "",
    after: int | None = None,
) -> HTMLResponse:
    """A queue's cases, oldest first; the filters stand in the address."""
    return _queue(visit, queue, QueueFilter.of(sitting, city, hold, due), after)


@router.post("/queues/{queue}/next")
def next_(
    visit: Working, queue: WorkQueue, query: Query = "", after: Annotated[int | None, Form()] = None
) -> Response:
    """Take the oldest free case of the queue as it is filtered, and go to it."""
    return _to_next(visit, queue, QueueFilter.parse(query), after)


@router.post("/queues/{queue}/filters")
def keep(
    visit: Keeping, queue: WorkQueue, title: Short = "", query: Query = "", shared: Annotated[bool, Form()] = False
) -> Response:
    """Keep the filter that stands in the address."""
    chosen = QueueFilter.parse(query)
    try:
        require_queue(visit.actor, queue)
        filters.keep_filter(visit.ctx, visit.actor, queue, chosen, title, shared=shared)
    except DomainError as refusal:
        return _queue(visit, queue, chosen, None, refusal)
    return RedirectResponse(_address(queue, chosen), 303)


@router.post("/queues/{queue}/filters/{number}/drop")
def drop(visit: Keeping, queue: WorkQueue, number: int) -> Response:
    """Drop a filter of one's own."""
    filters.drop_filter(visit.ctx, visit.actor, number)
    return RedirectResponse(f"/console/queues/{queue.value}", 303)


@router.get("/work/{kind}/{case_id}")
def work(visit: Looking, kind: CaseKind, case_id: int, query: str = "") -> HTMLResponse:
    """One open case: who has it, the draft, and for a review all that is needed to decide it."""
    return _work(visit, kind, case_id, QueueFilter.parse(query))


@router.post("/work/{kind}/{case_id}/claim")
def take(visit: Working, kind: CaseKind, case_id: int, query: Query = "") -> Response:
    """Take the case, or hold it longer."""
    chosen = QueueFilter.parse(query)
    try:
        claims.claim(visit.ctx, visit.actor, kind, case_id)
    except DomainError as refusal:
        return _work(visit, kind, case_id, chosen, refusal)
    return RedirectResponse(_work_address(kind, case_id, chosen), 303)


@router.post("/work/{kind}/{case_id}/release")
def release(visit: Working, kind: CaseKind, case_id: int, query: Query = "") -> Response:
    """Put the case back; its draft stays with it."""
    chosen = QueueFilter.parse(query)
    try:
        line = find_open_case(visit.ctx, visit.actor, kind, case_id)
        claims.let_go(visit.ctx, visit.actor, kind, case_id)
    except DomainError as refusal:
        return _work(visit, kind, case_id, chosen, refusal)
    return RedirectResponse(_address(line.queue, chosen), 303)


@router.post("/work/{kind}/{case_id}/draft")
def draft(visit: Working, kind: CaseKind, case_id: int, note: Text = "", query: Query = "") -> Response:
    """Keep what was written so far."""
    chosen = QueueFilter.parse(query)
    try:
        claims.save_draft(visit.ctx, visit.actor, kind, case_id, note)
    except DomainError as refusal:
        return _work(visit, kind, case_id, chosen, refusal, typed=note)
    return RedirectResponse(_work_address(kind, case_id, chosen), 303)


@router.post("/work/{kind}/{case_id}/take-over")
def take_over(visit: Taking, kind: CaseKind, case_id: int, to: Short = "", reason: Text = "") -> Response:
    """Take a case from whoever has it, saying why."""
    try:
        claims.take_over(visit.ctx, visit.actor, kind, case_id, to=to, reason=reason)
    except DomainError as refusal:
        return _work(visit, kind, case_id, QueueFilter(), refusal)
    return RedirectResponse(f"/console/work/{kind.value}/{case_id}", 303)


@router.post("/work/review/{case_id}/decide")
def decide(
    visit: Deciding, case_id: int, finding: Short = "", reason: Short = "", note: Text = "", query: Query = ""
) -> Response:
    """Decide the review and go to the next one of the queue."""
    chosen = QueueFilter.parse(query)
    try:
        line = find_open_case(visit.ctx, visit.actor, CaseKind.REVIEW, case_id)
        review_desk.decide(visit.ctx, visit.actor, case_id, finding, reason, note)
    except DomainError as refusal:
        return _work(visit, CaseKind.REVIEW, case_id, chosen, refusal, typed=note)
    return _to_next(visit, line.queue, chosen, None)


def _to_next(visit: Visit, queue: WorkQueue, chosen: QueueFilter, after: int | None) -> Response:
    try:
        found = claims.claim_next(visit.ctx, visit.actor, queue, chosen, after)
    except DomainError as refusal:
        return _queue(visit, queue, chosen, None, refusal)
    if found is None:
        return RedirectResponse(_address(queue, chosen), 303)
    return RedirectResponse(_work_address(RULES[queue].kind, found, chosen), 303)


def _queue(
    visit: Visit, queue: WorkQueue, chosen: QueueFilter, after: int | None, refusal: DomainError | None = None
) -> HTMLResponse:
    ctx, actor = visit.ctx, visit.actor
    lines = list_cases_of(ctx, actor, queue, chosen, after=after, limit=SHOWN)
    mine = visit.may(*WORKERS) and claims.may_work(actor, queue) and RULES[queue].kind is not CaseKind.PAPER
    return visit.render(
        "queue.html",
        status_of(refusal) if refusal else 200,
        queue=queue,
        title=TITLES[queue],
        clause_id=RULES[queue].clause,
        lines=lines,
        chosen=chosen,
        holds=HOLDS,
        dues=DUES,
        following=lines[-1].id if len(lines) == SHOWN and RULES[queue].kind is not CaseKind.PAPER else None,
        kept=filters.kept_filters(ctx, actor, queue),
        may_work=mine,
        may_keep=visit.may(*KEEPERS),
        refusal=refusal,
    )


def _work(
    visit: Visit,
    kind: CaseKind,
    case_id: int,
    chosen: QueueFilter,
    refusal: DomainError | None = None,
    typed: str | None = None,
) -> HTMLResponse:
    ctx, actor = visit.ctx, visit.actor
    line = find_open_case(ctx, actor, kind, case_id)
    held = claims.show_claim(ctx, actor, kind, case_id)
    facts = review_desk.show_review(ctx, actor, case_id) if kind is CaseKind.REVIEW else None
    own = held.holder == actor.username
    return visit.render(
        "work.html",
        status_of(refusal) if refusal else 200,
        line=line,
        title=TITLES[line.queue],
        clause_id=RULES[line.queue].clause,
        held=held,
        facts=facts,
        own=own,
        draft=held.draft if typed is None else typed,
        reasons=REASONS,
        basis=legal_basis,
        chosen=chosen,
        place=_place(line),
        may_work=visit.may(*WORKERS) and claims.may_work(actor, line.queue),
        may_take=visit.may(*TAKERS) and held.holder is not None,
        minutes=HOLD_MINUTES,
        refusal=refusal,
    )


def _place(line: CaseLine) -> str:
    """Where a case that is no review is decided."""
    places = {
        CaseKind.OBJECTION: f"/console/sittings/{line.sitting}?objection={line.id}#objections",
        CaseKind.INVALIDATION: f"/console/cases/{line.id}",
        CaseKind.CORRECTION: "/console/cases#corrections",
        CaseKind.REPLACEMENT: "/console/paper/replacements",
        CaseKind.DATA_OBJECTION: "/console/objections",
    }
    return places.get(line.kind, f"/console/work/{line.kind.value}/{line.id}")


def _address(queue: WorkQueue, chosen: QueueFilter) -> str:
    return f"/console/queues/{queue.value}" + (f"?{chosen.query}" if chosen.query else "")


def _work_address(kind: CaseKind, case_id: int, chosen: QueueFilter) -> str:
    return f"/console/work/{kind.value}/{case_id}" + (
        f"?{urlencode({'query': chosen.query})}" if chosen.query else ""
    )


def _cells(line: CaseLine) -> tuple[str, ...]:
    return (
        str(line.id),
        line.sitting,
        line.label,
        line.city,
        line.since.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M"),
        line.deadline.isoformat() if line.deadline else "",
        line.by or "",
        line.holder or "",
    )
