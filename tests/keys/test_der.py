"""Our DER against asn1crypto's."""

from datetime import UTC, datetime

from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from keys.private import der


@given(st.integers(min_value=0, max_value=1 << 200))
def test_integers(value: int) -> None:
    assert der.integer(value) == core.Integer(value).dump()


@given(st.binary(max_size=70_000))
def test_octets_of_any_length(value: bytes) -> None:
    assert der.octets(value) == core.OctetString(value).dump()


@given(st.integers(0, 2), st.integers(0, 39), st.lists(st.integers(0, 1 << 40), max_size=6))
def test_object_identifiers(first: int, second: int, rest: list[int]) -> None:
    dotted = ".".join(map(str, (first, second, *rest, 1)))
    assert der.oid(dotted) == core.ObjectIdentifier(dotted).dump()


def test_example_arc() -> None:
    assert der.oid("2.999.3161").hex() == "0604883798" + "59"


@given(st.integers(0, 7_000_000_000), st.integers(0, 999_999))
def test_times_to_the_second(second: int, microsecond: int) -> None:
    whole = datetime.fromtimestamp(second, UTC)
    assert der.generalized_time(whole.replace(microsecond=microsecond)) == core.GeneralizedTime(whole).dump()


def test_members_of_a_set_are_in_order() -> None:
    assert der.set_of(b"\x02\x01\x02", b"\x02\x01\x01") == b"\x31\x06\x02\x01\x01\x02\x01\x02"
