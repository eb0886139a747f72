"""R2: which text is in force, whether a promise counts, and that a new text changes no promise made."""

from datetime import date

import pytest

from issuer.rules.commitment import (
    Acceptance,
    AcceptanceChannel,
    CommitmentStanding,
    CommitmentText,
    commitment_standing,
    require_new_text,
    require_text_in_force,
    text_in_force,
)
from issuer.rules.violation import RuleViolation

OLD = CommitmentText("2024", date(2024, 3, 1), "a" * 64)
NEW = CommitmentText("2025", date(2025, 3, 1), "b" * 64)
TEXTS = (NEW, OLD)


def accepted(version: str, on: date, **more: object) -> Acceptance:
    return Acceptance(version, on, AcceptanceChannel.REGISTRATION, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2024, 2, 29), None),
        (date(2024, 3, 1), OLD),
        (date(2025, 2, 28), OLD),
        (date(2025, 3, 1), NEW),
        (date(2030, 1, 1), NEW),
    ],
)
def test_the_text_in_force_is_the_last_that_began(on: date, expected: CommitmentText | None) -> None:
    assert text_in_force(TEXTS, on) == expected


@pytest.mark.parametrize(
    ("acceptance", "expected"),
    [
        (None, CommitmentStanding.NONE),
        (accepted("2025", date(2025, 3, 1)), CommitmentStanding.STANDS),
        (accepted("2024", date(2025, 2, 28)), CommitmentStanding.STANDS),
        (accepted("2024", date(2025, 3, 1)), CommitmentStanding.OTHER_TEXT),
        (accepted("2025", date(2025, 2, 28)), CommitmentStanding.OTHER_TEXT),
        (accepted("none", date(2025, 3, 1)), CommitmentStanding.OTHER_TEXT),
        (accepted("2024", date(2024, 2, 29)), CommitmentStanding.OTHER_TEXT),
        (accepted("2025", date(2025, 3, 1), own=False), CommitmentStanding.NOT_OWN),
        (accepted("2025", date(2025, 3, 1), withdrawn_on=date(2025, 3, 1)), CommitmentStanding.WITHDRAWN),
    ],
)
def test_what_an_acceptance_is_worth(acceptance: Acceptance | None, expected: CommitmentStanding) -> None:
    assert commitment_standing(TEXTS, acceptance) is expected


@pytest.mark.parametrize(
    ("version", "digest", "on", "code"),
    [
        ("2024", "a" * 64, date(2024, 1, 1), "commitment-text-missing"),
        ("2024", "a" * 64, date(2025, 3, 1), "commitment-text-changed"),
        ("2025", "a" * 64, date(2025, 3, 1), "commitment-text-changed"),
    ],
)
def test_only_the_words_that_were_shown_are_accepted(version: str, digest: str, on: date, code: str) -> None:
    with pytest.raises(RuleViolation) as refused:
        require_text_in_force(TEXTS, version, digest, on)
    assert (refused.value.code, refused.value.clause) == (code, "R2")
    assert require_text_in_force(TEXTS, "2025", "b" * 64, date(2025, 3, 1)) is NEW


@pytest.mark.parametrize(
    ("version", "begins", "last", "code"),
    [
        ("2025", date(2026, 3, 1), None, "commitment-version-exists"),
        ("2026", date(2025, 3, 1), None, "commitment-version-exists"),
        ("2026", date(2025, 6, 1), date(2025, 6, 1), "commitment-back-dated"),
        ("2026", date(2025, 6, 2), date(2025, 6, 1), None),
        ("2023", date(2023, 3, 1), None, None),
    ],
)
def test_a_new_text_changes_no_promise(version: str, begins: date, last: date | None, code: str | None) -> None:
    new = CommitmentText(version, begins, "c" * 64)
    if code is None:
        require_new_text(TEXTS, new, last)
        return
    with pytest.raises(RuleViolation) as refused:
        require_new_text(TEXTS, new, last)
    assert (refused.value.code, refused.value.clause) == (code, "R2")
