"""Lists that come back filled in: the header wherever it stands, cells as they were meant, clear refusals."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from issuer.errors import InputError, TooLargeError, Words
from issuer.tables import ListKind, day_of, lost_digits, open_list, text_of

KIND = ListKind(
    code="invented",
    heads={"number": ("编号", "No."), "day": ("日期", "day"), "note": ("说明",)},
    enough=lambda fields: fields >= {"number", "day"},
    no_header=Words("没有找到“编号”和“日期”两列", "The columns 编号 and 日期 were not found"),
    remedy=Words("用模板填写。", "Fill in the template."),
    smaller=Words("请只保留清单。", "Keep the list only."),
    max_bytes=1 << 20,
    max_rows=3,
)


def book(path: Path, *sheets: Sequence[Sequence[Any]]) -> Path:
    """A workbook; a tuple ("=", formula, stored value) is a formula, a date is written as one."""
    with xlsxwriter.Workbook(path) as workbook:
        as_day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        for rows in sheets:
            sheet = workbook.add_worksheet()
            for row, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    if isinstance(cell, tuple):
                        sheet.write_formula(row, column, cell[1], None, cell[2])
                    elif isinstance(cell, date):
                        sheet.write_datetime(row, column, cell, as_day)
                    else:
                        sheet.write(row, column, cell)
    return path


def plain(path: Path, text: str, encoding: str = "utf-8") -> Path:
    """A text file."""
    path.write_bytes(text.encode(encoding))
    return path


def read(path: Path, kind: ListKind = KIND) -> list[tuple[int, dict[str, str]]]:
    """(row number, field → text) of a list."""
    table = open_list(path, kind)
    return [(row, {f: text_of(cell) for f, cell in table.named(cells).items()}) for row, cells in table.rows()]


def test_the_header_is_found_below_titles_on_any_sheet_in_any_order(tmp_path: Path) -> None:
    path = book(
        tmp_path / "a.xlsx",
        [["先读我"], ["随便写写"]],
        [
            ["某某清单"],
            [],
            ["备用", " 日 期* ", "no.", "说明"],
            ["x", "2026-01-31", "A-1", "甲"],
            [],
            ["", "", "A-2"],
        ],
    )
    assert read(path) == [
        (4, {"day": "2026-01-31", "number": "A-1", "note": "甲"}),
        (6, {"day": "", "number": "A-2", "note": ""}),
    ]


def test_the_first_of_two_columns_with_one_head_counts(tmp_path: Path) -> None:
    assert read(plain(tmp_path / "a.csv", "编号,日期,编号\nA-1,,B-2\n")) == [(2, {"number": "A-1", "day": ""})]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_text_in_the_encodings_and_separators_that_programs_write(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    rows = ["清单", "编号,日期", '="0012",2026/1/31', ",", "A-2"]
    path = plain(tmp_path / "a.csv", "\r\n".join(rows).replace(",", delimiter), encoding)
    assert read(path) == [(3, {"number": "0012", "day": "2026/1/31"}), (5, {"number": "A-2", "day": ""})]


def test_a_workbook_is_known_by_its_content_not_by_its_name(tmp_path: Path) -> None:
    assert read(book(tmp_path / "a.csv", [["编号", "日期"], ["A-1", "x"]])) == [(2, {"number": "A-1", "day": "x"})]


def test_a_formula_counts_by_its_stored_value_and_as_text_without_one(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", [["编号", "日期"], [("=", "=1+1", 2), "x"], [("=", '="A-1"', ""), "x"]])
    assert [row["number"] for _, row in read(path)] == ["2", '="A-1"']


def test_dates_however_they_were_typed(tmp_path: Path) -> None:
    typed = [date(2026, 1, 31), "2026-1-31", "2026/01/31", "2026年1月31日", "２０２６-０１-３１", 46053]
    path = book(tmp_path / "a.xlsx", [["编号", "日期"], *(["A", cell] for cell in typed)])
    table = open_list(path, KIND)
    assert [day_of(table.named(cells)["day"]) for _, cells in table.rows()] == [date(2026, 1, 31)] * len(typed)
    assert day_of("") is None
    assert day_of("  ") is None
    for wrong in ("soon", "2026-02-30", "31.1.26", 3.5, True):
        with pytest.raises(ValueError, match="no date"):
            day_of(wrong)


def test_a_number_cell_that_lost_digits_is_known(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", [["编号", "日期"], [410102198911039258, "x"], [20260131, "x"], ["4" * 18, "x"]])
    table = open_list(path, KIND)
    cells = [table.named(row)["number"] for _, row in table.rows()]
    assert [lost_digits(cell) for cell in cells] == [True, False, False]
    assert text_of(cells[1]) == "20260131"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "invented-empty"),
        (b" \r\n ", "invented-empty"),
        (b"a,b\n1,2\n", "invented-header-missing"),
        ("编号,说明\n1,2\n".encode(), "invented-header-missing"),
        (("\n" * 40 + "编号,日期\n1,2\n").encode(), "invented-header-missing"),
        (b"\x00\x01\x02 no text", "roster-unreadable"),
        (b"PK\x03\x04 no workbook", "roster-unreadable"),
    ],
)
def test_what_is_no_such_list_is_refused_with_a_way_out(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as refused:
        open_list(path, KIND)
    assert refused.value.code == code
    assert refused.value.remedy is not None
    assert str(tmp_path) not in str(refused.value)


def test_a_missing_file_is_a_refusal_not_an_os_error(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InputError) as refused:
            open_list(path, KIND)
        assert refused.value.code == "invented-not-found"


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    path = plain(tmp_path / "a.csv", "编号,日期\n")
    small = replace(KIND, max_bytes=path.stat().st_size)
    assert read(path, small) == []
    with path.open("ab") as file:
        file.write(b"\n")
    with pytest.raises(TooLargeError) as refused:
        open_list(path, small)
    assert (refused.value.code, refused.value.remedy) == ("invented-too-large", KIND.smaller)


def test_so_many_rows_and_no_more() -> None:
    KIND.require_room(2)
    with pytest.raises(TooLargeError) as refused:
        KIND.require_room(3)
    assert (refused.value.code, refused.value.words.en) == (
        "invented-too-many-rows",
        "More than 3 rows; nothing was changed.",
    )
