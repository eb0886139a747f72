"""Routes for what a phone keeps: the scan page and its decoders, the service worker, the manifest, icons."""

import hashlib
import json
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from verifier.web import parts
from verifier.web.desk import Desk
from verifier.web.headers import KEEPER_POLICY, READER_POLICY
from verifier.web.negotiation import quality
from verifier.web.parts import Part
from verifier.web.problems import Problem
from verifier.web.script_data import LOG_SCRIPT

PAGES: Final = ("/", "/scan", "/help", "/offline")
MANIFEST: Final = "/manifest.webmanifest"
_KEPT: Final = [*PAGES, MANIFEST, "/icons/icon-192.png"]
_REVALIDATE: Final = "public, no-cache"
_HOUR: Final = "public, max-age=3600"
"""A browser looks for a new service worker at every visit; within the hour its own cache answers."""


def keeping_routes(desk: Desk) -> APIRouter:
    """The router over `desk`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/scan")
    async def scan(request: Request) -> Response:
        return desk.pages.scan(request, decoders=await desk.run(parts.can_scan))

    @router.get("/offline")
    async def offline(request: Request) -> Response:
        return desk.pages.offline(request)

    @router.get("/scan/{path:path}")
    async def scan_part(request: Request, path: str) -> Response:
        answer = _served(request, await desk.run(parts.scan_part, path))
        if path == "reader.js":
            answer.headers["Content-Security-Policy"] = READER_POLICY
        return answer

    @router.get("/icons/{name}")
    async def icon(request: Request, name: str) -> Response:
        return _served(request, await desk.run(parts.icon, name))

    @router.get(MANIFEST)
    async def manifest() -> Response:
        text = json.dumps(_manifest(), ensure_ascii=False)
        return Response(text, media_type="application/manifest+json", headers={"Cache-Control": _HOUR})

    @router.get(LOG_SCRIPT)
    async def log_script(request: Request) -> Response:
        text = desk.pages.log_script(await desk.published_keys())
        return Response(text, media_type="text/javascript", headers={"Cache-Control": "public, max-age=300"})

    @router.get("/sw.js")
    async def keeper(request: Request) -> Response:
        kept = [path for path in parts.SCAN_PARTS if await desk.run(parts.scan_part, path)]
        pages = (
            desk.pages.start(request),
            desk.pages.scan(request, decoders=parts.can_scan()),
            desk.pages.help(request),
            desk.pages.offline(request),
        )
        # Any change of what is kept is another version, and makes browsers fetch all of it anew.
        digest = hashlib.sha256(b"\0".join(bytes(page.body) for page in pages))
        digest.update("".join(part.etag for path in kept if (part := parts.scan_part(path))).encode())
        script = desk.pages.keeper(digest.hexdigest()[:16], _KEPT, [f"/scan/{path}" for path in kept])
        headers = {"Cache-Control": _HOUR, "Content-Security-Policy": KEEPER_POLICY}
        return Response(script, media_type="text/javascript", headers=headers)

    return router


def _served(request: Request, part: Part | None) -> Response:
    if part is None:
        raise Problem("no-such-page")
    headers = {"ETag": f"W/{part.etag}", "Cache-Control": _REVALIDATE, "Content-Type": part.media_type}
    if part.packed is not None:
        headers["Vary"] = "Accept-Encoding"
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if part.etag in known:
        return Response(status_code=304, headers=headers)
    if part.packed is not None and quality(request.headers.get("accept-encoding", ""), "br") > 0:
        return Response(part.packed, headers={**headers, "Content-Encoding": "br"})
    return Response(part.content, headers=headers)


def _manifest() -> dict[str, object]:
    return {
        "name": "职业资格电子证书查验",
        "short_name": "证书查验",
        "description": "扫描、查验职业资格电子证书 Check electronic qualification certificates",
        "lang": "zh-CN",
        "start_url": "/scan",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f6f5f1",
        "theme_color": "#ad2b22",
        "icons": [
            {"src": "/icons/icon-192.png", "sizes": "192x192", "type": "image/png"},
            {"src": "/icons/icon-512.png", "sizes": "512x512", "type": "image/png"},
            {"src": "/icons/icon-mask-512.png", "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
        ],
    }
