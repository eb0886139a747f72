"""Files that are no roster, or want to be more than one: a clear refusal, quickly, and the data as it was."""

import io
import os
import random
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from issuer.errors import InputError, TooLargeError
from issuer.roster.reading import open_roster
from tests.factories.roster_files import HEADS, SUBJECTS, invent, write_csv, write_roster, write_xlsx
from tests.issuer.roster.conftest import RosterWorld, codes

VECTORS = Path(os.environ["ECERT_VECTORS"]) if os.environ.get("ECERT_VECTORS") else None
FOREIGN_FILES = sorted((VECTORS / "pdf").glob("*")) if VECTORS else []


def _rows(count: int = 3) -> list[list[object]]:
    return [person.cells() for person in invent(count)]


def _xlsx_parts(sheet: bytes, strings: bytes = b"") -> dict[str, bytes]:
    main = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = b"http://schemas.openxmlformats.org/package/2006/relationships"
    rel = b'<Relationship Id="r%d" Type="' + office + b'/%s" Target="%s"/>'
    return {
        "[Content_Types].xml": b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": b'<Relationships xmlns="'
        + package
        + b'">'
        + rel % (1, b"officeDocument", b"xl/workbook.xml")
        + b"</Relationships>",
        "xl/workbook.xml": b'<workbook xmlns="'
        + main
        + b'" xmlns:r="'
        + office
        + b'"><sheets><sheet name="s" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": b'<Relationships xmlns="'
        + package
        + b'">'
        + rel % (1, b"worksheet", b"worksheets/sheet1.xml")
        + rel % (2, b"sharedStrings", b"sharedStrings.xml")
        + b"</Relationships>",
        "xl/sharedStrings.xml": b'<sst xmlns="' + main + b'">' + strings + b"</sst>",
        "xl/worksheets/sheet1.xml": b'<worksheet xmlns="'
        + main
        + b'"><sheetData>'
        + sheet
        + b"</sheetData></worksheet>",
    }


def _package(path: Path, parts: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def _ten_million_cells(path: Path) -> Path:
    row = b"<row>" + b"<c><v>1</v></c>" * 1000 + b"</row>"
    return _package(path, _xlsx_parts(row * 10_000))


def _two_corners(path: Path) -> Path:
    sheet = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    return _package(path, _xlsx_parts(sheet))


def _wide_and_long_without_references(path: Path) -> Path:
    sheet = b"<row>" + b"<c><v>1</v></c>" * 16_000 + b"</row>" + b"<row><c><v>1</v></c></row>" * 100_000
    return _package(path, _xlsx_parts(sheet))


def _zeros(path: Path) -> Path:
    parts = _xlsx_parts(b"")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            if name != "xl/worksheets/sheet1.xml":
                archive.writestr(name, content)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as file:
            for _ in range(700):
                file.write(bytes(1 << 20))
    return path


def _lying_size(path: Path) -> Path:
    """A part whose directory entry claims 100 bytes and whose stream inflates to 700 MiB."""
    parts = _xlsx_parts(b"")
    body = bytearray(_deflated(700 << 20))
    content = parts.pop("xl/sharedStrings.xml")
    _package(path, parts)
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo("xl/sharedStrings.xml")
        archive.writestr(info, bytes(body))
    data = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        place = data.rfind(signature)
        struct.pack_into("<H", data, place + at, zipfile.ZIP_DEFLATED)
        struct.pack_into("<I", data, place + at + 14, len(content))
    path.write_bytes(data)
    return path


def _deflated(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)) + packer.flush()


def _one_string_everywhere(path: Path) -> Path:
    cells = b"".join(b'<c t="s"><v>0</v></c>' for _ in range(16))
    return _package(
        path, _xlsx_parts((b"<row>" + cells + b"</row>") * 20_000, b"<si><t>" + b"a" * 30_000 + b"</t></si>")
    )


def _encrypted(path: Path) -> Path:
    path.write_bytes(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2048) + "EncryptedPackage".encode("utf-16-le") + bytes(2048)
    )
    return path


def _old_xls(path: Path) -> Path:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096))
    return path


