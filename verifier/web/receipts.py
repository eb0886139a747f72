"""Receipts over HTTP: given for a token or a file's digest, as JSON or as a page; checked in any form."""

import json
from typing import Any, Final

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from keys.public.keyset import KeySetMalformedError
from verifier.check.receipts import Outcome, ReceiptCheck, check_receipt, receipt_document, stated
from verifier.record.qr import b32, is_token, new_token, unb32
from verifier.record.receipt import Receipt, clean_label, encode_receipt
from verifier.record.receipt_page import MAX_FILE_BYTES, sealed_page
from verifier.record.verdict import CheckResult, Verdict
from verifier.web import answers
from verifier.web.desk import Desk
from verifier.web.faces import FACES, Face, Tone
from verifier.web.negotiation import JSON, best, prefers_html
from verifier.web.problems import Problem
from verifier.web.rates import RECEIPTS_PER_ADDRESS
from verifier.web.receipt_page import draw_receipt
from verifier.web.receipt_signer import NoReceiptKeyError, open_receipt_signer
from verifier.web.schemas import ReceiptCheckModel, ReceiptModel, ReceiptRequestModel, problem_response
from verifier.web.uploads import body_within, form_file, media_type, text_fields
from verifier.web.view import Asked, chinese_instant, marked_checks

PDF: Final = "application/pdf"
_REQUEST_SCHEMA = {"schema": {"$ref": "#/components/schemas/ReceiptRequestModel"}}
_RECEIPT_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": _REQUEST_SCHEMA, "application/x-www-form-urlencoded": _REQUEST_SCHEMA},
    }
}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_CHECK_BODY = {
    "requestBody": {
        "required": True,
        "description": "A receipt as it was given, JSON document or PDF: as the body or as the form field `file`.",
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/ReceiptModel"}},
            PDF: _BINARY,
            "multipart/form-data": {
                "schema": {"type": "object", "required": ["file"], "properties": {"file": _BINARY["schema"]}}
            },
        },
    }
}
_FACES: Final = {
    Outcome.GENUINE: Face(
        Tone.NONE,
        "回执是真的",
        "The receipt is genuine",
        "它只说明出具时刻的结果；现在的状态见下。",
        "It speaks of the instant at which it was given. See below for the present status.",
        icon="good",
    ),
    Outcome.ALTERED: Face(
        Tone.BAD, "回执被改动过", "The receipt was altered", "请勿采信。", "Do not rely on it.", refuses=True
    ),
    Outcome.UNTRUSTED: Face(
        Tone.BAD,
        "不是本网站出具的回执",
        "Not a receipt of this verifier",
        "它没有本网站的签名，请勿采信。",
        "It does not bear our signature. Do not rely on it.",
        refuses=True,
    ),
    Outcome.CONTRADICTED: Face(
        Tone.BAD,
        "回执与公开登记不一致",
        "The receipt and the public record disagree",
        "签名无误，但内容与登记或日志不符。请勿采信，并告知发证机关。",
        "Its signature holds, but register or log say otherwise. Do not rely on it, and tell the authority.",
    ),
    Outcome.MALFORMED: FACES[Verdict.MALFORMED],
    Outcome.UNDETERMINED: FACES[Verdict.STATUS_UNKNOWN],
}


