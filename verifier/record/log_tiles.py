"""The log as C2SP tlog-tiles: tiles of 256 hashes, bundles of 256 entries, and proofs computed from them.

Paths, after `/log/`: `tile/<L>/<N>[.p/<W>]` and `tile/entries/<N>[.p/<W>]`, N in groups of three digits, all but
the last beginning with x (1234067 is x001/x234/067).
"""

import re
from dataclasses import dataclass
from typing import Final, Protocol

from verifier.record.merkle import NodeReader, consistency_proof, inclusion_proof, leaf_hash, node_hash

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT
MAX_LEVEL: Final = 5

_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<n>(?:x[0-9]{3}/){0,3}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


class TileNotFoundError(LookupError):
    """The path names no tile of the tree as it stands."""


class LogStore(Protocol):
    """Where hashes and entries are read from; `SqlRegister` is one."""

    def leaves(self, start: int, count: int) -> list[bytes]:
        """Entries from `start` on, at most `count`."""
        ...

    def hashes(self, level: int, start: int, count: int) -> list[bytes]:
        """Hashes of a tile level (0: leaves) from `start` on, at most `count`."""
        ...


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile's or bundle's content. A full one never changes; a partial one of this width does not either."""

    content: bytes
    width: int

    @property
    def full(self) -> bool:
        """Whether it has all 256."""
        return self.width == TILE_WIDTH


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """What shows that an entry stands in the log: check it with `verifier.record.merkle.verify_inclusion`."""

    leaf: bytes
    leaf_index: int
    tree_size: int
    path: tuple[bytes, ...]


def tile_path(level: int | str, number: int, width: int | None = None) -> str:
    """Path of a tile after `/log/`; `level` may be `entries`; `width` for a partial tile."""
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03}")
    partial = "" if width is None else f".p/{width}"
    return f"tile/{level}/{'/'.join(groups)}{partial}"


def read_tile(store: LogStore, path: str, tree_size: int) -> Tile:
    """The content at `path` (after `/log/`) in a tree of `tree_size`; raises TileNotFoundError.

    `tree_size` is that of a signed checkpoint: what no checkpoint covers is not served.
    """
    found = _PATH.fullmatch(path)
    if found is None:
        raise TileNotFoundError("not the path of a tile")
    groups = found["n"].split("/")
    number = int("".join(group.removeprefix("x") for group in groups))
    width = TILE_WIDTH if found["width"] is None else int(found["width"])
    entries = found["level"] == "entries"
    level = 0 if entries else int(found["level"])
    if width > TILE_WIDTH - (found["width"] is not None) or (len(groups) > 1 and int(groups[0][1:]) == 0):
        raise TileNotFoundError("not the path of a tile")
    available = tree_size >> TILE_HEIGHT * level
    start = number * TILE_WIDTH
    if level > MAX_LEVEL or start + width > available:
        raise TileNotFoundError("the log has not grown that far")
    if entries:
        bundle = [len(leaf).to_bytes(2, "big") + leaf for leaf in store.leaves(start, width)]
        return _tile(bundle, width)
    return _tile(store.hashes(level, start, width), width)


def prove_inclusion(store: LogStore, index: int, tree_size: int) -> InclusionProof:
    """Proof that entry `index` stands in the tree of `tree_size`; raises IndexError."""
    path = inclusion_proof(index, tree_size, node_reader(store))
    return InclusionProof(store.leaves(index, 1)[0], index, tree_size, path)


def prove_consistency(store: LogStore, old: int, tree_size: int) -> tuple[bytes, ...]:
    """Proof that the tree of `old` is a beginning of the tree of `tree_size`; raises IndexError."""
    return consistency_proof(old, tree_size, node_reader(store))


def node_reader(store: LogStore) -> NodeReader:
    """Any complete subtree's hash, from at most one tile (128 hashes)."""

    def read(height: int, position: int) -> bytes:
        level, rest = divmod(height, TILE_HEIGHT)
        row = store.hashes(level, position << rest, 1 << rest)
        if len(row) != 1 << rest:
            raise IndexError("the log has not grown that far")
        while len(row) > 1:
            row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
        return row[0]

    return read


def bundle_entries(bundle: bytes) -> list[bytes]:
    """Entries of a bundle; raises ValueError when it is cut off."""
    found = []
    at = 0
    while at < len(bundle):
        end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
        if end > len(bundle) or at + 2 > len(bundle):
            raise ValueError("the bundle is cut off")
        found.append(bundle[at + 2 : end])
        at = end
    return found


def bundle_hashes(bundle: bytes) -> list[bytes]:
    """Leaf hashes of a bundle: the level-0 tile of the same number."""
    return [leaf_hash(entry) for entry in bundle_entries(bundle)]


def _tile(parts: list[bytes], width: int) -> Tile:
    if len(parts) != width:
        raise TileNotFoundError("the log has not grown that far")
    return Tile(b"".join(parts), width)
