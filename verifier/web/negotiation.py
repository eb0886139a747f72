"""Which form of an answer the asker wants (RFC 9110, 12.5.1)."""

from collections.abc import Sequence
from functools import lru_cache

from starlette.requests import Request

HTML = "text/html"
JSON = "application/json"
CODINGS = ("br", "gzip")


def prefers_html(request: Request, *, page: bool = False) -> bool:
    """Whether to answer with a page.

    A browser names text/html. `page` tells that the address is a page by nature: then only an asker who
    names JSON and not HTML as well gets JSON; elsewhere HTML must be asked for.
    """
    return html_preferred(request.headers.get("accept", "*/*"), page=page)


@lru_cache(maxsize=512)
def html_preferred(accept: str, *, page: bool = False) -> bool:
    """`prefers_html` for the text of an Accept field."""
    html, json = quality(accept, HTML), quality(accept, JSON)
    if page:
        return html >= json
    return html > 0 and _named(accept, HTML) and html >= json


def best(accept: str, offered: Sequence[str]) -> str | None:
    """The offered media type the asker likes best, the first of equals; None when none is acceptable."""
    ranked = sorted(offered, key=lambda media_type: -quality(accept, media_type))
    return ranked[0] if quality(accept, ranked[0]) > 0 else None


def quality(accept: str, media_type: str) -> float:
    """The weight (0..1) of a media type under an Accept field; the most specific range decides."""
    ranges = {_range(part)[0]: _range(part)[1] for part in accept.split(",") if part.strip()}
    kind = media_type.split("/")[0]
    for candidate in (media_type, f"{kind}/*", "*/*"):
        if candidate in ranges:
            return ranges[candidate]
    return 0.0


@lru_cache(maxsize=512)
def best_coding(accept_encoding: str) -> str | None:
    """`br` or `gzip`, whichever the asker likes better (brotli of equals); None for neither (RFC 9110, 12.5.3)."""
    weights = dict(_range(part) for part in accept_encoding.split(",") if part.strip())
    ranked = sorted(CODINGS, key=lambda coding: -weights.get(coding, weights.get("*", 0.0)))
    return ranked[0] if weights.get(ranked[0], weights.get("*", 0.0)) > 0 else None


def _named(accept: str, media_type: str) -> bool:
    return any(_range(part)[0] == media_type for part in accept.split(","))


def _range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return name, min(1.0, max(0.0, float(parameter[2:])))
            except ValueError:
                return name, 0.0
    return name, 1.0
