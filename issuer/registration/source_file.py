"""A register's answer as a file (.xlsx or .csv), as the education or social-insurance department would send it.

People stand by 证件号码 or 准考证号 (姓名 beside it is compared too). For each item there is the register's own value
(学历, 所学专业, 工作年限), or its verdict (学历比对结果 …: 一致, 不一致, 查无, 未能比对), or both.
"""

import hashlib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from issuer.errors import InputError, Words
from issuer.registration.ports import Answer, Question
from issuer.roster.cells import cell_text, folded, plain_text
from issuer.roster.columns import head_key
from issuer.roster.findings import Finding
from issuer.roster.xlsx_reading import Cell
from issuer.rules.comparison import ComparisonOutcome, FactItem
from issuer.rules.identity import canonical_id
from issuer.tables import ListKind, lost_digits, lost_digits_of, open_list
from verifier.record.names import name_key

MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_ROWS = 200_000
MAX_VALUE = 80

HEADS: dict[str, tuple[str, ...]] = {
    "admission_no": ("准考证号", "准考证号码", "admission_no"),
    "id_no": ("证件号码", "证件号", "身份证号", "身份证号码", "居民身份证号码", "公民身份号码", "id_no"),
    "name": ("姓名", "考生姓名", "name"),
    "education": ("学历", "学历层次", "最高学历", "education"),
    "major": ("所学专业", "毕业专业", "专业", "专业名称", "major"),
    "years": ("工作年限", "从业年限", "累计工作年限", "缴费年限", "years"),
    "education_verdict": ("学历比对结果", "学历核验结果", "学历比对", "education_verdict"),
    "major_verdict": ("专业比对结果", "所学专业比对结果", "专业比对", "major_verdict"),
    "years_verdict": ("工作年限比对结果", "年限比对结果", "工作年限比对", "years_verdict"),
}
_O = ComparisonOutcome
VERDICTS: dict[str, ComparisonOutcome] = {
    **dict.fromkeys(("一致", "相符", "符合", "通过", "比对一致", "match"), _O.MATCH),
    **dict.fromkeys(("不一致", "不符", "不相符", "不符合", "未通过", "比对不一致", "differs"), _O.DIFFERS),
    **dict.fromkeys(("查无", "查无此人", "无记录", "未查到", "无数据", "not-found", "notfound"), _O.NOT_FOUND),
    **dict.fromkeys(("未能比对", "接口异常", "超时", "未返回", "unreachable"), _O.UNREACHABLE),
}


def _answered(fields: Set[str]) -> tuple[FactItem, ...]:
    return tuple(item for item in FactItem if item.value in fields or f"{item}_verdict" in fields)


