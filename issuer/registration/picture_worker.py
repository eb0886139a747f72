"""The process that opens a stranger's file: reads standard input, writes what it found, and can do nothing else.

One question a process: a line of JSON (`op` inspect or page), then the file. The answer is a line of JSON, then the
picture if one was asked for. Memory and time are limited, no socket, no child, no file opened for writing; scripts,
links and attachments of a document are never looked at: only its pages are painted.
"""

import io
import json
import resource
import sys
import warnings
from typing import Any, Final

import pypdfium2
from PIL import Image, ImageOps, JpegImagePlugin, PngImagePlugin

CPU_SECONDS: Final = 15
MEMORY_BYTES: Final = 768 * 1024 * 1024
MAX_PAGES: Final = 30
MAX_PIXELS: Final = 50_000_000
WIDTH: Final = 1400
"""Pixels of a page as it is shown; a scan stays readable, a stamp stays red."""
COLOURS: Final = 128
PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
_READERS = (JpegImagePlugin, PngImagePlugin)
_FORBIDDEN: Final = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system", "ctypes.dlopen")
_WRITING: Final = frozenset("wax+")


class UnusableError(Exception):
    """The file cannot be used; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def main() -> None:
    """Answer one question."""
    _lock_down()
    question = json.loads(sys.stdin.buffer.readline())
    data = sys.stdin.buffer.read()
    picture = b""
    try:
        answer: dict[str, Any] = _inspect(data)
        if question["op"] == "page":
            picture = _page(data, answer["type"], question["page"])
    except UnusableError as exc:
        answer = {"error": exc.code}
    except (ValueError, OSError, SyntaxError, EOFError, IndexError, TypeError, pypdfium2.PdfiumError):
        answer = {"error": "unreadable"}
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + picture)
    sys.stdout.buffer.flush()


def _inspect(data: bytes) -> dict[str, Any]:
    """Type by what the bytes are, whatever the name says, and how many pages; every page's box is read."""
    if data.startswith(b"%PDF-"):
        return {"type": PDF, "pages": _pdf_pages(data)}
    kind = JPEG if data.startswith(b"\xff\xd8\xff") else PNG if data.startswith(b"\x89PNG\r\n\x1a\n") else None
    if kind is None:
        raise UnusableError("type")
    _decode(data).close()
    return {"type": kind, "pages": 1}


def _pdf_pages(data: bytes) -> int:
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as exc:
        raise UnusableError("password" if "assword" in str(exc) else "unreadable") from exc
    count = len(document)
    if not 1 <= count <= MAX_PAGES:
        raise UnusableError("pages")
    for number in range(count):
        width, height = document[number].get_size()
        if not (10 <= width <= 15_000 and 10 <= height <= 15_000):
            raise UnusableError("unreadable")
    return count


def _page(data: bytes, kind: str, number: int) -> bytes:
    if kind == PDF:
        page = pypdfium2.PdfDocument(data)[number - 1]
        width, height = page.get_size()
        # Annotations and form fields are painted as they stand; nothing in them runs.
        scale = min(WIDTH / width, (2 * WIDTH) / height)
        picture = page.render(scale=scale, may_draw_forms=False).to_pil().convert("RGB")
    else:
        picture = _decode(data)
        picture.thumbnail((WIDTH, 2 * WIDTH), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.quantize(COLOURS, method=Image.Quantize.FASTOCTREE).save(out, "PNG", optimize=False)
    return out.getvalue()


def _decode(data: bytes) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            opened = Image.open(io.BytesIO(data), formats=("JPEG", "PNG"))
            if opened.width * opened.height > MAX_PIXELS:
                raise UnusableError("pixels")
            opened.draft("RGB", (2 * WIDTH, 4 * WIDTH))
            upright = ImageOps.exif_transpose(opened)
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as exc:
            raise UnusableError("pixels") from exc
    if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
        layer = upright.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return upright.convert("RGB")


def _lock_down() -> None:
    Image.init()
    if sys.platform == "linux":  # elsewhere the kernel does not hold a process to it
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    writing = event == "open" and isinstance(arguments[1], str) and not _WRITING.isdisjoint(arguments[1])
    if writing or event.startswith(_FORBIDDEN):
        raise PermissionError(f"{event} is not for a stranger's file")


if __name__ == "__main__":
    main()
