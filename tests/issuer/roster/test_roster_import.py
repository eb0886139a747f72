"""Rows in, findings out: good rows go through, bad ones say why, a second time changes nothing."""

import json
import os
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import select

from issuer.access.actor import SYSTEM, Actor
from issuer.audit import verify_chain
from issuer.errors import NotAllowedError, NotFoundError
from issuer.records.ledger import AuditEvent
from issuer.records.people import PHOTO_PURPOSE, Score
from issuer.records.reviews import EligibilityReview
from issuer.roster.service import define_sitting, import_roster
from issuer.rules.terms import Role
from tests.factories.roster_files import (
    SITTING,
    invent,
    portrait,
    write_photos,
    write_roster,
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
