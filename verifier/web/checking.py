"""Routes that check: by token, by file digest, by file, by number and name; and the QR page."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import ValidationError
from starlette.responses import Response

from verifier.web import answers
from verifier.web.desk import Desk
from verifier.web.history import answered, as_asked, history_page
from verifier.web.negotiation import prefers_html
from verifier.web.problems import Problem
from verifier.web.schemas import LookupModel, ResultModel, problem_response
from verifier.web.uploads import received_pdf, text_fields
from verifier.web.view import Asked

_UNKNOWN = problem_response("The status cannot be determined now; see Retry-After", result=True)
_NOT_FOUND = problem_response("No such certificate", result=True)
_MALFORMED = problem_response("What was sent cannot be read", result=True)
_TOO_MANY = problem_response("Too many requests; see Retry-After")
_VERDICTS: dict[int | str, dict[str, Any]] = {404: _NOT_FOUND, 422: _MALFORMED, 503: _UNKNOWN}

On = Annotated[
    str | None,
    Query(
        max_length=40,
        description="Ask about the past: a day (`2025-03-01`, its end in Asia/Shanghai) or an RFC 3339 instant. The "
        "verdict is then what is known today of that moment; `on` says what was shown then, `now` what is true now.",
        openapi_examples={"day": {"value": "2025-10-31"}},
    ),
]
_PDF = {"type": "string", "format": "binary"}
_UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "description": "The PDF itself, or a form with the field `file`. At most 10 MB. Nothing of it is kept.",
        "content": {
            "application/pdf": {"schema": _PDF},
            "multipart/form-data": {
                "schema": {"type": "object", "required": ["file"], "properties": {"file": _PDF}},
            },
        },
    }
}
_LOOKUP_SCHEMA = {"schema": {"$ref": "#/components/schemas/LookupModel"}}
_LOOKUP_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": _LOOKUP_SCHEMA, "application/x-www-form-urlencoded": _LOOKUP_SCHEMA},
    }
}


def _page_or_json() -> dict[int | str, dict[str, Any]]:
    """As `_VERDICTS`, each also as a page."""
    page = {"text/html": {"schema": {"type": "string"}}}
    both = {status: {**answer, "content": {**answer["content"], **page}} for status, answer in _VERDICTS.items()}
    return {200: {"content": page}, **both}


def checking_routes(desk: Desk) -> APIRouter:
    """The router over `desk`."""
    router = APIRouter(tags=["check"])

    @router.get(
        "/api/v1/certificates/{token}",
        summary="Check by the token of a verification address",
        response_model=ResultModel,
        responses=_VERDICTS,
    )
    async def certificate(
        request: Request,
        token: str = Path(description="26 base32 characters, either case", max_length=200),
        on: On = None,
    ) -> Response:
        return await answered(desk, request, await desk.run(desk.checker.check_token, token), Asked.TOKEN, on)

    @router.get(
        "/api/v1/files/{sha256}",
        summary="Check a file by its digest, so that the file stays where it is",
        response_model=ResultModel,
        responses=_VERDICTS,
    )
    async def file(
        request: Request,
        sha256: str = Path(description="SHA-256 of the file, 64 hexadecimal digits", max_length=200),
        on: On = None,
    ) -> Response:
        result = await desk.run(desk.checker.check_file_digest, sha256)
        return await answered(desk, request, result, Asked.DIGEST, on)

    @router.post(
        "/api/v1/check",
        summary="Check a PDF",
        response_model=ResultModel,
        openapi_extra=_UPLOAD_BODY,
        responses={
            400: problem_response("No file"),
            413: problem_response("Over 10 MB"),
            415: problem_response("Neither a form nor a PDF"),
            422: _MALFORMED,
            429: _TOO_MANY,
            503: problem_response("Busy, or the status cannot be determined now; see Retry-After", result=True),
        },
    )
    async def check(request: Request, on: On = None) -> Response:
        await desk.limit_upload(request)
        with desk.uploads.place():
            result = await desk.check_file(await received_pdf(request))
        return await answered(desk, request, result, Asked.FILE, on)

    @router.post(
        "/api/v1/lookup",
        summary="Check by management number and name",
        description="Both must match. A wrong name and an unknown number get the same answer.",
        response_model=ResultModel,
        openapi_extra=_LOOKUP_BODY,
        responses={**_VERDICTS, 415: problem_response("Wrong media type"), 429: _TOO_MANY},
    )
    async def lookup(request: Request) -> Response:
        try:
            asked = LookupModel.model_validate(await text_fields(request))
        except ValidationError:
            # Its text repeats what was typed, so nothing of it goes on.
            raise Problem("bad-request") from None
        try:
            await desk.limit_lookup(request, asked.management_no, asked.name, asked.proof)
        except Problem as problem:
            if "challenge" not in problem.members or not prefers_html(request):
                raise
            fields = {"management_no": asked.management_no, "name": asked.name, "last_four": asked.last_four or ""}
            return desk.pages.work(request, problem, fields)
        ending = asked.last_four or None
        if ending is not None:
            await desk.limit_ending(asked.management_no)
        result = await desk.run(desk.checker.check_number, asked.management_no, asked.name, ending)
        return await answered(desk, request, result, Asked.LOOKUP, asked.on)

    async def page(request: Request, token: str = Path(max_length=200), on: On = None) -> Response:
        if prefers_html(request, page=True):
            return await (history_page(desk, request, token) if on else desk.token_page(request, token))
        result = await as_asked(desk, request, await desk.run(desk.checker.check_token, token))
        return answers.result_json(result, desk.base_url, answers.instance_of(request))

    summary = "The QR page, or JSON by Accept"
    router.get("/v/{token}", summary=summary, response_model=ResultModel, responses=_page_or_json())(page)
    # QR codes hold the address in upper case, which makes them smaller.
    router.get("/V/{token}", include_in_schema=False)(page)
    return router
