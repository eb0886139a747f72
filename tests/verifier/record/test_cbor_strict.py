"""One value, one spelling: what the strict decoder takes, cbor2 writes back byte for byte."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.record import cbor

_INTS = st.integers(-(2**64), 2**64 - 1)
_VALUES = st.recursive(
    _INTS | st.binary(max_size=40) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_INTS | st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max((_depth(inner) for inner in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


@given(_VALUES.filter(lambda value: _depth(value) <= cbor.MAX_DEPTH))
def test_round_trip(value: object) -> None:
    encoded = cbor.encode(value)
    assert cbor.decode(encoded) == value
    assert cbor2.loads(encoded) == value


@given(st.binary(max_size=60))
def test_whatever_is_accepted_is_written_back_the_same(data: bytes) -> None:
    try:
        value = cbor.decode(data)
    except cbor.CborError:
        return
    assert cbor2.dumps(value) == data
    assert cbor.encode(value) == data


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("nothing", ""),
        ("left over", "0000"),
        ("long head of 0", "1800"),
        ("long head of 23", "1817"),
        ("16-bit head of 255", "1900ff"),
        ("32-bit head of 65535", "1a0000ffff"),
        ("64-bit head of 2^32-1", "1b00000000ffffffff"),
        ("indefinite string", "5f4100ff"),
        ("indefinite array", "9f00ff"),
        ("indefinite map", "bf0000ff"),
        ("map keys out of order", "a202000100"),
        ("map key twice", "a201000100"),
        ("map key is an array", "a18000"),
        ("true", "f5"),
        ("null", "f6"),
        ("float", "f93c00"),
        ("tag inside", "c100"),
        ("text that is not UTF-8", "61ff"),
        ("surrogate in text", "63eda080"),
        ("string longer than the bytes", "5affffffff00"),
        ("array longer than the bytes", "9affffffff00"),
        ("map longer than the bytes", "baffffffff0000"),
        ("nested too deeply", "81" * 5000 + "00"),
        ("reserved length", "1c"),
    ],
)
def test_refused(what: str, data: str) -> None:
    with pytest.raises(cbor.CborError):
        cbor.decode(bytes.fromhex(data))
