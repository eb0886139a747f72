"""Checks an auditor's pack with nothing but the pack and the office's published keys."""

import hashlib
import json
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from issuer.errors import InputError, Words
from issuer.queues.pack import SIGNATURE, SUMS
from issuer.sealing.pack_manifest import is_signed_pack
from keys.public.keyset import KeySet
from verifier.record.log_reading import CheckpointMalformedError, CheckpointUntrustedError

MAX_BYTES: Final = 512 * 1024 * 1024
"""All files of a pack together, taken out of the zip."""


@dataclass(frozen=True, slots=True)
class PackReport:
    """What was found. `faults`: (code, file or event number); no fault, no doubt."""

    files: int
    events: int
    links: int
    signed: bool
    faults: tuple[tuple[str, str], ...]

    @property
    def good(self) -> bool:
        """Whether it is as the office made it."""
        return self.signed and not self.faults

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        faults = [{"code": code, "at": at} for code, at in self.faults]
        counts = {"files": self.files, "events": self.events, "links": self.links}
        return {"good": self.good, "signed": self.signed, **counts, "faults": faults}


def check_pack(path: Path, keys: KeySet) -> PackReport:
    """Signature, every file's digest, every link of the enclosed stretch of the chain, every event in it.

    Raises InputError (no zip, no pack, too large).
    """
    files = _read(path)
    sums, note = files.pop(SUMS, None), files.pop(SIGNATURE, None)
    if sums is None or note is None:
        raise _no_pack()
    faults: list[tuple[str, str]] = []
    try:
        signed = is_signed_pack(note.decode("utf-8", "replace"), keys, sums, len(files))
    except (CheckpointMalformedError, CheckpointUntrustedError):
        signed = False
    if not signed:
        faults.append(("signature", SIGNATURE))
    try:
        links, events = (_lines(files.get(name, b"")) for name in ("chain.jsonl", "events.jsonl"))
        listed = {name: digest for digest, _, name in (line.partition("  ") for line in sums.decode().splitlines())}
        faults += _file_faults(listed, files) + _chain_faults(links) + _event_faults(events, links)
    except (KeyError, TypeError, ValueError) as exc:
        raise _no_pack() from exc
    return PackReport(len(files), len(events), len(links), signed, tuple(faults))


def _file_faults(listed: dict[str, str], files: dict[str, bytes]) -> list[tuple[str, str]]:
    faults = []
    for name in sorted(listed.keys() | files.keys()):
        if name not in files:
            faults.append(("missing", name))
        elif listed.get(name) != hashlib.sha256(files[name]).hexdigest():
            faults.append(("changed" if name in listed else "added", name))
    return faults


def _event_faults(events: list[dict[str, Any]], links: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """An event's hash is its own, and the enclosed stretch of the chain, where there is one, holds it."""
    known = {link["sequence"]: link["event_hash"] for link in links}
    return [
        ("event", str(event["sequence"]))
        for event in events
        if _hash(event) != event["event_hash"] or (known and known.get(event["sequence"]) != event["event_hash"])
    ]


def _read(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len({entry.filename for entry in entries}) != len(entries):
                raise _no_pack()
            if sum(entry.file_size for entry in entries) > MAX_BYTES:
                raise InputError("pack-too-large", Words("材料包过大。", "The pack is too large."))
            return {entry.filename: archive.read(entry) for entry in entries}
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as exc:
        raise _no_pack() from exc


def _lines(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]


def _chain_faults(links: list[dict[str, Any]]) -> list[tuple[str, str]]:
    found = []
    for at, link in enumerate(links):
        follows = at == 0 or (link["previous_hash"], link["sequence"]) == (
            links[at - 1]["event_hash"],
            links[at - 1]["sequence"] + 1,
        )
        if not follows or _hash(link) != link["event_hash"]:
            found.append(("link", str(link["sequence"])))
    return found


def _hash(event: dict[str, Any]) -> str:
    content = {key: value for key, value in event.items() if key != "event_hash"}
    content["at"] = datetime.fromisoformat(event["at"]).astimezone(UTC).isoformat(timespec="microseconds")
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def _no_pack() -> InputError:
    return InputError(
        "not-a-pack",
        Words("这不是完整的审计材料包。", "This is no whole auditor's pack."),
        remedy=Words("请使用从工作台下载的原始 .zip 文件。", "Use the .zip file as the console gave it."),
    )
