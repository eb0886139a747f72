"""A backup of PostgreSQL taken while the office writes; restored, every table is as the snapshot saw it."""

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from issuer import backup_tables
from issuer.audit import record_event, verify_chain
from issuer.backup import back_up, restore
from issuer.errors import ConflictError, InputError
from issuer.records.database import make_engine
from issuer.records.work import SavedFilter
from issuer.restored import check_restored
from tests.factories.world import PROPOSER, World
from tests.services.object_store import object_store  # noqa: F401 (a fixture)
from tests.services.postgres import postgres_server, postgres_url  # noqa: F401 (a fixture)
from verifier.record.verdict import Verdict

PASSPHRASE = "correct horse battery staple"

KILLED_RESTORE = """
import sys
from pathlib import Path
from issuer import backup_tables
from issuer.backup import restore
from issuer.settings import Settings
real, seen = backup_tables.copy_in, 0
def copy_in(*given):
    global seen
    seen += 1
    if seen == 6:
        print("in the middle", flush=True)
        sys.stdin.read()
    return real(*given)
backup_tables.copy_in = copy_in
restore(Settings(data_dir=Path(sys.argv[1]), database_url=sys.argv[2], register_url=sys.argv[2]),
        Path(sys.argv[3]), sys.argv[4])
"""
KILLED = """
import os, sys
from pathlib import Path
from issuer import backup_tables
from issuer.backup import back_up
from issuer.clock import SystemClock
from issuer.settings import Settings
real, seen = backup_tables.copied, 0
def copied(*given):
    global seen
    seen += 1
    if seen == 9:
        print("in the middle", flush=True)
        sys.stdin.read()
    return real(*given)
backup_tables.copied = copied
back_up(Settings(data_dir=Path(sys.argv[1]), database_url=sys.argv[2], register_url=sys.argv[2]),
        SystemClock(), Path(sys.argv[3]), "p")
"""


def counts(engine: Engine) -> dict[str, int]:
    """`schema.table` → rows."""
    with engine.connect() as connection:
        names = connection.execute(
            text("SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('issuer', 'public_record')")
        ).all()
        return {
            f"{side}.{table}": connection.execute(text(f'SELECT count(*) FROM {side}."{table}"')).scalar_one()
            for side, table in names
        }


def test_a_backup_under_a_live_writer_is_one_moment(
    postgres_url: str,  # noqa: F811
    object_store: str,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ECERT_STORAGE_URL", f"{object_store}/one")
    world = World.eligible(tmp_path / "world", 4, postgres_url)
    world.issue()
    ctx = world.ctx
    before = counts(ctx.database.engine)
    stop = threading.Event()
    written = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with ctx.database.write() as session:
                record_event(session, ctx.clock, PROPOSER, "test.write", "test:1")
                session.add(
                    SavedFilter(owner="w", title="w", queue="q", query="", shared=False, created_at=ctx.clock.now())
                )
            written.set()

    real = backup_tables.copied

    def copied(*given: Any) -> Any:
        written.clear()
        assert written.wait(60), "the office writes between any two tables"
        return real(*given)

    monkeypatch.setattr(backup_tables, "copied", copied)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert written.wait(60)
        report = back_up(world.settings, world.clock, tmp_path / "live.backup", PASSPHRASE)
    finally:
        stop.set()
        writer.join()
    assert report.entries > 20
    raw = (tmp_path / "live.backup").read_bytes()
    assert world.people[0].name.encode() not in raw and b"%PDF-1." not in raw and b"persons" not in raw

    url = postgres_server().new_database()
    with pytest.raises(ConflictError, match="storage"):
        ctx.storage.put("certificates/other.pdf", b"of another office")
        elsewhere = replace(world, folder=tmp_path / "elsewhere", database_url=url)
        restore(elsewhere.settings, tmp_path / "live.backup", PASSPHRASE)
    monkeypatch.setenv("ECERT_STORAGE_URL", f"{object_store}/two")
    restored = replace(world, folder=tmp_path / "restored", database_url=url)
    with pytest.raises(InputError, match="passphrase"):
        restore(restored.settings, tmp_path / "live.backup", "wrong")
    assert not restored.folder.exists()
    restore(restored.settings, tmp_path / "live.backup", PASSPHRASE)
    after = counts(restored.ctx.database.engine)
    growing = {"issuer.audit_events", "issuer.saved_filters"}
    assert {name: n for name, n in after.items() if name not in growing} == {
        name: n for name, n in before.items() if name not in growing
    }
    more = after["issuer.audit_events"] - before["issuer.audit_events"]
    assert more == after["issuer.saved_filters"] > 0, "what was written together is there together"
    with restored.ctx.database.read() as session:
        assert verify_chain(session).intact, "the snapshot cuts no event in half"
    checked = check_restored(restored.ctx)
    assert checked.good and checked.files == 4
    certificate = restored.certificates()[0]
    assert restored.checker().check_pdf(restored.pdf(certificate)).verdict is Verdict.VALID
    with restored.ctx.database.write() as session:
        record_event(session, restored.clock, PROPOSER, "test.goes-on", "test:1")
    with pytest.raises(ConflictError, match="not empty"):
        restore(replace(restored, folder=tmp_path / "again").settings, tmp_path / "live.backup", PASSPHRASE)
    restored.close()
    world.close()
    postgres_server().drop_database(url)


def test_killed_in_the_middle_no_backup_is_there_and_a_damaged_one_is_refused(
    postgres_url: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    world = World.eligible(tmp_path / "world", 2, postgres_url)
    world.close()
    target = tmp_path / "killed.backup"
    program = [sys.executable, "-c", KILLED, str(world.folder), postgres_url, str(target)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None and running.stdout.readline() == "in the middle\n"
        running.kill()
    assert not target.exists()
    back_up(world.settings, world.clock, target, PASSPHRASE)
    whole = target.read_bytes()
    url = postgres_server().new_database()
    other = replace(world, folder=tmp_path / "other", database_url=url)
    left = tmp_path / ".killed.backup.part"
    for bad in (
        whole[:-1],
        whole[: len(whole) // 2],
        whole + b"x",
        whole[:200] + bytes([whole[200] ^ 1]) + whole[201:],
    ):
        left.write_bytes(bad)
        with pytest.raises(InputError):
            restore(other.settings, left, PASSPHRASE)
        assert not other.folder.exists()
        engine = make_engine(url)
        assert counts(engine) == {}
        engine.dispose()
    program = [sys.executable, "-c", KILLED_RESTORE, str(other.folder), url, str(target), PASSPHRASE]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None and running.stdout.readline() == "in the middle\n"
        running.kill()
    assert not other.folder.exists(), "what was restored half is not there"
    restore(other.settings, target, PASSPHRASE)
    assert [row.name for row in other.registrations()] == [person.name for person in world.people]
    other.close()
    postgres_server().drop_database(url)
