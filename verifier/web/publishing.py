"""Routes that hand out what was signed: key set, status lists, the log. All public, cacheable, checkable."""

import hashlib
import re
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from verifier.record.log_tiles import Tile, TileNotFoundError, read_tile
from verifier.web.desk import Desk
from verifier.web.negotiation import best
from verifier.web.problems import Problem
from verifier.web.schemas import problem_response

JWT: Final = "application/statuslist+jwt"
CWT: Final = "application/statuslist+cwt"
_REVALIDATE: Final = "public, no-cache"
"""May be stored, must be asked for again: a status must not live on in a cache after it changed."""
_FOREVER: Final = "public, max-age=31536000, immutable"
_LIST_ID = re.compile(r"[0-9A-Za-z._-]{1,32}")
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_OUT: dict[int | str, dict[str, Any]] = {
    503: problem_response("The register cannot be read now; see Retry-After"),
}


def publishing_routes(desk: Desk) -> APIRouter:
    """The router over `desk`."""
    router = APIRouter(tags=["published"])

    @router.get(
        "/.well-known/ecert-keys.json",
        summary="The public keys, certificates and revocation lists everything is checked with",
        response_class=Response,
        responses={200: {"content": {"application/json": {}}}, **_OUT},
    )
    async def keys(request: Request) -> Response:
        loaded = await desk.published_keys()
        return _cached(request, loaded.published, "application/json", etag=loaded.etag)

    @router.get(
        "/status-lists/{list_id}",
        summary="A signed Token Status List, as JWT or CWT by Accept",
        response_class=Response,
        responses={
            200: {"content": {JWT: {"schema": {"type": "string"}}, CWT: _BINARY}},
            404: problem_response("No such list"),
            **_OUT,
        },
    )
    async def status_list(request: Request, list_id: str) -> Response:
        stored = await desk.read(desk.register.status_list, list_id) if _LIST_ID.fullmatch(list_id) else None
        if stored is None:
            raise Problem("no-such-page")
        wanted = best(request.headers.get("accept", "*/*"), (JWT, CWT)) or JWT
        return _cached(request, stored.token_jwt if wanted == JWT else stored.token_cwt, wanted, vary=True)

    @router.get(
        "/log/checkpoint",
        summary="The newest signed tree head of the transparency log (C2SP tlog-checkpoint)",
        response_class=PlainTextResponse,
        responses={404: problem_response("Nothing is logged yet"), **_OUT},
    )
    async def checkpoint(request: Request) -> Response:
        newest = await desk.read(desk.register.latest_checkpoint)
        if newest is None:
            raise Problem("no-such-page")
        return _cached(request, newest.signed_note.encode(), "text/plain; charset=utf-8")

    @router.get(
        "/log/tile/{path:path}",
        summary="A tile of the log: hashes, or entries (C2SP tlog-tiles)",
        response_class=Response,
        responses={
            200: {"content": {"application/octet-stream": _BINARY}},
            404: problem_response("No such tile"),
            **_OUT,
        },
    )
    async def tile(path: str) -> Response:
        try:
            found = await desk.read(_tile, desk, f"tile/{path}")
        except TileNotFoundError:
            raise Problem("no-such-page") from None
        return Response(found.content, media_type="application/octet-stream", headers={"Cache-Control": _FOREVER})

    return router


def _tile(desk: Desk, path: str) -> Tile:
    newest = desk.register.latest_checkpoint()
    return read_tile(desk.register, path, newest.tree_size if newest else 0)


def _cached(
    request: Request, body: bytes, media_type: str, *, etag: str | None = None, vary: bool = False
) -> Response:
    etag = etag or f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    # Weak: the same list goes out plain and compressed (RFC 9110, 8.8.3.3).
    headers = {"ETag": f"W/{etag}", "Cache-Control": _REVALIDATE, "Access-Control-Allow-Origin": "*"}
    if vary:
        headers["Vary"] = "Accept"
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, headers={**headers, "Content-Type": media_type})
