"""Data keys are rotated while the office works; a killed run loses nothing; a key goes only when nothing needs it."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import LargeBinary, func, select

from issuer.access.actor import Actor
from issuer.errors import ConflictError, UnavailableError
from issuer.holders.sign_in import _find
from issuer.personal_data import moving
from issuer.personal_data.moving import count_indexed_before, count_under, move_all, move_some, unfinished
from issuer.personal_data.rotation import list_data_keys, retire, rotate
from issuer.personal_data.tables import BYTES, all_tables, sealed_tables
from issuer.queues.person import find_people
from issuer.records.encryption import DataKey, EncryptedText, SealedValueError, key_number
from issuer.records.people import Person, Registration
from issuer.roster.service import import_roster
from issuer.roster.writing import _persons, identity_of
from issuer.rules.terms import IdType, Role
from tests.factories.candidates import Candidate, write_files
from tests.factories.world import PROPOSER, World
from tests.services.postgres import postgres_url  # noqa: F401 (a fixture)

OPERATOR = Actor("sun.operator", frozenset({Role.OPERATOR}), "cli")

KILLED = """
import sys
from issuer.context import open_context
from issuer.personal_data import moving
from issuer.settings import Settings
moving.BATCH = moving.FILE_BATCH = 2
ctx = open_context(Settings(data_dir=sys.argv[1]))
real = moving._update
seen = 0
def update(one, columns):
    global seen
    seen += 1
    if seen == int(sys.argv[2]):
        print("in the middle", flush=True)
        sys.stdin.read()
    return real(one, columns)
