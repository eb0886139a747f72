"""The log read whole: every bundle of entries, every tile of hashes, and what follows from them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from verifier.audit.findings import Finding
from verifier.audit.sources import Source
from verifier.record.log_reading import Checkpoint, Leaf, LeafMalformedError, decode_leaf
from verifier.record.log_tiles import TILE_HEIGHT, TILE_WIDTH, bundle_entries, tile_path
from verifier.record.merkle import Frontier, leaf_hash

_AT_ONCE: Final = 4
_AHEAD: Final = 64


@dataclass
class LogWalk:
    """What was read. `roots` maps each size asked for to the root of the log's beginning of that size."""

    leaves: list[Leaf | None] = field(default_factory=list)
    roots: dict[int, bytes] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def walk(source: Source, head: Checkpoint, sizes: set[int]) -> LogWalk:
    """Read the log up to `head` and hash it; raises SourceError.

    Finds missing and wrong tiles, malformed leaves, repeated events, and entries that do not give the signed root.
    `sizes`: of which beginnings of the log the root is wanted.
    """
    found = LogWalk()
    frontier = Frontier()
    levels: dict[int, list[bytes]] = {}
    if 0 in sizes:
        found.roots[0] = frontier.root()
    for path, content in _fetched(source, list(_paths("entries", head.tree_size))):
        entries = _entries(found, path, content)
        if entries is None:
            return found
        for entry in entries:
            found.leaves.append(_leaf(found, entry, frontier.size))
            for node in frontier.append(leaf_hash(entry)):
                if node.height % TILE_HEIGHT == 0:
                    levels.setdefault(node.height // TILE_HEIGHT, []).append(node.hash)
            if frontier.size in sizes:
                found.roots[frontier.size] = frontier.root()
    if frontier.size != head.tree_size or frontier.root() != head.root_hash:
        found.findings.append(Finding("root-wrong", f"checkpoint {head.tree_size}"))
    for level in sorted(levels):
        _compare_tiles(source, found, level, levels[level])
    _find_repeated(found)
    return found


def _paths(level: int | str, count: int) -> Iterator[str]:
    full, rest = divmod(count, TILE_WIDTH)
    for number in range(full):
        yield "/log/" + tile_path(level, number)
    if rest:
        yield "/log/" + tile_path(level, full, rest)


def _fetched(source: Source, paths: list[str]) -> Iterator[tuple[str, bytes | None]]:
    """Contents in order, some fetched ahead."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for start in range(0, len(paths), _AHEAD):
            part = paths[start : start + _AHEAD]
            yield from zip(part, pool.map(source.get, part), strict=True)


def _entries(found: LogWalk, path: str, content: bytes | None) -> list[bytes] | None:
    """Entries of a bundle; None, with a finding, when the log cannot be read past it."""
    if content is None:
        found.findings.append(Finding("tile-missing", path))
        return None
    width = int(path.rsplit(".p/", 1)[1]) if ".p/" in path else TILE_WIDTH
    try:
        entries = bundle_entries(content)
    except ValueError:
        entries = []
    if len(entries) != width:
        found.findings.append(Finding("tile-wrong", path))
        return None
    return entries


def _leaf(found: LogWalk, entry: bytes, index: int) -> Leaf | None:
    try:
        return decode_leaf(entry)
    except LeafMalformedError:
        found.findings.append(Finding("leaf-malformed", f"leaf {index}"))
        return None


def _compare_tiles(source: Source, found: LogWalk, level: int, hashes: list[bytes]) -> None:
    for number, (path, content) in enumerate(_fetched(source, list(_paths(level, len(hashes))))):
        if content is None:
            found.findings.append(Finding("tile-missing", path))
        elif content != b"".join(hashes[number * TILE_WIDTH : (number + 1) * TILE_WIDTH]):
            found.findings.append(Finding("tile-wrong", path))


def _find_repeated(found: LogWalk) -> None:
    seen: dict[int, int] = {}
    for index, leaf in enumerate(found.leaves):
        if leaf is None:
            continue
        if leaf.event in seen:
            found.findings.append(Finding("event-repeated", f"leaves {seen[leaf.event]} and {index}"))
        seen[leaf.event] = index
