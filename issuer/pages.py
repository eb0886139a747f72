"""What all pages of the private side share: templates, headers, static files, words for codes."""

from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.staticfiles import StaticFiles

from issuer.bodies import AsgiApp, Message, Receive, Scope, Send
from issuer.clock import SHANGHAI
from issuer.errors import DomainError, NotAllowedError, Words
from issuer.words import say_in_both

RETRY_AFTER_SECONDS = "60"
_SIDES = (("/my", "holder"), ("/watch", "sharing"), ("/announcements", "announcements"))
TEMPLATES = Path(__file__).resolve().parent.parent / "templates"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def _instant(value: datetime) -> str:
    return value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["instant"] = _instant
    environment.globals["words"] = say_in_both
    return environment


_pages = _environment()


def page(name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Render `templates/NAME`; pages with somebody's data are never stored by browsers or proxies."""
    headers = {"Cache-Control": "no-store"}
    if status in (429, 503):
        headers["Retry-After"] = RETRY_AFTER_SECONDS
    return HTMLResponse(_pages.get_template(name).render(**values), status, headers=headers)


def render(name: str, **values: Any) -> str:
    """`templates/NAME` as text, for a page that is sent inside a file."""
    return _pages.get_template(name).render(**values)


class SecurityHeaders:
    """ASGI layer: the headers above on every answer that does not set its own."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, dressed if scope["type"] == "http" else send)


def install_pages(app: FastAPI) -> None:
    """The style and script files under /console/static."""
    app.mount("/console/static", StaticFiles(directory=TEMPLATES / "static"), name="static")


def refusal_page(request: Request, status: int, error: DomainError) -> HTMLResponse:
    """An error as a page of the side it happened on: the holder's, the watchers' or the console's."""
    side = next((side for start, side in _SIDES if request.url.path.startswith(start)), "staff")
    return page(f"{side}/problem.html", status, refusal=error)


def require_same_site(request: Request) -> None:
    """Refuse a form that another site sent (Fetch Metadata); raises NotAllowedError."""
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise NotAllowedError(
            "csrf",
            Words("该请求来自其他网站，未作任何改动。", "The request came from another site; nothing was changed."),
            remedy=Words("请在本站页面中办理。", "Use the pages of this site."),
        )


def client_address(request: Request) -> str:
    """What counts as one client when attempts are counted: also behind a proxy of ours."""
    address: str = request.app.state.clients.address(request.scope)
    return address


def is_secure(request: Request) -> bool:
    """Whether the browser came by https (also behind a proxy that says so)."""
    return request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"
