"""Rosters of invented people, as an exam centre would send them: sitting.toml, .xlsx or .csv, photos.zip.

Nobody exists: resident ID numbers begin with 99, a province code that was never given out.
"""

import csv
import io
import random
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import xlsxwriter
from PIL import Image, ImageDraw

from issuer.rules.identity import check_character

SITTING = "EJJZ-2025-9"
SUBJECTS = ("建设工程施工管理", "建设工程法规及相关知识", "专业工程管理与实务")
SPECIALTIES = ("建筑工程", "公路工程", "水利水电工程", "市政公用工程", "矿业工程", "机电工程")
HEADS = (
    *("准考证号", "姓名", "性别", "证件类型", "证件号码", "出生日期", "专业类别", "级别", "报考地市", "报考方式"),
    *SUBJECTS,
    *("手机号", "工作单位", "照片"),
)
CITIES = ("郑州", "开封", "洛阳", "南阳", "信阳")
RARE_NAMES = ("李㛃䶮", "王𠮷𣲗", "阿卜杜热依木·买买提明", "欧阳𬭚", "张㐂")
SITTING_TOML = f"""code = "{SITTING}"
programme = "二级建造师"
level = "二级"
medium = "electronic"
review_body = "示例省住房和城乡建设厅"
authority = "示例省人力资源和社会保障厅"
exam_ended_on = 2025-06-08
results_released_on = 2025-08-20
notice_opens_on = 2025-08-25
notice_closes_on = 2025-09-04
review_report_due_on = 2025-09-10
supplementary_closes_on = 2025-10-20
approved_on = 2025-06-08
specialties = ["建筑工程", "公路工程", "水利水电工程", "市政公用工程", "矿业工程", "机电工程"]
management_no_pattern = "{{year}}{{region:02}}{{specialty:02}}{{serial:06}}{{check}}"

[pass_marks]
"建设工程施工管理" = 60
"建设工程法规及相关知识" = 60
"专业工程管理与实务" = 72
"""


@dataclass(frozen=True)
class Invented:
    """One row, each field as it is to stand in its cell."""

    admission_no: Any
    name: Any
    gender: Any
    id_type: Any
    id_no: Any
    birth_date: Any
    specialty: Any
    city: Any
    scores: tuple[Any, ...]
    photo: Any
    level: Any = "二级"
    basis: Any = "告知承诺"
    mobile: Any = "13900000000"
    employer: Any = "示例第一建设集团有限公司"
    expect: str = "ok"
    """ok, or the code of the finding that keeps the row out."""

    def but(self, expect: str = "ok", **changes: Any) -> "Invented":
        """The same person with some cells changed."""
        return replace(self, expect=expect, **changes)

    def cells(self) -> list[Any]:
        """The row in the order of HEADS."""
        head = (self.admission_no, self.name, self.gender, self.id_type, self.id_no, self.birth_date)
        return [
            *(*head, self.specialty, self.level, self.city, self.basis),
            *(*self.scores, self.mobile, self.employer, self.photo),
        ]


@dataclass(frozen=True)
class RosterFiles:
    """What was written. expected: row number (from 1) → ok or the code that keeps it out."""

    folder: Path
    xlsx: Path
    photos_zip: Path
    sitting_toml: Path
    expected: dict[int, str] = field(default_factory=dict)
    people: tuple[Invented, ...] = ()


def resident_id(born: date, order: int, region: str = "990102") -> str:
    """A number with its check character (GB 11643-1999)."""
    body = f"{region}{born:%Y%m%d}{order:03d}"
    return body + check_character(body)


def invent(count: int, seed: int = 1, start: int = 1) -> list[Invented]:
    """`count` people who pass, the same ones for the same seed; admission numbers run from `start`."""
    chance = random.Random(seed)
    return [_one(number, chance) for number in range(start, start + count)]


def write_roster(
    folder: Path, people: int | Sequence[Invented] = 20, seed: int = 1, *, photos: bool = True
) -> RosterFiles:
    """Write sitting.toml, roster.xlsx and photos.zip into `folder`: a title row, the heads, the people."""
    rows = invent(people, seed) if isinstance(people, int) else list(people)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitting.toml").write_text(SITTING_TOML, encoding="utf-8")
    title = [f"示例省专业技术人员职业资格考试合格人员信息（{SITTING}）"]
    write_xlsx(folder / "roster.xlsx", [title, list(HEADS), *(person.cells() for person in rows)])
    names = {person.photo for person in rows if photos and person.expect != "photo_missing" and person.photo}
    write_photos(folder / "photos.zip", sorted(names))
    return RosterFiles(
        folder=folder,
        xlsx=folder / "roster.xlsx",
        photos_zip=folder / "photos.zip",
        sitting_toml=folder / "sitting.toml",
        expected={row: person.expect for row, person in enumerate(rows, 3)},
        people=tuple(rows),
    )


def write_xlsx(path: Path, rows: Iterable[Sequence[Any]], sheet_name: str = "合格人员") -> Path:
    """Rows into a sheet: text as text, numbers as numbers, dates as dates."""
    with xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet(sheet_name)
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for line, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, date):
                    sheet.write_datetime(line, column, value, day)
                elif isinstance(value, int | float):
                    sheet.write_number(line, column, value)
                elif value not in (None, ""):
                    sheet.write_string(line, column, value)
    return path


def write_csv(path: Path, rows: Iterable[Sequence[Any]], encoding: str = "utf-8", delimiter: str = ",") -> Path:
    """Rows as .csv."""
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def write_photos(path: Path, names: Iterable[str]) -> Path:
    """A zip with a different portrait under each name."""
    with zipfile.ZipFile(path, "w") as archive:
        for number, name in enumerate(names, 1):
            archive.writestr(name, portrait(number))
    return path


def portrait(seed: int) -> bytes:
    """A small JPEG that differs for each seed."""
    image = Image.new("RGB", (120, 168), (200, 220 - seed % 90, 240 - seed % 120))
    draw = ImageDraw.Draw(image)
    draw.ellipse((35, 30, 85, 95), fill=(230, 190 - seed % 40, 160))
    for bit in range(24):
        if seed >> bit & 1:
            draw.rectangle((bit * 5, 150, bit * 5 + 4, 160), fill=(20, 20, 90))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()


def _one(number: int, chance: random.Random) -> Invented:
    born = date(1966, 1, 1) + timedelta(days=chance.randrange(365 * 34))
    male = chance.random() < 0.6
    # The running number makes every ID number a different one.
    order = number * 2 % 998 + (1 if male else 0)
    region = f"99{number // 499 % 90 + 10:02d}{number // 44_910 % 90 + 10:02d}"
    name = RARE_NAMES[number % 50] if number % 50 < len(RARE_NAMES) else _name(chance)
    return Invented(
        admission_no=f"992025{number:07d}",
        name=name,
        gender="男" if male else "女",
        id_type="居民身份证",
        id_no=resident_id(born, order, region),
        birth_date=born.isoformat(),
        specialty=chance.choice(SPECIALTIES),
        city=chance.choice(CITIES),
        scores=(chance.randrange(60, 96), chance.randrange(60, 96), chance.randrange(72, 116)),
        photo=f"{number:07d}.jpg",
        basis="告知承诺" if chance.random() < 0.9 else "材料审核",
    )


def _name(chance: random.Random) -> str:
    given = "".join(chance.sample("安邦晨德恩芳刚海慧嘉静凯兰明宁鹏琪荣思涛文欣雅泽志博", chance.choice((1, 2, 2))))
    return chance.choice("李王张刘陈杨赵黄周吴徐孙") + given