def _bytes(content: bytes) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        path.write_bytes(content)
        return path

    return write


def _half(path: Path) -> Path:
    whole = write_xlsx(path, [list(HEADS), *_rows(200)]).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def _flipped(path: Path) -> Path:
    data = bytearray(write_xlsx(path, [list(HEADS), *_rows(50)]).read_bytes())
    at = data.find(b"xl/worksheets/sheet1.xml") + 200
    data[at : at + 40] = bytes(40)
    path.write_bytes(data)
    return path


def _two_sheets(path: Path) -> Path:
    with xlsxwriter.Workbook(path) as book:
        for name in ("一", "二"):
            sheet = book.add_worksheet(name)
            for line, row in enumerate([list(HEADS), *_rows(1)]):
                sheet.write_row(line, 0, [str(cell) for cell in row])
    return path


def _two_names(path: Path) -> Path:
    return write_xlsx(path, [[*HEADS, "考生姓名"], *_rows()])


def _no_subject(path: Path) -> Path:
    return write_xlsx(path, [[head for head in HEADS if head != SUBJECTS[1]], *_rows()])


def _no_specialty(path: Path) -> Path:
    at = HEADS.index("专业类别")
    return write_xlsx(path, [[*row[:at], *row[at + 1 :]] for row in (list(HEADS), *_rows())])


