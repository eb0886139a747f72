"""Many checks in one call: tokens, file digests, numbers with names; each with the one verdict, in the order asked.

The answers are those of the single ways, made by the same code. Names cannot be tried faster this way: every pair
counts against its number as a single look-up does, and pairs have a limit of their own for each address.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import Response

from verifier.check.judgement import refusal
from verifier.check.words import say
from verifier.record.lookup import number_digest
from verifier.record.verdict import CheckResult, Verdict
from verifier.web.desk import Desk
from verifier.web.list_page import list_answer, list_form
from verifier.web.lists import CSV, XLSX, answers_as_csv, csv_rows, entries_of
from verifier.web.negotiation import HTML, JSON, best, prefers_html
from verifier.web.problems import Problem
from verifier.web.rates import BULK_ITEMS_PER_ADDRESS, BULK_NAMES_PER_ADDRESS, LOOKUPS_PER_NUMBER
from verifier.web.schemas import BulkAnswerModel, BulkItemModel, problem_response
from verifier.web.uploads import body_within, form_file, media_type

NDJSON: Final = "application/x-ndjson"
MAX_ITEMS: Final = 1000
MAX_BODY: Final = 1_000_000
FORM: Final = "multipart/form-data"
_ZIP: Final = b"PK\x03\x04"
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_ITEM = {"$ref": "#/components/schemas/BulkItemModel"}
_BODY = {
    "requestBody": {
        "required": True,
        "description": f"At most {MAX_ITEMS} checks: an object with the list `checks`, or one object a line.",
        "content": {
            JSON: {
                "schema": {
                    "type": "object",
                    "required": ["checks"],
                    "properties": {"checks": {"type": "array", "items": _ITEM, "minItems": 1, "maxItems": MAX_ITEMS}},
                }
            },
            NDJSON: {"schema": {"type": "string"}},
            CSV: {"schema": {"type": "string"}},
            XLSX: _BINARY,
            FORM: {"schema": {"type": "object", "required": ["file"], "properties": {"file": _BINARY["schema"]}}},
        },
    }
}


def bulk_routes(desk: Desk) -> APIRouter:
    """The router over `desk`."""
    router = APIRouter(tags=["check"])

    @router.post(
        "/api/v1/checks",
        summary="Check many at once",
        description="Each answer has the members of a single check, with `index` and your own `ref`. An entry that "
        "cannot be read is `malformed` and does not stop the others; a number asked for too often is "
        "`status_unknown` with the reason `asked-too-often`. One line each by `Accept: application/x-ndjson`. A list "
        "of one's own may be sent as .csv or .xlsx with columns 管理号 and 姓名, or 查验码 (and 备注, which comes "
        "back), also as the form field `file`; `Accept: text/csv` answers as a table. Nothing of a list is kept.",
        response_model=BulkAnswerModel,
        openapi_extra=_BODY,
        responses={
            200: {"content": {kind: {"schema": {"type": "string"}} for kind in (NDJSON, CSV, HTML)}},
            400: problem_response("The form holds no file"),
            413: problem_response("Over 1 MB"),
            415: problem_response("Neither JSON, NDJSON, CSV, .xlsx nor a form"),
            422: problem_response("No list of checks, or more than 1,000"),
            429: problem_response("Too many requests; see Retry-After"),
            503: problem_response("All processes that read workbooks are at work; see Retry-After"),
        },
    )
    async def checks(request: Request) -> Response:
        entries = await _entries(desk, request)
        who = desk.clients.address(request.scope)
        pairs = sum(1 for entry in entries if isinstance(entry, dict) and "management_no" in entry)
        await desk.limit(BULK_ITEMS_PER_ADDRESS, "bulk-address", who, cost=len(entries))
        if pairs:
            await desk.limit(BULK_NAMES_PER_ADDRESS, "bulk-names-address", who, cost=pairs)
        results = await desk.run(lambda: list(_results(desk, entries)))
        if prefers_html(request):
            return list_answer(desk.pages, request, entries, results, desk.clock())
        wanted = best(request.headers.get("accept", "*/*"), (JSON, NDJSON, CSV))
        if wanted == CSV:
            headers = {"Content-Disposition": 'attachment; filename="checked.csv"'}
            return Response(answers_as_csv(entries, results), 200, headers, f"{CSV}; charset=utf-8")
        if wanted == NDJSON:
            lines = "".join(_compact(result) + "\n" for result in results)
            return Response(lines.encode(), 200, media_type=NDJSON)
        body = {"results": results, "as_of": desk.clock().isoformat().replace("+00:00", "Z")}
        return Response(_compact(body).encode(), 200, media_type=JSON)

    @router.get("/checks", include_in_schema=False)
    async def page(request: Request) -> Response:
        return list_form(desk.pages, request, max_items=MAX_ITEMS, max_bytes=MAX_BODY)

    return router


async def _entries(desk: Desk, request: Request) -> list[Any]:
    """What was sent, entry by entry; an entry that is no JSON is None. Raises Problem."""
    kind = media_type(request)
    if kind == FORM:
        body = await form_file(request, MAX_BODY)
        if not body:
            raise Problem("no-file")
        kind = XLSX if body.startswith(_ZIP) else CSV
    elif kind in (JSON, NDJSON, CSV, XLSX):
        body = await body_within(request, MAX_BODY)
    else:
        raise Problem("unsupported-media-type")
    entries: Any = None
    if kind == CSV:
        entries = entries_of(csv_rows(body))
    elif kind == XLSX:
        entries = entries_of(await desk.sheet_rows(body) or ())
    elif kind == NDJSON:
        entries = [_loaded(line) for line in body.splitlines() if line.strip()]
    else:
        document = _loaded(body)
        entries = document.get("checks") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not 0 < len(entries) <= MAX_ITEMS:
        raise Problem("bad-bulk-request")
    return entries


def _loaded(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _results(desk: Desk, entries: list[Any]) -> Iterator[dict[str, Any]]:
    for index, entry in enumerate(entries):
        ref = entry.get("ref") if isinstance(entry, dict) else None
        try:
            item = BulkItemModel.model_validate(entry)
        except ValidationError:
            result = refusal(Verdict.MALFORMED, (say("bulk-entry"),), desk.clock())
        else:
            result = check_item(desk, item)
        known = {"ref": ref} if isinstance(ref, str) and len(ref) <= 80 else {}
        yield {"index": index, **known, **result.to_json()}


def check_item(desk: Desk, item: BulkItemModel) -> CheckResult:
    """One answer, by the way the entry asks for. Waits for the register: call it in a thread."""
    if item.token is not None:
        return desk.checker.check_token(item.token)
    if item.sha256 is not None:
        return desk.checker.check_file_digest(item.sha256)
    number, name = item.management_no or "", item.name or ""
    if (
        desk.rates.retry_after(LOOKUPS_PER_NUMBER, "lookup-number", number_digest(desk.lookup_key, number))
        is not None
    ):
        return refusal(Verdict.STATUS_UNKNOWN, (say("asked-too-often"),), desk.clock())
    return desk.checker.check_number(number, name)


def _compact(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
