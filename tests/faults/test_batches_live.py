"""Holding, going on with, stopping and retrying a batch while workers are at it."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psycopg

from issuer.errors import ConflictError
from issuer.issuance.batches import cancel_batch, pause_batch, resume_batch, state_of
from issuer.issuance.requests import request_batch, request_retry, request_urgent
from tests.factories.world import PROPOSER, World
from tests.faults.machine import Machine
from tests.services.postgres import postgres_url  # noqa: F401 (a fixture)

PEOPLE = 80


class Desk:
    """Questions to the database about batches at work."""

    def __init__(self, world: World, machine: Machine) -> None:
        self._world, self._machine = world, machine

    def ask(self, query: str) -> list[tuple[str, int]]:
        """Rows of (text, number)."""
        url = self._world.settings.issuer_database.replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()

    def results(self, batch: int) -> dict[str, int]:
        """How many items have which result."""
        query = f"SELECT result, count(*) FROM issuer.batch_items WHERE batch_id = {batch} GROUP BY 1"
        return dict(self.ask(query))

    def wait(self, until: Callable[[], bool]) -> None:
        """Until it holds; raises TimeoutError."""
        end = time.monotonic() + 400
        while not until():
            self._machine.require_alive()
            if time.monotonic() > end:
                raise TimeoutError
            time.sleep(0.02)

    def wait_until_idle(self) -> None:
        """Until no job is left or at work."""
        self.wait(lambda: not self.ask("SELECT status::text, count(*) FROM jobs.procrastinate_jobs GROUP BY 1"))


def at_once(act: Callable[[], None], times: int = 4) -> Counter[str]:
    """Several people do the same at the same moment; what they were told."""
    told: Counter[str] = Counter()
    start = threading.Barrier(times)

    def one() -> None:
        start.wait()
        try:
            act()
        except ConflictError as refusal:
            told[refusal.code] += 1
        else:
            told["done"] += 1

    threads = [threading.Thread(target=one) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def test_a_batch_is_held_resumed_stopped_and_retried_under_its_workers(
    postgres_url: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    world = World.eligible(tmp_path / "data", people=PEOPLE, database_url=postgres_url)
    site = tmp_path / "site"
    site.mkdir()
    ctx = world.ctx
    with Machine(world, site) as machine:
        desk = Desk(world, machine)
        # The worker is held before it publishes, so that the batch is not done before it is paused or stopped.
        hold, held_there = site / "hold-before-publication", site / "held-before-publication"
        hold.touch()
        batch = request_batch(ctx, PROPOSER, world.sitting)
        desk.wait(held_there.exists)
        hold.touch()
        held_there.unlink()
        desk.wait(lambda: held_there.exists() and desk.results(batch).get("published", 0) > 0)

        assert at_once(lambda: pause_batch(ctx, PROPOSER, batch)) == {"done": 1, "batch-state": 3}
        held_there.unlink()
        desk.wait_until_idle()
        held = desk.results(batch)
        assert state_of(ctx, batch) == "paused" and 0 < held["published"] < PEOPLE
        urgent = request_urgent(ctx, PROPOSER, world.sitting, world.registrations()[-1].id)
        desk.wait(lambda: state_of(ctx, urgent) == "done")
        assert desk.results(batch)["published"] == held["published"], "an urgent one does not set the others going"

        hold.touch()
        assert at_once(lambda: resume_batch(ctx, PROPOSER, batch)) == {"done": 1, "batch-state": 3}
        desk.wait(held_there.exists)
        hold.touch()
        held_there.unlink()
        desk.wait(lambda: held_there.exists() and desk.results(batch)["published"] > held["published"])
        assert at_once(lambda: cancel_batch(ctx, PROPOSER, batch)) == {"done": 1, "batch-ended": 3}
        held_there.unlink()
        desk.wait_until_idle()
        stopped = desk.results(batch)
        assert set(stopped) == {"published", "cancelled"} and sum(stopped.values()) == PEOPLE
        made = {row.registration_id for row in world.certificates()}
        assert len(made) in (stopped["published"], stopped["published"] + 1), "the urgent one may be beside it"

        hold.unlink(missing_ok=True)
        again = request_retry(ctx, PROPOSER, batch)
        held_there.unlink(missing_ok=True)
        desk.wait(lambda: state_of(ctx, again) == "done")
    certificates = world.certificates()
    assert sorted(row.registration_id for row in certificates) == [row.id for row in world.registrations()]
    assert len({row.management_no for row in certificates}) == PEOPLE
    assert sum(desk.results(again).values()) == PEOPLE - len(made), "only those who were left"
    world.close()
