"""Rows in, findings out: good rows go through, bad ones say why, a second time changes nothing."""

import json
import os
import zipfile
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from issuer.access.actor import SYSTEM, Actor
from issuer.audit import verify_chain
from issuer.errors import NotAllowedError, NotFoundError
from issuer.records.certificates import ECertificate
from issuer.records.ledger import AuditEvent
from issuer.records.people import PHOTO_PURPOSE, Person, Score
from issuer.records.reviews import EligibilityReview
from issuer.roster.service import define_sitting, import_roster
from issuer.rules.terms import Role
from tests.factories.roster_files import (
    HEADS,
    SITTING,
    invent,
    portrait,
    resident_id,
    write_csv,
    write_photos,
    write_roster,
    write_xlsx,
)
from tests.issuer.roster.conftest import RosterWorld, codes

SAMPLES = Path(os.environ["ECERT_SAMPLES"]) if os.environ.get("ECERT_SAMPLES") else None
SAMPLE_ROSTERS = sorted(SAMPLES.glob("*/expected.json")) if SAMPLES else []


def test_every_row_of_the_samples_comes_out_as_expected(world: RosterWorld) -> None:
    people = invent(20)
    people[4] = people[4].but("reject:specialty_unknown", specialty="航天工程")
    people[9] = people[9].but("ok-normalised", name=f" {people[9].name} ")
    own = write_roster(world.folder / "own", people)
    expected = [{"row": row, "expect": expect} for row, expect in own.expected.items()]
    (own.folder / "expected.json").write_text(json.dumps(expected), encoding="utf-8")
    for folder in (own.folder, *(path.parent for path in SAMPLE_ROSTERS)):
        _compare(world, folder)


def _compare(world: RosterWorld, folder: Path) -> None:
    sitting = define_sitting(world, SYSTEM, (folder / "sitting.toml").read_bytes())
    report = import_roster(
        world,
        SYSTEM,
        sitting.code,
        file_name="roster.xlsx",
        content=folder / "roster.xlsx",
        photos=folder / "photos.zip",
    )
    errors, notes = codes(report), codes(report, "note")
    rows = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    wrong = []
    for row in rows:
        found, told = errors.get(row["row"], set()), notes.get(row["row"], set())
        match row["expect"].partition(":"):
            case ("ok", _, _):
                good = not found
            case ("reject", _, code):
                good = found == {code}
            case _:
                good = not found and bool(told)
        if not good:
            wrong.append((folder.name, row["row"], row["expect"], found, told))
    assert wrong == []
    assert report.imported == sum(1 for row in rows if row["expect"].startswith("ok"))


def test_good_rows_go_in_with_photos_scores_and_the_first_state_of_review(world: RosterWorld) -> None:
    files = write_roster(world.folder / "in", 12)
    report = world.take(files.xlsx, files.photos_zip)
    assert (report.rows, report.imported, report.rejected) == (12, 12, 0)
    first = files.people[0]
    stored = world.registrations()[first.admission_no]
    assert (stored.name, stored.specialty, stored.city) == (first.name, first.specialty, first.city)
    assert stored.birth_date == first.birth_date
    assert stored.photo_key is not None
    assert stored.photo_key.startswith(f"photos/{SITTING}/")
    sealed = world.storage.get(stored.photo_key)
    assert world.data_key.open(PHOTO_PURPOSE, sealed) == portrait(1)
    with world.database.read() as session:
        scores = session.scalars(select(Score).where(Score.registration_id == stored.id)).all()
        values = sorted(world.data_key.open("scores.score", score.score).decode() for score in scores)
        reviews = session.scalars(select(EligibilityReview)).all()
        assert all(score.passed for score in scores)
        assert verify_chain(session).intact
        assert {(review.round, review.outcome, review.version) for review in reviews} == {("first", "awaiting", 0)}
        assert len(reviews) == 12
    assert values == sorted(map(str, first.scores))


