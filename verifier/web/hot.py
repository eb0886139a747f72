"""The answers most people ask for, by the shortest way: one read of the register, one prepared text, two messages.

In front of everything else, for three addresses: by token and by file digest as JSON, and the QR page. It answers
only what is plain (the certificate is there, its row is whole, the asker's wishes are the usual ones) and leaves all
else to the routes behind it, whose answers it would otherwise have to imitate: what is not found, not readable,
misspelt, a copy with a last day, or asked for under a name that is not ours. A test compares both ways.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from keys.public.keyset import KeySetMalformedError
from verifier.record.point_reads import PointRow, Shape
from verifier.record.register import RegisterUnavailableError
from verifier.web import answers
from verifier.web.chunked_gzip import Packed, packed
from verifier.web.desk import Desk
from verifier.web.headers import SafeHeaders
from verifier.web.keyfile import LoadedKeys
from verifier.web.negotiation import html_preferred
from verifier.web.prepared import (
    MARK_DIGEST,
    MARK_INDEX,
    MARK_INSTANT,
    MARK_LIST,
    MARK_TOKEN,
    Prepared,
    Template,
    is_plain,
    stand_in,
    template_of,
)
from verifier.web.view import chinese_instant

CERTIFICATES: Final = "/api/v1/certificates/"
FILES: Final = "/api/v1/files/"
PAGES: Final = ("/v/", "/V/")
TEXTS_KEPT: Final = 4096
"""Prepared JSON texts, about 1.5 kB each: one for every content that certificates share (programme, level, dates)."""
PAGES_KEPT: Final = 512
"""Prepared pages; what all pages have in common is kept once."""

_TOKEN: Final = re.compile(r"[A-Za-z2-7]{26}")
_DIGEST: Final = re.compile(r"[0-9A-Fa-f]{64}")
_GZIP: Final = re.compile(rb"(?:^|,)\s*gzip\s*(?:$|,)")

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class _Text:
    """A prepared JSON answer with its header fields, but for the length."""

    template: Template
    headers: list[Header]


@dataclass(frozen=True, slots=True)
class _Page:
    """A prepared page, plain and packed, with its header fields, but for length and coding."""

    page: Packed
    headers: list[Header]


class HotPath:
    """Serves what it can and hands on the rest. `safe` knows the header fields every answer carries."""

    def __init__(self, rest: ASGIApp, desk: Desk, clock: Callable[[], datetime], safe: SafeHeaders) -> None:
        self._rest = rest
        self._desk = desk
        self._clock = clock
        self._safe = safe
        self._host = urlsplit(desk.base_url).netloc.lower().encode()
        self._texts: Prepared[_Text] = Prepared(self._make_text, TEXTS_KEPT)
        self._pages: Prepared[_Page] = Prepared(self._make_page, PAGES_KEPT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["method"] == "GET":
            path: str = scope["path"]
            answer: Awaitable[tuple[bytes, list[Header]] | None] | None = None
            if path.startswith(CERTIFICATES):
                answer = self._json(scope, path[len(CERTIFICATES) :], by_file=False)
            elif path.startswith(FILES):
                answer = self._json(scope, path[len(FILES) :], by_file=True)
            elif path.startswith(PAGES):
                answer = self._page(scope, path[len(PAGES[0]) :])
            if answer is not None:
                found = await answer
                if found is not None:
                    body, headers = found
                    await send({"type": "http.response.start", "status": 200, "headers": headers})
                    await send({"type": "http.response.body", "body": body})
                    return
        await self._rest(scope, receive, send)

    async def _json(self, scope: Scope, asked: str, *, by_file: bool) -> tuple[bytes, list[Header]] | None:
        accept = _field(scope, b"accept")
        if accept is not None and html_preferred(accept.decode("latin-1")):
            return None
        now = self._clock()
        try:
            row = await self._row(asked, by_file)
            if row is None:
                return None
            text = self._texts.get((by_file, row.shape), by_file, row.shape)
        except RegisterUnavailableError:
            return None
        body = text.template.filled({"token": row.token.encode(), "as_of": _instant(now)})
        return body, [*text.headers, (b"content-length", b"%d" % len(body))]

    async def _page(self, scope: Scope, asked: str) -> tuple[bytes, list[Header]] | None:
        if _field(scope, b"host") != self._host:
            return None
        accept = _field(scope, b"accept")
        if accept is not None and not html_preferred(accept.decode("latin-1"), page=True):
            return None
        now = self._clock()
        try:
            row = await self._row(asked, by_file=False)
            if row is None or not is_plain(row):
                return None
            keys = self._desk.keys.load()
            page = self._pages.get((keys.etag, scope["scheme"], row.shape), scope, keys, row.shape)
        except (RegisterUnavailableError, OSError, KeySetMalformedError):
            return None
        values = {
            "token": row.token.encode(),
            "digest": row.credential_sha256.encode(),
            "list_id": row.list_id.encode(),
            "list_index": b"%d" % row.list_index,
            "as_of": _instant(now)[:-1] + b"+00:00",
            "shown": chinese_instant(now).encode(),
        }
        if _GZIP.search(_field(scope, b"accept-encoding") or b""):
            body, coding = page.page.zipped(values), [(b"content-encoding", b"gzip")]
        else:
            body, coding = page.page.plain(values), []
        return body, [*page.headers, *coding, (b"content-length", b"%d" % len(body))]

    async def _row(self, asked: str, by_file: bool) -> PointRow | None:
        """The row asked for, None when it is for the routes behind to answer; raises RegisterUnavailableError."""
        if by_file:
            row = await self._desk.rows.by_file(asked.lower()) if _DIGEST.fullmatch(asked) else None
        else:
            row = await self._desk.rows.by_token(asked.upper()) if _TOKEN.fullmatch(asked) else None
        return None if row is None or row.valid_until is not None else row

    def _make_text(self, by_file: bool, shape: Shape) -> _Text:
        result = self._desk.checker.judged(stand_in(shape), MARK_INSTANT, by_file=by_file)
        response = answers.result_json(result, self._desk.base_url, "")
        marks = {"token": MARK_TOKEN.encode(), "as_of": _instant(MARK_INSTANT)}
        return _Text(template_of(bytes(response.body), marks), self._headers(response))

    def _make_page(self, scope: Scope, keys: LoadedKeys, shape: Shape) -> _Page:
        record = stand_in(shape)
        result = self._desk.checker.judged(record, MARK_INSTANT)
        response = self._desk.drawn_token_page(Request(scope), MARK_TOKEN, result, record, keys)
        marks = {
            "token": MARK_TOKEN.encode(),
            "digest": MARK_DIGEST.encode(),
            "list_id": MARK_LIST.encode(),
            "list_index": b"%d" % MARK_INDEX,
            "as_of": MARK_INSTANT.isoformat().encode(),
            "shown": chinese_instant(MARK_INSTANT).encode(),
        }
        headers = [(name, value) for name, value in self._headers(response) if name != b"vary"]
        headers.append((b"vary", b"Accept, Accept-Encoding"))
        return _Page(packed(template_of(bytes(response.body), marks)), headers)

    def _headers(self, response: Response) -> list[Header]:
        own = [(name, value) for name, value in response.raw_headers if name != b"content-length"]
        return self._safe.complete(own)


def _field(scope: Scope, name: bytes) -> bytes | None:
    for field, value in scope["headers"]:
        if field == name:
            return bytes(value)
    return None


def _instant(instant: datetime) -> bytes:
    return instant.isoformat().replace("+00:00", "Z").encode()
