"""The handover register as a page to be sealed (PDF/A-3a, PDF/UA-1) and as a spreadsheet."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import typst
import xlsxwriter

from issuer.clock import SHANGHAI
from issuer.errors import InputError, Words
from templates.certificate.seal import seal_svg
from templates.fonts import families, typst_fonts

PAGE = Path(__file__).resolve().parents[2] / "templates" / "paper" / "register.typ"
HEADS = (
    ("序号", "No."),
    ("箱号", "Box"),
    ("印刷编号", "Serial"),
    ("管理号", "Management no."),
    ("姓名", "Name"),
    ("专业类别", "Specialty"),
)
SEAL_INK = "#c22a22"


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """One certificate on the register."""

    position: int
    box: str
    serial: str
    management_no: str
    name: str
    specialty: str

    def cells(self) -> tuple[str, ...]:
        """As the table shows it, in the order of HEADS."""
        return (str(self.position), self.box, self.serial, self.management_no, self.name, self.specialty or "—")


@dataclass(frozen=True, slots=True)
class RegisterContent:
    """Everything a register says. `counted_by` and `signed_by` are two people."""

    number: str
    sitting: str
    programme: str
    review_body: str
    authority: str
    exam_ended_on: date
    due_on: date
    counted_by: str
    counted_at: datetime
    signed_by: str
    signed_at: datetime
    sample: bool
    boxes: tuple[tuple[str, int], ...]
    lines: tuple[RegisterLine, ...]


def register_pdf(content: RegisterContent) -> bytes:
    """The register's pages, not sealed yet; raises InputError when a character cannot be drawn."""
    data = {
        "title": "未领取纸质证书移交清册",
        "title_en": "Register of unclaimed paper certificates handed over",
        "number": content.number,
        "authority": content.authority,
        "families": list(families()),
        "notice": "示例文件，不具有法律效力 Sample" if content.sample else None,
        "facts": [
            ("考试项目", "Programme", content.programme),
            ("考试批次", "Sitting", content.sitting),
            ("考试结束日", "Examination ended", _day(content.exam_ended_on)),
            ("保管期满日", "Kept until", _day(content.due_on - timedelta(days=1))),
            ("移交部门", "Handed over by", content.review_body),
            ("接收部门", "Taken over by", content.authority),
            ("合计", "Total", f"{len(content.lines)} 份，{len(content.boxes)} 箱"),
        ],
        "statement": (
            "依照豫人社函〔2024〕25号第二条第（三）项，未领取的纸质证书自考试结束之日起代为保管五年，期满登记造册移交。"
            "下列证书经逐箱清点，数量与登记一致。"
        ),
        "statement_en": (
            "Unclaimed paper certificates are kept for five years from the day the examination ended, then entered "
            "in a register and handed over to the department. The boxes were counted and agree with the record."
        ),
        "boxes": [[label, count] for label, count in content.boxes],
        "signatures": [
            ("清点人", "Counted by", content.counted_by, _moment(content.counted_at)),
            ("接收会签人", "Countersigned by", content.signed_by, _moment(content.signed_at)),
            ("移交日期", "Handed over on", _day(content.signed_at.astimezone(SHANGHAI).date()), ""),
        ],
        "seal": list(seal_svg(content.authority, SEAL_INK, content.sample).encode()),
        "seal_alt": "样章，非真实印章" if content.sample else f"{content.authority}印章",
        "heads": [list(head) for head in HEADS],
        "lines": [list(line.cells()) for line in content.lines],
    }
    try:
        pdf = _compiler().compile(
            sys_inputs={"register": json.dumps(data, ensure_ascii=False)},
            format="pdf",
            pdf_standards=["a-3a", "ua-1"],
            timestamp=int(content.signed_at.timestamp()),
        )
    except typst.TypstError as exc:
        # Typst quotes the text it could not set, which may be a name: it is not passed on.
        raise InputError(
            "register-undrawable",
            Words(
                "清册无法排版（可能缺少字体），什么也没有移交。",
                "The register could not be laid out; nothing was changed.",
            ),
            remedy=Words("运行 ecert doctor 检查字体。", "See `ecert doctor` about fonts."),
        ) from exc
    assert isinstance(pdf, bytes), "one file was asked for"
    return pdf


def register_xlsx(content: RegisterContent) -> bytes:
    """The same lines as a workbook; every cell is text."""
    titles = [f"{zh} {en}" for zh, en in HEADS]
    return table_xlsx("移交清册", titles, [line.cells() for line in content.lines], heading=content.number)


def table_xlsx(
    sheet_name: str, titles: Sequence[str], rows: Sequence[Sequence[str]], *, heading: str | None = None
) -> bytes:
    """A workbook with one sheet of text cells: nothing in it is taken for a formula or an address."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet(sheet_name)
        bold = book.add_format({"bold": True, "bg_color": "#F5F1E8", "bottom": 1})
        text = book.add_format({"num_format": "@"})
        top = 0
        if heading:
            sheet.write_string(0, 0, heading, book.add_format({"bold": True, "font_size": 13}))
            top = 1
        for column, title in enumerate(titles):
            sheet.write_string(top, column, title, bold)
            widest = max([len(title) + 4, *(len(row[column]) * 1.6 for row in rows[:200])])
            sheet.set_column(column, column, min(widest, 48), text)
        for line, row in enumerate(rows, top + 1):
            for column, value in enumerate(row):
                sheet.write_string(line, column, value, text)
        sheet.freeze_panes(top + 1, 0)
    return out.getvalue()


@lru_cache(maxsize=1)
def _compiler() -> typst.Compiler:
    return typst.Compiler(input=PAGE, root=PAGE.parent, font_paths=typst_fonts(), ignore_system_fonts=True)


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _moment(instant: datetime) -> str:
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
