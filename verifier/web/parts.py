"""Files the public pages load by address: the scanner with its decoders, icons. Packed once, named by their content.

The decoders come from npm at set-up (`tools/fetch_assets.py`). Where they are not there, only scanning is missing.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

import brotli

_OURS: Final = "public"
_FETCHED: Final = "static/vendor"
_SCRIPT: Final = "text/javascript; charset=utf-8"
SCAN_PARTS: Final = {
    "reader.js": (_OURS, "reader.js", _SCRIPT),
    "qr/decode.js": (_FETCHED, "qr/decode.js", _SCRIPT),
    "qr/index.js": (_FETCHED, "qr/index.js", _SCRIPT),
    "zxing/reader/index.js": (_FETCHED, "zxing/reader/index.js", _SCRIPT),
    "zxing/share.js": (_FETCHED, "zxing/share.js", _SCRIPT),
    "zxing/zxing_reader.wasm": (_FETCHED, "zxing/zxing_reader.wasm", "application/wasm"),
}
"""Path after `/scan/` → where the file lies. The decoders import each other by these relative places."""
ICONS: Final = ("icon-180.png", "icon-192.png", "icon-512.png", "icon-mask-512.png")
_NEEDED: Final = ("qr/decode.js", "qr/index.js")
_BROTLI_LEVEL: Final = 9


@dataclass(frozen=True, slots=True)
class Part:
    """One file: its bytes, the same under brotli (None where that saves nothing), its type, its name by content."""

    content: bytes
    packed: bytes | None
    media_type: str
    etag: str


def scan_part(path: str) -> Part | None:
    """A file under `/scan/`; None when there is none, also because it was not fetched at set-up."""
    place = SCAN_PARTS.get(path)
    return None if place is None else _part(*place)


def icon(name: str) -> Part | None:
    """A file under `/icons/`."""
    return _part(_OURS, f"icons/{name}", "image/png") if name in ICONS else None


def can_scan() -> bool:
    """Whether the smaller decoder was fetched; the stronger one may be missing without harm."""
    return all(scan_part(path) is not None for path in _NEEDED)


@cache
def _part(folder: str, name: str, media_type: str) -> Part | None:
    try:
        content = resources.files("templates").joinpath(folder, name).read_bytes()
    except FileNotFoundError:
        return None
    packed = None if media_type == "image/png" else brotli.compress(content, quality=_BROTLI_LEVEL)
    return Part(content, packed, media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
