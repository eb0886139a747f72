"""Where the console is, as browsers see it: passkeys are bound to it, identity providers send people back to it."""

from urllib.parse import urlsplit

from fastapi import Request

from issuer.settings import Settings

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def origin_of(request: Request, settings: Settings) -> str | None:
    """Scheme, host and port of the console; None when they are not set and the request's own cannot be trusted.

    A request's Host is whatever a client says, so it counts only where it means the very machine of the browser.
    """
    if settings.console_url:
        parts = urlsplit(settings.console_url)
        return f"{parts.scheme}://{parts.netloc}"
    if request.url.hostname in _THIS_MACHINE:
        return f"{request.url.scheme}://{request.url.netloc}"
    return None
