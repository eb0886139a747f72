"""PIPL articles 45 and 47: a copy of everything about a person; erasure that law allows, and no more."""

import io
import json
import zipfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from issuer.access.actor import Actor
from issuer.audit import verify_chain
from issuer.backup import back_up, restore
from issuer.errors import ConflictError, DomainError, InputError, NotAllowedError
from issuer.personal_data.due import due_for_erasure, propose_due
from issuer.personal_data.erasing import decide_erasure, list_erasures, plan_erasure, propose_erasure
from issuer.personal_data.erasure_list import apply_again, note_erasures
from issuer.personal_data.export import export_person
from issuer.queues.person import find_people
from issuer.records.certificates import ECertificate
from issuer.records.ledger import AuditEvent
from issuer.records.people import Person, Registration, Score
from issuer.records.personal_data import Erasure
from issuer.records.sittings import Programme
from issuer.restored import check_restored
from issuer.rules.keeping import DataKind, KeepReason, PersonFacts, SittingFacts, erasable, what_is_kept
from issuer.rules.policy import Policy
from tests.factories.stored_rows import ISSUER, all_values
from tests.factories.world import APPROVER, AUDITOR, PROPOSER, World

FAR = timedelta(days=5 * 366 + 400)


def facts(**changed: object) -> PersonFacts:
    sitting = SittingFacts(date(2025, 6, 15), date(2025, 11, 1), Policy())
    values: dict[str, object] = {"certificate": False, "paper": False, "misconduct": False, "open_case": False}
    return PersonFacts((sitting,), **(values | changed))  # type: ignore[arg-type]


def test_contact_goes_a_year_after_the_reviews_and_the_file_after_three() -> None:
    assert erasable(facts(), date(2026, 11, 1)) == (DataKind.PAPER,)
    assert DataKind.CONTACT in erasable(facts(), date(2026, 11, 2))
    assert DataKind.FILE not in erasable(facts(), date(2028, 11, 1))
    assert {DataKind.FILE, DataKind.IDENTITY, DataKind.REGISTER} <= {*erasable(facts(), date(2028, 11, 2))}


def test_r14_whoever_has_a_certificate_stays_on_the_register() -> None:
    kept = {each.kind: each for each in what_is_kept(facts(certificate=True), date(2099, 1, 1))}
    assert kept.keys() == {DataKind.IDENTITY, DataKind.REGISTER}
    assert kept[DataKind.IDENTITY].reason is KeepReason.REGISTER and kept[DataKind.IDENTITY].clause == "R14"


def test_r13_paper_is_kept_for_five_years() -> None:
    day = date(2030, 6, 15)
    assert DataKind.PAPER not in erasable(facts(paper=True, certificate=True), day)
    assert DataKind.PAPER in erasable(facts(paper=True, certificate=True), day + timedelta(days=1))


def test_r10_misconduct_and_open_cases_keep_what_they_rest_on() -> None:
    assert erasable(facts(misconduct=True), date(2099, 1, 1)) == (DataKind.CONTACT,)
    assert erasable(facts(open_case=True), date(2099, 1, 1)) == ()


def holder(person_id: int) -> Actor:
    return Actor(f"holder:{person_id}", frozenset(), "holder")


def later(world: World) -> None:
    """Long after everything has run out."""
    world.clock.move_to(world.clock.today() + FAR, hour=0)  # type: ignore[attr-defined]


def test_a_person_s_copy_holds_everything_and_nobody_else(world_copy: World) -> None:
    ctx, person = world_copy.ctx, world_copy.people[0]
    registration = world_copy.registrations()[0]
    made = export_person(ctx, holder(registration.person_id), registration.person_id)
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        said = json.loads(archive.read("data.json"))
        text = archive.read("data.json").decode() + archive.read("data.html").decode()
        names = archive.namelist()
    assert person.id_no in text and person.name in text and person.admission_no in text
    assert not any(other.id_no in text for other in world_copy.people[1:])
    assert PROPOSER.username not in text and APPROVER.username not in text
    scores = next(part for part in said["data"] if part["table"] == "scores")
    assert all(row["score"].isdigit() for row in scores["rows"])
    certificate = world_copy.certificates()[0]
    assert f"files/{certificate.management_no}.pdf" in names
    assert f"files/registrations-{registration.id}.jpg" in names
    with ctx.database.read() as session:
        event = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence.desc()).limit(1)).one()
    assert (event.act, event.actor) == ("person.export", f"holder:{registration.person_id}")
    assert event.details["rows"] == made.rows and event.details["files"] == made.files