moving._update = update
moving.move_all(ctx)
"""


def names(world: World) -> list[str]:
    """Every name, decrypted."""
    return [row.name for row in world.registrations()]


def numbers_in_use(world: World) -> set[int | None]:
    """Keys that any encrypted column names."""
    found: set[int | None] = set()
    with world.ctx.database.read() as session:
        for one in sealed_tables():
            for column in one.texts:
                from sqlalchemy import type_coerce

                values = session.scalars(select(type_coerce(one.table.c[column], LargeBinary)))
                found |= {key_number(bytes(value)) for value in values if value is not None}
    return found


def people(world: World) -> int:
    with world.ctx.database.read() as session:
        return session.scalar(select(func.count()).select_from(Person)) or 0


def test_every_binary_column_and_stored_file_is_known_to_rotation() -> None:
    plain = {
        ("audit_events", "previous_hash"),
        ("audit_events", "event_hash"),
    }
    for table in all_tables():
        for column in table.columns:
            if isinstance(column.type, EncryptedText) or not isinstance(column.type, LargeBinary):
                continue
            place = (table.name, column.name)
            assert place in plain or place in BYTES, f"say in issuer/personal_data/tables.py what {place} is"


def test_a_new_key_is_used_at_once_and_the_old_one_goes_when_nothing_needs_it(world_copy: World) -> None:
    ctx = world_copy.ctx
    before = names(world_copy)
    photos = [ctx.storage.get(row.photo_key or "") for row in world_copy.registrations()]
    assert {key_number(photo) for photo in photos} == {1}
    assert rotate(ctx, OPERATOR) == 2
    assert names(world_copy) == before, "what rests under the old key is read"
    assert count_under(ctx, 1) and unfinished(ctx)
    with pytest.raises(ConflictError, match="not finished"):
        rotate(ctx, OPERATOR)
    with pytest.raises(ConflictError, match="hour"):
        retire(ctx, OPERATOR, 1)
    world_copy.clock.move_to(world_copy.clock.today() + timedelta(days=1))  # type: ignore[attr-defined]
    with pytest.raises(ConflictError, match="still rests"):
        retire(ctx, OPERATOR, 1)
    with pytest.raises(ConflictError, match="in use"):
        retire(ctx, OPERATOR, 2)
    assert move_all(ctx) > 0
    assert not unfinished(ctx) and count_under(ctx, 1) == {} and count_indexed_before(ctx) == {}
    assert names(world_copy) == before
    assert {key_number(ctx.storage.get(row.photo_key or "")) for row in world_copy.registrations()} == {2}
    retire(ctx, OPERATOR, 1)
    assert not (world_copy.settings.keys_dir / "data.key").exists()
    world_copy.close()
    assert names(world_copy) == before, "a program that starts now needs the new key alone"
    assert [(key.number, key.present) for key in list_data_keys(world_copy.ctx)] == [(1, False), (2, True)]
    assert rotate(world_copy.ctx, OPERATOR) == 3


def test_another_process_follows_a_rotation_without_a_restart(world_copy: World) -> None:
    ctx = world_copy.ctx
    other = DataKey((world_copy.settings.keys_dir / "data.key").read_bytes())
    with pytest.raises(SealedValueError):
        other.open("a", DataKey({2: bytes(32)}).seal("a", b"x"))
    from issuer.context import open_context
    from issuer.records.encryption import use_data_key

    server = open_context(world_copy.settings, world_copy.clock)
    use_data_key(ctx.data_key)
    rotate(ctx, OPERATOR)
    assert server.data_key.value_key == 1
    use_data_key(server.data_key)
    with server.database.write() as session:
        row = session.scalars(select(Registration).limit(1)).one()
        row.employer = "新单位"
    assert server.data_key.value_key == 2
    assert count_under(server, 2)["registrations.employer"] == 1
    server.close()


def test_people_are_found_and_never_doubled_while_the_index_moves(eligible_world: World, tmp_path: Path) -> None:
    world = eligible_world
    ctx = world.ctx
    rotate(ctx, OPERATOR)
    moving_registration = world.registrations()[0]
    person = world.people[0]
    total = people(world)
    auditor = Actor("zhao.auditor", frozenset({Role.AUDITOR}), "cli")

    def known_by_number() -> None:
        """What any list of another sitting would do with the same people."""
        rows: list[Any] = [
            SimpleNamespace(identity=SimpleNamespace(id_type=IdType.RESIDENT_ID, value=each.id_no))
            for each in world.people
        ]
        with ctx.database.write() as session:
            session.connection()
            found = _persons(
                session, [(row, identity_of(row, ctx.data_key)) for row in rows], ctx.data_key, world.clock.now()
            )
        assert found == [row.person_id for row in world.registrations()[: len(found)]]

    def all_found() -> None:
        known_by_number()
        for one in world.people:
            assert len(find_people(ctx, auditor, id_no=one.id_no)) == 1
            assert len(find_people(ctx, auditor, name=one.name)) >= 1
        with ctx.database.read() as session:
            found = _find(ctx, session, person.id_no, person.name, person.admission_no)
        assert found is not None and found.id == moving_registration.id

    def imported_again() -> None:
        newcomer = _newcomer(world)
        roster, photos = write_files(tmp_path / f"again{people(world)}", (*world.people, newcomer))
        report = import_roster(ctx, PROPOSER, world.sitting, file_name=roster.name, content=roster, photos=photos)
        assert not [finding for finding in report.findings if finding.level == "error"], report.findings

    all_found()
    moving.BATCH, batch = 3, moving.BATCH
    try:
        imported_again()
        while (moved := move_some(ctx)) is not None and moved.table != "registrations":
            all_found()
    finally:
        moving.BATCH = batch
    imported_again()
    move_all(ctx)
    all_found()
    imported_again()
    assert people(world) == total + 1, "the newcomer, once"


def _newcomer(world: World) -> Candidate:
    from tests.factories.candidates import invent

    known = {person.id_no for person in world.people}
    return next(person for person in invent(len(world.people) + 1) if person.id_no not in known)


@pytest.mark.parametrize("at", [1, 20])
def test_a_killed_run_goes_on_where_it_was(world_copy: World, at: int) -> None:
    before = names(world_copy)
    rotate(world_copy.ctx, OPERATOR)
    world_copy.close()
    program = [sys.executable, "-c", KILLED, str(world_copy.folder), str(at)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "in the middle\n"
        running.kill()
    assert unfinished(world_copy.ctx)
    assert names(world_copy) == before
    move_all(world_copy.ctx)
    assert numbers_in_use(world_copy) == {2}
    assert names(world_copy) == before


def test_a_rotation_killed_before_it_was_recorded_is_done_again(world_copy: World) -> None:
    from issuer.personal_data import ring

    stray = ring.key_file(world_copy.settings.keys_dir, 2)
    ring.write_whole(stray, b"k" * 32)
    assert rotate(world_copy.ctx, OPERATOR) == 2
    assert stray.read_bytes() == b"k" * 32


def test_a_machine_without_the_new_key_says_so(world_copy: World) -> None:
    rotate(world_copy.ctx, OPERATOR)
    world_copy.close()
    (world_copy.settings.keys_dir / "data" / "0002.key").unlink()
    with pytest.raises(UnavailableError, match="0002"):
        _ = world_copy.ctx


def test_on_postgresql_writers_in_flight_end_before_the_key_changes(
    tmp_path: Path,
    postgres_url: str,  # noqa: F811
) -> None:
    world = World.eligible(tmp_path / "world", 3, postgres_url)
    ctx = world.ctx
    with ctx.database.write() as session:
        session.scalars(select(Registration)).all()
        with pytest.raises(UnavailableError, match="long act"):
            rotate(ctx, OPERATOR)
    assert rotate(ctx, OPERATOR) == 2
    before = names(world)
    with ctx.database.write() as session:
        held = session.scalars(select(Registration).order_by(Registration.id).limit(1).with_for_update()).one()
        held.employer = "办理中"
        session.flush()
        move_all(ctx)
        assert unfinished(ctx), "a row that somebody holds is passed over, not waited for"
    move_all(ctx)
    assert not unfinished(ctx) and numbers_in_use(world) == {2} and names(world) == before
    assert count_under(ctx, 1) == {}
    world.close()
