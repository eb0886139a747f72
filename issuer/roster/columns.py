"""Which column is which: aliases of column heads as data, and the search for the header row."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from issuer.errors import InputError, Words

ALIASES: dict[str, tuple[str, ...]] = {
    "admission_no": ("准考证号", "准考证号码", "准考证编号", "准考证", "考号", "admission_no", "admission number"),
    "name": ("姓名", "考生姓名", "名字", "name", "full name"),
    "gender": ("性别", "gender", "sex"),
    "id_type": ("证件类型", "证件种类", "身份证件类型", "有效证件类型", "id_type", "document type"),
    "id_no": (
        "证件号码",
        "证件号",
        "证件编号",
        "身份证号",
        "身份证号码",
        "身份证件号码",
        "居民身份证号",
        "居民身份证号码",
        "公民身份号码",
        "有效证件号码",
        "id_no",
        "id number",
    ),
    "birth_date": ("出生日期", "出生年月日", "生日", "birth_date", "date of birth"),
    "specialty": ("专业类别", "专业", "专业名称", "报考专业", "专业(类别)", "specialty"),
    "level": ("级别", "考试级别", "报考级别", "等级", "level"),
    "city": ("报考地市", "地市", "报考城市", "报名地市", "考区", "报考地", "所在地市", "city"),
    "basis": ("报考方式", "报名方式", "资格审核方式", "是否承诺", "basis"),
    "mobile": ("手机号", "手机号码", "手机", "联系电话", "移动电话", "mobile"),
    "employer": ("工作单位", "单位名称", "单位", "所在单位", "employer"),
    "education": ("学历", "学历层次", "最高学历", "文化程度", "education"),
    "major": ("所学专业", "毕业专业", "所学专业名称", "major"),
    "years": ("工作年限", "从业年限", "专业工作年限", "从事专业工作年限", "years", "years of work"),
    "commitment_version": ("承诺书版本", "告知承诺书版本", "承诺版本", "commitment_version"),
    "commitment_on": ("承诺时间", "承诺日期", "作出承诺日期", "作出承诺时间", "commitment_on"),
    "commitment_own": ("是否本人承诺", "承诺人", "commitment_own"),
    "photo": ("照片", "照片文件", "照片名称", "照片文件名", "相片", "photo"),
}
"""Field → heads it is known by. Compared without blanks, width of brackets, case, or a trailing `*` or hint."""

_HINT = re.compile(r"\((?=[^()]*(?:必填|选填|文本|格式|满分|例如|如:|\d[位分]|yyyy))[^()]*\)$")
# How to fill in the column, as in `证件号码（18位）`; other brackets may name another thing, as in `姓名（拼音）`.

REQUIRED = ("admission_no", "name", "id_no")
ANNOTATION_HEADS = ("问题", "处理办法")
"""Columns this program adds to rows it sends back; ignored when they come in again."""

SEARCH_ROWS = 60
"""The header row is looked for in this many first rows."""


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Where things stand.

    header_row and header_depth: first header row (from 1) and how many rows it takes (1 or 2);
    fields: field → column index from 0; subjects: subject → column index; heads: the sender's own heads;
    ignored: heads nothing is known of.
    """

    header_row: int
    header_depth: int
    fields: dict[str, int]
    subjects: dict[str, int]
    heads: tuple[str, ...]
    ignored: tuple[str, ...]

    @property
    def first_data_row(self) -> int:
        """Row number (from 1) of the first row below the header."""
        return self.header_row + self.header_depth

    def overflows(self, cells: Sequence[object]) -> bool:
        """Whether something stands to the right of the last head: then nothing stands for sure under its own."""
        return any(not isinstance(cell, str) or cell.strip() for cell in cells[len(self.heads) :])

    def require(self, field: str) -> None:
        """Raise InputError unless the header has this field: one text for the file, not one for each row."""
        if field not in self.fields:
            raise _missing(self.header_row, [ALIASES[field][0]])

    def head(self, field: str) -> str:
        """The sender's head of a field, or the standard one when there is no such column."""
        if field in self.fields:
            return self.heads[self.fields[field]]
        return ALIASES[field][0] if field in ALIASES else field


