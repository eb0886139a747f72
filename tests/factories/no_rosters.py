"""Files that are no roster: bombs, giants, halves, passwords, other programs' files; each with its refusal."""

import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import xlsxwriter

from issuer.errors import InputError, TooLargeError
from tests.factories.roster_files import HEADS, SUBJECTS, invent, write_xlsx


def rows_of(count: int = 3) -> list[list[object]]:
    """The cells of so many people who pass."""
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
    whole = write_xlsx(path, [list(HEADS), *rows_of(200)]).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def _flipped(path: Path) -> Path:
    data = bytearray(write_xlsx(path, [list(HEADS), *rows_of(50)]).read_bytes())
    at = data.find(b"xl/worksheets/sheet1.xml") + 200
    data[at : at + 40] = bytes(40)
    path.write_bytes(data)
    return path


def _two_sheets(path: Path) -> Path:
    with xlsxwriter.Workbook(path) as book:
        for name in ("一", "二"):
            sheet = book.add_worksheet(name)
            for line, row in enumerate([list(HEADS), *rows_of(1)]):
                sheet.write_row(line, 0, [str(cell) for cell in row])
    return path


def _two_names(path: Path) -> Path:
    return write_xlsx(path, [[*HEADS, "考生姓名"], *rows_of()])


def _no_subject(path: Path) -> Path:
    return write_xlsx(path, [[head for head in HEADS if head != SUBJECTS[1]], *rows_of()])


def _no_specialty(path: Path) -> Path:
    at = HEADS.index("专业类别")
    return write_xlsx(path, [[*row[:at], *row[at + 1 :]] for row in (list(HEADS), *rows_of())])


REFUSED: dict[str, tuple[Callable[[Path], Path], type[InputError], str]] = {
    "empty": (_bytes(b""), InputError, "roster-empty"),
    "blank": (_bytes(b" \r\n\r\n"), InputError, "roster-empty"),
    "random bytes": (_bytes(random.Random(7).randbytes(20_000)), InputError, "roster-unreadable"),
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
