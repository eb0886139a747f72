"""What an auditor remembers between audits: signed checkpoints with the time they were seen, and key ids.

One JSON file. It is only worth something where those who keep the log cannot change it.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

MEMORY_FILE: Final = "checkpoints.json"
_KEPT: Final = 1000


class MemoryUnreadableError(Exception):
    """The file is there and cannot be read: better to stop than to forget."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint as it was found. `seen_at` aware, or None when somebody else handed it over."""

    note: str
    tree_size: int
    root_hash: bytes
    seen_at: datetime | None


@dataclass
class Memory:
    """Everything remembered of one log."""

    origin: str | None = None
    seen: list[Seen] = field(default_factory=list)
    kids: set[str] = field(default_factory=set)


def recall(folder: Path) -> Memory:
    """Read the folder; empty when there is no file yet. Raises MemoryUnreadableError."""
    path = folder / MEMORY_FILE
    if not path.exists():
        return Memory()
    try:
        data = json.loads(path.read_bytes())
        seen = [
            Seen(one["note"], int(one["tree_size"]), bytes.fromhex(one["root_hash"]), _instant(one["seen_at"]))
            for one in data["seen"]
        ]
        return Memory(data["origin"], seen, set(data["kids"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MemoryUnreadableError(f"审计记忆文件无法读取：{path} / the audit's memory cannot be read") from error


def remember(folder: Path, memory: Memory) -> None:
    """Write it, in one step; raises OSError. The first checkpoint and the newest are always kept."""
    folder.mkdir(parents=True, exist_ok=True)
    seen = memory.seen if len(memory.seen) <= _KEPT else [memory.seen[0], *memory.seen[1 - _KEPT :]]
    rows = [
        {
            "note": one.note,
            "tree_size": one.tree_size,
            "root_hash": one.root_hash.hex(),
            "seen_at": one.seen_at.isoformat() if one.seen_at else None,
        }
        for one in seen
    ]
    draft = folder / f".{MEMORY_FILE}.new"
    data = {"origin": memory.origin, "kids": sorted(memory.kids), "seen": rows}
    draft.write_text(json.dumps(data, ensure_ascii=False, indent=1), encoding="utf-8")
    draft.replace(folder / MEMORY_FILE)


def keep_evidence(folder: Path, notes: list[str]) -> Path:
    """Put contradicting signed notes aside, each beside the others; anyone can check their signatures."""
    folder.mkdir(parents=True, exist_ok=True)
    number = sum(1 for _ in folder.glob("evidence-*.txt")) + 1
    path = folder / f"evidence-{number:03}.txt"
    path.write_text("\n".join(notes), encoding="utf-8")
    return path


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
