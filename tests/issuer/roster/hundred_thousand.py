"""Run as a program: import a roster of 100,000 people and print what it took, as JSON.

Arguments: an empty folder, the number of people. Peak memory is this process's own
(VmHWM: ru_maxrss would start from what the process that started it had).
"""

import json
import sys
import time
import zipfile
from datetime import date, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

import issuer.records.access
import issuer.records.ledger
import issuer.records.paper
import issuer.records.reviews  # noqa: F401 - every table must be known before create_all
from issuer.access.actor import SYSTEM
from issuer.clock import SimulatedClock
from issuer.records.base import Base
from issuer.records.database import Database, make_engine
from issuer.records.encryption import DataKey, use_data_key
from issuer.records.storage import Storage
from issuer.roster.service import define_sitting, import_roster
from issuer.settings import Settings
from tests.factories.roster_files import HEADS, SITTING, SITTING_TOML, resident_id
from tests.issuer.roster.conftest import RosterWorld

_PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="s" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
    'Target="worksheets/sheet1.xml"/></Relationships>',
}


def _peak_kib() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))


def write_large(path: Path, count: int) -> None:
    """A roster of `count` rows, written as plain markup because a spreadsheet library would take a minute."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in _PARTS.items():
            archive.writestr(name, content)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            head = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
            sheet.write(head.encode() + _row(1, list(HEADS)))
            for number in range(1, count + 1):
                sheet.write(_row(number + 1, _person(number)))
            sheet.write(b"</sheetData></worksheet>")


def _person(number: int) -> list[str | int]:
    born = date(1966, 1, 1) + timedelta(days=number % 12_000)
    order = 1 + number // 12_000 * 2
    return [
        *(f"992025{number:07d}", f"李{chr(0x4E00 + number % 20_000)}{chr(0x4E00 + number % 19_997)}", "男"),
        *("居民身份证", resident_id(born, order), born.isoformat(), "公路工程", "二级", "洛阳", "告知承诺"),
        *(60 + number % 40, 60 + number % 37, 72 + number % 40, f"139{number:08d}", f"示例第{number}工程局", ""),
    ]


def _row(line: int, cells: list[str | int]) -> bytes:
    out = []
    for column, cell in enumerate(cells):
        place = f'r="{chr(65 + column)}{line}"'
        if isinstance(cell, int):
            out.append(f"<c {place}><v>{cell}</v></c>")
        elif cell:
            out.append(f'<c {place} t="inlineStr"><is><t>{escape(cell)}</t></is></c>')
    return f'<row r="{line}">{"".join(out)}</row>'.encode()


def main() -> None:
    """Write, import, report."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    key = DataKey(bytes(range(32)))
    use_data_key(key)
    write_large(folder / "large.xlsx", count)
    before = _peak_kib()
    engine = make_engine(f"sqlite:///{folder / 'issuer.sqlite3'}")
    Base.metadata.create_all(engine)
    world = RosterWorld(
        folder,
        Database(engine),
        SimulatedClock.on(date(2025, 8, 21)),
        Storage.in_folder(folder / "files"),
        Settings(data_dir=folder),
        key,
    )
    define_sitting(world, SYSTEM, SITTING_TOML.encode())
    started = time.monotonic()
    report = import_roster(world, SYSTEM, SITTING, file_name="large.xlsx", content=folder / "large.xlsx", photos=None)
    peak = _peak_kib()
    print(
        json.dumps(
            {
                "imported": report.imported,
                "rejected": report.rejected,
                "seconds": round(time.monotonic() - started, 1),
                "peak_mib": peak // 1024,
                "before_mib": before // 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
