"""Files that are no roster, or want to be more than one: a clear refusal, quickly, and the data as it was."""

import io
import os
import random
import struct
import time
import zipfile
import zlib
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from issuer.errors import InputError, TooLargeError
from issuer.roster.reading import open_roster
from tests.factories.no_rosters import REFUSED, rows_of
from tests.factories.roster_files import HEADS, SUBJECTS, invent, write_csv, write_roster, write_xlsx
from tests.issuer.roster.conftest import RosterWorld, codes

VECTORS = Path(os.environ["ECERT_VECTORS"]) if os.environ.get("ECERT_VECTORS") else None
FOREIGN_FILES = sorted((VECTORS / "pdf").glob("*")) if VECTORS else []


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_roster_is_refused_quickly_and_changes_nothing(world: RosterWorld, name: str) -> None:
    write, kind, code = REFUSED[name]
    path = write(world.folder / "trap.xlsx")
    before, started = world.snapshot(), time.process_time()
    with pytest.raises(kind) as refusal:
        world.take(path)
    assert refusal.value.code == code
    assert refusal.value.remedy is not None
    assert time.process_time() - started < 120, (
        "seconds where a machine has time; read whole it would take far longer"
    )
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
    whole = write_xlsx(tmp_path / "r.xlsx", [list(HEADS), *rows_of(5)]).read_bytes()
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
        for number, row in enumerate([list(HEADS), *rows_of(2)]):
            old.write_row(number, 0, [str(cell) for cell in row])
        sheet.write_row(4, 2, heads)
        for line, row in zip((5, 8, 9), rows_of(3), strict=True):  # rows 7 and 8 of the sheet stay blank
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
    report = world.take(write_xlsx(world.folder / "hints.xlsx", [["名单"], heads, *rows_of()]))
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
        for line, row in enumerate(rows_of(3), 2):
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
    for row in [["标题"], list(HEADS), *rows_of(4)]:
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
    path = write_csv(world.folder / "r.csv", [list(HEADS), *rows_of(60)])
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
