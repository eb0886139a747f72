"""Pressing in spawned processes, and what happens when one of them dies."""

from concurrent.futures import wait
from multiprocessing import active_children

import pytest

import issuer.issuance.workers
from issuer.errors import UnavailableError
from issuer.issuance.batches import unfinished
from issuer.issuance.service import issue_sitting
from tests.factories.world import PROPOSER, World
from verifier.record.verdict import Verdict


def test_worker_processes_make_the_same_and_a_dead_one_costs_nothing(
    eligible_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer.issuance.workers, "IN_PROCESS_LIMIT", 0)

    others = set(active_children())
    pressed = []

    def kill_a_worker(step: str) -> None:
        # With two of eight orders: both workers are there (each starts with an order that finds none idle), and
        # the one that is left cannot have made the other six before it is seen that one is gone.
        if step != "pressed":
            return
        pressed.append(step)
        if len(pressed) == 2:
            worker = next(child for child in active_children() if child not in others)
            worker.kill()
            worker.join()

    with pytest.raises(UnavailableError, match="died"):
        issue_sitting(eligible_world.ctx, PROPOSER, eligible_world.sitting, 2, observe=kill_a_worker)
    begun = {row.token for row in eligible_world.certificates("draft")}
    assert len(begun) == 8

    report = issue_sitting(eligible_world.ctx, PROPOSER, eligible_world.sitting, 2)
    assert report.published == 8
    assert {row.token for row in eligible_world.certificates()} == begun
    checker = eligible_world.checker()
    assert all(
        checker.check_pdf(eligible_world.pdf(row)).verdict is Verdict.VALID for row in eligible_world.certificates()
    )


def test_background_jobs_take_up_what_was_begun(eligible_world: World) -> None:
    class Stop(Exception):
        pass

    def stop(step: str) -> None:
        if step == "recorded":
            raise Stop

    ctx = eligible_world.ctx
    with pytest.raises(Stop):
        issue_sitting(ctx, PROPOSER, eligible_world.sitting, 1, observe=stop)
    assert ctx.jobs.resume() == 1
    wait(tuple(ctx.jobs._known.values()))
    assert not unfinished(ctx)
    assert len(eligible_world.certificates()) == 8
