"""The answers most people ask for, by the shortest way: one read of the register, one prepared text, one answer.

In front of everything else, for three addresses: by token and by file digest as JSON, and the QR page. It answers
only what is plain (the certificate is there, its row is whole, the asker's wishes are the usual ones) and leaves all
else to the routes behind it, whose answers it would otherwise have to imitate: what is not found, not readable,
misspelt, a copy with a last day, or asked for under a name that is not ours. A test compares both ways.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from keys.public.keyset import KeySetMalformedError
from verifier.record.point_reads import PointRow, Reading, Shape
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
    Filling,
    Prepared,
    is_plain,
    stand_in,
    template_of,
)
from verifier.web.view import chinese_instant

CERTIFICATES: Final = "/api/v1/certificates/"
FILES: Final = "/api/v1/files/"
PAGES: Final = ("/v/", "/V/")
TEXTS_KEPT: Final = 8192
"""Prepared JSON texts, about 1.5 kB each: one for every content that certificates share (programme, level, dates)."""
PAGES_KEPT: Final = 4096
"""Prepared pages, about 6 kB each besides what all pages have in common, which is kept once."""
NOT_READABLE: Final = (RegisterUnavailableError, OSError, KeySetMalformedError)
"""What reading the register or the published keys may raise."""
_LENGTHS_KEPT: Final = 64

_TOKEN: Final = re.compile(r"[A-Za-z2-7]{26}")
_DIGEST: Final = re.compile(r"[0-9A-Fa-f]{64}")
PAST: Final = "on="
"""In a query: a question about a day in the past, which is for the routes behind."""
_PAST: Final = PAST.encode()
_GZIP: Final = re.compile(r"(?:^|,)\s*gzip\s*(?:$|,)")

Header = tuple[bytes, bytes]


class Asker(Protocol):
    """What a request says, by whichever interface it came."""

    @property
    def scheme(self) -> str:
        """`http` or `https`."""
        ...

    def field(self, name: str) -> str | None:
        """The first header field of this lower-case name."""
        ...

    def scope(self) -> Scope:
        """The request as ASGI has it."""
        ...


class Fields:
    """Header fields of an answer, ready for both interfaces."""

    __slots__ = ("_by_length", "_named", "texts")

    def __init__(self, named: list[Header]) -> None:
        self._named = named
        self._by_length: dict[int, list[Header]] = {}
        self.texts = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in named]
        """For a server that states the length itself."""

    def for_length(self, length: int) -> list[Header]:
        """With the length of the body, in bytes."""
        found = self._by_length.get(length)
        if found is None:
            if len(self._by_length) > _LENGTHS_KEPT:
                self._by_length.clear()
            found = self._by_length[length] = [*self._named, (b"content-length", b"%d" % length)]
        return found


Answer = tuple[bytes, Fields]
Finish = Callable[[Asker, PointRow, datetime], Answer | None]


@dataclass(frozen=True, slots=True)
class _Text:
    """A prepared JSON answer."""

    template: Filling
    fields: Fields


@dataclass(frozen=True, slots=True)
class _Page:
    """A prepared page, plain and packed, with the header fields of both."""

    page: Packed
    plain: Fields
    zipped: Fields


class _AsgiAsker:
    __slots__ = ("_scope",)

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    @property
    def scheme(self) -> str:
        return str(self._scope["scheme"])

    def field(self, name: str) -> str | None:
        wanted = name.encode()
        for field, value in self._scope["headers"]:
            if field == wanted:
                return bytes(value).decode("latin-1")
        return None

    def scope(self) -> Scope:
        return self._scope


class HotPath:
    """Serves what it can and hands on the rest. `safe` knows the header fields every answer carries."""

    def __init__(self, rest: ASGIApp, desk: Desk, clock: Callable[[], datetime], safe: SafeHeaders) -> None:
        self._rest = rest
        self._desk = desk
        self._rows = desk.rows
        self.clock = clock
        self._safe = safe
        self._host = urlsplit(desk.base_url).netloc.lower()
        self._texts: Prepared[_Text] = Prepared(self._make_text, TEXTS_KEPT)
        self._pages: Prepared[_Page] = Prepared(self._make_page, PAGES_KEPT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request over ASGI."""
        if scope["type"] == "http" and scope["method"] == "GET" and _PAST not in scope["query_string"]:
            found = None
            now = self.clock()
            asker = _AsgiAsker(scope)
            try:
                # In one coroutine: each further one costs as much as the prepared text.
                reading, finish = self.asked(asker, scope["path"])
                if reading is not None:
                    row = reading if isinstance(reading, PointRow) else await reading
                    if row is not None and row.valid_until is None:
                        found = finish(asker, row, now)
            except NOT_READABLE:
                found = None
            if found is not None:
                body, fields = found
                await send({"type": "http.response.start", "status": 200, "headers": fields.for_length(len(body))})
                await send({"type": "http.response.body", "body": body})
                return
        await self._rest(scope, receive, send)

    async def rest(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request over ASGI the long way."""
        await self._rest(scope, receive, send)

    async def close(self) -> None:
        """Let go of processes and connections."""
        await self._desk.close()

    def asked(self, asker: Asker, path: str) -> tuple[Reading, Finish]:
        """The row a GET of this path asks for, and what makes the answer of it when it is no copy's.

        No row when the routes behind are to answer. Raises what is in `NOT_READABLE`: then, too, they answer.
        """
        if path.startswith(CERTIFICATES):
            asked = path[len(CERTIFICATES) :]
            if _TOKEN.fullmatch(asked) and _wants_json(asker):
                return self._rows.by_token(asked.upper()), self._by_token
        elif path.startswith(FILES):
            asked = path[len(FILES) :]
            if _DIGEST.fullmatch(asked) and _wants_json(asker):
                return self._rows.by_file(asked.lower()), self._by_file
        elif path.startswith(PAGES):
            asked = path[len(PAGES[0]) :]
            if _TOKEN.fullmatch(asked) and asker.field("host") == self._host and _wants_page(asker):
                return self._rows.for_page(asked.upper()), self._page
        return None, self._by_token

    def _by_token(self, _: Asker, row: PointRow, now: datetime) -> Answer:
        text = self._texts.get(row.shape, False, row.shape)
        return text.template.of(row.token.encode(), _instant(now)), text.fields

    def _by_file(self, _: Asker, row: PointRow, now: datetime) -> Answer | None:
        if not _TOKEN.fullmatch(row.token):
            return None
        text = self._texts.get((row.shape,), True, row.shape)
        return text.template.of(row.token.encode(), _instant(now)), text.fields

    def _page(self, asker: Asker, row: PointRow, now: datetime) -> Answer | None:
        if not is_plain(row):
            return None
        keys = self._desk.keys.load()
        page = self._pages.get((keys.etag, asker.scheme, row.shape), asker, keys, row.shape)
        values = {
            "token": row.token.encode(),
            "digest": row.credential_sha256.encode(),
            "list_id": row.list_id.encode(),
            "list_index": row.list_index.encode(),
            "as_of": _instant(now)[:-1] + b"+00:00",
            "shown": chinese_instant(now).encode(),
        }
        if _GZIP.search(asker.field("accept-encoding") or ""):
            return page.page.zipped(values), page.zipped
        return page.page.plain(values), page.plain

    def _make_text(self, by_file: bool, shape: Shape) -> _Text:
        result = self._desk.checker.judged(stand_in(shape), MARK_INSTANT, by_file=by_file)
        response = answers.result_json(result, self._desk.base_url, "")
        marks = {"token": MARK_TOKEN.encode(), "as_of": _instant(MARK_INSTANT)}
        filling = template_of(bytes(response.body), marks).places("token", "as_of")
        return _Text(filling, Fields(self._headers(response)))

    def _make_page(self, asker: Asker, keys: LoadedKeys, shape: Shape) -> _Page:
        record = stand_in(shape)
        result = self._desk.checker.judged(record, MARK_INSTANT)
        response = self._desk.drawn_token_page(Request(asker.scope()), MARK_TOKEN, result, record, keys)
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
        page = packed(template_of(bytes(response.body), marks))
        return _Page(page, Fields(headers), Fields([*headers, (b"content-encoding", b"gzip")]))

    def _headers(self, response: Response) -> list[Header]:
        own = [(name, value) for name, value in response.raw_headers if name != b"content-length"]
        return self._safe.complete(own)


def _wants_json(asker: Asker) -> bool:
    accept = asker.field("accept")
    return accept is None or not html_preferred(accept)


def _wants_page(asker: Asker) -> bool:
    accept = asker.field("accept")
    return accept is None or html_preferred(accept, page=True)


def _instant(instant: datetime) -> bytes:
    # An instant of the clock is UTC, so its text ends with +00:00.
    return f"{instant.isoformat()[:-6]}Z".encode()