def test_no_personal_data_rests_in_the_clear_or_leaves_in_findings_and_audit(world: RosterWorld) -> None:
    people = invent(6)
    people[2] = people[2].but(
        "id_check_digit", id_no=people[2].id_no[:-1] + ("1" if people[2].id_no[-1] != "1" else "2")
    )
    people[3] = people[3].but("duplicate", id_no=people[1].id_no, birth_date=people[1].birth_date)
    files = write_roster(world.folder / "in", people)
    report = world.take(files.xlsx, files.photos_zip)
    said = json.dumps(report.to_json(), ensure_ascii=False)
    with world.database.read() as session:
        audit = repr([event.details for event in session.scalars(select(AuditEvent))])
    raw = (world.folder / "issuer.sqlite3").read_bytes() + (world.folder / "issuer.sqlite3-wal").read_bytes()
    for person in people:
        for secret in (person.id_no, person.name):
            assert secret not in said
            assert secret not in audit
            assert secret.encode() not in raw
        assert person.admission_no not in said


def test_the_same_file_again_changes_nothing_at_all(world: RosterWorld) -> None:
    files = write_roster(world.folder / "in", 8)
    world.take(files.xlsx, files.photos_zip)
    before, photos = world.snapshot(), world.storage.list("photos")
    again = world.take(files.xlsx, files.photos_zip)
    assert (again.imported, again.updated, again.unchanged, again.import_id) == (0, 0, 8, None)
    assert world.snapshot() == before
    assert world.storage.list("photos") == photos


def test_a_dry_run_finds_the_same_and_writes_nothing(world: RosterWorld) -> None:
    people = invent(6)
    people[4] = people[4].but("specialty_unknown", specialty="航天工程")
    files = write_roster(world.folder / "in", people)
    before = world.snapshot()
    dry = world.take(files.xlsx, files.photos_zip, dry_run=True)
    assert world.snapshot() == before
    assert world.storage.list("") == ()
    real = world.take(files.xlsx, files.photos_zip)
    assert (dry.imported, dry.findings) == (real.imported, real.findings)


def test_a_changed_row_is_taken_over_until_a_certificate_was_made(world: RosterWorld) -> None:
    people = invent(3)
    files = write_roster(world.folder / "in", people)
    world.take(files.xlsx, files.photos_zip)
    moved = [people[0].but(specialty="矿业工程", scores=(90, 91, 92)), *people[1:]]
    changed = write_roster(world.folder / "again", moved)
    report = world.take(changed.xlsx, changed.photos_zip)
    assert (report.updated, report.unchanged) == (1, 2)
    row = world.registrations()[people[0].admission_no]
    assert row.specialty == "矿业工程"
    with world.database.read() as session:
        scores = session.scalars(select(Score).where(Score.registration_id == row.id)).all()
        assert sorted(world.data_key.open("scores.score", s.score) for s in scores) == [b"90", b"91", b"92"]
    _issue(world, row.id, row.person_id)
    back = world.take(files.xlsx, files.photos_zip)
    assert codes(back) == {3: {"already_issued"}}
    assert world.registrations()[people[0].admission_no].specialty == "矿业工程"


@pytest.mark.parametrize(
    ("changes", "head"),
    [
        ({"name": "赵更名"}, "姓名"),
        ({"scores": (61, 62, 99)}, "专业工程管理与实务"),
        ({"specialty": "矿业工程"}, "专业类别"),
        ({"city": "南阳"}, "报考地市"),
    ],
)
@pytest.mark.parametrize("dry_run", [True, False])
def test_what_a_review_rests_on_stays_as_it_was_decided(
    world: RosterWorld, changes: dict[str, object], head: str, dry_run: bool
) -> None:
    person = invent(1)[0].but(specialty="建筑工程", city="郑州", scores=(61, 62, 73))
    files = write_roster(world.folder / "in", [person])
    world.take(files.xlsx, files.photos_zip)
    with world.database.write() as session:
        session.scalars(select(EligibilityReview)).one().version = 1
    before = world.snapshot()
    again = write_roster(world.folder / "again", [person.but(**changes)])
    report = world.take(again.xlsx, again.photos_zip, dry_run=dry_run)
    refused = [finding for finding in report.findings if finding.level == "error"]
    assert [(f.code, f.column) for f in refused] == [("already_reviewed", head)]
    assert refused[0].remedy.zh and (report.updated, report.rejected) == (0, 1)
    assert world.snapshot() == before


