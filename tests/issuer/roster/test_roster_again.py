"""A roster that comes again: nothing changes, or only what no review and no certificate rests on."""

from datetime import date

import pytest
from sqlalchemy import select

from issuer.records.certificates import ECertificate
from issuer.records.people import Person, Score
from issuer.records.reviews import EligibilityReview
from tests.factories.roster_files import (
    SITTING,
    invent,
    resident_id,
    write_roster,
)
from tests.issuer.roster.conftest import RosterWorld, codes


def test_the_same_file_again_changes_nothing_at_all(world: RosterWorld) -> None:
    files = write_roster(world.folder / "in", 8)
    world.take(files.xlsx, files.photos_zip)
    before, photos = world.snapshot(), world.storage.list("photos")
    again = world.take(files.xlsx, files.photos_zip)
    assert (again.imported, again.updated, again.unchanged, again.import_id) == (0, 0, 8, None)
    assert world.snapshot() == before
    assert world.storage.list("photos") == photos


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
