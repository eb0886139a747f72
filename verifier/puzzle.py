"""The work a look-up may cost, as whoever asks does it (`verifier.web.proof_of_work` sets it and checks it)."""

import hashlib
from typing import Any, Final

ALGORITHM: Final = "sha-256-leading-zero-bits"
MOST_BITS: Final = 24
"""What a server may ask of us: about 16 million digests, a quarter of a minute. A server of ours asks for 17 bits."""
_LONGEST: Final = 200


class TooMuchWorkError(ValueError):
    """The challenge is none we know, or asks for more than we are ready to do."""


def zero_bits(proof: str) -> int:
    """With how many zero bits SHA-256 of `proof` begins."""
    return 256 - int.from_bytes(hashlib.sha256(proof.encode()).digest(), "big").bit_length()


def solve(challenge: str, bits: int) -> str:
    """The work itself: about 2**bits digests. `challenge` with the number behind it, as it is sent back."""
    start = hashlib.sha256(f"{challenge}:".encode())
    limit = 1 << (256 - bits)
    number = 0
    while True:
        attempt = start.copy()
        attempt.update(str(number).encode())
        if int.from_bytes(attempt.digest(), "big") < limit:
            return f"{challenge}:{number}"
        number += 1


def answer_to(challenge: Any) -> str:
    """The proof for the member `challenge` of a problem document; raises TooMuchWorkError."""
    if not isinstance(challenge, dict) or challenge.get("algorithm") != ALGORITHM:
        raise TooMuchWorkError("an unknown kind of challenge")
    text, bits = challenge.get("challenge"), challenge.get("bits")
    if not isinstance(text, str) or not 0 < len(text) <= _LONGEST or not text.isascii():
        raise TooMuchWorkError("a challenge that is no text")
    if not isinstance(bits, int) or isinstance(bits, bool) or not 0 < bits <= MOST_BITS:
        raise TooMuchWorkError("more work than anybody should be asked for")
    return solve(text, bits)
