"""What a single cell may hold: every way people write the same thing, and what is told of the rest."""

from datetime import date

import pytest

from issuer.records.people import Person
from tests.factories.roster_files import (
    HEADS,
    invent,
    resident_id,
    write_csv,
    write_photos,
    write_roster,
    write_xlsx,
)
from tests.issuer.roster.conftest import RosterWorld, codes


def test_each_unusable_cell_is_told_with_its_own_code_and_all_of_a_row_at_once(world: RosterWorld) -> None:
    people = invent(34)
    born = date(1989, 11, 3)
    good = resident_id(born, 25)
    wrong = [
        {"admission_no": ""},
        {"admission_no": "12"},
        {"admission_no": 123456789012345678},
        {"name": ""},
        {"name": "李\u202e四"},
        {"name": "王\x07五"},
        {"name": "赵\ue000六"},
        {"name": "长" * 61},
        {"id_type": ""},
        {"id_type": "驾驶证"},
        {"id_no": ""},
        {"id_no": int(good[:17] + "0")},
        {"id_no": good[:15] + "000"},
        {"id_no": "4.10102E+17"},
        {"id_no": "410102891103925"},
        {"id_no": good[:17]},
        {"id_no": "41010219891103ABCD"},
        {"id_no": resident_id(date(2000, 1, 1), 5).replace("20000101", "20000230")[:17] + "9"},
        {"birth_date": "1970-02-30"},
        {"birth_date": "1990-01-01"},
        {"specialty": ""},
        {"level": "一级"},
        {"basis": "随便"},
        {"scores": ("", 80, 80)},
        {"scores": ("八十", 80, 80)},
        {"scores": ("缺考", 80, 80)},
        {"scores": (59.5, 80, 80)},
        {"photo": "没有.jpg"},
        {"employer": "长" * 201},
        {"id_type": "护照", "id_no": "!!", "birth_date": "1980-01-01"},
    ]
    expected = [
        "admission_no_missing admission_no_form admission_no_damaged name_missing name_bidi_character",
        "name_control_character name_private_use name_too_long id_type_missing id_type_unknown id_missing",
        "id_damaged_by_spreadsheet id_damaged_by_spreadsheet id_damaged_by_spreadsheet id_old_15_digits id_length",
        "id_characters id_check_digit birth_date birth_date specialty_missing level_unknown basis_unknown",
        "score_missing score_unreadable not_passed not_passed photo_missing text_too_long id_format",
    ]
    wanted = " ".join(expected).split()
    rows = [person.but(code, **change) for person, code, change in zip(people, wanted, wrong, strict=False)]
    rows.append(people[33].but("several", name="", specialty="航天工程", scores=(1, 80, 80)))
    files = write_roster(world.folder / "in", rows)
    found = codes(world.take(files.xlsx, files.photos_zip))
    assert {row: found.get(row) for row in range(3, 3 + len(wanted))} == {
        row: {code} for row, code in enumerate(wanted, 3)
    }
    assert found[3 + len(wanted)] == {"name_missing", "specialty_unknown", "not_passed"}


def test_cells_are_understood_in_the_many_ways_spreadsheets_hold_them(world: RosterWorld) -> None:
    people = invent(9)
    born = date.fromisoformat(people[0].birth_date)
    serial = (born - date(1899, 12, 30)).days
    ways: list[object] = [
        *(born, serial, str(serial), f"{born:%Y/%m/%d}", f"{born:%Y%m%d}"),
        *(int(f"{born:%Y%m%d}"), f"{born.year}年{born.month}月{born.day}日", f"{born:%Y.%m.%d}", f"  '{born} "),
    ]
    rows = [
        person.but(
            id_no=resident_id(born, 100 + i),
            birth_date=way,
            admission_no=int(person.admission_no),
            scores=("８８", " 90分", 99.5),
        )
        for i, (person, way) in enumerate(zip(people, ways, strict=True))
    ]
    files = write_roster(world.folder / "in", rows)
    report = world.take(files.xlsx, files.photos_zip)
    assert codes(report) == {}
    stored = world.registrations()
    assert {row.birth_date for row in stored.values()} == {born.isoformat()}
    assert set(stored) == {person.admission_no for person in people}


