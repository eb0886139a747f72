"""From a check result to an HTTP answer: one mapping for every route, page or JSON.

200 for a verdict; 404, 422 and 503 when there is nothing to judge (not found, unreadable, status unknown).
Those carry the whole result too, as members of a problem document (RFC 9457, 3.2), so no asker needs to
tell apart two kinds of body. No verdict may be kept by any cache.
"""

import json
from typing import Any, Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from verifier.record.verdict import CheckResult, Verdict
from verifier.web.negotiation import JSON
from verifier.web.problems import PROBLEM_JSON, PROBLEM_TYPES, Problem, type_address

RETRY_SECONDS: Final = 5
_PROBLEMS: Final = {
    Verdict.NOT_FOUND: "not-found",
    Verdict.STATUS_UNKNOWN: "status-unknown",
    Verdict.MALFORMED: "malformed",
}


def http_status(result: CheckResult) -> int:
    """The HTTP status of a verdict."""
    slug = _PROBLEMS.get(result.verdict)
    return PROBLEM_TYPES[slug].status if slug else 200


def result_headers(result: CheckResult) -> dict[str, str]:
    """Fields every verdict carries."""
    headers = {"Cache-Control": "no-store", "Vary": "Accept"}
    if result.verdict is Verdict.STATUS_UNKNOWN:
        headers["Retry-After"] = str(RETRY_SECONDS)
    return headers


def result_json(result: CheckResult, base_url: str, instance: str) -> Response:
    """A verdict as JSON."""
    body = result.to_json()
    slug = _PROBLEMS.get(result.verdict)
    if slug is None:
        return _json(body, 200, JSON, result_headers(result))
    kind = PROBLEM_TYPES[slug]
    failed = next((check for check in result.checks if check.ok is not True), None)
    problem = {
        "type": type_address(base_url, slug),
        "title": f"{kind.zh} / {kind.en}",
        "status": kind.status,
        "detail": f"{failed.message} / {failed.message_en}" if failed else f"{kind.zh} / {kind.en}",
        "instance": instance,
    }
    return _json(problem | body, kind.status, PROBLEM_JSON, result_headers(result))


def problem_json(problem: Problem, base_url: str, instance: str, members: dict[str, Any] | None = None) -> Response:
    """An error as JSON, with further members (RFC 9457, 3.2)."""
    body = problem.to_json(base_url, instance) | problem.members | (members or {})
    return _json(body, problem.kind.status, PROBLEM_JSON, problem.headers)


def instance_of(request: Request) -> str:
    """The path that was asked for, without a query: the `instance` of a problem."""
    return quote(request.url.path[:200])


def _json(body: dict[str, Any], status: int, media_type: str, headers: dict[str, str]) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode(), status, {"Content-Type": media_type, **headers})
