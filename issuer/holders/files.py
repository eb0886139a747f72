"""Serving a PDF: byte ranges (RFC 9110, 14) and a file name in Chinese (RFC 6266, RFC 8187)."""

import re
from urllib.parse import quote

from starlette.responses import Response

_RANGE = re.compile(r"bytes=(?P<first>\d*)-(?P<last>\d*)", re.ASCII)
_UNSAFE = re.compile(r'[\x00-\x1f\x7f"\\/:*?<>|%]')


def content_disposition(file_name: str, *, inline: bool = False) -> str:
    """`Content-Disposition` with an ASCII fallback and the real name in UTF-8 (RFC 8187)."""
    cleaned = _UNSAFE.sub("_", file_name) or "certificate.pdf"
    fallback = cleaned.encode("ascii", "replace").decode().replace("?", "_")
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{fallback}\"; filename*=UTF-8''{quote(cleaned, safe='')}"


def pdf_response(
    content: bytes, file_name: str, sha256: str | None, range_header: str | None, *, inline: bool = False
) -> Response:
    """The whole file, or the single range asked for (206), or 416 when the range lies outside it.

    A header with several ranges or another unit is ignored, as RFC 9110 allows.
    """
    headers = {
        "Content-Disposition": content_disposition(file_name, inline=inline),
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
        # A browser's own viewer is a document with styles and a plug-in; nothing else may be loaded.
        "Content-Security-Policy": (
            "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
        ),
    }
    if sha256:
        headers["ETag"] = f'"{sha256}"'
    asked = _RANGE.fullmatch(range_header.strip()) if range_header else None
    if asked is None or (not asked["first"] and not asked["last"]):
        return Response(content, media_type="application/pdf", headers=headers)
    size = len(content)
    if asked["first"]:
        first = int(asked["first"])
        last = min(int(asked["last"]), size - 1) if asked["last"] else size - 1
    else:
        first, last = max(size - int(asked["last"]), 0), size - 1
    if first > last or first >= size:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return Response(content[first : last + 1], 206, media_type="application/pdf", headers=headers)
