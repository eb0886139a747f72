"""Numbers of identity documents (R3; reading of R14: a person is one ID type and number).

The check digit and the date decide on a GB 11643-1999 number. The county code is a soft hint only: codes
are given at registration, so a person may bear one that was not in force in the year of birth.
"""

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import NoReturn

from issuer.rules.terms import IdType
from issuer.rules.violation import RuleViolation

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_PROVINCE_TENS = {
    "1": "12345",
    "2": "123",
    "3": "1234567",
    "4": "123456",
    "5": "01234",
    "6": "12345",
    "7": "1",
    "8": "123",
}
_PROVINCES = frozenset(tens + ones for tens, row in _PROVINCE_TENS.items() for ones in row)
_RESIDENCE_PREFIXES = ("81", "82", "83")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u202a\u202b\u202c\u202d\u202e\u00ad"))
_HYPHENS = dict.fromkeys(map(ord, "-－‐‑–—'’`"))
_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?E\+?1[0-9]", re.ASCII)
_SHAPES = {
    IdType.HK_MACAU_PERMIT: re.compile(r"(?P<person>[HM][0-9]{8})([0-9]{2})?", re.ASCII),
    IdType.TAIWAN_PERMIT: re.compile(r"(?P<person>[0-9]{8}|[0-9]{10}(\([A-Z]\)|[A-Z])?)", re.ASCII),
    IdType.PASSPORT: re.compile(r"(?P<person>(?=[A-Z0-9]*[0-9])[A-Z0-9]{5,20})", re.ASCII),
}
_OLD_FOREIGNER = re.compile(r"[A-Z]{3}[0-9]{12}", re.ASCII)
_SHAPE_WORDS = {
    IdType.HK_MACAU_PERMIT: ("H 或 M 加 8 位数字", "H or M and 8 digits"),
    IdType.TAIWAN_PERMIT: ("8 位数字", "8 digits"),
    IdType.PASSPORT: ("5 至 20 位字母和数字", "5 to 20 letters and digits"),
    IdType.FOREIGNER_PERMIT: (
        "9 开头的 18 位号码，或 3 位字母加 12 位数字",
        "18 digits from 9, or 3 letters and 12 digits",
    ),
}


@dataclass(frozen=True, slots=True)
class Identity:
    """A document number that holds.

    value: canonical (half-width, upper case, no blanks; HK/Macau permits without the two digits that
    count reissues); id_type: as the number shows it (a GB 11643 number from 81, 82, 83 is a residence
    permit, from 9 a foreigner's). mended / hints: codes of what was mended and of what staff may look at.
    """

    id_type: IdType
    value: str
    birth_date: date | None = None
    gender: str | None = None
    mended: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()


def parse_identity(id_type: IdType, text: str, today: date, *, numeric_cell: bool = False) -> Identity:
    """The identity a text stands for; raises RuleViolation (R3).

    numeric_cell: the value came from a spreadsheet's number cell, which keeps 15 digits only.
    Codes: id_missing, id_damaged_by_spreadsheet, id_old_15_digits, id_length, id_characters,
    id_check_digit, id_date, id_type_mismatch, id_format.
    """
    value, mended = _mend(text)
    if not value:
        _refuse("id_missing", "证件号码为空", "the ID number is empty", "填写证件号码", "fill in the ID number")
    if id_type in (IdType.RESIDENT_ID, IdType.RESIDENCE_PERMIT):
        return _gb11643(id_type, value, mended, today, numeric_cell)
    if id_type is IdType.FOREIGNER_PERMIT:
        if _OLD_FOREIGNER.fullmatch(value):
            return Identity(id_type, value, mended=mended)
        if len(value) != 18 or not value.startswith("9"):
            _refuse_shape(id_type)
        return _gb11643(id_type, value, mended, today, numeric_cell)
    found = _SHAPES[id_type].fullmatch(value)
    if found is None:
        _refuse_shape(id_type)
    person = found["person"]
    if person != value:
        mended += ("id_reissue_count_dropped",)
    return Identity(id_type, person.replace("(", "").replace(")", ""), mended=mended)


def canonical_id(text: str) -> str:
    """The form two writings of one number share, without judging it: for look-ups by what somebody typed."""
    value, _ = _mend(text)
    permit = _SHAPES[IdType.HK_MACAU_PERMIT].fullmatch(value)
    return permit["person"] if permit else value.replace("(", "").replace(")", "")


def check_character(body: str) -> str:
    """Check character of the 17 digits `body` (GB 11643-1999, ISO 7064 MOD 11-2): 0–9 or X."""
    return _CHECK[sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, body, strict=True)) % 11]


def _mend(text: str) -> tuple[str, tuple[str, ...]]:
    """Half-width, upper case, no blanks, no invisible characters; and the codes of what was changed."""
    if text.isascii() and text.isalnum() and text.upper() == text:
        return text, ()
    mended = []
    folded = "".join(unicodedata.normalize("NFKC", char) if "\uff01" <= char <= "\uff5e" else char for char in text)
    if folded != text:
        mended.append("id_full_width")
    bare = folded.lstrip("'`’").translate(_INVISIBLE)
    bare = "".join(bare.split())
    if bare != folded:
        mended.append("id_blanks")
    joined = bare.translate(_HYPHENS)
    if joined != bare:
        mended.append("id_hyphens")
    if joined.endswith("×"):
        joined = joined[:-1] + "X"
        mended.append("id_times_sign")
    if joined.upper() != joined:
        mended.append("id_lower_case")
    return joined.upper(), tuple(mended)


