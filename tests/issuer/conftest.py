"""Offices: the private side's application over a world of one's own, or over one that is only looked at."""

from collections.abc import Iterator

import pytest

from tests.factories.office import Office, office_over
from tests.factories.world import World


@pytest.fixture
def office(world_copy: World) -> Iterator[Office]:
    """Eight published certificates, and staff."""
    with office_over(world_copy) as office:
        yield office


@pytest.fixture
def eligible_office(eligible_world: World) -> Iterator[Office]:
    """Eight people found eligible and nothing issued, and staff."""
    with office_over(eligible_world) as office:
        yield office


@pytest.fixture(scope="module")
def reading_office(issued_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """As `office`, shared by tests that change nothing that matters to the others."""
    world = issued_world.copy(tmp_path_factory.mktemp("reading") / "data")
    with office_over(world, signs_in=True) as office:
        yield office
    world.close()