_KIND = ListKind(
    code="comparison",
    heads=HEADS,
    enough=lambda fields: bool(_answered(fields) and fields & {"id_no", "admission_no"}),
    no_header=Words(
        "没有找到证件号码（或准考证号）和学历、所学专业、工作年限中的任何一列",
        "No header with 证件号码 (or 准考证号) and one of 学历, 所学专业, 工作年限 was found",
    ),
    remedy=Words("列名见 docs/registration.md。", "The columns are named in docs/registration.md."),
    smaller=Words("请只保留比对数据工作表，或拆分。", "Keep the sheet of data only, or split it."),
    max_bytes=MAX_FILE_BYTES,
    max_rows=MAX_ROWS,
)


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row: who, and what the file says of each item."""

    row: int
    admission_no: str
    id_no: str
    name: str
    said: dict[FactItem, tuple[str | None, ComparisonOutcome | None]]


@dataclass(slots=True)
class FileSource:
    """A `ComparisonSource` over a file. After `answers`, `findings` and `placed` (row → registration) tell the rest.

    complete: the file speaks for everybody, so who is not in it is not found.
    """

    name: str
    version: str
    digest: str
    items: tuple[FactItem, ...]
    heads: tuple[str, ...]
    rows: tuple[SourceRow, ...]
    cells: tuple[tuple[int, tuple[str, ...]], ...]
    complete: bool = False
    findings: list[Finding] = field(default_factory=list)
    placed: dict[int, int] = field(default_factory=dict)
    elsewhere: int = 0

    def answers(self, questions: Sequence[Question]) -> Iterator[Answer]:
        """See `ComparisonSource`. Rows about nobody of these, and rows that contradict each other, answer nothing."""
        by_admission = {question.admission_no: question for question in questions}
        by_id = {canonical_id(question.id_no): question for question in questions}
        chosen: dict[int, SourceRow] = {}
        contradicted: set[int] = set()
        for row in self.rows:
            question = self._place(row, by_admission, by_id)
            if question is None:
                continue
            number = question.registration_id
            self.placed[row.row] = number
            first = chosen.setdefault(number, row)
            if first.said != row.said:
                contradicted.add(number)
        for row in self.rows:
            if self.placed.get(row.row) in contradicted:
                self.placed.pop(row.row)
                self._fault(
                    row.row,
                    "contradiction",
                    Words("同一人有不同的比对数据，均未采用", "different data for one person; none was taken"),
                    Words("只保留正确的一行", "keep the right row only"),
                )
        for number, row in chosen.items():
            if number not in contradicted:
                for item, (found, verdict) in row.said.items():
                    yield Answer(number, item, found, verdict)
        if self.complete:
            for question in questions:
                if question.registration_id not in chosen:
                    for item in self.items:
                        yield Answer(question.registration_id, item)

    def _place(
        self, row: SourceRow, by_admission: dict[str, Question], by_id: dict[str, Question]
    ) -> Question | None:
        found = [by_id.get(row.id_no) if row.id_no else None]
        found.append(by_admission.get(row.admission_no) if row.admission_no else None)
        known = {question.registration_id: question for question in found if question is not None}
        if not known:
            self.elsewhere += 1
            return None
        (question, *others) = known.values()
        one_is_wrong = bool(row.id_no and row.admission_no and (others or None in found))
        if one_is_wrong:
            self._fault(
                row.row,
                "person_differs",
                Words("准考证号与证件号码不属于同一考生", "admission and ID number belong to different people"),
                Words("核对两列", "check both columns"),
            )
            return None
        if row.name and name_key(row.name) != name_key(question.name):
            self._fault(
                row.row,
                "name_differs",
                Words("姓名与报名登记不一致，未采用", "the name differs from the registration; not taken"),
                Words("核对姓名和证件号码", "check name and ID number"),
            )
            return None
        return question

    def _fault(self, row: int, code: str, message: Words, remedy: Words) -> None:
        self.findings.append(Finding(row, "证件号码", code, "error", message, remedy, "R3"))


def open_source(path: Path, name: str, *, version: str, complete: bool = False) -> FileSource:
    """Read a register's file. Raises InputError or TooLargeError when it is none at all; nothing was changed then."""
    table = open_list(path, _KIND)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    items = _answered(table.columns.keys())
    heads = tuple(unicodedata.normalize("NFC", cell_text(cell)).strip() for cell in table.header)
    source = FileSource(name, version, digest, items, heads, (), (), complete)
    rows: list[SourceRow] = []
    cells: list[tuple[int, tuple[str, ...]]] = []
    for number, raw in table.rows():
        _KIND.require_room(len(cells))
        cells.append((number, tuple(cell_text(cell) for cell in raw)))
        row = _read_row(number, table.named(raw), items, source.findings)
        if row is not None:
            rows.append(row)
    if not cells:
        raise InputError(
            "comparison-no-rows",
            Words("表头下没有数据，未作任何更改。", "There are no rows below the header; nothing was changed."),
            remedy=_KIND.remedy,
        )
    source.rows, source.cells = tuple(rows), tuple(cells)
    return source


def _read_row(
    number: int,
    cells: Mapping[str, Cell],
    items: tuple[FactItem, ...],
    findings: list[Finding],
) -> SourceRow | None:
    def text(column: str) -> str:
        return plain_text(cells.get(column, ""))[0]

    def bad(column: str, code: str, message: Words, remedy: Words) -> None:
        findings.append(Finding(number, HEADS[column][0], code, "error", message, remedy, "R3"))

    if lost_digits(cells.get("id_no", "")):
        bad("id_no", "id_damaged", *lost_digits_of("证件号码"))
        return None
    id_no = canonical_id(text("id_no"))[:64] if text("id_no") else ""
    admission_no = "".join(folded(text("admission_no")).split()).upper()
    if not id_no and not admission_no:
        words = Words("没有证件号码或准考证号", "neither an ID number nor an admission number")
        bad("id_no", "nobody_named", words, Words("补上其一", "fill in one of them"))
        return None
    said: dict[FactItem, tuple[str | None, ComparisonOutcome | None]] = {}
    for item in items:
        value, word = text(item.value), head_key(text(f"{item}_verdict"))
        verdict = VERDICTS.get(word) if word else None
        if word and verdict is None:
            bad(
                f"{item}_verdict",
                "verdict_unknown",
                Words("比对结果应为一致、不一致、查无或未能比对", "a verdict is 一致, 不一致, 查无 or 未能比对"),
                Words("改为四者之一", "use one of the four"),
            )
            return None
        if len(value) > MAX_VALUE:
            bad(item.value, "text_too_long", Words("文字过长", "too long"), Words("核对该列", "check the column"))
            return None
        said[item] = (value or None, verdict)
    return SourceRow(number, admission_no, id_no, text("name"), said)