def test_other_documents_and_mended_writings_are_taken_with_a_note(world: RosterWorld) -> None:
    people = invent(9)
    rows = [
        people[0].but(id_type="港澳居民来往内地通行证", id_no="h1234567801", birth_date="1990-01-02"),
        people[1].but(id_type="台湾居民来往大陆通行证", id_no="12345678", birth_date="1990-01-02"),
        people[2].but(id_type="护照", id_no="e 1234 5678", name="SMITH  JOHN", birth_date="1990-01-02"),
        people[3].but(
            id_type="港澳台居民居住证", id_no=resident_id(date(1990, 1, 2), 3, "830000"), birth_date="1990-01-02"
        ),
        people[4].but(id_no=resident_id(date(1990, 1, 2), 3, "810000"), birth_date="1990-01-02"),
        people[5].but(id_type="外国人永久居留身份证", id_no="CHN310081111001", birth_date="1990-01-02"),
        people[6].but(name=" 廖\u3000华敏 "),
        people[7].but(employer='=HYPERLINK("http://x.example","点我")'),
        people[8].but(employer="<script>alert(1)</script>"),
    ]
    files = write_roster(world.folder / "in", rows)
    report = world.take(files.xlsx, files.photos_zip)
    assert codes(report) == {}
    told = codes(report, "note")
    assert told[3] == {"id_lower_case", "id_reissue_count_dropped"}
    assert "id_type_by_number" in told[7]
    assert "name_mended" in told[9]
    assert {"text_kept_as_text"} <= told[10] & told[11]
    stored = world.registrations()
    assert stored[people[6].admission_no].name == "廖华敏"
    assert stored[people[7].admission_no].employer == '=HYPERLINK("http://x.example","点我")'
    with world.database.read() as session:
        kinds = [session.get_one(Person, stored[person.admission_no].person_id) for person in people[:6]]
        session.expunge_all()
    assert [kind.id_type for kind in kinds] == [
        "hk-macau-permit",
        "taiwan-permit",
        "passport",
        "residence-permit",
        "residence-permit",
        "foreigner-permit",
    ]
    assert kinds[0].id_no == "H12345678"


@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [("utf-8", ","), ("utf-8-sig", ","), ("gb18030", ","), ("utf-8", ";"), ("utf-16", "\t"), ("gb18030", "\t")],
)
def test_csv_is_read_in_every_common_encoding(world: RosterWorld, encoding: str, delimiter: str) -> None:
    people = invent(5)
    people[1] = people[1].but(employer='示例"一"公司\n第二行')
    rows = [["名单"], list(HEADS), *(person.cells() for person in people)]
    rows[2][4] = f'="{rows[2][4]}"'
    content = write_csv(world.folder / "roster.csv", rows, encoding, delimiter)
    photos = write_photos(world.folder / "photos.zip", [person.photo for person in people])
    report = world.take(content, photos)
    assert (report.imported, codes(report)) == (5, {})
    assert world.registrations()[people[1].admission_no].employer == '示例"一"公司 第二行'


def test_a_stray_column_of_unknown_name_is_told_and_ignored(world: RosterWorld) -> None:
    rows = [[*HEADS, "备注"], *([*person.cells(), "好"] for person in invent(2))]
    report = world.take(write_xlsx(world.folder / "r.xlsx", rows))
    assert (report.imported, report.ignored_columns) == (2, ("备注",))


def test_names_the_page_cannot_draw_and_odd_genders_are_told_at_import(world: RosterWorld) -> None:
    plain, han, marks, gender = invent(4)
    people = [
        plain,
        han.but(name="王\U00030edd"),
        marks.but(name="Ana\u0301\u0302\u0303 Lee"),
        gender.but(gender="X"),
    ]
    files = write_roster(world.folder / "in", people)
    report = world.take(files.xlsx, files.photos_zip)
    told = {
        (f.row, f.code)
        for f in report.findings
        if f.code in ("name_may_not_be_drawn", "gender_unknown") and f.level == "note"
    }
    assert (report.imported, told) == (
        4,
        {(4, "name_may_not_be_drawn"), (5, "name_may_not_be_drawn"), (6, "gender_unknown")},
    )
