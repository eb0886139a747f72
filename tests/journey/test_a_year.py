"""A whole year in small, on PostgreSQL: notice, rounds, defences, lapse, issue, invalidation, handover (R5–R13)."""

from pathlib import Path

from tests.benchmarks.year import play_year


def test_a_year_ends_with_the_counts_the_rules_give(tmp_path: Path) -> None:
    year, counts = play_year(tmp_path, 100, workers=1)
    assert counts == year.expected()
    assert counts["published"] == 98 and counts["handed_over"] == 5
    assert {"notice", "sample", "defences", "lapse", "issue", "invalidate", "handover"} <= set(year.stages)
