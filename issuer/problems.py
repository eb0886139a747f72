"""From domain errors to `application/problem+json` (RFC 9457): the only place here that knows HTTP errors."""

import logging
import secrets
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from issuer.errors import DomainError
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


def problem_of(exc: DomainError | RuleViolation) -> JSONResponse:
    """The problem a refusal is told as; `clause` where the law refuses, `remedy` where there is something to do."""
    error = refusal_from(exc) if isinstance(exc, RuleViolation) else exc
    extra: dict[str, Any] = {}
    if error.clause:
        extra["clause"] = error.clause
    if error.remedy:
        extra |= {"remedy": error.remedy.zh, "remedy_en": error.remedy.en}
    status = STATUS.get(error.status_hint, HTTPStatus.CONFLICT)
    headers = None
    if error.code in ("sign-in-needed", "token-not-accepted"):
        status, headers = HTTPStatus.UNAUTHORIZED, {"WWW-Authenticate": "Bearer"}
    if error.code in ("account-locked", "too-many-attempts"):
        status = HTTPStatus.TOO_MANY_REQUESTS
    return problem(status, error.code, error.words.zh, error.words.en, extra=extra, headers=headers)


def install_problem_handlers(app: FastAPI) -> None:
    """Make every error of `app` a problem document; an unexpected one carries a reference and no details."""

    @app.exception_handler(DomainError)
    async def _domain(_request: Request, exc: DomainError) -> JSONResponse:
        return problem_of(exc)

    @app.exception_handler(RuleViolation)
    async def _rule(_request: Request, exc: RuleViolation) -> JSONResponse:
        return problem_of(exc)

    @app.exception_handler(RequestValidationError)
    async def _validation(_request: Request, exc: RequestValidationError) -> JSONResponse:
        # Places and kinds only: the values sent may be a person's.
        fields = [
            {"field": ".".join(str(part) for part in error["loc"]), "code": error["type"], "message": error["msg"]}
            for error in exc.errors()
        ]
        return problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "request-not-understood",
            "请求中有字段缺失或格式不对，未作任何改动。",
            "A field is missing or malformed; nothing was changed.",
            extra={"fields": fields},
        )

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, exc: HTTPException) -> JSONResponse:
        status = HTTPStatus(exc.status_code)
        code = status.phrase.lower().replace(" ", "-")
        headers = dict(exc.headers) if exc.headers else None
        return problem(status, code, f"请求无法处理（{status.value}）。", f"{status.phrase}.", headers=headers)

    @app.exception_handler(Exception)
    async def _unexpected(_request: Request, exc: Exception) -> JSONResponse:
        reference = secrets.token_hex(4)
        # The type only: an exception's text may hold a row's values.
        log.error("unexpected %s, reference %s", type(exc).__qualname__, reference)
        return problem(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "unexpected",
            f"程序内部错误，编号 {reference}；数据保持上一次完成时的状态。",
            f"Unexpected error, reference {reference}; the data is as the last finished step left it.",
        )