REFUSED: dict[str, tuple[Callable[[Path], Path], type[InputError], str]] = {
    "empty": (_bytes(b""), InputError, "roster-empty"),
    "blank": (_bytes(b" \r\n\r\n"), InputError, "roster-empty"),
    "random bytes": (_bytes(os.urandom(20_000)), InputError, "roster-unreadable"),
    "a zip head and nothing": (_bytes(b"PK\x03\x04" + b"x" * 500), InputError, "roster-unreadable"),
    "a picture": (_bytes(b"\x89PNG\r\n\x1a\n" + bytes(300)), InputError, "roster-unreadable"),
    "a letter": (_bytes("尊敬的领导：\n名单见附件。\n".encode()), InputError, "roster-header-missing"),
    "half a file": (_half, InputError, "roster-unreadable"),
    "damaged inside": (_flipped, InputError, "roster-unreadable"),
    "password": (_encrypted, InputError, "roster-password-protected"),
    "old .xls": (_old_xls, InputError, "roster-old-format"),
    "wrong sheet": (
        lambda path: write_xlsx(path, [["日期", "金额"], ["1", "2"]]),
        InputError,
        "roster-header-missing",
    ),
    "heads only": (lambda path: write_xlsx(path, [list(HEADS)]), InputError, "roster-no-rows"),
    "two rosters": (_two_sheets, InputError, "roster-several-sheets"),
    "two columns of names": (_two_names, InputError, "roster-column-twice"),
    "a subject missing": (_no_subject, InputError, "roster-columns-missing"),
    "no specialty": (_no_specialty, InputError, "roster-columns-missing"),
    "ten million cells": (_ten_million_cells, TooLargeError, "roster-too-many-cells"),
    "two far corners": (_two_corners, TooLargeError, "roster-too-many-cells"),
    "no references": (_wide_and_long_without_references, TooLargeError, "roster-too-many-cells"),
    "zip bomb": (_zeros, TooLargeError, "roster-too-large"),
    "a size that lies": (_lying_size, TooLargeError, "roster-too-large"),
    "one string a million times": (_one_string_everywhere, TooLargeError, "roster-too-much-text"),
    "a quote never closed": (
        _bytes((",".join(HEADS) + '\n"' + "x" * 200_000).encode()),
        InputError,
        "roster-unreadable",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_roster_is_refused_quickly_and_changes_nothing(world: RosterWorld, name: str) -> None:
    write, kind, code = REFUSED[name]
    path = write(world.folder / "trap.xlsx")
    before, started = world.snapshot(), time.process_time()
    with pytest.raises(kind) as refusal:
        world.take(path)
    assert refusal.value.code == code
    assert refusal.value.remedy is not None
    assert time.process_time() - started < 10
    assert world.snapshot() == before


def test_files_of_another_kind_are_refused(world: RosterWorld) -> None:
    own = world.folder / "x.pdf"
    own.write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n")
    before = world.snapshot()
    for path in (own, *FOREIGN_FILES):
        with pytest.raises(InputError):
            world.take(path)
    assert world.snapshot() == before


def test_whatever_is_done_to_a_workbooks_bytes_it_is_read_or_refused(tmp_path: Path) -> None:
    whole = write_xlsx(tmp_path / "r.xlsx", [list(HEADS), *_rows(5)]).read_bytes()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if name.startswith("xl/")}
    chance = random.Random(7)
    outcomes = set()
    for turn in range(400):
        path = tmp_path / "x.xlsx"
        if turn % 2:
            data = bytearray(whole)
            for _ in range(chance.randrange(1, 6)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            path.write_bytes(data)
        else:
            name = chance.choice(sorted(parts))
            body = bytearray(parts[name])
            at = chance.randrange(len(body))
            body[at : at + chance.randrange(30)] = chance.choice(
                (b"<", b'"', b"99999999999", b"-1", b"&x;", b"", b"\0")
            )
            path.write_bytes(_zip({**parts, name: bytes(body)}))
        try:
            outcomes.add(len(list(open_roster(path, SUBJECTS).data_rows())))
        except InputError as refusal:
            outcomes.add(refusal.code)
    assert {5, "roster-unreadable"} <= outcomes


def test_the_header_is_found_below_titles_on_the_sheet_that_has_it(world: RosterWorld) -> None:
    path = world.folder / "r.xlsx"
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as book:
        cover = book.add_worksheet("封面")
        cover.write(0, 0, "考试名单")
        old = book.add_worksheet("旧名单")
        old.hide()
        sheet = book.add_worksheet("名单")
        sheet.merge_range(0, 2, 1, 9, "示例省名单")
        heads = [f" {head}\u3000" if head != "姓名" else "姓  名*" for head in HEADS]
        for number, row in enumerate([list(HEADS), *_rows(2)]):
            old.write_row(number, 0, [str(cell) for cell in row])
        sheet.write_row(4, 2, heads)
        for line, row in zip((5, 8, 9), _rows(3), strict=True):  # rows 7 and 8 of the sheet stay blank
            for column, cell in enumerate(row, 2):
                sheet.write(line, column, cell)
    report = world.take(path)
    assert (report.sheet, report.header_row, report.rows, report.imported) == ("名单", 5, 3, 3)


def test_heads_may_say_how_to_fill_them_in(world: RosterWorld) -> None:
    hints = {
        "准考证号": "准考证",
        "证件号码": "证件号码（18位）",
        "出生日期": "出生日期\n(YYYY-MM-DD)",
        "姓名": "姓 名*",
    }
    heads = [hints.get(head, f"{head}（满分120）" if head in SUBJECTS else head) for head in HEADS]
    report = world.take(write_xlsx(world.folder / "hints.xlsx", [["名单"], heads, *_rows()]))
    assert (report.imported, report.ignored_columns) == (3, ())


def test_heads_in_two_rows_and_cities_merged_downwards(world: RosterWorld) -> None:
    path = world.folder / "r.xlsx"
    city = HEADS.index("报考地市")
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        first = [head if head not in SUBJECTS else "" for head in HEADS]
        sheet.write_row(0, 0, first)
        sheet.merge_range(0, 10, 0, 12, "成绩")
        sheet.write_row(1, 10, SUBJECTS)
        for line, row in enumerate(_rows(3), 2):
            for column, cell in enumerate(row):
                if column != city:
                    sheet.write(line, column, cell)
        sheet.merge_range(2, city, 4, city, "洛阳市")
    report = world.take(path)
    assert codes(report) == {}
    assert {row.city for row in world.registrations().values()} == {"洛阳"}


def test_a_file_saved_by_another_program_is_read(world: RosterWorld) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [["标题"], list(HEADS), *_rows(4)]:
        sheet.append(row)
    path = world.folder / "r.xlsx"
    book.save(path)
    assert world.take(path).imported == 4


def test_a_roster_of_a_wrong_size_in_a_zip_bomb_of_photos_is_refused(world: RosterWorld) -> None:
    files = write_roster(world.folder / "in", 2)
    before = world.snapshot()
    for name, content in {
        "no-zip": b"not a zip",
        "traversal": _zip({"../../etc/0000001.jpg": b"x"}),
        "absolute": _zip({"/0000001.jpg": b"x"}),
        "drive": _zip({"C:\\0000001.jpg": b"x"}),
        "giant": _zip({"0000001.jpg": bytes(101 << 20)}),
    }.items():
        photos = world.folder / f"{name}.zip"
        photos.write_bytes(content)
        with pytest.raises(InputError) as refusal:
            world.take(files.xlsx, photos)
        assert refusal.value.code.startswith("photos-")
    assert world.snapshot() == before


def test_a_photo_that_is_none_keeps_only_its_own_row_out(world: RosterWorld) -> None:
    files = write_roster(world.folder / "in", 5)
    with zipfile.ZipFile(files.photos_zip) as archive:
        good = archive.read("0000001.jpg")
    photos = world.folder / "p.zip"
    photos.write_bytes(
        _zip(
            {
                "0000001.jpg": good,
                "0000002.jpg": good[:300],
                "0000003.jpg": b"<svg onload='alert(1)'/>",
                "0000004.jpg": bytes(11 << 20),
                "0000005.jpg": b"",
            }
        )
    )
    assert codes(world.take(files.xlsx, photos)) == {
        4: {"photo_unusable"},
        5: {"photo_unusable"},
        6: {"photo_too_large"},
        7: {"photo_unusable"},
    }


def test_names_packed_in_gb18030_are_found(world: RosterWorld) -> None:
    files = write_roster(world.folder / "in", [person.but(photo="张三.jpg") for person in invent(1)])
    photos = world.folder / "gb.zip"
    with zipfile.ZipFile(photos, "w") as archive:
        info = zipfile.ZipInfo("placeholder")
        # The packers of old Windows wrote names in the system's encoding and did not say so.
        info.filename = "张三.jpg".encode("gb18030").decode("cp437")
        with zipfile.ZipFile(files.photos_zip) as source:
            archive.writestr(info, source.read("张三.jpg"))
    data = photos.read_bytes()
    utf8, raw = "张三.jpg".encode("gb18030").decode("cp437").encode(), "张三.jpg".encode("gb18030")
    photos.write_bytes(_renamed(data, utf8, raw))
    assert world.take(files.xlsx, photos).imported == 1


def test_too_many_rows_of_csv_are_refused(world: RosterWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("issuer.roster.reading.MAX_ROWS", 50)
    path = write_csv(world.folder / "r.csv", [list(HEADS), *_rows(60)])
    before = world.snapshot()
    with pytest.raises(TooLargeError):
        world.take(path)
    assert world.snapshot() == before


def _zip(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def _renamed(data: bytes, old: bytes, new: bytes) -> bytes:
    """A zip of one entry with the entry's name bytes exchanged and its UTF-8 flag cleared."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        body = archive.read(archive.infolist()[0])
    crc = zlib.crc32(body)
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 0, 0, 33, crc, len(body), len(body), len(new), 0)
    out.write(local + new + body)
    start = out.tell()
    out.write(
        struct.pack(
            "<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 0, 0, 33, crc, len(body), len(body), len(new), 0, 0, 0, 0, 0, 0
        )
        + new
    )
    out.write(struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, out.tell() - start, start, 0))
    assert old != new
    return out.getvalue()


def test_a_row_with_more_cells_than_the_header_is_kept_out(world: RosterWorld) -> None:
    first, second, third = (person.cells() for person in invent(3))
    shifted = [*second[:15], "分公司", *second[15:]]
    content = write_csv(world.folder / "long.csv", [list(HEADS), first, shifted, [*third, "", " "]])
    report = world.take(content)
    assert (report.imported, codes(report)) == (2, {3: {"row_too_long"}})
