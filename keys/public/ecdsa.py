"""The two spellings of an ECDSA signature. Both (r, s) and (r, n - s) hold, and anyone can make one of the other.

So that a signed file has one form only, we write the one whose s is not above n / 2, and the check of a file takes no
other (SEC 1 allows both; BIP 62 is the best-known rule of this kind). Signatures are DER (RFC 3279, 2.2.3).
"""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

ORDERS: Final = {
    "secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "secp384r1": int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973", 16
    ),
    "secp521r1": int(
        "01" + 32 * "FF" + "FA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409",
        16,
    ),
}
"""Orders n of the curves (SP 800-186, 3.2.1), by the name cryptography gives them."""


def lower_half(signature: bytes, curve: str = "secp256r1") -> bytes:
    """Of the two signatures that sign the same, the one in its lower half. Raises ValueError for what is not DER."""
    order = ORDERS[curve]
    r, s = decode_dss_signature(signature)
    return signature if 2 * s <= order else encode_dss_signature(r, order - s)


def is_lower_half(signature: bytes, curve: str = "secp256r1") -> bool:
    """Whether it is the only DER form of a signature in its lower half. Raises ValueError for what is not DER."""
    r, s = decode_dss_signature(signature)
    return 2 * s <= ORDERS[curve] and encode_dss_signature(r, s) == signature
