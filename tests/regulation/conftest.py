"""Small worlds in which the clauses are tried; none of them needs keys."""

from collections.abc import Callable
from pathlib import Path

import pytest

from issuer.errors import DomainError
from issuer.records.database import make_engine
from tests.factories.paper_office import PaperDesk, paper_desk
from tests.factories.registration_facts import FactsWorld, facts_world
from tests.factories.small_world import SmallWorld, small_context
from tests.issuer.roster.conftest import world as roster_world  # noqa: F401 - a fixture under a clearer name

Refusal = Callable[[Callable[[], object]], tuple[str, str | None]]


@pytest.fixture
def small(tmp_path: Path) -> SmallWorld:
    """An electronic programme on 10 September; results came out on the 1st, the notice stands from 2nd to 12th."""
    return SmallWorld(small_context(make_engine(f"sqlite:///{tmp_path / 'issuer.sqlite3'}"), tmp_path)).build()


@pytest.fixture
def facts(tmp_path: Path) -> FactsWorld:
    """As `small`, of a programme that compares education, major and years of work."""
    return facts_world(make_engine(f"sqlite:///{tmp_path / 'facts.sqlite3'}"), tmp_path)


@pytest.fixture
def desk(tmp_path: Path) -> PaperDesk:
    """A paper programme on the day of the announcement: four eligible people, twenty forms."""
    return paper_desk(small_context(make_engine(f"sqlite:///{tmp_path / 'issuer.sqlite3'}"), tmp_path))


@pytest.fixture
def refusal() -> Refusal:
    """(code, clause) of what an act is refused with."""

    def refused(act: Callable[[], object]) -> tuple[str, str | None]:
        with pytest.raises(DomainError) as caught:
            act()
        return caught.value.code, caught.value.clause

    return refused
