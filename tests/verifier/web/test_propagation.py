"""An invalidation is on every path of three verifiers within a second, and nothing older is told after that."""

from pathlib import Path

from tests.benchmarks.propagation import run


def test_an_invalidation_is_everywhere_within_a_second_and_stays(tmp_path: Path) -> None:
    outcome = run(tmp_path, 3)
    assert outcome.to_json()["revocations"] == 3
    assert outcome.stale == []
    assert outcome.answers > 100