def receipt_routes(desk: Desk) -> APIRouter:
    """The router over `desk`."""
    router = APIRouter(tags=["receipts"])

    @router.post(
        "/api/v1/receipts",
        summary="Check, and get a signed receipt of the answer",
        description="For a token or the SHA-256 of a file. JSON, or a page by `Accept: application/pdf` or "
        "`format=pdf`. The receipt says what was answered, when, under your own label, and where the log stood. "
        "Nothing of the request is kept.",
        response_model=ReceiptModel,
        openapi_extra=_RECEIPT_BODY,
        responses={
            200: {"content": {PDF: _BINARY}},
            415: problem_response("Wrong media type"),
            422: problem_response("Neither a token nor a digest, or a label that is too long"),
            429: problem_response("Too many requests; see Retry-After"),
            501: problem_response("This installation gives no receipts"),
            503: problem_response("The status cannot be determined now; see Retry-After", result=True),
        },
    )
    async def give(request: Request) -> Response:
        asked, label = await _asked(request)
        await desk.limit(RECEIPTS_PER_ADDRESS, "receipt-address", desk.clients.address(request.scope))
        result = await desk.run(desk.checker.check_subject, asked.subject)
        if result.verdict is Verdict.STATUS_UNKNOWN:
            return desk.answer(request, result, Asked.TOKEN)
        receipt, signed, page = await run_in_threadpool(_made, desk, result, asked, label, _wants_pdf(request, asked))
        name = f"receipt-{receipt.receipt_id[:8]}"
        if page is not None:
            disposition = {"Content-Disposition": f'attachment; filename="{name}.pdf"'}
            return Response(page, 200, disposition, media_type=PDF)
        body = json.dumps(receipt_document(receipt, b32(signed)), ensure_ascii=False, indent=1)
        named = {"Content-Disposition": f'attachment; filename="{name}.json"'} if prefers_html(request) else {}
        return Response(body.encode(), 200, named, media_type=JSON)

    @router.post(
        "/api/v1/receipts/check",
        summary="Check a receipt",
        description="Signature, page, agreement with the public history and the log; and what is true now.",
        response_model=ReceiptCheckModel,
        openapi_extra=_CHECK_BODY,
        responses={
            400: problem_response("Nothing was sent"),
            413: problem_response("Too large for a receipt"),
            415: problem_response("Wrong media type"),
            422: problem_response("Not a receipt"),
            429: problem_response("Too many requests; see Retry-After"),
            503: problem_response("Could not be determined now; see Retry-After"),
        },
    )
    async def check(request: Request) -> Response:
        await desk.limit(RECEIPTS_PER_ADDRESS, "receipt-check-address", desk.clients.address(request.scope))
        found = await desk.run(examined, desk, await _received(request))
        if prefers_html(request):
            return _check_page(desk, request, found)
        return _check_json(desk, request, found)

    async def page(request: Request) -> Response:
        token = request.query_params.get("token", "")
        context = {"title": "查验回执 Receipts", "token": token.upper() if is_token(token) else ""}
        styles = ("page.css", "start.css", "history.css")
        return desk.pages.draw(
            request, "receipts.html", context, styles=styles, script="receipts.js", talks=True, submits=True
        )

    router.get("/receipts", include_in_schema=False)(page)
    # QR codes hold the address in upper case, which makes them smaller.
    router.get("/RECEIPTS", include_in_schema=False)(page)
    return router


async def _asked(request: Request) -> tuple[ReceiptRequestModel, str]:
    try:
        asked = ReceiptRequestModel.model_validate(await text_fields(request))
        label = clean_label(asked.label)
        if is_token(asked.subject):
            unb32(asked.subject)  # of two spellings of the same bits only one is a token
    except (ValidationError, ValueError):
        # Their texts repeat what was typed.
        raise Problem("bad-receipt-request") from None
    return asked, label


def _wants_pdf(request: Request, asked: ReceiptRequestModel) -> bool:
    if asked.format is not None:
        return asked.format == "pdf"
    return best(request.headers.get("accept", "*/*"), (JSON, PDF)) == PDF


