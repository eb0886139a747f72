"""What is remembered of prepared answers, and for how long."""

from collections.abc import Iterator

import pytest

from verifier.web.prepared import Prepared


def test_a_common_key_outlasts_any_number_of_rare_ones() -> None:
    made: list[str] = []

    def make(key: str) -> str:
        made.append(key)
        return f"answer for {key}"

    prepared: Prepared[str] = Prepared(make, 8)
    for number in range(100):
        assert prepared.get("common", "common") == "answer for common"
        rare = f"rare {number}"
        assert prepared.get(rare, rare) == f"answer for {rare}"
    assert made.count("common") == 1
    assert len(made) == 101


def test_no_more_is_kept_than_was_said() -> None:
    prepared: Prepared[int] = Prepared(lambda number: number, 8)
    for number in range(100):
        prepared.get(number, number)
        assert len(prepared) <= 8


def test_what_cannot_be_made_is_asked_for_again() -> None:
    tries: Iterator[ValueError | str] = iter([ValueError("not yet"), "made"])

    def make() -> str:
        outcome = next(tries)
        if isinstance(outcome, str):
            return outcome
        raise outcome

    prepared: Prepared[str] = Prepared(make, 8)
    with pytest.raises(ValueError, match="not yet"):
        prepared.get("key")
    assert prepared.get("key") == "made"