def test_mobile_employer_and_photo_may_follow_after_the_review(world: RosterWorld) -> None:
    person = invent(1)[0]
    files = write_roster(world.folder / "in", [person])
    world.take(files.xlsx)
    with world.database.write() as session:
        session.scalars(select(EligibilityReview)).one().version = 1
    moved = person.but(mobile="13911111111", employer="示例第二建设有限公司")
    again = write_roster(world.folder / "again", [moved])
    report = world.take(again.xlsx, again.photos_zip)
    assert (report.updated, codes(report), codes(report, "note")) == (
        1,
        {},
        {3: {"updated_after_review", "id_county_unknown"}},
    )
    row = world.registrations()[person.admission_no]
    assert (row.mobile, row.employer) == (moved.mobile, moved.employer) and row.photo_key


def test_a_mended_id_number_moves_the_registration_only_before_review_began(world: RosterWorld) -> None:
    people = invent(2)
    files = write_roster(world.folder / "in", people)
    world.take(files.xlsx, files.photos_zip)
    born = date(1980, 2, 29)
    mended = [person.but(id_no=resident_id(born, 10 + i), birth_date="1980-02-29") for i, person in enumerate(people)]
    with world.database.write() as session:
        second = world.registrations()[people[1].admission_no].id
        session.get_one(EligibilityReview, second).version = 1
    again = write_roster(world.folder / "again", mended)
    report = world.take(again.xlsx, again.photos_zip)
    assert (report.updated, codes(report)) == (1, {4: {"already_reviewed"}})
    assert codes(report, "note")[3] >= {"identity_replaced"}
    with world.database.read() as session:
        first = world.registrations()[people[0].admission_no]
        assert session.get_one(Person, first.person_id).id_no == mended[0].id_no


def test_another_person_does_not_take_over_an_admission_number(world: RosterWorld) -> None:
    people = invent(3)
    files = write_roster(world.folder / "in", people[:2])
    world.take(files.xlsx, files.photos_zip)
    other = people[2].but(admission_no=people[0].admission_no)
    assert other.name != people[0].name
    again = write_roster(world.folder / "again", [other])
    before = world.registrations()[people[0].admission_no].person_id
    report = world.take(again.xlsx, again.photos_zip)
    assert (report.updated, codes(report)) == (0, {3: {"admission_no_taken"}})
    assert world.registrations()[people[0].admission_no].person_id == before


def test_duplicates_are_refused_in_the_file_and_across_the_sitting(world: RosterWorld) -> None:
    one, two, three, four = invent(4)
    files = write_roster(world.folder / "in", [one, two])
    world.take(files.xlsx, files.photos_zip)
    later = write_roster(
        world.folder / "later",
        [
            three,
            four.but(admission_no=three.admission_no),
            four.but(id_no=three.id_no, birth_date=three.birth_date),
            four.but(id_no=one.id_no, birth_date=one.birth_date, admission_no="9920250000099"),
        ],
    )
    report = world.take(later.xlsx, later.photos_zip)
    assert report.imported == 1
    assert codes(report) == {4: {"duplicate_admission_no"}, 5: {"duplicate"}, 6: {"duplicate"}}


def test_a_file_without_photos_is_taken_and_photos_added_later_stay(world: RosterWorld) -> None:
    files = write_roster(world.folder / "in", 3)
    bare = world.take(files.xlsx)
    assert (bare.imported, len(bare.remarks)) == (3, 1)
    assert world.take(files.xlsx, files.photos_zip).updated == 3
    assert world.take(files.xlsx).unchanged == 3
    assert all(row.photo_key for row in world.registrations().values())


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


