"""Taking a PDF in: as a form field or as the whole body, never more than the limit, counted while it arrives."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message, Receive

from verifier.web.problems import Problem

MAX_UPLOAD_BYTES: Final = 10_000_000
_FORM_OVERHEAD: Final = 16_384
_FIELDS_BYTES: Final = 65_536
_BUSY_SECONDS: Final = 5


class Gate:
    """A number of places; who finds none is told to come back, rather than kept waiting with a file in memory."""

    def __init__(self, places: int) -> None:
        self._free = places

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one place; raises Problem busy. For one event loop, so a plain count is enough."""
        if self._free <= 0:
            raise Problem("busy", retry_after=_BUSY_SECONDS)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


async def received_pdf(request: Request) -> bytes:
    """The bytes of the file that was sent; raises Problem (no-file, too-large, unsupported-media-type)."""
    kind = media_type(request)
    if kind in ("application/pdf", "application/octet-stream"):
        pdf = await body_within(request, MAX_UPLOAD_BYTES)
    elif kind == "multipart/form-data":
        pdf = await form_file(request)
    elif not kind:
        raise Problem("no-file")
    else:
        raise Problem("unsupported-media-type")
    if not pdf:
        raise Problem("no-file")
    return pdf


def media_type(request: Request) -> str:
    """The Content-Type without parameters, lower case; empty when absent."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


async def body_within(request: Request, limit: int, refusal: str = "too-large") -> bytes:
    """The whole body; raises Problem `refusal` as soon as more than `limit` bytes are announced or have come."""
    _refuse_announced(request, limit, refusal)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise Problem(refusal)
    return bytes(body)


async def text_fields(request: Request) -> dict[str, str]:
    """The text fields of a small form or JSON object; raises Problem (bad-request, unsupported-media-type)."""
    kind = media_type(request)
    if kind == "application/json":
        try:
            fields = json.loads(await body_within(request, _FIELDS_BYTES, "bad-request"))
        except (ValueError, RecursionError) as error:
            raise Problem("bad-request", ("内容不是 JSON。", "The body is not JSON.")) from error
        return fields if isinstance(fields, dict) else {}
    if kind not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise Problem("unsupported-media-type")
    _refuse_announced(request, _FIELDS_BYTES, "bad-request")
    limited = Request(request.scope, _limited(request.receive, _FIELDS_BYTES, "bad-request"))
    try:
        async with limited.form(max_files=0, max_fields=8) as form:
            return {name: value for name, value in form.items() if isinstance(value, str)}
    except (MultiPartException, HTTPException, UnicodeDecodeError) as error:
        raise Problem("bad-request") from error


async def form_file(request: Request, most: int = MAX_UPLOAD_BYTES) -> bytes:
    """The form field `file`, of `most` bytes; raises Problem (bad-request, no-file, too-large)."""
    limit = most + _FORM_OVERHEAD
    _refuse_announced(request, limit, "too-large")
    limited = Request(request.scope, _limited(request.receive, limit, "too-large"))
    try:
        async with limited.form(max_files=1, max_fields=4) as form:
            sent = form.get("file")
            if not isinstance(sent, UploadFile):
                raise Problem("no-file")
            pdf = await sent.read()
    except (MultiPartException, HTTPException) as error:
        raise Problem("bad-request", ("表单无法读取。", "The form cannot be read.")) from error
    if len(pdf) > most:
        raise Problem("too-large")
    return pdf


def _refuse_announced(request: Request, limit: int, refusal: str) -> None:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise Problem(refusal)


def _limited(receive: Receive, limit: int, refusal: str) -> Receive:
    """The same messages, refused once their bodies together pass `limit` bytes."""
    taken = 0

    async def receiving() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise Problem(refusal)
        return message

    return receiving
