"""Pressing in spawned processes, and what happens when one of them dies."""

import os
import signal
import time
from pathlib import Path

import pytest

import issuer.issuance.workers
from issuer.errors import UnavailableError
from issuer.issuance.batches import unfinished
from issuer.issuance.service import issue_sitting
from tests.factories.world import PROPOSER, World
from verifier.record.verdict import Verdict


def children() -> list[int]:
    """Process ids of this process's children that run Python workers."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and b"spawn_main" in (stat.parent / "cmdline").read_bytes():
            found.append(int(stat.parent.name))
    return found


def test_worker_processes_make_the_same_and_a_dead_one_costs_nothing(
    eligible_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer.issuance.workers, "IN_PROCESS_LIMIT", 0)

    def kill_a_worker(step: str) -> None:
        if step == "pressed" and (alive := children()):
            os.kill(alive[0], signal.SIGKILL)

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
    deadline = time.monotonic() + 60
    while unfinished(ctx) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(eligible_world.certificates()) == 8
