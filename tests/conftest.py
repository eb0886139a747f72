"""Fixtures every test may use: a world with certificates, and copies of it to change."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from issuer.records import encryption
from tests.factories.world import World


@pytest.fixture(autouse=True)
def _data_key_stays_with_its_test() -> Iterator[None]:
    """The data key is one per process: what a test loads must not leak into the next one."""
    before = encryption._current
    yield
    encryption._current = before


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
