"""Invented candidates for worlds: a roster as .csv, portraits as .zip, the sitting's definition."""

import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from PIL import Image, ImageDraw

SITTING = "TEST-2025-1"
SUBJECTS = ("施工管理", "法规")
NAMES = ("王小明", "欧阳修文", "阿卜杜热依木·买买提明", "王𠮷𣲗", "李㛃䶮", "SMITH JOHN", "陈静", "赵一鸣")
CITIES = ("东江", "西岭")
SPECIALTIES = ("建筑工程", "机电工程")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row of the roster."""

    admission_no: str
    name: str
    id_no: str
    specialty: str
    city: str
    photo: str


def invent(count: int) -> tuple[Candidate, ...]:
    """`count` candidates. Their ID numbers begin with 99, a province that was never given a code."""
    return tuple(
        Candidate(
            admission_no=f"4100{number:08}",
            name=NAMES[number % len(NAMES)],
            id_no=resident_id(number),
            specialty=SPECIALTIES[number % len(SPECIALTIES)],
            city=CITIES[number % len(CITIES)],
            photo=f"{number:04}.jpg",
        )
        for number in range(count)
    )


def resident_id(number: int) -> str:
    """A resident ID number with its check digit (GB 11643, ISO/IEC 7064 MOD 11-2); no two numbers give the same."""
    body = f"9901{number // 900:02}19900101{number % 900 + 100:03}"
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


def sitting_toml(today: date, *, code: str = SITTING, medium: str = "electronic") -> bytes:
    """A sitting whose notice and both rounds lie behind `today`."""

    def ago(days: int) -> str:
        return (today - timedelta(days=days)).isoformat()

    marks = "\n".join(f'"{subject}" = 60' for subject in SUBJECTS)
    cities = "\n".join(f'"{city}" = "{number:02}"' for number, city in enumerate(CITIES, start=1))
    return f"""code = "{code}"
programme = "二级建造师"
level = "二级"
medium = "{medium}"
review_body = "示例省住房和城乡建设厅"
authority = "示例省人力资源和社会保障厅"
exam_ended_on = {ago(130)}
results_released_on = {ago(55)}
notice_opens_on = {ago(52)}
notice_closes_on = {ago(40)}
review_report_due_on = {ago(36)}
supplementary_closes_on = {ago(5)}
approved_on = {ago(130)}
specialties = {list(SPECIALTIES)!r}
management_no_pattern = "{{year}}{{region:02}}{{specialty:02}}{{serial:06}}{{check}}"

[pass_marks]
{marks}

[policy.regions]
{cities}
""".encode()


def write_files(folder: Path, people: Sequence[Candidate]) -> tuple[Path, Path]:
    """Write roster.csv and photos.zip; returns both paths."""
    folder.mkdir(parents=True, exist_ok=True)
    roster, photos = folder / "roster.csv", folder / "photos.zip"
    with roster.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        heads = ("准考证号", "姓名", "性别", "证件类型", "证件号码", "专业类别", "报考地市", "报考方式")
        writer.writerow([*heads, *SUBJECTS, "照片"])
        for person in people:
            gender = "男" if int(person.id_no[16]) % 2 else "女"
            about = (person.admission_no, person.name, gender, "居民身份证", person.id_no)
            writer.writerow([*about, person.specialty, person.city, "告知承诺", 70, 71, person.photo])
    with zipfile.ZipFile(photos, "w", zipfile.ZIP_STORED) as archive:
        for number, person in enumerate(people):
            archive.writestr(person.photo, portrait(number))
    return roster, photos


def portrait(number: int) -> bytes:
    """A drawn head and shoulders; every number gives another picture."""
    picture = Image.new("RGB", (295, 413), (200, 215, 235))
    draw = ImageDraw.Draw(picture)
    tone = (90 + number * 37 % 120, 80 + number * 53 % 120, 70 + number * 71 % 120)
    draw.ellipse((90, 90, 205, 235), fill=(236, 205, 180))
    draw.rounded_rectangle((45, 270, 250, 420), radius=60, fill=tone)
    draw.text((8, 8), str(number), fill=(80, 80, 80))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()
