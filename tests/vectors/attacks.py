"""Attacks on a sealed certificate, made from our own file, each with the verdicts it may get; none may be valid.

Sources of the ideas: "1 Trillion Dollar Refund" (signature forgery, wrapping, incremental saving; CCS 2019), "Shadow
Attacks" (NDSS 2021), "Breaking the Specification: PDF Certification" (evil annotation, sneaky signature; S&P 2021),
ISO 32000-2 7.5 (file structure) and RFC 5652. Written anew for the structure of our files.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from issuer.sealing.room import SealingRoom

ALTERED = frozenset({"altered"})
UNTRUSTED = frozenset({"untrusted"})
MALFORMED = frozenset({"malformed"})
BROKEN = ALTERED | MALFORMED


@dataclass(frozen=True)
class Target:
    """What an attacker may have: two files of ours, a room of his own, and what the accepted timestamp service gives.

    `room` stands for insiders' mistakes and for an accepted timestamp service that stamps whatever it is sent.
    """

    sealed: bytes
    other: bytes
    room: SealingRoom
    foreign: SealingRoom

    @property
    def ends(self) -> list[int]:
        """Where each revision ends: the page, the sealed revision, the archive timestamp."""
        return [found.end() for found in re.finditer(rb"%%EOF\n?", self.sealed)]

    @property
    def page(self) -> bytes:
        """The page as it was before the seal."""
        return self.sealed[: self.ends[0]]

    @property
    def cut(self) -> bytes:
        """The sealed revision without its archive timestamp."""
        return self.sealed[: self.ends[1]]

    def gap(self, number: int = 0) -> tuple[int, int]:
        """The hex digits of the seal (0) or of the archive timestamp (1), brackets left out."""
        found = list(re.finditer(rb"/Contents <([0-9a-fA-F]+)>", self.sealed))[number]
        return found.start(1), found.end(1)


Make = Callable[[Target], bytes]
_ATTACKS: dict[str, tuple[Make, frozenset[str]]] = {}


def attack(name: str, verdicts: frozenset[str]) -> Callable[[Make], Make]:
    """Register a function as the attack `name`."""

    def register(make: Make) -> Make:
        assert name not in _ATTACKS, name
        _ATTACKS[name] = (make, verdicts)
        return make

    return register


def all_attacks() -> Iterator[tuple[str, Make, frozenset[str]]]:
    """Every attack: name, maker, accepted verdicts."""
    from tests.vectors import byte_attacks, forged_seals, structure_attacks, update_attacks

    assert all((byte_attacks, forged_seals, structure_attacks, update_attacks))
    for name, (make, verdicts) in sorted(_ATTACKS.items()):
        yield name, make, verdicts


def put(data: bytes, at: int, new: bytes) -> bytes:
    """`data` with `new` written over what stands at `at`."""
    return data[:at] + new + data[at + len(new) :]


def swap(data: bytes, old: bytes, new: bytes, count: int = 1) -> bytes:
    """`data` with the first `old` replaced; the attack must have something to attack."""
    assert old in data, old
    return data.replace(old, new, count)
