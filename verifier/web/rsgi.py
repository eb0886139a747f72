"""The web over RSGI, the interface of Granian's own (its docs/spec/RSGI.md, version 1.6).

There a request is answered by one call, where ASGI has a dictionary and two messages; for the hot path that is a
sixth of the work. Everything else is handed to the ASGI application, request by request.
"""

import gc
from asyncio import AbstractEventLoop
from collections.abc import AsyncIterator, Awaitable
from typing import Any, Protocol

from starlette.types import Message, Scope

from verifier.record.point_reads import PointRow
from verifier.settings import VerifierSettings
from verifier.web.app import create_app
from verifier.web.hot import NOT_READABLE, PAST, HotPath


class RsgiHeaders(Protocol):
    """Header fields of a request."""

    def get(self, key: str) -> str | None: ...

    def items(self) -> list[tuple[str, str]]: ...


class RsgiScope(Protocol):
    """A request. Addresses are `host:port`."""

    proto: str
    http_version: str
    server: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str
    headers: RsgiHeaders


class RsgiStream(Protocol):
    """An answer in pieces."""

    def send_bytes(self, data: bytes) -> Awaitable[None]: ...


class RsgiProtocol(Protocol):
    """What answers a request."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def client_disconnect(self) -> Awaitable[None]: ...

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None: ...

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> RsgiStream: ...


class _RsgiAsker:
    __slots__ = ("_scope",)

    def __init__(self, scope: RsgiScope) -> None:
        self._scope = scope

    @property
    def scheme(self) -> str:
        return self._scope.scheme

    def field(self, name: str) -> str | None:
        return self._scope.headers.get(name)

    def scope(self) -> Scope:
        return asgi_scope(self._scope)


class RsgiWeb:
    """The hot path, and all else behind it."""

    def __init__(self, hot: HotPath) -> None:
        self._hot = hot

    def __rsgi_del__(self, loop: AbstractEventLoop) -> None:
        """Called by the server at its end, when the loop no longer runs."""
        loop.run_until_complete(self._hot.close())

    async def __rsgi__(self, scope: RsgiScope, protocol: RsgiProtocol) -> None:
        """Serve one request."""
        if scope.method == "GET" and PAST not in scope.query_string:
            found = None
            now = self._hot.clock()
            asker = _RsgiAsker(scope)
            try:
                reading, finish = self._hot.asked(asker, scope.path)
                if reading is not None:
                    row = reading if isinstance(reading, PointRow) else await reading
                    if row is not None and row.valid_until is None:
                        found = finish(asker, row, now)
            except NOT_READABLE:
                found = None
            if found is not None:
                body, fields = found
                protocol.response_bytes(200, fields.texts, body)
                return
        bridge = _Bridge(protocol)
        await self._hot.rest(asgi_scope(scope), bridge.receive, bridge.send)


class _Bridge:
    """One request's messages of ASGI as calls of RSGI."""

    def __init__(self, protocol: RsgiProtocol) -> None:
        self._protocol = protocol
        self._chunks: AsyncIterator[bytes] | None = None
        self._read = False
        self._start: tuple[int, list[tuple[str, str]]] | None = None
        self._stream: RsgiStream | None = None

    async def receive(self) -> Message:
        """The next piece of the body; after its end, that the asker has gone, when they go."""
        if not self._read:
            if self._chunks is None:
                self._chunks = aiter(self._protocol)
            try:
                return {"type": "http.request", "body": await anext(self._chunks), "more_body": True}
            except StopAsyncIteration:
                self._read = True
                return {"type": "http.request", "body": b"", "more_body": False}
        await self._protocol.client_disconnect()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Begin, go on with or end the answer; raises OSError when the asker has gone (ASGI, HTTP, send)."""
        if message["type"] == "http.response.start":
            fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message.get("headers", ())]
            self._start = message["status"], fields
        elif message["type"] == "http.response.body":
            await self._body(message.get("body", b""), more=message.get("more_body", False))

    async def _body(self, body: bytes, *, more: bool) -> None:
        assert self._start is not None, "an answer begins with its status"
        if self._stream is None:
            if not more:
                if body:
                    self._protocol.response_bytes(*self._start, body)
                else:
                    self._protocol.response_empty(*self._start)
                return
            self._stream = self._protocol.response_stream(*self._start)
        if body:
            try:
                await self._stream.send_bytes(body)
            except RuntimeError as exc:
                # Granian's RSGIProtocolClosed is one.
                raise OSError("the asker has gone") from exc


def asgi_scope(scope: RsgiScope) -> Scope:
    """A request of RSGI as ASGI has it (ASGI, HTTP, version 2.3)."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": scope.http_version,
        "method": scope.method,
        "scheme": scope.scheme,
        "path": scope.path,
        "raw_path": None,
        "query_string": scope.query_string.encode("latin-1"),
        "root_path": "",
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in scope.headers.items()],
        "client": _address(scope.client),
        "server": _address(scope.server),
        "state": {},
    }


def _address(text: str) -> tuple[str, int] | None:
    host, _, port = text.rpartition(":")
    return (host.strip("[]"), int(port)) if port.isdigit() else None


def from_environment() -> RsgiWeb:
    """The public web over `ECERT_*`, for `granian --interface rsgi --factory`."""
    app: Any = create_app(VerifierSettings())
    assert isinstance(app, HotPath)
    # What is loaded now stays until the end. Left to the collector, it was walked through again and again while
    # everybody waited: one to three pauses of 70 to 240 milliseconds in three seconds of load.
    gc.collect()
    gc.freeze()
    return RsgiWeb(app)
