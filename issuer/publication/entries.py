"""Which entry of which status list a certificate gets: scattered, so that neighbours tell nothing of each other."""

import hashlib
import hmac

from verifier.record.status_list import LIST_ENTRIES

_LEFT_BITS = 9
_RIGHT_BITS = 8
_ROUNDS = 8


def list_entry(n: int, key: bytes) -> tuple[str, int]:
    """List id and index of the n-th certificate (from 0).

    Lists fill one after another; within a list the index is a keyed permutation of the place (an unbalanced
    Feistel network over 17 bits, HMAC-SHA256 as its round function), so no index is given twice and, without
    the key, none tells when its certificate was issued or which were issued beside it.
    """
    if n < 0:
        raise ValueError("certificates are counted from 0")
    number, place = divmod(n, LIST_ENTRIES)
    left, right = place >> _RIGHT_BITS, place & ((1 << _RIGHT_BITS) - 1)
    for turn in range(_ROUNDS):
        if turn % 2 == 0:
            left ^= _round(key, number, turn, right) & ((1 << _LEFT_BITS) - 1)
        else:
            right ^= _round(key, number, turn, left) & ((1 << _RIGHT_BITS) - 1)
    return str(number + 1), left << _RIGHT_BITS | right


def _round(key: bytes, number: int, turn: int, half: int) -> int:
    message = b"status-list-entry\0" + number.to_bytes(8, "big") + bytes((turn,)) + half.to_bytes(2, "big")
    return int.from_bytes(hmac.digest(key, message, hashlib.sha256)[:2], "big")
