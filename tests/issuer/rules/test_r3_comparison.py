"""R3: what a register's value means for a declaration, and which answer counts when several came."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.rules.comparison import (
    EDUCATION_LEVELS,
    ComparisonOutcome,
    ComparisonResult,
    FactItem,
    canonical,
    compare,
    standing_result,
)

EDUCATION, MAJOR, YEARS = FactItem
MATCH, DIFFERS, NOT_FOUND, UNREACHABLE = ComparisonOutcome
START = datetime(2025, 9, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("item", "declared", "found", "outcome"),
    [
        (EDUCATION, "本科", "大学本科", MATCH),
        (EDUCATION, "本科学历", "硕士研究生", MATCH),
        (EDUCATION, "本科", "大学专科", DIFFERS),
        (EDUCATION, "本科", "结业证", DIFFERS),
        (EDUCATION, "函授班", "函授班", MATCH),
        (EDUCATION, "本科", "", NOT_FOUND),
        (EDUCATION, "", "本科", NOT_FOUND),
        (MAJOR, "土木工程", "土木工程专业", MATCH),
        (MAJOR, "土木工程（房屋建筑）", "土木工程", MATCH),
        (MAJOR, "土木工程", "工程管理", DIFFERS),
        (MAJOR, "Civil Engineering", "civil engineering", MATCH),
        (YEARS, "6", "6年", MATCH),
        (YEARS, "６", "6.0", MATCH),
        (YEARS, "6", "5.9", DIFFERS),
        (YEARS, "6", "7年以上", MATCH),
        (YEARS, "6", "多年", DIFFERS),
        (YEARS, "10", "9", DIFFERS),
    ],
)
def test_a_value_against_a_declaration(item: FactItem, declared: str, found: str, outcome: ComparisonOutcome) -> None:
    assert compare(item, declared, found) is outcome


@given(st.sampled_from(sorted(EDUCATION_LEVELS)), st.sampled_from(sorted(EDUCATION_LEVELS)))
def test_education_agrees_exactly_when_it_is_at_least_what_was_declared(declared: str, found: str) -> None:
    enough = EDUCATION_LEVELS[found] >= EDUCATION_LEVELS[declared]
    assert (compare(EDUCATION, declared, found) is MATCH) == enough


@given(st.sampled_from(FactItem), st.text(max_size=20))
def test_whatever_was_declared_agrees_with_itself_and_its_canonical_form_stays(item: FactItem, text: str) -> None:
    assert compare(item, text, text) is (MATCH if canonical(item, text) else NOT_FOUND)


def said(outcome: ComparisonOutcome, minutes: int, source: str = "a", fact: str = "f") -> ComparisonResult:
    return ComparisonResult(YEARS, outcome, source, START + timedelta(minutes=minutes), fact)


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([], None),
        ([said(MATCH, 1), said(DIFFERS, 2)], DIFFERS),
        ([said(DIFFERS, 2), said(MATCH, 1)], DIFFERS),
        ([said(MATCH, 1), said(UNREACHABLE, 2)], MATCH),
        ([said(UNREACHABLE, 1)], UNREACHABLE),
        ([said(UNREACHABLE, 1), said(NOT_FOUND, 2)], NOT_FOUND),
        ([said(MATCH, 1), said(DIFFERS, 2, "b")], MATCH),
        ([said(NOT_FOUND, 3), said(DIFFERS, 2, "b")], DIFFERS),
        ([said(NOT_FOUND, 1), said(UNREACHABLE, 2, "b")], NOT_FOUND),
        ([said(MATCH, 1, fact="another declaration")], None),
    ],
)
def test_one_register_that_agrees_settles_it(
    results: list[ComparisonResult], expected: ComparisonOutcome | None
) -> None:
    standing = standing_result(results, "f")
    assert (standing.outcome if standing else None) is expected