def test_staff_need_a_reason_and_a_role_to_export(world_copy: World) -> None:
    ctx, person_id = world_copy.ctx, world_copy.registrations()[0].person_id
    with pytest.raises(InputError):
        export_person(ctx, PROPOSER, person_id)
    for stranger in (AUDITOR, holder(person_id + 1)):
        with pytest.raises(NotAllowedError):
            export_person(ctx, stranger, person_id, "应本人要求")
    assert export_person(ctx, PROPOSER, person_id, "应本人要求").rows > 5


def test_erasure_takes_two_and_leaves_nothing_but_what_the_law_keeps(eligible_world: World) -> None:
    world, ctx = eligible_world, eligible_world.ctx
    person, registration = world.people[0], world.registrations()[0]
    person_id = registration.person_id
    with pytest.raises(ConflictError, match="Nothing may be erased"):
        propose_erasure(ctx, holder(person_id), person_id, "purpose-reached", "不再需要")
    later(world)
    number = propose_erasure(ctx, PROPOSER, person_id, "purpose-reached", "不再需要")
    with pytest.raises(ConflictError, match="waiting"):
        propose_erasure(ctx, holder(person_id), person_id, "purpose-reached", "不再需要")
    both = Actor(PROPOSER.username, APPROVER.roles, "cli")
    with pytest.raises(NotAllowedError, match="proposed"):
        decide_erasure(ctx, both, number, approve=True)
    photo = registration.photo_key or ""
    done = decide_erasure(ctx, APPROVER, number, approve=True)
    assert done.state == "done" and (done.cells or 0) > 8
    assert not ctx.storage.exists(photo)
    world.close()
    for secret in (person.id_no, person.name, person.admission_no):
        assert not [place for place, text in all_values(world.folder / ISSUER) if secret in text]
    ctx = world.ctx
    assert find_people(ctx, AUDITOR, id_no=person.id_no) == []
    with ctx.database.read() as session:
        row = session.get_one(Registration, registration.id)
        assert (row.name, row.mobile, row.employer, row.birth_date) == ("", None, None, None)
        assert session.get_one(Person, person_id).id_no == ""
        score = session.scalars(select(Score).where(Score.registration_id == row.id).limit(1)).one()
        assert ctx.data_key.open("scores.score", score.score) == b""
        assert verify_chain(session).intact
    assert plan_erasure(ctx, person_id).kinds == (), "and a second time there is nothing left"
    assert list_erasures(ctx, holder(person_id), person_id=person_id)[0].kept == []


def test_a_certificate_s_register_survives_the_erasure_of_the_rest(world_copy: World) -> None:
    ctx, registration = world_copy.ctx, world_copy.registrations()[0]
    later(world_copy)
    plan = plan_erasure(ctx, registration.person_id)
    assert {each.kind for each in plan.kept} == {DataKind.IDENTITY, DataKind.REGISTER}
    number = propose_erasure(ctx, holder(registration.person_id), registration.person_id, "purpose-reached", "x")
    decide_erasure(ctx, APPROVER, number, approve=True)
    row = world_copy.registrations()[0]
    assert row.name == world_copy.people[0].name and row.mobile is None and row.photo_key is None
    certificate = world_copy.certificates()[0]
    assert certificate.name == row.name and world_copy.pdf(certificate).startswith(b"%PDF")


