"""A programme that compares education, major and years of work."""

from pathlib import Path

import pytest

from issuer.records.database import make_engine
from tests.factories.registration_facts import FactsWorld, facts_world


@pytest.fixture
def world(tmp_path: Path) -> FactsWorld:
    """On 10 September 2025, in the first round."""
    return facts_world(make_engine(f"sqlite:///{tmp_path / 'issuer.sqlite3'}"), tmp_path)
