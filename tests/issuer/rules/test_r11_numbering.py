"""Management numbers: composed from a pattern, with a check digit that catches slips."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.rules.numbering import PatternError, check_digit, parse_pattern
from issuer.rules.violation import RuleViolation

PATTERN = parse_pattern("{year}{region:02}{specialty:02}{serial:06}{check}")
digits = st.text("0123456789", min_size=1, max_size=20)


def test_iso_7064_mod_11_10_gives_the_standards_own_example() -> None:
    # ISO/IEC 7064:2003, MOD 11,10: the string 0794 has check digit 5.
    assert check_digit("0794") == "5"


def test_a_number_is_composed_and_accepted() -> None:
    number = PATTERN.compose(year=2025, region="01", specialty=3, serial=12)
    assert number == "20250103000012" + check_digit("20250103000012")
    assert PATTERN.accepts(number)
    assert not PATTERN.accepts(number[:-1])
    assert not PATTERN.accepts(number + "0")


@given(digits, st.data())
def test_every_single_wrong_digit_is_caught(body: str, data: st.DataObject) -> None:
    number = body + check_digit(body)
    at = data.draw(st.integers(0, len(number) - 1))
    wrong = data.draw(st.sampled_from([d for d in "0123456789" if d != number[at]]))
    slipped = number[:at] + wrong + number[at + 1 :]
    assert check_digit(slipped[:-1]) != slipped[-1]


@given(st.integers(0, 9999), st.integers(0, 99), st.integers(1, 99), st.integers(1, 999_999))
def test_whatever_is_composed_is_accepted_and_of_one_length(
    year: int, region: int, specialty: int, serial: int
) -> None:
    number = PATTERN.compose(year=year, region=f"{region:02}", specialty=specialty, serial=serial)
    assert len(number) == 15
    assert PATTERN.accepts(number)


def test_literals_stand_but_do_not_count_in_the_check_digit() -> None:
    pattern = parse_pattern("SL-{year}-{serial:05}{check}")
    number = pattern.compose(year=2025, region="1", specialty=1, serial=7)
    assert number == "SL-2025-00007" + check_digit("202500007")
    assert pattern.accepts(number)


def test_r11_an_exhausted_series_refuses_instead_of_growing() -> None:
    with pytest.raises(RuleViolation) as refusal:
        PATTERN.compose(year=2025, region="01", specialty=1, serial=1_000_000)
    assert (refusal.value.clause, refusal.value.code) == ("R11", "serial-exhausted")
    with pytest.raises(RuleViolation, match="number-field-too-long"):
        PATTERN.compose(year=2025, region="410", specialty=1, serial=1)


def test_serials_are_counted_apart_by_all_that_distinguishes_numbers() -> None:
    one = PATTERN.series(programme="EJJZ", year=2025, region="01", specialty=1)
    assert one != PATTERN.series(programme="EJJZ", year=2025, region="02", specialty=1)
    flat = parse_pattern("{year}{serial:08}")
    assert flat.series(programme="P", year=2025, region="01", specialty=1) == flat.series(
        programme="P", year=2025, region="02", specialty=2
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{year}",
        "{serial:06}{serial:06}",
        "{serial:6}",
        "{serial:010}",
        "{serial:06}{check}{year}",
        "{serial:06}{check}A",
        "{year:02}{serial}",
        "{serial.__class__}",
        "{serial!r}",
        "{name}{serial}",
        "中{serial}",
        "a{serial}",
        "{serial",
        "{" * 50,
        "9" * 40 + "{serial}",
    ],
)
def test_an_unusable_pattern_is_refused(text: str) -> None:
    with pytest.raises(PatternError):
        parse_pattern(text)
