"""A day in the past: what was shown then and what is known now are told apart (R9)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.check.history import MomentError, Past, on, past_of, read_moment
from verifier.check.judgement import refusal
from verifier.check.words import say
from verifier.record.public_record import StatusChange
from verifier.record.status import CertificateStatus, ReasonClass
from verifier.record.verdict import CheckResult, PublicCertificate, Verdict

S, R = CertificateStatus, ReasonClass
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
PUBLISHED = datetime(2025, 1, 10, 3, 0, tzinfo=UTC)


def change(
    sequence: int, status: S, day: date, reason: R | None = None, at: datetime | None = None, void: bool = False
) -> StatusChange:
    at = at or datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
    return StatusChange("A" * 26, sequence, status, reason, day, at, void)


FIRST = change(0, S.VALID, date(2025, 1, 10), at=PUBLISHED)
FROM_MAY = change(1, S.INVALID, date(2025, 5, 1), R.FOUND_INELIGIBLE, at=datetime(2025, 8, 1, tzinfo=UTC))
VOID = change(1, S.INVALID, date(2025, 8, 1), R.FOUND_INELIGIBLE, void=True)
DATED_BACK = change(1, S.INVALID, date(2024, 10, 1), R.FOUND_INELIGIBLE, at=datetime(2025, 8, 1, tzinfo=UTC))
HELD = change(1, S.SUSPENDED, date(2025, 6, 1), R.CASE_OPEN)
CLEARED = change(2, S.VALID, date(2025, 6, 20))
AFTER_APPEAL = change(2, S.VALID, date(2025, 9, 1), R.REINSTATED)
CORRECTED = change(1, S.SUPERSEDED, date(2025, 7, 1), R.CORRECTED)


def result(verdict: Verdict = Verdict.VALID) -> CheckResult:
    certificate = PublicCertificate(
        "A" * 26, verdict.value, None, "P", "示例", "", "", date(2025, 1, 2), date(2025, 1, 10), None, None
    )
    status = say("status-valid") if verdict is Verdict.VALID else say("status-suspended")
    return CheckResult(verdict, (say("registered"), status), NOW, certificate)


def asked(day: str, *changes: StatusChange, verdict: Verdict = Verdict.VALID) -> CheckResult:
    return on(result(verdict), read_moment(day, NOW), lambda _: changes)


@pytest.mark.parametrize(
    ("changes", "day", "verdict", "shown", "known"),
    [
        ((FIRST,), "2025-03-01", "valid", "valid", "valid"),
        ((FIRST,), "2025-01-10", "valid", "valid", "valid"),
        ((FIRST,), "2025-01-09", "not_found", None, None),
        # Found in August to have been invalid since May: what was shown in June was wrong.
        ((FIRST, FROM_MAY), "2025-04-30", "valid", "valid", "valid"),
        ((FIRST, FROM_MAY), "2025-05-01", "invalid", "valid", "invalid"),
        ((FIRST, FROM_MAY), "2025-06-15", "invalid", "valid", "invalid"),
        ((FIRST, FROM_MAY), "2025-09-01", "invalid", "invalid", "invalid"),
        # R9: void from the beginning is valid on no day.
        ((FIRST, VOID), "2025-03-01", "invalid", "valid", "invalid"),
        ((FIRST, VOID), "2025-01-09", "invalid", None, None),
        ((FIRST, DATED_BACK), "2025-01-10", "invalid", "valid", "invalid"),
        # Held while a case was open, and then cleared.
        ((FIRST, HELD, CLEARED), "2025-06-10", "suspended", "suspended", "suspended"),
        ((FIRST, HELD, CLEARED), "2025-06-25", "valid", "valid", "valid"),
        # An invalidation that was overturned never took effect, though it was shown.
        ((FIRST, VOID, AFTER_APPEAL), "2025-08-15", "valid", "invalid", "valid"),
        ((FIRST, VOID, AFTER_APPEAL), "2025-03-01", "valid", "valid", "valid"),
        ((FIRST, CORRECTED), "2025-06-30", "valid", "valid", "valid"),
        ((FIRST, CORRECTED), "2025-07-01", "superseded", "superseded", "superseded"),
    ],
)
def test_a_day_has_the_verdict_known_today_beside_what_was_shown(
    changes: tuple[StatusChange, ...], day: str, verdict: str, shown: str | None, known: str | None
) -> None:
    answer = asked(day, *changes)
    assert answer.verdict.value == verdict
    assert (answer.extra["on"]["shown"], answer.extra["on"]["known"]) == (shown, known)
    assert answer.extra["now"]["verdict"] == "valid"
    assert [check.name for check in answer.checks if check.ok is not True] == (
        [] if verdict == "valid" else ["status"]
    )


def test_void_from_the_beginning_says_so_for_every_day() -> None:
    answer = asked("2025-03-01", FIRST, VOID)
    assert answer.extra["on"]["void_from_beginning"] is True
    assert "on-invalid-from-beginning" in [check.code for check in answer.checks]
    assert asked("2025-03-01", FIRST, FROM_MAY).extra["on"]["void_from_beginning"] is False


def test_an_answer_that_rests_on_more_than_the_status_stays() -> None:
    altered = refusal(Verdict.ALTERED, (say("file-not-registered"),), NOW)
    assert on(altered, read_moment("2025-03-01", NOW), lambda _: (FIRST,)) is altered


def test_an_expired_copy_is_not_good_for_another_day() -> None:
    copy = CheckResult(Verdict.EXPIRED_COPY, (say("copy-expired", until="2025-02-01"),), NOW, result().certificate)
    answer = on(copy, read_moment("2025-03-01", NOW), lambda _: (FIRST,))
    assert answer.verdict is Verdict.EXPIRED_COPY


def test_without_a_history_nothing_is_said() -> None:
    assert asked("2025-03-01").verdict is Verdict.STATUS_UNKNOWN


@pytest.mark.parametrize(
    "text", ["", "2025-02-30", "yesterday", "2025-03-01T10:00:00", "20250301", "2025-3-1", "９" * 8]
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(MomentError) as refused:
        read_moment(text, NOW)
    assert refused.value.code == "malformed"


def test_the_future_is_refused_and_today_is_now() -> None:
    assert read_moment("2026-11-23", NOW).at == NOW
    for text in ("2026-11-24", "2026-11-23T04:00:01Z", "9999-12-31"):
        with pytest.raises(MomentError) as refused:
            read_moment(text, NOW)
        assert refused.value.code == "future"


def test_a_day_ends_in_shanghai_and_an_instant_is_exact() -> None:
    assert read_moment("2025-01-10", NOW).at.astimezone(UTC) == datetime(2025, 1, 10, 15, 59, 59, 999999, tzinfo=UTC)
    assert read_moment("2025-01-10T02:59:59Z", NOW).day == date(2025, 1, 10)
    assert asked("2025-01-10T02:59:59Z", FIRST).verdict is Verdict.NOT_FOUND
    assert asked("2025-01-10T11:00:00 08:00", FIRST).verdict is Verdict.VALID  # a plus sign lost in an address


@given(
    st.lists(st.sampled_from(list(S)), min_size=1, max_size=5),
    st.lists(st.integers(0, 400), min_size=5, max_size=5),
    st.integers(0, 500),
    st.booleans(),
)
def test_valid_only_when_it_was_public_and_nothing_in_force_says_otherwise(
    statuses: list[S], days: list[int], after: int, void: bool
) -> None:
    changes = [FIRST]
    for n, (status, day) in enumerate(zip(statuses, sorted(days), strict=False)):
        effective = date(2025, 1, 10) + timedelta(days=day)
        changes.append(change(n + 1, status, effective, R.FOUND_INELIGIBLE, void=void and status is S.INVALID))
    moment = read_moment((date(2025, 1, 5) + timedelta(days=after)).isoformat(), NOW)
    past: Past = past_of(changes, moment)
    answer = on(result(), moment, lambda _: changes)
    if answer.verdict is Verdict.VALID:
        assert past.shown is not None
        assert changes[-1].status is not S.INVALID or changes[-1].effective_on > moment.day
    if void and changes[-1].status is S.INVALID:
        assert answer.verdict is Verdict.INVALID