def _made(
    desk: Desk, result: CheckResult, asked: ReceiptRequestModel, label: str, as_page: bool
) -> tuple[Receipt, bytes, bytes | None]:
    """Receipt, its signed form, and the page if it is wanted. Waits for the register: call it in a thread."""
    try:
        signer = open_receipt_signer(desk.keys_dir, desk.keys.key_set())
    except NoReceiptKeyError:
        raise Problem("no-receipts") from None
    except (OSError, KeySetMalformedError):
        raise Problem("status-unknown", retry_after=answers.RETRY_SECONDS) from None
    log = desk.read_here(desk.register.latest_checkpoint)
    receipt = stated(result, asked.subject, receipt_id=new_token(), origin=desk.base_url, label=label, log=log)
    signed = encode_receipt(receipt, signer.kid, signer.sign_raw)
    if not as_page:
        return receipt, signed, None
    code = b32(signed)
    address = (f"{desk.base_url}/receipts".upper(), "#", code)
    page = draw_receipt(receipt, receipt_document(receipt, code), address)
    return receipt, signed, sealed_page(page, signed, signer.sign_raw)


async def _received(request: Request) -> bytes:
    kind = media_type(request)
    if kind == "multipart/form-data":
        data = await form_file(request)
    elif kind in (JSON, PDF, "text/plain", "application/octet-stream"):
        data = await body_within(request, MAX_FILE_BYTES)
    else:
        raise Problem("unsupported-media-type" if kind else "no-file")
    if not data:
        raise Problem("no-file")
    if len(data) > MAX_FILE_BYTES:
        raise Problem("too-large")
    return data


def examined(desk: Desk, data: bytes) -> ReceiptCheck:
    """The answer about a receipt in any form. Waits for the register: call it in a thread."""
    return check_receipt(
        data,
        key_set=desk.keys.key_set,
        archive=desk.register,
        check_now=lambda receipt: desk.checker.check_subject(
            receipt.found.token if receipt.found else receipt.subject
        ),
        own_origins=(desk.base_url,),
        now=desk.clock(),
    )


def _check_json(desk: Desk, request: Request, found: ReceiptCheck) -> Response:
    body: dict[str, Any] = found.to_json()
    slug = {Outcome.MALFORMED: "not-a-receipt", Outcome.UNDETERMINED: "status-unknown"}.get(found.outcome)
    if slug is None:
        return Response(json.dumps(body, ensure_ascii=False).encode(), 200, media_type=JSON)
    retry = answers.RETRY_SECONDS if found.outcome is Outcome.UNDETERMINED else None
    problem = Problem(slug, retry_after=retry)
    return answers.problem_json(problem, desk.base_url, answers.instance_of(request), body)


def _check_page(desk: Desk, request: Request, found: ReceiptCheck) -> Response:
    receipt = found.receipt
    face = _FACES[found.outcome]
    rows = []
    if receipt is not None and not face.refuses:
        rows = [
            ("出具时刻", "Given at", chinese_instant(receipt.asked_at)),
            ("当时的结果", "Answer then", f"{FACES[receipt.verdict].zh}（{receipt.verdict.value}）"),
            ("查验人自注", "Asker's own label", receipt.label or "—"),
            ("查验的文件" if receipt.of_file else "查验码", "Asked about", receipt.subject),
            ("回执编号", "Receipt", receipt.receipt_id),
        ]
        if receipt.found is not None:
            what = (receipt.found.programme_name, receipt.found.level, receipt.found.specialty)
            rows.insert(3, ("职业资格", "Qualification", " · ".join(filter(None, what))))
    now = found.now
    context = {
        "title": face.zh,
        "face": face,
        "outcome": found.outcome.value,
        "checks": marked_checks(found.checks, face),
        "rows": rows,
        "now": FACES[now.verdict] if now else None,
        "now_unnamed": now is not None and now.verdict is Verdict.VALID,
        "token": now.certificate.token if now and now.certificate else "",
        "as_of_iso": found.as_of.isoformat(),
        "as_of": chinese_instant(found.as_of),
    }
    status = {Outcome.MALFORMED: 422, Outcome.UNDETERMINED: 503}.get(found.outcome, 200)
    page = desk.pages.draw(request, "receipt_check.html", context, styles=("page.css", "history.css"), status=status)
    if status == 503:
        page.headers["Retry-After"] = str(answers.RETRY_SECONDS)
    return page
