"""Random checks that anybody can draw again (R15): a pure function of seed, list and rate."""

import hashlib
from collections.abc import Iterable

PER_MILLE = 1000


def sample_size(population: int, per_mille: int) -> int:
    """How many of `population` are picked: the share rounded up, so that a small list is not spared."""
    if population < 0 or not 1 <= per_mille <= PER_MILLE:
        raise ValueError("a population is not negative, a rate lies from 1 to 1000 per mille")
    return -(-population * per_mille // PER_MILLE)


def drawn(seed: str, ids: Iterable[str], per_mille: int) -> tuple[str, ...]:
    """The ids picked, in the order of the draw.

    Ids are ordered by SHA-256 of `seed:id` (UTF-8) and the first `sample_size` of them are taken. The order the ids
    are given in does not matter; an id given twice counts once.
    """
    known = set(ids)
    return first_drawn(seed, known, sample_size(len(known), per_mille))


def first_drawn(seed: str, ids: Iterable[str], count: int) -> tuple[str, ...]:
    """The first `count` ids of the draw, or all when there are fewer; the order is that of `drawn`."""
    ranked = sorted(set(ids), key=lambda one: (hashlib.sha256(f"{seed}:{one}".encode()).digest(), one))
    return tuple(ranked[:count])


def list_digest(ids: Iterable[str]) -> str:
    """SHA-256 (hex) of the sorted ids, one a line: says which list a draw was made from without showing it."""
    return hashlib.sha256("".join(f"{one}\n" for one in sorted(set(ids))).encode()).hexdigest()