def test_photos_are_found_by_number_when_the_roster_names_none(world: RosterWorld) -> None:
    people = [person.but(photo="") for person in invent(2)]
    files = write_roster(world.folder / "in", people)
    photos = write_photos(
        world.folder / "by-number.zip", [f"照片/{people[0].admission_no}.JPG", f"{people[1].id_no}.png"]
    )
    report = world.take(files.xlsx, photos)
    assert (report.imported, codes(report)) == (2, {})


def test_only_the_authority_or_an_operator_imports_and_only_into_a_known_sitting(world: RosterWorld) -> None:
    files = write_roster(world.folder / "in", 1)
    reviewer = Actor("r", frozenset({Role.REVIEW_BODY}), "cli", frozenset({"EJJZ"}))
    with pytest.raises(NotAllowedError):
        import_roster(world, reviewer, SITTING, file_name="r", content=files.xlsx, photos=None)
    with pytest.raises(NotFoundError):
        import_roster(world, SYSTEM, "NOPE", file_name="r", content=files.xlsx, photos=None)


def test_an_unknown_sitting_is_defined_with_the_file_but_not_by_an_unreadable_one(world: RosterWorld) -> None:
    files = write_roster(world.folder / "in", 2)
    toml = files.sitting_toml.read_bytes().replace(b"EJJZ-2025-9", b"EJJZ-2026-1")
    before = world.snapshot()
    broken = world.folder / "broken.xlsx"
    broken.write_bytes(b"PK\x03\x04 not really")
    arguments = {"file_name": "r.xlsx", "photos": None, "definition": toml}
    with pytest.raises(Exception, match="Nothing was imported"):
        import_roster(world, SYSTEM, "EJJZ-2026-1", content=broken, **arguments)
    dry = import_roster(world, SYSTEM, "EJJZ-2026-1", content=files.xlsx, dry_run=True, **arguments)
    assert dry.imported == 2
    assert world.snapshot() == before
    assert import_roster(world, SYSTEM, "EJJZ-2026-1", content=files.xlsx, **arguments).imported == 2


def test_a_stray_column_of_unknown_name_is_told_and_ignored(world: RosterWorld) -> None:
    rows = [[*HEADS, "备注"], *([*person.cells(), "好"] for person in invent(2))]
    report = world.take(write_xlsx(world.folder / "r.xlsx", rows))
    assert (report.imported, report.ignored_columns) == (2, ("备注",))


def _issue(world: RosterWorld, registration_id: int, person_id: int) -> None:
    with world.database.write() as session:
        session.add(
            ECertificate(
                registration_id=registration_id,
                sitting_code=SITTING,
                person_id=person_id,
                qualification="x",
                management_no="1",
                token="A" * 26,
                name="x",
                approved_on=date(2025, 6, 8),
                issued_on=date(2025, 11, 1),
                list_id="1",
                list_index=1,
                intended_at=world.clock.now(),
            )
        )


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


def test_jpg_and_jpeg_are_one_suffix_and_a_photo_packed_twice_is_one(world: RosterWorld) -> None:
    first, second, third = (
        person.but(photo=name) for person, name in zip(invent(3), ("a.jpeg", "b.jpg", "c.jpg"), strict=True)
    )
    files = write_roster(world.folder / "in", [first, second, third])
    photos = world.folder / "photos.zip"
    entries = (("a.jpg", 1), ("x/b.jpg", 2), ("y/b.jpg", 2), ("x/c.jpg", 3), ("y/c.jpg", 4))
    with zipfile.ZipFile(photos, "w") as archive:
        for name, seed in entries:
            archive.writestr(name, portrait(seed))
    report = world.take(files.xlsx, photos)
    assert (report.imported, codes(report)) == (2, {5: {"photo_missing"}})
