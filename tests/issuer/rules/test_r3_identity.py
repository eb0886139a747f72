"""Document numbers: check digit and date decide, the county code never does; what a spreadsheet broke is named."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.rules.identity import canonical_id, check_character, parse_identity, spreadsheet_number
from issuer.rules.terms import IdType
from issuer.rules.violation import RuleViolation

TODAY = date(2025, 9, 1)
births = st.dates(date(1900, 1, 1), TODAY)
regions = st.from_regex(r"[1-6][0-9]{5}", fullmatch=True)
orders = st.integers(0, 999)


def number(region: str, born: date, order: int) -> str:
    body = f"{region}{born:%Y%m%d}{order:03d}"
    return body + check_character(body)


def code_of(kind: IdType, text: str, *, numeric: bool = False) -> str:
    with pytest.raises(RuleViolation) as refusal:
        parse_identity(kind, text, TODAY, numeric_cell=numeric)
    assert refusal.value.clause == "R3"
    return refusal.value.code


def test_the_standards_own_examples_hold() -> None:
    # GB 11643-1999, annex: 11010519491231002X and 440524188001010014.
    assert check_character("11010519491231002") == "X"
    assert check_character("44052418800101001") == "4"
    assert parse_identity(IdType.RESIDENT_ID, "11010519491231002X", TODAY).gender == "女"


@given(regions, births, orders)
def test_any_county_code_is_accepted_when_check_digit_and_date_hold(region: str, born: date, order: int) -> None:
    found = parse_identity(IdType.RESIDENT_ID, number(region, born, order), TODAY)
    assert (found.birth_date, found.gender) == (born, "男" if order % 2 else "女")


@given(regions, births, orders, st.data())
def test_every_single_wrong_digit_is_refused(region: str, born: date, order: int, data: st.DataObject) -> None:
    good = number(region, born, order)
    at = data.draw(st.integers(0, 16))
    wrong = data.draw(st.sampled_from([d for d in "0123456789" if d != good[at]]))
    bad = good[:at] + wrong + good[at + 1 :]
    assert code_of(IdType.RESIDENT_ID, bad) in {"id_check_digit", "id_damaged_by_spreadsheet"}


@given(regions, births, orders)
def test_every_writing_of_a_number_gives_the_same_person(region: str, born: date, order: int) -> None:
    good = number(region, born, order)
    full = good.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789X"})
    for text in (
        full,
        good.lower(),
        f" {good[:6]} {good[6:14]}\u3000{good[14:]} ",
        f"'{good}",
        f"\u200b{good}\ufeff",
    ):
        found = parse_identity(IdType.RESIDENT_ID, text, TODAY)
        assert found.value == good == canonical_id(text)
        assert found.mended or text == good


@given(regions, births, orders)
def test_a_number_cell_is_always_damaged_and_said_to_be(region: str, born: date, order: int) -> None:
    good = number(region, born, order)
    # A spreadsheet cuts after the fifteenth digit when the number is typed, and stores what is left.
    held = spreadsheet_number(float(good[:15] + "000"))
    assert held == good[:15] + "000"
    assert code_of(IdType.RESIDENT_ID, held, numeric=True) == "id_damaged_by_spreadsheet"


@pytest.mark.parametrize("text", ["4.10102E+17", "4.10102198911039E+17", "410102198911039000"])
def test_damage_seen_in_text_is_named_too(text: str) -> None:
    assert code_of(IdType.RESIDENT_ID, text) == "id_damaged_by_spreadsheet"


def test_a_good_number_that_ends_in_000_is_accepted_with_a_hint() -> None:
    good = next(
        n for region in range(110101, 110301) if (n := number(str(region), date(1990, 1, 1), 100)).endswith("000")
    )
    assert parse_identity(IdType.RESIDENT_ID, good, TODAY).hints == ("id_ends_in_000",)


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        (IdType.RESIDENT_ID, "", "id_missing"),
        (IdType.RESIDENT_ID, " \u3000", "id_missing"),
        (IdType.RESIDENT_ID, "410102891103925", "id_old_15_digits"),
        (IdType.RESIDENT_ID, "41010219891103925", "id_length"),
        (IdType.RESIDENT_ID, "4101021989110392580", "id_length"),
        (IdType.RESIDENT_ID, "41010219891103925A", "id_characters"),
        (IdType.RESIDENT_ID, "X10102198911039258", "id_characters"),
        (IdType.RESIDENT_ID, "٤١٠١٠٢١٩٨٩١١٠٣٩٢٥٨", "id_characters"),
        (IdType.RESIDENT_ID, number("410102", date(1989, 11, 3), 925)[:17] + "0", "id_check_digit"),
        (IdType.RESIDENCE_PERMIT, number("410102", date(1989, 11, 3), 925), "id_type_mismatch"),
        (IdType.FOREIGNER_PERMIT, "CHN31008111100", "id_format"),
        (IdType.HK_MACAU_PERMIT, "A12345678", "id_format"),
        (IdType.HK_MACAU_PERMIT, "H123456789", "id_format"),
        (IdType.TAIWAN_PERMIT, "1234567", "id_format"),
        (IdType.PASSPORT, "<b>1</b>", "id_format"),
        (IdType.PASSPORT, "ABCDEFGH", "id_format"),
        (IdType.PASSPORT, "1" * 21, "id_format"),
    ],
)
def test_each_fault_has_its_own_code(kind: IdType, text: str, code: str) -> None:
    assert code_of(kind, text) == code


def test_a_date_that_does_not_exist_or_lies_ahead_is_refused() -> None:
    for digits in ("19890230", "20260101", "17000101", "19891301"):
        body = f"410102{digits}925"
        assert code_of(IdType.RESIDENT_ID, body + check_character(body)) == "id_date"


@pytest.mark.parametrize(
    ("kind", "text", "value", "shown"),
    [
        (IdType.HK_MACAU_PERMIT, "H12345678", "H12345678", IdType.HK_MACAU_PERMIT),
        (IdType.HK_MACAU_PERMIT, "m1234567802", "M12345678", IdType.HK_MACAU_PERMIT),
        (IdType.TAIWAN_PERMIT, "12345678", "12345678", IdType.TAIWAN_PERMIT),
        (IdType.TAIWAN_PERMIT, "0123456701(b)", "0123456701B", IdType.TAIWAN_PERMIT),
        (IdType.PASSPORT, "e12345678", "E12345678", IdType.PASSPORT),
        (IdType.FOREIGNER_PERMIT, "usa310081111001", "USA310081111001", IdType.FOREIGNER_PERMIT),
        *(
            (kind, number(region, date(1990, 1, 2), 3), number(region, date(1990, 1, 2), 3), IdType.RESIDENCE_PERMIT)
            for region in ("810000", "820000", "830000")
            for kind in (IdType.RESIDENCE_PERMIT, IdType.RESIDENT_ID)
        ),
        *(
            (
                kind,
                number("941156", date(1990, 1, 2), 3),
                number("941156", date(1990, 1, 2), 3),
                IdType.FOREIGNER_PERMIT,
            )
            for kind in (IdType.FOREIGNER_PERMIT, IdType.RESIDENT_ID)
        ),
    ],
)
def test_other_documents_are_read(kind: IdType, text: str, value: str, shown: IdType) -> None:
    found = parse_identity(kind, text, TODAY)
    assert (found.value, found.id_type) == (value, shown)
    assert canonical_id(text) == value


@given(st.text(max_size=40), st.sampled_from(list(IdType)), st.booleans())
def test_no_text_brings_the_reader_down(text: str, kind: IdType, numeric: bool) -> None:
    try:
        found = parse_identity(kind, text, TODAY, numeric_cell=numeric)
    except RuleViolation as refusal:
        assert text.strip() == "" or text not in str(refusal) or len(text) < 5
    else:
        assert found.value.isascii()
        assert found.value.isalnum()