def _gb11643(id_type: IdType, value: str, mended: tuple[str, ...], today: date, numeric_cell: bool) -> Identity:
    if (numeric_cell and len(value) >= 16) or _SCIENTIFIC.fullmatch(value):
        _refuse_damaged(numeric_cell)
    if len(value) == 15 and value.isascii() and value.isdigit():
        _refuse(
            "id_old_15_digits",
            "15 位旧身份证号码已停止使用",
            "a 15-digit number; these went out of use in 2013",
            "填写 18 位公民身份号码",
            "the 18-digit number",
        )
    if re.search(r"[^0-9X]", value, re.ASCII) or "X" in value[:-1]:
        _refuse(
            "id_characters",
            "证件号码含有数字和末位 X 以外的字符",
            "the number holds more than digits and a last X",
            "核对证件号码和证件类型",
            "check the number and the type of document",
        )
    if len(value) != 18:
        _refuse(
            "id_length", f"证件号码为 {len(value)} 位", f"the number has {len(value)} digits", "18 位", "18 digits"
        )
    good_check = check_character(value[:17]) == value[17]
    if value.endswith("000") and not good_check:
        _refuse_damaged(numeric_cell)
    if not good_check:
        _refuse(
            "id_check_digit",
            "证件号码校验位不符（GB 11643-1999）",
            "the check digit does not fit (GB 11643-1999)",
            "按证件核对号码",
            "compare the number with the document",
        )
    born = _birth_date(value[6:14], today)
    kind = _kind(id_type, value)
    if kind is not id_type:
        mended += ("id_type_by_number",)
    hints: tuple[str, ...] = ()
    if kind is not IdType.FOREIGNER_PERMIT and value[:2] not in _PROVINCES:
        hints += ("id_county_unknown",)
    if value.endswith("000"):
        hints += ("id_ends_in_000",)
    return Identity(kind, value, born, "男" if int(value[16]) % 2 else "女", mended, hints)


def _kind(claimed: IdType, value: str) -> IdType:
    """The document the number belongs to; a permit that is claimed with a citizen's number is refused."""
    if value.startswith(_RESIDENCE_PREFIXES):
        shown = IdType.RESIDENCE_PERMIT
    elif value.startswith("9") and value[1:3] in _PROVINCES:
        shown = IdType.FOREIGNER_PERMIT
    else:
        shown = IdType.RESIDENT_ID
    if shown is not claimed and claimed is not IdType.RESIDENT_ID:
        _refuse(
            "id_type_mismatch",
            "证件号码不属于所填证件类型",
            "the number does not belong to this type of document",
            "核对证件类型：81、82、83 开头为港澳台居民居住证，9 开头为外国人永久居留身份证",
            "81, 82, 83 begin a residence permit, 9 a foreigner's permanent residence card",
        )
    return shown


def _birth_date(digits: str, today: date) -> date:
    born: date | None = None
    with suppress(ValueError):
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    if born is None or not date(1880, 1, 1) <= born <= today:
        _refuse(
            "id_date",
            "证件号码中的出生日期不存在或不合理",
            "the date of birth in the number does not exist or cannot be",
            "按证件核对号码",
            "compare the number with the document",
        )
    return born


def spreadsheet_number(value: float) -> str:
    """The digits a number cell still holds: its 15 significant ones, zeros after them.

    410102198911039258.0 (as stored by a spreadsheet) → "410102198911039000".
    """
    try:
        exact = Decimal(f"{value:.15g}")
    except InvalidOperation:
        return ""
    return f"{exact:f}" if exact == exact.to_integral_value() else str(exact)


def _refuse_damaged(numeric_cell: bool) -> NoReturn:
    why = "证件号码以数字格式存放" if numeric_cell else "证件号码末三位为 000 或为科学计数法"
    why_en = (
        "the number stands in a number cell"
        if numeric_cell
        else "the number ends in 000 or is in scientific notation"
    )
    _refuse(
        "id_damaged_by_spreadsheet",
        f"{why}，电子表格只保留 15 位有效数字，后三位已丢失",
        f"{why_en}; a spreadsheet keeps 15 digits, the last three are lost",
        "将该列设为“文本”格式后按证件重新填写",
        "format the column as text and type the number again from the document",
    )


def _refuse_shape(id_type: IdType) -> NoReturn:
    zh, en = _SHAPE_WORDS[id_type]
    _refuse("id_format", "证件号码与证件类型的格式不符", "the number does not have this document's form", zh, en)


def _refuse(code: str, found: str, found_en: str, expected: str, expected_en: str) -> NoReturn:
    raise RuleViolation("R3", code, found=(found, found_en), expected=(expected, expected_en))
