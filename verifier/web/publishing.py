"""Routes that hand out what was signed: key set, status lists, the log. All public, cacheable, checkable."""

import hashlib
import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import brotli
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from verifier.record.log_proof import prove_status
from verifier.record.log_tiles import Tile, TileNotFoundError, read_tile
from verifier.record.qr import is_token
from verifier.record.register import SqlRegister
from verifier.record.status_list import AGGREGATION_PATH, list_uri
from verifier.web.desk import Desk
from verifier.web.negotiation import best, best_coding
from verifier.web.problems import Problem
from verifier.web.schemas import AggregationModel, ProofModel, problem_response

JWT: Final = "application/statuslist+jwt"
CWT: Final = "application/statuslist+cwt"
_REVALIDATE: Final = "public, no-cache"
"""May be stored, must be asked for again: a status must not live on in a cache after it changed."""
_FOREVER: Final = "public, max-age=31536000, immutable"
_LIST_ID = re.compile(r"[0-9A-Za-z._-]{1,32}")
_SECONDS = re.compile(r"[0-9]{1,11}")
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
        AGGREGATION_PATH,
        summary="The addresses of all status lists (Status List Aggregation)",
        response_model=AggregationModel,
        responses=_OUT,
    )
    async def all_lists(request: Request) -> Response:
        ids = await desk.read(desk.register.status_list_ids)
        body = {"status_lists": [list_uri(desk.base_url, list_id) for list_id in ids]}
        return _cached(request, json.dumps(body).encode(), "application/json")

    @router.get(
        "/status-lists/{list_id}",
        summary="A signed Token Status List, as JWT or CWT by Accept; with `time` as it was signed for that instant",
        response_class=Response,
        responses={
            200: {"content": {JWT: {"schema": {"type": "string"}}, CWT: _BINARY}},
            404: problem_response("No such list, or none was signed for that instant"),
            406: problem_response("Neither JWT nor CWT is acceptable"),
            422: problem_response("`time` is not a number of seconds"),
            **_OUT,
        },
    )
    async def status_list(
        request: Request,
        list_id: str,
        time: str | None = Query(None, max_length=32, description="Unix time in seconds (Historical Resolution)"),
    ) -> Response:
        wanted = best(request.headers.get("accept", "*/*"), (JWT, CWT))
        if wanted is None:
            raise Problem("not-acceptable")
        if _LIST_ID.fullmatch(list_id) is None:
            raise Problem("no-such-page")
        tokens = await desk.read(_then if time is not None else _now, desk.register, list_id, time or "")
        return _cached(request, tokens[0] if wanted == JWT else tokens[1], wanted, vary="Accept, ")

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
        "/log/proof/{token}",
        summary="Proof that a certificate's newest status stands in the log",
        description="The newest leaf that states a status, its path to the root (RFC 6962, 2.1.1, from the leaf "
        "upwards, hex) and the signed checkpoint that holds the root.",
        response_model=ProofModel,
        responses={404: problem_response("The log holds nothing of such a certificate"), **_OUT},
    )
    async def proof(token: str = Path(description="26 base32 characters, either case", max_length=200)) -> Response:
        found = await desk.read(prove_status, desk.register, token.upper()) if is_token(token) else None
        if found is None:
            raise Problem("not-found", headers={"Cache-Control": "no-store"})
        # Another status, another leaf: no cache may answer for it.
        headers = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}
        return JSONResponse(found.to_json(), headers=headers)

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


def _now(register: SqlRegister, list_id: str, _: str) -> tuple[bytes, bytes]:
    stored = register.status_list(list_id)
    if stored is None:
        raise Problem("no-such-page")
    return stored.token_jwt, stored.token_cwt


def _then(register: SqlRegister, list_id: str, time: str) -> tuple[bytes, bytes]:
    if _SECONDS.fullmatch(time) is None:
        raise Problem("bad-request", ("time 须为 1970 年以来的秒数。", "`time` is a number of seconds since 1970."))
    tokens = register.status_list_then(list_id, datetime.fromtimestamp(int(time), UTC))
    if tokens is None:
        raise Problem(
            "no-such-page",
            ("没有为该时刻签发的状态清单。", "No status list was signed for that instant."),
        )
    return tokens


def _cached(request: Request, body: bytes, media_type: str, *, etag: str | None = None, vary: str = "") -> Response:
    etag = etag or f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    # Weak: the same list goes out plain and compressed (RFC 9110, 8.8.3.3).
    headers = {
        "ETag": f"W/{etag}",
        "Cache-Control": _REVALIDATE,
        "Access-Control-Allow-Origin": "*",
        "Vary": f"{vary}Accept-Encoding",
    }
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    # gzip is left to the layer around all routes.
    if best_coding(request.headers.get("accept-encoding", "")) == "br":
        packed = _brotli(body)
        if len(packed) < len(body):
            return Response(packed, headers={**headers, "Content-Type": media_type, "Content-Encoding": "br"})
    return Response(body, headers={**headers, "Content-Type": media_type})


@lru_cache(maxsize=64)
def _brotli(body: bytes) -> bytes:
    """Asked for again and again while nothing changes, so packed once."""
    packed: bytes = brotli.compress(body, quality=9)
    return packed
