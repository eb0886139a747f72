"""What every answer carries for safety, and HEAD for every GET. Plain ASGI, so that the hot path pays little."""

from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_EVERYWHERE: Final = {
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"cross-origin-opener-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    b"x-robots-tag": b"noindex, nofollow",
}
_NO_PAGE: Final = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_HSTS: Final = b"max-age=31536000; includeSubDomains"


class SafeHeaders:
    """Adds the security fields an answer does not set itself; answers HEAD as GET without the body (RFC 9110, 9.3.2).

    `https`: the public address is https, so browsers are told to keep to it.
    """

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._defaults = {**_EVERYWHERE, b"content-security-policy": _NO_PAGE, b"cache-control": b"no-store"}
        if https:
            self._defaults[b"strict-transport-security"] = _HSTS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        bodiless = scope["method"] == "HEAD"

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": self.complete(message.get("headers", ()))}
            elif bodiless and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"} if bodiless else scope, receive, sending)

    def complete(self, headers: Any) -> list[tuple[bytes, bytes]]:
        """The fields given, and those of ours that are not among them."""
        present = [(bytes(name), bytes(value)) for name, value in headers]
        names = {name.lower() for name, _ in present}
        return present + [(name, value) for name, value in self._defaults.items() if name not in names]


CAMERA: Final = "camera=(self), microphone=(), geolocation=(), payment=(), usb=()"
"""Permissions-Policy of the one page that may use the camera."""
READER_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; frame-ancestors 'none'"
)
"""Policy of the scanner's worker, which alone runs WebAssembly: a worker has its own, not its page's (CSP 3, 4.2)."""
KEEPER_POLICY: Final = "default-src 'none'; connect-src 'self'; frame-ancestors 'none'"
"""Policy of the service worker: it fetches from this server and loads no other script."""


def page_policy(
    *,
    scripts: tuple[str, ...],
    styles: tuple[str, ...],
    connects: tuple[str, ...] = (),
    submits: bool,
    pictures: bool = False,
) -> str:
    """The Content-Security-Policy of a page: only the inlined texts named by hash; no other source at all.

    `connects`: where the page's script may ask; `submits`: its forms may post to this server; `pictures`: icons of
    this server. Workers come from this server only: the service worker, and the scanner's decoder.
    """
    own = "'self'"
    none = "'none'"
    return "; ".join(
        (
            f"default-src {none}",
            f"script-src {' '.join(scripts) or none}",
            f"style-src {' '.join(styles)}",
            f"img-src data:{' ' + own if pictures else ''}",
            f"connect-src {' '.join(connects) or none}",
            f"worker-src {own if scripts else none}",
            f"manifest-src {own if pictures else none}",
            f"form-action {own if submits else none}",
            f"base-uri {none}",
            f"frame-ancestors {none}",
        )
    )
