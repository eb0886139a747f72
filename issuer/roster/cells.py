"""Single cells to values: text, dates, scores. Spreadsheets hold the same thing in many ways."""

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from issuer.roster.xlsx_reading import Cell
from issuer.rules.identity import spreadsheet_number
from templates.fonts import missing_glyphs

ABSENT_WORDS = frozenset({"缺考", "缺", "缺席", "未参加", "违纪", "作弊", "成绩无效", "无效", "取消", "零分"})
"""Words that stand for a score and mean that the subject was not passed."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_FULL_WIDTH = re.compile("[\uff01-\uff5e\u3000]")
_COMMON_HAN = re.compile("[\u4e00-\u9fa5]*")
_DATE = re.compile(
    r"(\d{4})\s*(?:[-/.年])\s*(\d{1,2})\s*(?:[-/.月])\s*(\d{1,2})\s*日?(?:[ T]0?0:00(?::00(?:\.0+)?)?)?", re.ASCII
)
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\.0+)?", re.ASCII)
_EPOCH = date(1899, 12, 30)  # day 0 of spreadsheets' 1900 system, for days after February 1900
_FIRST_SERIAL, _LAST_SERIAL = 3_000, 80_000  # 1908 … 2119


def cell_text(cell: Cell) -> str:
    """The cell as text, unchanged if it is one; whole numbers without `.0`; dates as ISO 8601."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int | float):
        return spreadsheet_number(float(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)


def folded(text: str) -> str:
    """Half-width letters and digits, no outer blanks."""
    if _FULL_WIDTH.search(text) is None:
        return text.strip()
    return "".join(
        unicodedata.normalize("NFKC", char) if "\uff01" <= char <= "\uff5e" or char == "\u3000" else char
        for char in text
    ).strip()


def plain_text(cell: Cell) -> tuple[str, bool]:
    """(text on one line without control or invisible characters, whether any was removed)."""
    text = cell_text(cell)
    if text.isprintable() and text.strip() == text and "  " not in text:
        return text, False
    bare = _CONTROLS.sub("", text)
    return " ".join(bare.split()), bare != text


def looks_hostile(text: str) -> bool:
    """Whether a spreadsheet or a browser would do something with the text if it were not kept as text."""
    if re.match(r"[=@\t\r]|[+-](?=[^0-9 ])", text):
        return True
    return re.search(r"<\s*[a-zA-Z/!]|javascript:", text, re.IGNORECASE) is not None


def hard_to_draw(name: str) -> bool:
    """Whether the page's fonts lack a character of the name, or marks are stacked on one letter."""
    if _COMMON_HAN.fullmatch(name) is not None:
        return False
    marks = [unicodedata.combining(char) != 0 for char in unicodedata.normalize("NFC", name)]
    return any(a and b for a, b in pairwise(marks)) or bool(missing_glyphs(name))


def cell_date(cell: Cell) -> date | None:
    """The date a cell stands for; None when it stands for none.

    Understands date cells, serial numbers of the 1900 system, and 1989-11-03, 1989/11/3, 1989.11.3,
    19891103, 1989年11月3日, in half or full width.
    """
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, bool | time | timedelta):
        return None
    if isinstance(cell, int | float):
        if _FIRST_SERIAL <= cell <= _LAST_SERIAL and float(cell).is_integer():
            return _EPOCH + timedelta(days=int(cell))
        text = spreadsheet_number(float(cell))
    else:
        text = folded(cell).lstrip("'`")
    found = _DATE.fullmatch(text) or _COMPACT_DATE.fullmatch(text)
    if found is None:
        if re.fullmatch(r"[0-9]{5}", text, re.ASCII) and _FIRST_SERIAL <= int(text) <= _LAST_SERIAL:
            return _EPOCH + timedelta(days=int(text))
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def cell_score(cell: Cell) -> Decimal | str | None:
    """A score: a number from 0 to 1000, "缺考" for a word that means not passed, None when it is neither."""
    if isinstance(cell, bool | date | time | timedelta):
        return None
    if isinstance(cell, float) and cell.is_integer() and 0 <= cell <= 1000:
        return Decimal(int(cell))
    text = folded(cell_text(cell)).lstrip("'").removesuffix("分").strip()
    if text in ABSENT_WORDS or text in ("-", "--", "—", "/"):
        return text if text in ABSENT_WORDS else "缺考"
    if re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,6})?", text, re.ASCII) is None:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value <= 1000 else None


def score_text(value: Decimal | str) -> str:
    """A score as it is stored and shown: 74, 74.5 or 缺考."""
    if isinstance(value, str):
        return value
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
