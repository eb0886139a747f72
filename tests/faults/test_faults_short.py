"""Exactly once while workers are killed, frozen and cut off: the short version of `make faults`."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psycopg

from issuer.issuance.batches import cancel_batch, pause_batch, resume_batch, state_of
from issuer.issuance.requests import request_batch, request_urgent
from tests.factories.world import PROPOSER, World
from tests.faults.site import ROOT, FaultSite
from tests.services.postgres import postgres_url  # noqa: F401 (a fixture)


def test_everybody_gets_exactly_one_while_workers_die(tmp_path: Path) -> None:
    site = FaultSite(tmp_path, people=60)
    try:
        site.begin()
        assert site.find_ineligible(people=2)
        assert site.kill_at("sealed")
        assert site.kill_at("stored")
        assert site.kill_at("before-publication")
        site.cut_connections()
        site.finish(600)
        count = site.count_when_settled()
        assert count.good, count.found
        assert count.eligible == 60 - len(site.kept_back)
        assert site.kills == 3
        assert site.recovery.rescued
        assert site.recovery.end() <= 15
    finally:
        site.close()


def test_jobs_enter_with_their_batch_or_not_at_all(postgres_url: str, tmp_path: Path) -> None:  # noqa: F811
    world = World.eligible(tmp_path / "data", people=30, database_url=postgres_url)

    def jobs() -> list[tuple[str, int, str]]:
        with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
            query = (
                "SELECT queue_name, jsonb_array_length(args -> 'registration_ids'), status::text"
                " FROM jobs.procrastinate_jobs ORDER BY priority DESC, id"
            )
            return connection.execute(query).fetchall()

    class Undone(Exception):
        pass

    try:
        with world.ctx.database.together():
            request_batch(world.ctx, PROPOSER, world.sitting)
            raise Undone
    except Undone:
        pass
    assert jobs() == []
    batch = request_batch(world.ctx, PROPOSER, world.sitting)
    urgent = request_urgent(world.ctx, PROPOSER, world.sitting, world.registrations()[7].id)
    assert jobs() == [("urgent", 1, "todo"), ("batches", 25, "todo"), ("batches", 5, "todo")]
    assert world.ctx.jobs.resume() == 0
    cancel_batch(world.ctx, PROPOSER, urgent)
    assert [queue for queue, _, _ in jobs()] == ["batches", "batches"]
    pause_batch(world.ctx, PROPOSER, batch)
    resume_batch(world.ctx, PROPOSER, batch)
    assert state_of(world.ctx, batch) == "running"
    assert [queue for queue, _, _ in jobs()] == ["batches", "batches"], "asking twice does it once"
    world.close()


def test_the_command_keeps_workers_running_and_finishes_what_a_dead_one_began(
    postgres_url: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    world = World.eligible(tmp_path / "data", people=8, database_url=postgres_url)
    surroundings = os.environ | {"ECERT_DATABASE_URL": postgres_url, "ECERT_REGISTER_URL": postgres_url}
    command = [sys.executable, "-c", "from issuer.cli import main; main()", "worker", "--processes", "1"]
    program = subprocess.Popen(
        [*command, "--data-dir", str(world.folder)],
        cwd=ROOT,
        env=surroundings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        dead: set[int] = set()
        end = time.monotonic() + 900
        while not dead and time.monotonic() < end:
            dead = set(workers_of(program.pid))
            time.sleep(0.1)
        for number in dead:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        urgent = request_urgent(world.ctx, PROPOSER, world.sitting, world.registrations()[3].id)
        batch = request_batch_after(world, urgent, end)
        while state_of(world.ctx, batch) != "done" and time.monotonic() < end:
            time.sleep(0.1)
        assert len(world.certificates()) == 8
        assert set(workers_of(program.pid)).isdisjoint(dead)
        program.terminate()
        assert program.wait(120) == 0
    finally:
        program.kill()
        program.wait()
        world.close()


def request_batch_after(world: World, urgent: int, end: float) -> int:
    """The batch of the whole sitting, once the urgent one is done."""
    while state_of(world.ctx, urgent) != "done" and time.monotonic() < end:
        time.sleep(0.1)
    assert len(world.certificates()) == 1
    return request_batch(world.ctx, PROPOSER, world.sitting)


def workers_of(program: int) -> list[int]:
    """Process ids of that program's workers: the children of the child that it starts them from."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    return [number for number, parent in parents.items() if parents.get(parent) == program]
