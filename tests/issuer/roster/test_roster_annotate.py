"""Rejected rows come back as the sender's own workbook, ready to be mended and sent again."""

from datetime import date

import openpyxl
from openpyxl.styles import Font

from issuer.roster.annotate import annotated_workbook
from tests.factories.roster_files import HEADS, Invented, invent, resident_id, write_csv, write_roster
from tests.issuer.roster.conftest import RosterWorld, codes


def _faulty() -> list[Invented]:
    people = invent(6)
    return [
        people[0],
        people[1].but("specialty_unknown", specialty="航天工程"),
        people[2],
        people[3].but("name_missing", name="", employer='=HYPERLINK("http://x.example","点我")'),
        people[4].but("id_length", id_no=people[4].id_no[:17]),
        people[5],
    ]


def test_only_the_rows_to_mend_come_back_and_go_in_once_mended(world: RosterWorld) -> None:
    files = write_roster(world.folder / "in", _faulty())
    first = world.take(files.xlsx, files.photos_zip)
    assert first.imported == 3
    out = world.folder / "mend.xlsx"
    assert annotated_workbook(files.xlsx, first, out) == 3

    book = openpyxl.load_workbook(out)
    sheet = book["合格人员"]
    assert sheet["A1"].value == openpyxl.load_workbook(files.xlsx)["合格人员"]["A1"].value
    assert [cell.value for cell in sheet[2]] == [*HEADS, "问题", "处理办法"]
    assert sheet.max_row == 5
    assert sheet["G3"].comment is not None
    assert "specialty_unknown" in sheet["G3"].comment.text
    assert sheet["G3"].fill.fill_type == "solid"
    assert "专业类别" in sheet["Q3"].value
    assert sheet["R3"].value
    assert (sheet["O4"].data_type, sheet["O4"].value) == ("s", '=HYPERLINK("http://x.example","点我")')
    assert sheet["O4"].quotePrefix

    # Unmended, the same rows are refused again; the annotations are no columns of their own.
    again = world.take(out, files.photos_zip)
    assert (again.rows, again.rejected, again.ignored_columns) == (3, 3, ())
    assert sorted(map(sorted, codes(again).values())) == sorted(map(sorted, codes(first).values()))

    sheet["G3"] = "矿业工程"
    sheet["B4"] = "李四"
    sheet["E5"] = invent(6)[4].id_no
    book.save(out)
    mended = world.take(out, files.photos_zip)
    assert codes(mended) == {}
    assert mended.imported == 3
    assert len(world.registrations()) == 6


def test_looks_and_dates_of_the_senders_sheet_are_kept(world: RosterWorld) -> None:
    people = invent(2)
    born = people[1].birth_date
    files = write_roster(world.folder / "in", [people[0], people[1].but("city", level="一级")])
    book = openpyxl.load_workbook(files.xlsx)
    sheet = book.active
    assert sheet is not None
    sheet["A2"].font = Font(bold=True, color="FFCC0000")
    sheet.column_dimensions["E"].width = 33
    book.save(files.xlsx)
    report = world.take(files.xlsx, files.photos_zip)
    out = world.folder / "mend.xlsx"
    annotated_workbook(files.xlsx, report, out)
    back = openpyxl.load_workbook(out).active
    assert back is not None
    assert back["A2"].font.bold
    assert back.column_dimensions["E"].width == 33
    assert str(back["F3"].value)[:10] == born


def test_a_csv_comes_back_as_a_workbook_with_all_digits(world: RosterWorld) -> None:
    people = invent(2)
    rows = [list(HEADS), people[0].cells(), people[1].but(specialty="航天工程").cells()]
    path = write_csv(world.folder / "r.csv", rows, "gb18030")
    report = world.take(path)
    out = world.folder / "mend.xlsx"
    assert annotated_workbook(path, report, out) == 1
    sheet = openpyxl.load_workbook(out).active
    assert sheet is not None
    assert (sheet["E2"].value, sheet["E2"].data_type) == (people[1].id_no, "s")
    assert sheet["A2"].value == people[1].admission_no


def test_nothing_is_written_when_all_rows_were_good(world: RosterWorld) -> None:
    files = write_roster(world.folder / "in", 2)
    out = world.folder / "mend.xlsx"
    assert annotated_workbook(files.xlsx, world.take(files.xlsx, files.photos_zip), out) == 0
    assert not out.exists()


def test_a_damaged_number_comes_back_as_text_with_the_digits_that_are_left(world: RosterWorld) -> None:
    good = resident_id(date(1989, 11, 3), 25)
    files = write_roster(
        world.folder / "in", [invent(1)[0].but("id_damaged_by_spreadsheet", id_no=float(good[:17] + "0"))]
    )
    report = world.take(files.xlsx, files.photos_zip)
    out = world.folder / "mend.xlsx"
    annotated_workbook(files.xlsx, report, out)
    sheet = openpyxl.load_workbook(out).active
    assert sheet is not None
    assert (sheet["E3"].value, sheet["E3"].data_type) == (good[:15] + "000", "s")
