"""A day in the past over HTTP: the parameter `on` of every check, and the page of a certificate's history."""

from typing import Any, Final

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from verifier.check.history import STATUS_WORDS, MomentError, on, read_moment
from verifier.check.judgement import NO_REASON, REASONS, SHANGHAI
from verifier.record.public_record import StatusChange
from verifier.record.qr import is_token
from verifier.record.status import CertificateStatus, ReasonClass
from verifier.record.verdict import CheckResult, Verdict
from verifier.web import answers
from verifier.web.desk import Desk
from verifier.web.faces import FACES, Face, Tone
from verifier.web.negotiation import prefers_html
from verifier.web.problems import Problem
from verifier.web.view import Asked, chinese_date, chinese_instant

ON: Final = "on"
"""Name of the parameter: a day (its end in Asia/Shanghai) or an RFC 3339 instant."""
_MAX_MOMENT: Final = 40
_TONES: Final = {
    CertificateStatus.VALID: Tone.GOOD,
    CertificateStatus.INVALID: Tone.BAD,
    CertificateStatus.SUSPENDED: Tone.CAUTION,
    CertificateStatus.SUPERSEDED: Tone.CAUTION,
}
_OTHER_REASONS: Final = {
    ReasonClass.CORRECTED: ("已更正", "corrected"),
    ReasonClass.CASE_OPEN: ("正在核查", "a case is open"),
    ReasonClass.REINSTATED: ("经申诉恢复", "reinstated on appeal"),
}


async def as_asked(desk: Desk, request: Request, result: CheckResult, moment: str | None = None) -> CheckResult:
    """`result`, or when the address (or `moment`) asks about the past, what it was then.

    Raises Problem bad-moment, and status-unknown when the history cannot be read.
    """
    wanted = moment if moment is not None else request.query_params.get(ON)
    if not wanted:
        return result
    try:
        if len(wanted) > _MAX_MOMENT:
            raise MomentError("malformed")
        asked = read_moment(wanted, result.as_of)
    except MomentError as error:
        future = ("所问的时间还没有到。", "The time you ask about has not come yet.")
        raise Problem("bad-moment", future if error.code == "future" else None) from None
    return await desk.read(on, result, asked, desk.register.history)


async def answered(
    desk: Desk, request: Request, result: CheckResult, asked: Asked, moment: str | None = None
) -> Response:
    """A verdict in the form the asker prefers, of now or of the day that is asked about.

    A page about the past is the history's, which is never green: it must not be taken for an answer of today.
    """
    wanted = moment or request.query_params.get(ON)
    if wanted and result.certificate is not None and prefers_html(request):
        return await history_page(desk, request, result.certificate.token, wanted)
    return desk.answer(request, await as_asked(desk, request, result, wanted), asked)


def history_routes(desk: Desk) -> APIRouter:
    """The page of a certificate's public history."""
    router = APIRouter()

    @router.get("/v/{token}/history", include_in_schema=False)
    async def history(request: Request, token: str = Path(max_length=200)) -> Response:
        return await history_page(desk, request, token)

    return router


async def history_page(desk: Desk, request: Request, token: str, moment: str | None = None) -> Response:
    """The page: every status and since when; with `on`, the answer for that day above it."""
    now = await desk.run(desk.checker.check_token, token)
    if not is_token(token) or now.verdict in (Verdict.NOT_FOUND, Verdict.STATUS_UNKNOWN, Verdict.MALFORMED):
        return desk.answer_plainly(request, now)
    changes = await desk.read(desk.register.history, token.upper())
    wanted = moment or request.query_params.get(ON)
    result = await as_asked(desk, request, now, wanted)
    face = _face(result) if wanted else _PLAIN
    found = [check for check in result.checks if check.name in ("status", "history", "copy")]
    context: dict[str, Any] = {
        "title": face.zh,
        "face": face,
        "verdict": result.verdict.value,
        "token": token.upper(),
        "asked": wanted[:10] if wanted else "",
        "latest": now.as_of.astimezone(SHANGHAI).date().isoformat(),
        "found": [(check.message, check.message_en) for check in found] if wanted else [],
        "now": FACES[now.verdict],
        "now_unnamed": now.verdict is Verdict.VALID,
        "lines": [_line(change) for change in changes],
        "as_of_iso": now.as_of.isoformat(),
        "as_of": chinese_instant(now.as_of),
    }
    page = desk.pages.draw(request, "history.html", context, styles=("page.css", "history.css"), submits=True)
    page.headers.update(answers.result_headers(now))
    return page


_PLAIN: Final = Face(
    Tone.NONE,
    "状态变化与过往查询",
    "History of this certificate",
    "公开登记记有它的每一次状态变化；也可以查询过去某一天的情况。",
    "The public record keeps every change of its status. You can also ask about a day in the past.",
    icon="brand",
)


def _face(result: CheckResult) -> Face:
    """What an answer about the past says first. Never green: it speaks neither of now nor of a name."""
    zh, en = _DAY_WORDS.get(result.verdict, _DAY_WORDS[Verdict.STATUS_UNKNOWN])
    tone = {Verdict.INVALID: Tone.BAD, Verdict.VALID: Tone.NONE, Verdict.NOT_FOUND: Tone.NONE}.get(
        result.verdict, Tone.CAUTION
    )
    lead = "这里只回答所问的那一天，没有核对姓名。现在的状态见下。"
    lead_en = "This speaks of that day only; no name was checked. See below for today."
    return Face(tone, zh, en, lead, lead_en, icon="good" if result.verdict is Verdict.VALID else "")


_DAY_WORDS: Final = {
    Verdict.VALID: ("那一天，这份证书有效", "On that day the certificate was valid"),
    Verdict.INVALID: ("那一天，这份证书无效", "On that day the certificate was invalid"),
    Verdict.SUSPENDED: ("那一天，这份证书暂停使用", "On that day the certificate was suspended"),
    Verdict.SUPERSEDED: ("那一天，这份证书已被取代", "On that day the certificate had been replaced"),
    Verdict.EXPIRED_COPY: ("这份加注件不能说明那一天", "This copy cannot speak of that day"),
    Verdict.NOT_FOUND: ("那一天，这份证书还没有公布", "On that day the certificate was not yet public"),
    Verdict.STATUS_UNKNOWN: ("无法确定", "Could not be determined"),
}


def _line(change: StatusChange) -> dict[str, Any]:
    zh, en = STATUS_WORDS[change.status]
    reason = {**REASONS, **_OTHER_REASONS}.get(change.reason_class, NO_REASON) if change.reason_class else ("", "")
    void = change.from_beginning and change.status is CertificateStatus.INVALID
    return {
        "tone": _TONES[change.status].value,
        "zh": "公布为有效" if change.sequence == 0 else zh,
        "en": "published as valid" if change.sequence == 0 else en,
        "reason": reason,
        "since": ("自始", "from the beginning") if void else (chinese_date(change.effective_on), None),
        "at_iso": change.changed_at.isoformat(),
        "at": chinese_instant(change.changed_at),
    }
