"""Fixtures every test may use: a world with certificates, and copies of it to change."""

import os
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import hypothesis
import pytest

from issuer.records import encryption
from tests.factories.world import World, lists_outlast_the_day
from verifier.check import sandbox

# The same examples in every run and no limit on time, for making an example neither: a gate that is red by luck is
# soon not believed. To look for new examples: HYPOTHESIS_PROFILE=exploring.
hypothesis.settings.register_profile(
    "steady",
    derandomize=True,
    deadline=None,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile("exploring", derandomize=False, deadline=None, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


LONGEST_FIRST = (
    "journey/test_result_day_to_employer.py",
    "journey/test_eight_paths_agree.py",
    "issuer/test_notice_machine.py",
    "issuer/console/test_paper_in_chromium.py",
    "issuer/console/test_console_in_chromium.py",
    "journey/test_bad_inputs.py",
    "journey/test_bad_requests.py",
    "faults/test_faults_short.py",
    "issuer/personal_data/test_data_pages.py",
    "issuer/roster/test_roster_large.py",
    "issuer/console/test_console_of_a_crowd.py",
    "issuer/console/test_work_in_chromium.py",
    "journey/test_copies_and_watching.py",
    "issuer/registration/test_registration_in_chromium.py",
    "faults/test_batches_live.py",
)
"""Files that take longest. Two processes share the files out as they come: begun last, one of these would leave the
other process idle for its whole length (`make test` keeps this order, `--no-loadscope-reorder`)."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, all others as they were collected."""
    here = Path(__file__).parent
    places = {here / name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.fixture(autouse=True)
def _data_key_stays_with_its_test() -> Iterator[None]:
    """The data key is one per process: what a test loads must not leak into the next one."""
    before = encryption._current
    yield
    encryption._current = before


@pytest.fixture(scope="session", autouse=True)
def _files_are_inspected_without_haste() -> Iterator[None]:
    """By the clock a busy machine would be taken for a file that wears out its inspector. The limits of work stay."""
    with patch.object(sandbox, "WALL_SECONDS", 200.0):
        yield


@pytest.fixture(scope="session")
def eligible_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Eight people found eligible, nothing issued. Do not change it: copy it (`eligible_world`)."""
    world = World.eligible(tmp_path_factory.mktemp("eligible") / "data")
    yield world
    world.close()


@pytest.fixture(scope="session")
def issued_world(eligible_template: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The same with eight published certificates. Do not change it: copy it (`world_copy`)."""
    world = eligible_template.copy(tmp_path_factory.mktemp("issued") / "data")
    with lists_outlast_the_day():
        report = world.issue()
    assert (report.published, report.refused) == (8, ())
    yield world
    world.close()


@pytest.fixture
def eligible_world(eligible_template: World, tmp_path: Path) -> Iterator[World]:
    """A world of one's own in which nothing is issued yet."""
    world = eligible_template.copy(tmp_path / "eligible")
    yield world
    world.close()


@pytest.fixture
def world_copy(issued_world: World, tmp_path: Path) -> Iterator[World]:
    """A world of one's own with eight published certificates."""
    world = issued_world.copy(tmp_path / "issued")
    yield world
    world.close()
