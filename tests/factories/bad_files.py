"""Files that are no certificate, no roster and no decision list: what arrives by mistake and by malice."""

import os
import random
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.factories.roster_files import write_xlsx

VECTORS = Path(os.environ["ECERT_VECTORS"]) if os.environ.get("ECERT_VECTORS") else None
FOREIGN_PDFS = sorted((VECTORS / "pdf").glob("*.pdf")) if VECTORS else []
"""Certificates, forms and broken files of other makers, when a folder of them is at hand."""

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def bad_workbooks(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name and path of each: nothing, noise, a sheet of something else, giants, bombs, wrong kinds."""
    for name, content in _noise().items():
        yield name, _write(folder / f"{name}.xlsx", content)
    yield "wrong sheet", write_xlsx(folder / "wrong.xlsx", [["物料", "数量"], ["水泥", 3]], "库存")
    yield "ten million cells", _ten_million_cells(folder / "ten-million.xlsx")
    yield "zip bomb", _bomb(folder / "bomb.xlsx")
    yield "zip of zips", _nested(folder / "nested.xlsx")
    yield "cut-off workbook", _cut(write_xlsx(folder / "cut.xlsx", [["准考证号", "姓名"]] * 400))
    yield "pdf named xlsx", _write(folder / "pdf.xlsx", b"%PDF-1.7\n%%EOF\n")
    yield "text with no table", _write(folder / "words.csv", "这里没有名单\n只有字\n".encode())
    yield "half a character", _write(folder / "half.csv", "准考证号,姓名\n1,王".encode()[:-1])
    yield "a folder", _folder(folder / "folder.xlsx")
    yield "nothing there", folder / "missing.xlsx"


def bad_pdfs(folder: Path, genuine: bytes) -> Iterator[tuple[str, Path]]:
    """Name and path of each: nothing, noise, cut, swollen, wrapped; `genuine` is a sealed certificate."""
    for name, content in _noise().items():
        yield name, _write(folder / f"{name}.pdf", content)
    yield "cut", _write(folder / "cut.pdf", genuine[: len(genuine) // 2])
    yield "cut at the end", _write(folder / "cut-end.pdf", genuine[:-20])
    yield "50 MB", _write(folder / "50mb.pdf", genuine + b"\n%" + bytes(50_000_000))
    yield "junk in front", _write(folder / "junk.pdf", b"junk\n" * 300 + genuine)
    yield "workbook named pdf", write_xlsx(folder / "workbook.pdf", [["姓名"]])
    yield (
        "deep nesting",
        _write(folder / "deep.pdf", b"%PDF-1.7\n1 0 obj\n" + b"[" * 200_000 + b"\ntrailer<</Root 1 0 R>>"),
    )
    yield "zip bomb named pdf", _bomb(folder / "bomb.pdf")


def _noise() -> dict[str, bytes]:
    chance = random.Random(7)
    return {
        "empty": b"",
        "spaces": b" \r\n" * 50,
        "zeros": bytes(4096),
        "random": chance.randbytes(64_000),
        "random with a zip's start": b"PK\x03\x04" + chance.randbytes(5000),
        "random with a pdf's start": b"%PDF-1.7\n" + chance.randbytes(5000),
    }


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _cut(path: Path) -> Path:
    return _write(path, path.read_bytes()[:-300])


def _workbook(path: Path, sheet: Callable[[Callable[[bytes], int]], None]) -> Path:
    """A workbook whose one sheet is written piece by piece by `sheet`."""
    relation = '<Relationships xmlns="{p}/relationships"><Relationship Id="r1" Type="{o}/{kind}" Target="{to}"/>'
    relation += "</Relationships>"
    book = f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets><sheet name="s" sheetId="1" r:id="r1"/></sheets>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{_PACKAGE}/content-types"/>')
        start = relation.format(p=_PACKAGE, o=_OFFICE, kind="officeDocument", to="xl/workbook.xml")
        archive.writestr("_rels/.rels", start)
        archive.writestr("xl/workbook.xml", book + "</workbook>")
        sheets = relation.format(p=_PACKAGE, o=_OFFICE, kind="worksheet", to="worksheets/sheet1.xml")
        archive.writestr("xl/_rels/workbook.xml.rels", sheets)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            part.write(f'<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
            sheet(part.write)
            part.write(b"</sheetData></worksheet>")
    return path


def _ten_million_cells(path: Path) -> Path:
    block = (b"<row>" + b"<c><v>1</v></c>" * 1000 + b"</row>") * 100

    def cells(write: Callable[[bytes], int]) -> None:
        for _ in range(100):
            write(block)

    return _workbook(path, cells)


def _bomb(path: Path) -> Path:
    def zeros(write: Callable[[bytes], int]) -> None:
        for _ in range(120):
            write(bytes(1 << 20))

    return _workbook(path, zeros)


def _nested(path: Path) -> Path:
    inner = path.with_suffix(".inner")
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.txt", "a")
    for _ in range(20):
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(inner, "inner.zip")
        inner.write_bytes(path.read_bytes())
    return path
