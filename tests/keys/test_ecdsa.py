"""One spelling of every ECDSA signature: s in its lower half."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from keys.public.ecdsa import ORDERS, is_lower_half, lower_half

SHA256 = ec.ECDSA(hashes.SHA256())


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_of_the_two_that_hold_the_lower_is_chosen(curve: ec.EllipticCurve) -> None:
    """A wrong order would make a signature that does not hold."""
    key = ec.generate_private_key(curve)
    signature = key.sign(b"message", SHA256)
    r, s = decode_dss_signature(signature)
    other = encode_dss_signature(r, ORDERS[curve.name] - s)
    assert lower_half(signature, curve.name) == lower_half(other, curve.name) in (signature, other)
    assert is_lower_half(signature, curve.name) is not is_lower_half(other, curve.name)
    for one in (signature, other):
        key.public_key().verify(one, b"message", SHA256)
    with pytest.raises(InvalidSignature):
        key.public_key().verify(encode_dss_signature(r, ORDERS[curve.name] - s - 1), b"message", SHA256)


def test_another_writing_of_the_same_numbers_is_none() -> None:
    signature = lower_half(ec.generate_private_key(ec.SECP256R1()).sign(b"message", SHA256))
    r, s = decode_dss_signature(signature)
    padded = b"\x00" + s.to_bytes(33, "big")
    spelled = encode_dss_signature(r, s)[: -(2 + signature[signature[3] + 5])] + bytes((2, len(padded))) + padded
    spelled = bytes((0x30, len(spelled) - 2)) + spelled[2:]
    assert is_lower_half(signature)
    for wrong in (spelled, b"", b"\x30\x00"):
        try:
            assert not is_lower_half(wrong)
        except ValueError:
            continue
