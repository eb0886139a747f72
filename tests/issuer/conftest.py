"""Offices: the private side's application over a world of one's own, or over one that is only looked at."""

import threading
from collections.abc import Callable, Iterator

import pytest

from issuer.long_work import LongWorks, Tell, Work
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


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Work beside a page begins when this is set, so that the page sees it under way however fast it would be."""
    opened, run = threading.Event(), LongWorks._run

    def held(work: Work[object], what: Callable[[Tell], object]) -> None:
        if threading.current_thread().name.startswith("long-work"):
            assert opened.wait(120)
        run(work, what)

    monkeypatch.setattr(LongWorks, "_run", staticmethod(held))
    yield opened
    opened.set()
