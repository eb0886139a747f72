"""The audit trail's second place: what is cut off is found, and an older backup stays read-only."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from issuer.app import create_issuer_app
from issuer.audit import NewEvent, chain_head, record_event, record_many, verify_chain
from issuer.audit_place import FOLDER, MEMORY
from issuer.audit_standing import State
from issuer.cli import run
from issuer.doctor import examine
from issuer.errors import ConflictError, UnavailableError
from tests.factories.office import staff_up
from tests.factories.world import PROPOSER, World
from tests.issuer.audit.triggers import drop_audit_triggers
from tests.issuer.cli.test_serving import served
from tests.services.object_store import object_store  # noqa: F401 (a fixture)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty second place, set before the world is opened."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.setenv("ECERT_AUDIT_SECOND_PLACE", str(folder))
    return folder


@pytest.fixture
def world(world_copy: World, place: Path) -> World:
    world_copy.close()
    return world_copy


@pytest.fixture
def ecert(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run a command over a folder; its exit code and what it printed."""

    def command(folder: Path, *arguments: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = run([*arguments, "--data-dir", str(folder), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return command


def act(world: World, count: int = 1, subject: str = "sitting:A") -> int:
    """Record events; the number of the last one."""
    with world.ctx.database.write() as session:
        record_many(session, world.ctx.clock, PROPOSER, [NewEvent("test.act", subject)] * count)
        return chain_head(session).sequence


def put(world: World) -> int | None:
    assert world.ctx.second_place is not None
    done = world.ctx.second_place.put_head(world.ctx.room())
    return done.number if done else None


def state(world: World) -> State:
    assert world.ctx.second_place is not None
    return world.ctx.second_place.standing().state


def older(world: World, folder: Path) -> World:
    """What a backup taken now would restore: the folder without what no backup has."""
    copy = world.copy(folder)
    (folder / MEMORY).unlink(missing_ok=True)
    (folder / "audit-heads.txt").unlink(missing_ok=True)
    return copy


def test_a_cut_off_end_is_found_by_the_second_place_alone(
    world: World, place: Path, ecert: Callable[..., Any]
) -> None:
    last = act(world, 5)
    code, written = ecert(world.folder, "audit", "head")
    assert (code, written["written"], written["head"].split(":")[0]) == (0, True, str(last))
    assert ecert(world.folder, "audit", "head")[1]["written"] is False, "the same head is not put twice"
    code, report = ecert(world.folder, "audit", "verify")
    assert (code, report["second_place"]["state"]) == (0, "current")
    drop_audit_triggers(world.ctx.database.engine)
    with world.ctx.database.engine.begin() as connection:
        connection.execute(text("DELETE FROM audit_events WHERE sequence > :last"), {"last": last - 2})
    (world.folder / "audit-heads.txt").unlink()
    code, report = ecert(world.folder, "audit", "verify")
    assert (code, report["intact"]) == (2, False)
    assert [fault["kind"] for fault in report["faults"]] == ["second-place-behind"]


def test_a_rewritten_history_is_found_by_the_second_place(world: World) -> None:
    last = act(world, 4)
    put(world)
    drop_audit_triggers(world.ctx.database.engine)
    with world.ctx.database.write() as session:
        session.execute(text("DELETE FROM audit_events WHERE sequence > :last"), {"last": last - 3})
    act(world, 9)
    with world.ctx.database.read() as session:
        assert verify_chain(session).intact, "by itself the forged chain is consistent"
    assert state(world) == "forked"
    with pytest.raises(UnavailableError) as refused:
        put(world)
    assert refused.value.code == "audit-forked"


def test_an_older_backup_is_read_only_until_a_newer_one_or_an_accepted_loss(
    world: World, tmp_path: Path, ecert: Callable[..., Any]
) -> None:
    tokens = staff_up(world)
    put(world)
    act(world, 3)
    old = older(world, tmp_path / "old")
    last = act(world, 5)
    put(world)
    new = older(world, tmp_path / "new")
    assert act(new) == last + 1, "a backup that has the newest head may go on"

    before = old.ctx.database.engine.connect().execute(text("SELECT max(sequence) FROM audit_events")).scalar_one()
    client = TestClient(create_issuer_app(old.ctx), headers={"Authorization": f"Bearer {tokens['issuer']}"})
    assert client.get("/api/v1/sittings").status_code == 200
    refused = client.post(
        "/api/v1/invalidations", json={"management_no": "1", "ground": "false-materials", "basis": "x"}
    )
    assert (refused.status_code, refused.json()["code"]) == (503, "audit-behind")
    assert refused.json()["remedy"] and refused.headers["Retry-After"]
    signing_in = client.post("/console/sign-in", data={"username": "issuer", "password": "x" * 12})
    assert signing_in.status_code == 503 and "只读" in signing_in.text
    (found,) = [item for item in examine(old.ctx) if item.name == "audit-place"]
    assert found.ok is False and "read" in found.en
    assert chain_length(old) == before, "nothing was written"
    assert ecert(old.folder, "staff", "close", "issuer")[1]["error"]["code"] == "audit-behind"

    code, taken = ecert(old.folder, "audit", "head", "--accept-loss")
    assert code == 0 and taken["number"] == 3
    assert old.ctx.second_place is not None
    old.ctx.second_place.look_again()  # a running server looks by itself after RETRY_SECONDS
    assert client.post("/console/sign-in", data={"username": "issuer", "password": "x"}).status_code == 403
    code, report = ecert(old.folder, "audit", "verify")
    assert (code, report["second_place"]["state"]) == (0, "current")
    _, listed = ecert(old.folder, "audit", "list", "--subject", "audit:chain")
    assert [event["act"] for event in listed["events"]] == ["audit.loss-accepted"]
    assert ecert(old.folder, "audit", "head")[0] == 0
    assert state(new) == "forked", "the branch that was given up may not go on"


def chain_length(world: World) -> int:
    with world.ctx.database.read() as session:
        return chain_head(session).sequence


def test_a_chain_that_is_no_beginning_of_the_recorded_one_is_not_taken_on(world: World, tmp_path: Path) -> None:
    put(world)
    other = older(world, tmp_path / "other")
    act(world, 2)
    put(world)
    act(world, 2)
    put(world)
    drop_audit_triggers(other.ctx.database.engine)
    assert other.ctx.second_place is not None
    with other.ctx.second_place._pass():
        act(other, 3, "sitting:B")  # another history, longer than the second head and shorter than the third
    assert state(other) == "behind"
    with pytest.raises(ConflictError) as refused:
        other.ctx.second_place.accept_loss(other.ctx.room(), PROPOSER)
    assert refused.value.code == "audit-not-a-prefix"
    with pytest.raises(ConflictError, match="No audit event is missing"):
        world.ctx.second_place.accept_loss(world.ctx.room(), PROPOSER)  # type: ignore[union-attr]


def test_a_place_that_does_not_answer_stops_only_who_has_never_seen_it(
    world: World, place: Path, tmp_path: Path
) -> None:
    assert state(world) == "first"
    put(world)
    fresh = older(world, tmp_path / "fresh")
    place.rename(tmp_path / "unplugged")
    assert act(world), "work goes on: what was there is remembered"
    with pytest.raises(UnavailableError) as refused:
        act(fresh)
    assert refused.value.code == "audit-place-unreachable"


def test_an_emptied_place_stops_writing_until_it_is_begun_anew(
    world: World, place: Path, ecert: Callable[..., Any]
) -> None:
    put(world)
    shutil.rmtree(place / FOLDER)
    world.close()
    with pytest.raises(UnavailableError) as refused:
        act(world)
    assert refused.value.code == "audit-place-emptied"
    assert ecert(world.folder, "audit", "head", "--accept-loss")[0] == 0
    world.close()
    assert act(world) and state(world) == "current"


@pytest.mark.parametrize("forgery", ["garbage", "renamed", "public-log", "edited"])
def test_a_head_that_we_did_not_sign_stops_writing(world: World, place: Path, forgery: str) -> None:
    act(world)
    put(world)
    good = (place / FOLDER / "000000000001.txt").read_text()
    lines = good.split("\n")
    forged = {
        "garbage": "not a head\n",
        "renamed": good,
        "public-log": (world.folder / "published-checkpoint").read_text(),
        "edited": "\n".join([lines[0], "1", *lines[2:]]),
    }[forgery]
    (place / FOLDER / "000000000002.txt").write_text(forged)
    world.close()
    with pytest.raises(UnavailableError) as refused:
        act(world)
    assert refused.value.code == "audit-head-untrusted"


def test_without_a_place_the_command_says_so(world_copy: World, ecert: Callable[..., Any]) -> None:
    code, told = ecert(world_copy.folder, "audit", "head")
    assert (code, told["error"]["code"]) == (2, "audit-place-unset")


def test_an_object_store_is_a_place(
    world_copy: World,
    object_store: str,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    world_copy.close()
    monkeypatch.setenv("ECERT_AUDIT_SECOND_PLACE", f"{object_store}/audit")
    old = older(world_copy, tmp_path / "old")
    act(world_copy)
    assert (put(world_copy), put(world_copy)) == (1, None)
    assert (state(world_copy), state(old)) == ("current", "behind")


def test_the_server_puts_the_head_there(world: World, place: Path) -> None:
    with world.ctx.database.write() as session:
        record_event(session, world.ctx.clock, PROPOSER, "test.act", "sitting:A")
    with served(world, "issuer"):
        deadline = monotonic() + 120
        while not (place / FOLDER / "000000000001.txt").exists():
            assert monotonic() < deadline, "the server put no head into the second place"
            sleep(0.05)
    assert state(world) == "current"


def test_restoring_an_older_backup_says_that_it_is_read_only(
    world: World, tmp_path: Path, ecert: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECERT_BACKUP_PASSPHRASE", "a passphrase of the test")
    put(world)
    old, new = tmp_path / "old.tar", tmp_path / "new.tar"
    assert ecert(world.folder, "backup", str(old))[0] == 0
    act(world)
    put(world)
    assert ecert(world.folder, "backup", str(new))[0] == 0
    code, told = ecert(tmp_path / "restored", "restore", str(old))
    assert (code, told["read_only"], told["audit_intact"], told["damaged"]) == (2, "audit-behind", True, [])
    code, told = ecert(tmp_path / "restored-again", "restore", str(new))
    assert (code, told["read_only"]) == (0, None)
