"""Limits on request bodies, counted while they stream in."""

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

MIB = 1024 * 1024
DEFAULT_LIMIT = 1 * MIB
UPLOAD_LIMITS = (
    (re.compile(r"/(api/v1/rosters|console/sittings/[^/]+/roster)"), 4096 * MIB),  # 100,000 people with portraits
    (re.compile(r"/(api/v1/reviews/[^/]+/decisions|console/sittings/[^/]+/decisions)"), 64 * MIB),
    (re.compile(r"/(api/v1/invalidations|console)/lists(/check)?"), 17 * MIB),
    (re.compile(r"/console/misconduct/[0-9]+/transfer"), 64 * MIB),
    (re.compile(r"/(api/v1|console)/hearings/[0-9]+/record"), 11 * MIB),
    (re.compile(r"/(api/v1|console)/paper/sittings/[^/]+/waybills"), 16 * MIB),
    (re.compile(r"/(api/v1/registrations|console/registrations/[^/]+)/comparisons"), 65 * MIB),
    (re.compile(r"/my/registrations/[0-9]+/materials"), 11 * MIB),
)


class _BodyTooLarge(Exception):
    """More came than the address takes."""


def limit_of(path: str) -> int:
    """How many bytes a request body to `path` may have."""
    return next((limit for pattern, limit in UPLOAD_LIMITS if pattern.fullmatch(path)), DEFAULT_LIMIT)


class BodyLimits:
    """ASGI layer: a body over its limit is answered with 413, at once when its length is declared."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = limit_of(scope["path"])
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not declared.isdigit() or int(declared) > limit:
            await _refuse(send, limit)
            return
        seen = 0
        begun = False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise _BodyTooLarge
            return message

        async def watched(message: Message) -> None:
            nonlocal begun
            if seen <= limit:  # what the application says about the cut-off body is not the answer
                begun = True
                await send(message)

        try:
            await self._app(scope, counted, watched)
        except Exception:
            if seen <= limit:
                raise
        if seen > limit and not begun:
            await _refuse(send, limit)


async def _refuse(send: Send, limit: int) -> None:
    size = f"{limit // MIB} MiB"
    body = {
        "type": "/help/body-too-large",
        "title": "Content Too Large",
        "status": 413,
        "code": "body-too-large",
        "detail": f"提交的内容超过 {size}，未作任何改动。",
        "detail_en": f"What was sent is over {size}; nothing was changed.",
        "remedy": "请分批提交，或缩小照片后重试。",
        "remedy_en": "Send it in parts, or with smaller photos.",
    }
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"cache-control", b"no-store"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body, ensure_ascii=False).encode()})