def test_a_refusal_needs_a_reason_and_changes_nothing(eligible_world: World) -> None:
    ctx, person_id = eligible_world.ctx, eligible_world.registrations()[0].person_id
    later(eligible_world)
    number = propose_erasure(ctx, PROPOSER, person_id, "time-over", "到期")
    with pytest.raises(InputError):
        decide_erasure(ctx, APPROVER, number, approve=False)
    assert decide_erasure(ctx, APPROVER, number, approve=False, note="仍需保存").state == "refused"
    with pytest.raises(DomainError):
        decide_erasure(ctx, APPROVER, number, approve=True)
    assert eligible_world.registrations()[0].name == eligible_world.people[0].name


def test_the_sweep_proposes_each_person_once(eligible_world: World) -> None:
    ctx = eligible_world.ctx
    assert due_for_erasure(ctx, PROPOSER)[0] == []
    later(eligible_world)
    plans, last = due_for_erasure(ctx, PROPOSER, limit=5)
    more, _ = due_for_erasure(ctx, PROPOSER, after=last)
    assert len(plans) == 5 and len(more) == len(eligible_world.people) - 5
    assert len(propose_due(ctx, PROPOSER, [*plans, *more])) == len(eligible_world.people)
    assert due_for_erasure(ctx, PROPOSER)[0] == []


@pytest.mark.parametrize("second_place", [False, True])
def test_an_older_backup_does_not_bring_erased_data_back(
    eligible_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, second_place: bool
) -> None:
    world = eligible_world
    place = tmp_path / "elsewhere"
    place.mkdir()
    if second_place:
        monkeypatch.setenv("ECERT_AUDIT_SECOND_PLACE", str(place))
    ctx, person_id = world.ctx, world.registrations()[0].person_id
    with ctx.database.write() as session:
        session.scalars(select(Programme)).one().policy = {"keep_contact_days": 0}
        session.get_one(Registration, world.registrations()[0].id).mobile = "13800000000"
    back_up(world.settings, world.clock, tmp_path / "before.tar", "correct horse")
    world.clock.move_to(world.clock.today() + timedelta(days=30), hour=0)  # type: ignore[attr-defined]
    number = propose_erasure(ctx, PROPOSER, person_id, "time-over", "到期")
    decide_erasure(ctx, APPROVER, number, approve=True)
    if second_place:
        assert ctx.second_place is not None
        ctx.second_place.put_head(ctx.room())
    restored = World(tmp_path / "restored", world.clock, world.people)
    world.close()
    restore(restored.settings, tmp_path / "before.tar", "correct horse")
    if not second_place:  # on the same machine the list is beside the databases, in no backup
        (world.folder / "erasures").rename(restored.folder / "erasures")
    assert restored.registrations()[0].mobile == "13800000000", "the backup is older"
    assert check_restored(restored.ctx).erased_again == 1
    assert restored.registrations()[0].mobile is None
    assert apply_again(restored.ctx) == 0
    with restored.ctx.database.read() as session:
        recorded = session.scalar(select(func.count()).select_from(Erasure).where(Erasure.state == "done"))
        assert recorded == (0 if second_place else 1), "while the folder is read-only nothing is recorded"
        assert verify_chain(session).intact
        assert session.scalar(select(func.count()).select_from(ECertificate)) == 0
    restored.close()


def test_nobody_without_the_keys_can_have_somebody_erased(eligible_world: World) -> None:
    world, ctx = eligible_world, eligible_world.ctx
    later(world)
    number = propose_erasure(ctx, PROPOSER, world.registrations()[0].person_id, "time-over", "到期")
    decide_erasure(ctx, APPROVER, number, approve=True)
    assert note_erasures(ctx) == 0
    (entry,) = (world.folder / "erasures" / "erasures").iterdir()
    said = json.loads(entry.read_text())
    victim = world.registrations()[1]
    with ctx.database.read() as session:
        created = session.get_one(Person, victim.person_id).created_at
    forged = said | {"person": victim.person_id, "erasure": 77, "created_at": created.isoformat()}
    entry.with_name("0000000077-aa.json").write_text(json.dumps(forged))
    assert apply_again(ctx) == 0
    assert world.registrations()[1].name == world.people[1].name