def head_key(text: object) -> str:
    """The form in which heads are compared."""
    return _text_key(text) if isinstance(text, str) else ""


@lru_cache(maxsize=4096)
def _text_key(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).translate(dict.fromkeys(map(ord, "*:\u200b\ufeff")))
    return _HINT.sub("", "".join(folded.split()).lower())


_FIELD_OF = {head_key(alias): field for field, aliases in ALIASES.items() for alias in aliases}


def find_header(rows: Sequence[Sequence[object]], subjects: Sequence[str]) -> ColumnMap | None:
    """The header among the first rows (row 1 first), wherever it stands; None when there is none.

    Looks at single rows first, then at pairs (a head over sub-heads, cells merged). Raises InputError when a
    field stands twice, or when the header lacks a needed column.
    """
    wanted = {head_key(subject): subject for subject in subjects}
    best: tuple[int, int, int] | None = None
    for depth in (1, 2):
        for index in range(len(rows) - depth + 1):
            heads = _heads(rows, index, depth)
            known = {_FIELD_OF[key] for key in map(head_key, heads) if key in _FIELD_OF}
            found = sum(1 for key in map(head_key, heads) if key in wanted)
            if {"name", "id_no"} <= known or len(known) >= 4:
                score = len(known) + found
                # A pair must bring at least one more column than the row alone did.
                if best is None or score > best[0]:
                    best = (score, index, depth)
    if best is None:
        return None
    _, index, depth = best
    return _column_map(_heads(rows, index, depth), index + 1, depth, wanted)


def _heads(rows: Sequence[Sequence[object]], index: int, depth: int) -> list[str]:
    top = [cell if isinstance(cell, str) else "" for cell in rows[index]]
    if depth == 1:
        return top
    below = [cell if isinstance(cell, str) else "" for cell in rows[index + 1]]
    width = max(len(top), len(below))
    top += [""] * (width - len(top))
    below += [""] * (width - len(below))
    return [low or high for low, high in zip(below, top, strict=True)]


def _column_map(heads: list[str], header_row: int, depth: int, wanted: dict[str, str]) -> ColumnMap:
    fields: dict[str, int] = {}
    subjects: dict[str, int] = {}
    ignored: list[str] = []
    for index, head in enumerate(heads):
        key = head_key(head)
        if key in wanted:
            _claim(subjects, wanted[key], index, head)
        elif key in _FIELD_OF:
            _claim(fields, _FIELD_OF[key], index, head)
        elif head.strip() and head.strip() not in ANNOTATION_HEADS:
            ignored.append(head.strip()[:40])
    missing = [ALIASES[field][0] for field in REQUIRED if field not in fields]
    missing += [subject for subject in wanted.values() if subject not in subjects]
    if missing:
        raise _missing(header_row, missing)
    return ColumnMap(header_row, depth, fields, subjects, tuple(head.strip() for head in heads), tuple(ignored))


def _missing(header_row: int, heads: Sequence[str]) -> InputError:
    names = "、".join(heads)
    return InputError(
        "roster-columns-missing",
        Words(
            f"第 {header_row} 行表头缺少列：{names}。未导入任何数据。",
            f"The header in row {header_row} lacks: {names}. Nothing was imported.",
        ),
        remedy=Words("补上这些列后重新提交。", "Add these columns and send the file again."),
    )


def _claim(places: dict[str, int], name: str, index: int, head: str) -> None:
    if name in places:
        raise InputError(
            "roster-column-twice",
            Words(
                f"第 {places[name] + 1} 列和第 {index + 1} 列表头含义相同（“{head.strip()[:40]}”）。未导入任何数据。",
                f"Two columns mean the same (“{head.strip()[:40]}”, columns {places[name] + 1} and {index + 1}). "
                "Nothing was imported.",
            ),
            remedy=Words("删除或改名其中一列。", "Remove or rename one of them."),
        )
    places[name] = index
