"""The files an exam centre would send: sitting.toml, roster.xlsx, photos.zip, and a decision file a round."""

import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import xlsxwriter

from issuer.demo.people import CITIES, SPECIALTIES, SUBJECTS, DemoPerson
from issuer.rules.terms import Medium
from templates.portraits import draw_portrait

PASS_MARKS = (60, 60, 72)


@dataclass(frozen=True, slots=True)
class DemoExam:
    """What tells one of the demo's two exams from the other."""

    sitting: str
    code: str
    name: str
    level: str
    medium: Medium


ELECTRONIC = DemoExam("EJJZ-DEMO-1", "EJJZ", "二级建造师", "二级", Medium.ELECTRONIC)
PAPER = DemoExam("JLY-DEMO-1", "JLY", "示例监理员", "初级", Medium.PAPER)
SITTING, PROGRAMME = ELECTRONIC.sitting, ELECTRONIC.code


def sitting_toml(today: date, exam: DemoExam) -> str:
    """A sitting whose public notice and supplementary round have just ended on `today`."""

    def day(ago: int) -> str:
        return (today - timedelta(days=ago)).isoformat()

    marks = "\n".join(f'"{subject}" = {mark}' for subject, mark in zip(SUBJECTS, PASS_MARKS, strict=True))
    cities = "\n".join(f'"{city}" = {number}' for number, city in enumerate(CITIES, start=1))
    specialties = ", ".join(f'"{specialty}"' for specialty in SPECIALTIES)
    return f"""code = "{exam.sitting}"
programme_code = "{exam.code}"
programme = "{exam.name}"
level = "{exam.level}"
medium = "{exam.medium}"            # R11
review_body = "示例省住房和城乡建设厅"
authority = "示例省人力资源和社会保障厅"
exam_ended_on = {day(130)}
results_released_on = {day(55)}
notice_opens_on = {day(52)}
notice_closes_on = {day(40)}     # public notice, at least 10 days (R5)
review_report_due_on = {day(36)} # provincial exam: set by the announcement (R6)
supplementary_closes_on = {day(5)}
approved_on = {day(130)}
specialties = [{specialties}]
management_no_pattern = "{{year}}{{region:02}}{{specialty:02}}{{serial:06}}{{check}}"

[pass_marks]
{marks}

[regions]
{cities}
"""


def write_roster(folder: Path, people: Sequence[DemoPerson], today: date, exam: DemoExam = ELECTRONIC) -> Path:
    """Write sitting.toml, roster.xlsx and photos.zip into `folder`; returns the roster's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitting.toml").write_text(sitting_toml(today, exam), encoding="utf-8")
    roster = folder / "roster.xlsx"
    heads = (
        "准考证号",
        "姓名",
        "性别",
        "证件类型",
        "证件号码",
        "出生日期",
        "专业类别",
        "级别",
        "报考地市",
        "报考方式",
    )
    rows: list[list[str | int]] = [
        [f"示例省专业技术人员职业资格考试合格人员信息（{exam.sitting}）"],
        [*heads, *SUBJECTS, "手机号", "工作单位", "照片"],
    ]
    rows += [
        [
            *(person.admission_no, person.name, person.gender, person.id_label, person.id_no),
            *(person.birth_date.isoformat(), person.specialty, exam.level, person.city, person.basis),
            *person.scores,
            *(person.mobile, person.employer, person.photo),
        ]
        for person in people
    ]
    _write_sheet(roster, rows)
    with zipfile.ZipFile(folder / "photos.zip", "w", zipfile.ZIP_STORED) as archive:
        for number, person in enumerate(people, start=1):
            if person.flaw != "no-photo":
                archive.writestr(person.photo, draw_portrait(number, woman=person.gender == "女"))
    return roster


def write_decisions(path: Path, rows: Iterable[tuple[str, str, str, str]]) -> Path:
    """Write a decision file: admission number, finding (合格, 不合格, 待核查), reason code, note."""
    _write_sheet(path, [["准考证号", "核查结果", "原因代码", "说明"], *map(list, rows)])
    return path


def _write_sheet(path: Path, rows: Sequence[Sequence[str | int]]) -> None:
    with xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("名单")
        for line, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, int):
                    sheet.write_number(line, column, value)
                else:
                    sheet.write_string(line, column, value)
