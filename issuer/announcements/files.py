"""An announcement as a file: laid out once, when it is published (PDF/A-3a, PDF/UA-1)."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import typst

from issuer.announcements.listing import Line
from issuer.announcements.wording import Text
from issuer.clock import SHANGHAI
from issuer.context import Context
from issuer.errors import InputError, UnavailableError, Words
from issuer.records.announcements import FILE_PURPOSE, Announcement
from issuer.records.storage import FileMissingError
from templates.certificate.seal import seal_svg
from templates.fonts import families, typst_fonts

SEAL_INK = "#c22a22"
PAGE = Path(__file__).resolve().parents[2] / "templates" / "announcements" / "announcement.typ"


def announcement_pdf(
    text: Text,
    lines: Sequence[Line],
    *,
    number: str,
    authority: str,
    review_body: str,
    joint: bool,
    corrects: str | None,
    at: datetime,
    sample: bool,
) -> bytes:
    """The pages. The same content gives the same bytes. Raises InputError when a character cannot be drawn."""
    day = at.astimezone(SHANGHAI).date()
    data = {
        "number": number,
        "title": text.title,
        "title_en": text.title_en,
        "body": [part for part in text.body.splitlines() if part.strip()],
        "body_en": [part for part in text.body_en.splitlines() if part.strip()],
        "authority": f"{authority}　{review_body}" if joint else authority,
        "signed": [authority, review_body] if joint else [authority],
        "day": f"{day.year}年{day.month}月{day.day}日",
        "corrects": corrects,
        "notice": "示例文件，不具有法律效力 Sample" if sample else None,
        "families": list(families()),
        "seal": list(seal_svg(authority, SEAL_INK, sample).encode()),
        "seal_alt": "样章，非真实印章" if sample else f"{authority}印章",
        "lines": [[line.name, line.admission_no, line.specialty or "—"] for line in lines],
    }
    try:
        pdf = _compiler().compile(
            sys_inputs={"announcement": json.dumps(data, ensure_ascii=False)},
            format="pdf",
            pdf_standards=["a-3a", "ua-1"],
            timestamp=int(at.timestamp()),
        )
    except typst.TypstError as exc:
        # Typst quotes the text it could not set, which may be a name: it is not passed on.
        raise InputError(
            "announcement-undrawable",
            Words(
                "公告无法排版（正文或名单中有无法显示的字），没有发布。",
                "The announcement could not be laid out (a character that cannot be drawn); it was not published.",
            ),
            remedy=Words(
                "检查正文用字；运行 ecert doctor 检查字体。", "Check the text, and fonts with `ecert doctor`."
            ),
        ) from exc
    assert isinstance(pdf, bytes), "one file was asked for"
    return pdf


def keep_file(ctx: Context, number: str, pdf: bytes) -> tuple[str, str]:
    """Store the file encrypted; its storage key and SHA-256. Nothing refers to it until the unit of work commits."""
    digest = hashlib.sha256(pdf).hexdigest()
    key = f"announcements/{number}-{digest[:16]}.sealed"
    ctx.storage.put(key, ctx.data_key.seal(FILE_PURPOSE, pdf))
    return key, digest


def read_announcement(ctx: Context, row: Announcement) -> bytes:
    """The published file. Raises UnavailableError when it is gone or not the one that was published."""
    try:
        pdf = ctx.data_key.open(FILE_PURPOSE, ctx.storage.get(row.file_key or ""))
    except FileMissingError as exc:
        raise _damaged() from exc
    if hashlib.sha256(pdf).hexdigest() != row.file_sha256:
        raise _damaged()
    return pdf


def _damaged() -> UnavailableError:
    return UnavailableError(
        "file-damaged",
        Words("公告文件缺失或与登记不符；网页上的公告不受影响。", "The file is missing or not the one published."),
        remedy=Words("请看网页，或稍后再试。", "Read the page, or try again later."),
    )


@lru_cache(maxsize=1)
def _compiler() -> typst.Compiler:
    return typst.Compiler(input=PAGE, root=PAGE.parent, font_paths=typst_fonts(), ignore_system_fonts=True)
