"""From domain errors to `application/problem+json` (RFC 9457): the only place here that knows HTTP errors."""

import logging
import secrets
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import DataError, OperationalError
from starlette.exceptions import HTTPException

from issuer.errors import DomainError, InputError, UnavailableError, Words
from issuer.pages import refusal_page
from issuer.refusals import refusal_from
from issuer.rules.violation import RuleViolation

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
STATUS = {
    "refused": HTTPStatus.CONFLICT,
    "conflict": HTTPStatus.CONFLICT,
    "not-found": HTTPStatus.NOT_FOUND,
    "bad-input": HTTPStatus.UNPROCESSABLE_ENTITY,
    "too-large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "forbidden": HTTPStatus.FORBIDDEN,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}
RETRY_AFTER_SECONDS = "30"
_PAGES = ("/console", "/my", "/watch", "/announcements")


def problem(
    status: int,
    code: str,
    detail: str,
    detail_en: str,
    *,
    extra: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """One problem document: `type` names a help page, `detail` is Chinese, `detail_en` English."""
    body = {
        "type": f"/help/{code}",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "code": code,
        "detail": detail,
        "detail_en": detail_en,
        **(extra or {}),
    }
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        headers = {"Retry-After": RETRY_AFTER_SECONDS} | (headers or {})
    return JSONResponse(body, status, headers=headers, media_type=MEDIA_TYPE)


def status_of(error: DomainError) -> int:
    """The HTTP status a refusal is told with."""
    if error.code in ("sign-in-needed", "token-not-accepted"):
        return HTTPStatus.UNAUTHORIZED
    if error.code in ("account-locked", "too-many-attempts"):
        return HTTPStatus.TOO_MANY_REQUESTS
    return STATUS.get(error.status_hint, HTTPStatus.CONFLICT)


def problem_of(exc: DomainError | RuleViolation) -> JSONResponse:
    """The problem a refusal is told as; `clause` where the law refuses, `remedy` where there is something to do."""
    error = refusal_from(exc) if isinstance(exc, RuleViolation) else exc
    extra: dict[str, Any] = {}
    if error.clause:
        extra["clause"] = error.clause
    if error.remedy:
        extra |= {"remedy": error.remedy.zh, "remedy_en": error.remedy.en}
    status = status_of(error)
    headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else None
    return problem(status, error.code, error.words.zh, error.words.en, extra=extra, headers=headers)


def install_problem_handlers(app: FastAPI) -> None:
    """Make every error of `app` a problem document, or a page where a person is reading.

    An unexpected one carries a reference and no details.
    """

    @app.exception_handler(DomainError)
    async def _domain(request: Request, exc: DomainError) -> Response:
        if not _reads_pages(request):
            return problem_of(exc)
        if exc.code == "sign-in-needed" and request.method == "GET":
            return RedirectResponse(f"/console/sign-in?next={quote(request.url.path)}", HTTPStatus.SEE_OTHER)
        return refusal_page(request, status_of(exc), exc)

    @app.exception_handler(RuleViolation)
    async def _rule(request: Request, exc: RuleViolation) -> Response:
        return await _domain(request, refusal_from(exc))

    @app.exception_handler(OperationalError)
    async def _database(request: Request, exc: OperationalError) -> Response:
        log.error("the database did not answer: %s", type(exc.orig).__qualname__)
        words = Words("数据库暂时无法使用，未作任何改动。", "The database cannot be used now; nothing was changed.")
        remedy = Words("请稍后重试。", "Try again shortly.")
        return await _domain(request, UnavailableError("database-unavailable", words, remedy=remedy))

    @app.exception_handler(OverflowError)
    @app.exception_handler(DataError)
    async def _unstorable(request: Request, exc: OverflowError | DataError) -> Response:
        # SQLite and PostgreSQL refuse numbers over 64 bits and text with NUL each in its own way.
        words = Words(
            "请求中有超出范围的数字或无法保存的字符，未作任何改动。",
            "A number is out of range or a character cannot be stored; nothing was changed.",
        )
        remedy = Words("请检查编号和文字后重试。", "Check the numbers and texts, and try again.")
        return await _domain(request, InputError("request-not-understood", words, remedy=remedy))

    @app.exception_handler(RequestValidationError)
    async def _validation(request: Request, exc: RequestValidationError) -> Response:
        words = Words(
            "请求中有字段缺失或格式不对，未作任何改动。", "A field is missing or malformed; nothing was changed."
        )
        if _reads_pages(request):
            return refusal_page(request, HTTPStatus.UNPROCESSABLE_ENTITY, InputError("request-not-understood", words))
        # Places and kinds only: the values sent may be a person's.
        fields = [
            {"field": ".".join(str(part) for part in error["loc"]), "code": error["type"], "message": error["msg"]}
            for error in exc.errors()
        ]
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return problem(status, "request-not-understood", words.zh, words.en, extra={"fields": fields})

    @app.exception_handler(HTTPException)
    async def _http(request: Request, exc: HTTPException) -> Response:
        status = HTTPStatus(exc.status_code)
        code = status.phrase.lower().replace(" ", "-")
        words = Words(f"请求无法处理（{status.value}）。", f"{status.phrase}.")
        if _reads_pages(request):
            return refusal_page(request, status, DomainError(code, words))
        return problem(status, code, words.zh, words.en, headers=dict(exc.headers) if exc.headers else None)

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, exc: Exception) -> Response:
        reference = secrets.token_hex(4)
        # The type only: an exception's text may hold a row's values.
        log.error("unexpected %s, reference %s", type(exc).__qualname__, reference)
        words = Words(
            f"程序内部错误，编号 {reference}；数据保持上一次完成时的状态。",
            f"Unexpected error, reference {reference}; the data is as the last finished step left it.",
        )
        if _reads_pages(request):
            return refusal_page(request, HTTPStatus.INTERNAL_SERVER_ERROR, DomainError("unexpected", words))
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "unexpected", words.zh, words.en)


def _reads_pages(request: Request) -> bool:
    path = request.url.path
    return path.startswith(_PAGES) and not path.startswith(("/console/static", "/console/openapi"))
