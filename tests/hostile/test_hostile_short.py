"""The long runs in small: `make fuzz`, `make mutations`, `make honest`. Each first proves that it would notice."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.world import World
from tests.hostile import fuzz, honest, mutations, outages
from tests.hostile.arsenal import Arsenal
from tests.hostile.pdf_mutations import MUTATIONS
from tests.hostile.spread import judge
from verifier.check import document
from verifier.check.revisions import Archive
from verifier.check.sandbox import Sandbox


@pytest.fixture(scope="module")
def arsenal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arsenal]:
    built = Arsenal.build(tmp_path_factory.mktemp("arsenal"), people=4)
    built.assert_genuine_is_valid()
    yield built
    built.world.close()


def test_nothing_changed_is_believed(arsenal: Arsenal) -> None:
    bad = [found for case in fuzz.cases_of(1500) if (found := fuzz.run_case(arsenal, *case)) != "ok"]
    assert not bad


def test_no_mutation_of_our_files_is_valid(arsenal: Arsenal) -> None:
    sandbox = Sandbox(workers=1, waiting=0)
    cases = [("byte", at) for at in range(0, len(arsenal.pdfs[0]), 401)]
    cases += [(kind, number) for kind in mutations.KINDS for number in range(40)]
    bad = [case for case in cases if mutations.run_case(arsenal, sandbox, *case) != "ok"]
    sandbox.close()
    assert not bad


def test_the_run_would_notice_a_check_that_reads_no_updates(
    arsenal: Arsenal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document, "read_archive", lambda *_: Archive((), True, False, False))
    # The files are others in every run, so which case gets through is not foreseen; one of these does.
    assert any(fuzz.run_case(arsenal, "pdf", number) == "wrongly valid" for number in range(1000))


def test_the_run_would_notice_a_crash() -> None:
    assert judge(lambda: bool(1 / 0)).startswith("crash")


def test_every_kind_of_mutation_changes_the_file(arsenal: Arsenal) -> None:
    for name, mutate in MUTATIONS.items():
        assert any(mutate(random.Random(number), arsenal.pdfs) not in arsenal.pdfs for number in range(50)), name


def test_honest_names_of_every_kind_are_valid(tmp_path: Path) -> None:
    world = World.eligible(tmp_path / "data", honest.candidates(40))
    report = world.issue()
    assert (report.published, len(report.refused)) == (40, 0)
    assert honest.refused(world) == []
    world.close()


def test_no_outage_makes_an_invalid_certificate_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the register that hangs: that one takes a minute (`make outages`)."""
    quick = {name: outage for name, outage in outages.OUTAGES.items() if name != "register frozen"}
    monkeypatch.setattr(outages, "OUTAGES", quick)
    # All questions are asked, however slow the machine: how many answers there are is counted below.
    monkeypatch.setattr(outages, "OUTAGE_SECONDS", 1000)
    tallies = outages.run(tmp_path, requests=420)
    assert set(tallies) == set(quick)
    assert [name for name, tally in tallies.items() if tally.wrong] == []
    assert set(tallies["register stopped"].said) <= {"status_unknown", "no verdict"}
    assert tallies["nothing"].said["valid"] > 10
    assert tallies["nothing"].said["invalid"] > 10
