"""Looking into files of strangers and painting their pages, each in a process of its own that can do nothing else."""

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from issuer.errors import InputError, TooLargeError, UnavailableError, Words

MAX_BYTES: Final = 10 * 1024 * 1024
WALL_SECONDS: Final = 60.0
"""By the clock, on a machine that may be busy; CPU time is limited far lower in the process itself."""
_AT_ONCE = threading.BoundedSemaphore(2)
_WAIT_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class Inspected:
    """What a file is by its bytes: media type, and pages (1 for a picture)."""

    media_type: str
    pages: int


def inspect_file(data: bytes) -> Inspected:
    """Type and pages of a material.

    Raises InputError or TooLargeError (no whole PDF, JPEG or PNG within the limits), UnavailableError (no process).
    """
    if not data:
        raise InputError("material-empty", Words("文件是空的。", "The file is empty."))
    if len(data) > MAX_BYTES:
        mib = MAX_BYTES >> 20
        raise TooLargeError(
            "material-too-large",
            Words(f"文件超过 {mib} MB，未保存。", f"The file is larger than {mib} MB; it was not kept."),
            remedy=Words(
                "请降低扫描分辨率，或分页上传。", "Scan at a lower resolution, or send the pages one by one."
            ),
        )
    answer, _ = _ask({"op": "inspect"}, data)
    return Inspected(answer["type"], answer["pages"])


def page_picture(data: bytes, page: int) -> bytes:
    """One page as PNG, `page` from 1. Raises as `inspect_file`, and InputError for a page that is not there."""
    return _ask({"op": "page", "page": page}, data)[1]


def _ask(question: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    if not _AT_ONCE.acquire(timeout=_WAIT_SECONDS):
        raise _down()
    try:
        paths = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
        # The command line is constant; the environment holds nothing of ours but where the modules are.
        done = subprocess.run(
            [sys.executable, "-m", "issuer.registration.picture_worker"],
            input=json.dumps(question).encode() + b"\n" + data,
            capture_output=True,
            timeout=WALL_SECONDS,
            env={"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
            start_new_session=True,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise _unusable("exhausting") from exc
    except OSError as exc:
        raise _down() from exc
    finally:
        _AT_ONCE.release()
    head, _, picture = done.stdout.partition(b"\n")
    try:
        answer = json.loads(head)
    except ValueError:
        # It ran out of what it may use, or broke on the file: either way the file is not one to keep.
        raise _unusable("exhausting") from None
    if "error" in answer:
        raise _unusable(answer["error"])
    return answer, picture


_WHY = {
    "type": Words("文件不是 PDF、JPEG 或 PNG。", "The file is no PDF, JPEG or PNG."),
    "password": Words("PDF 设有密码。", "The PDF asks for a password."),
    "pages": Words("PDF 页数应为 1 至 30 页。", "A PDF may have 1 to 30 pages."),
    "pixels": Words("图片像素过大。", "The picture has too many pixels."),
    "exhausting": Words("文件过于复杂，无法打开。", "The file is too complex to be opened."),
}


def _unusable(why: str) -> InputError:
    return InputError(
        "material-unusable",
        _WHY.get(why, Words("文件损坏，无法打开。", "The file is damaged and cannot be opened.")),
        remedy=Words(
            "请上传清晰、无密码的 PDF、JPEG 或 PNG 文件。", "Send a clear PDF, JPEG or PNG without a password."
        ),
    )


def _down() -> UnavailableError:
    return UnavailableError(
        "material-viewer-unavailable",
        Words("文件检查暂时不可用，未作任何更改。", "Files cannot be looked at now; nothing was changed."),
        remedy=Words("请稍后重试。", "Try again shortly."),
    )
