"""What a witness does with a checkpoint (C2SP tlog-witness, `add-checkpoint`). No network, no clock of its own.

It never cosigns two checkpoints of one log that contradict each other, nor a smaller tree after a larger one. What it
cosigned is on disk before the answer leaves.
"""

import base64
import binascii
import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keys.public.keyset import KeySet
from verifier.record.log_reading import (
    Checkpoint,
    CheckpointMalformedError,
    CheckpointUntrustedError,
    read_checkpoint,
    verify_checkpoint,
)
from verifier.record.merkle import EMPTY_ROOT, HASH_BYTES, verify_consistency
from verifier.record.witnessing import Witness, cosign

MAX_BODY: Final = 100_000
_MAX_PROOF: Final = 63
_SIZE_TYPE: Final = "text/x.tlog.size"
_TEXT: Final = "text/plain; charset=utf-8"
_KEY_FILE: Final = "witness.key"
_STATE_FILE: Final = "cosigned.json"


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: int
    body: str
    media_type: str = _TEXT


class WitnessStateError(Exception):
    """The folder cannot be used; one line."""


class WitnessCore:
    """One witness and the one log it looks after. Safe for threads and for several processes over one folder.

    `now` gives seconds since 1970. `key_set` holds the log's published keys; `origin` is the log's name.
    """

    def __init__(
        self, folder: Path, name: str, origin: str, key_set: Callable[[], KeySet], now: Callable[[], int]
    ) -> None:
        self._folder = folder
        self._name = name
        self._origin = origin
        self._key_set = key_set
        self._now = now
        self._key = open_key(folder)
        self._alone = threading.Lock()
        self._read()  # an unreadable memory must stop it at the start, not at the first question

    @property
    def vkey(self) -> str:
        """The public key, to be given to the log and to readers."""
        return Witness(self._name, self._key.public_key()).vkey

    def newest(self) -> str | None:
        """The largest checkpoint cosigned, with the cosignature."""
        found = self._read()
        return found["note"] if found else None

    def add_checkpoint(self, body: bytes) -> Reply:
        """Answer one submission: old size, consistency proof, blank line, signed note."""
        try:
            old, proof, note = _parse(body)
            head = read_checkpoint(note)
        except (ValueError, CheckpointMalformedError):
            return Reply(400, "not an add-checkpoint request\n")
        if head.origin != self._origin:
            return Reply(404, "this witness does not look after that log\n")
        try:
            verify_checkpoint(note, self._key_set(), origin=self._origin)
        except CheckpointUntrustedError:
            return Reply(403, "no key of the log signed this checkpoint\n")
        if old > head.tree_size:
            return Reply(400, "the old size is larger than the checkpoint's\n")
        with self._one_at_a_time():
            return self._consider(old, proof, note, head)

    def _consider(self, old: int, proof: list[bytes], note: str, head: Checkpoint) -> Reply:
        known = self._read()
        size, root = (int(known["tree_size"]), bytes.fromhex(known["root_hash"])) if known else (0, EMPTY_ROOT)
        if old != size or (head.tree_size == size and head.root_hash != root):
            return Reply(409, f"{size}\n", _SIZE_TYPE)
        if not verify_consistency(old, root, head.tree_size, head.root_hash, proof):
            return Reply(422, "the proof does not show that the log only grew\n")
        line = cosign(note, self._name, self._key, self._now())
        self._write(note + line, head)
        return Reply(200, line)

    @contextlib.contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        with self._alone, (self._folder / ".lock").open("w") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            yield

    def _read(self) -> dict[str, str] | None:
        path = self._folder / _STATE_FILE
        if not path.exists():
            return None
        try:
            found: dict[str, str] = json.loads(path.read_bytes())
            if found["origin"] != self._origin:
                raise WitnessStateError(f"{path.name} 属于另一个日志 / it is of another log")
            bytes.fromhex(found["root_hash"])
            int(found["tree_size"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise WitnessStateError(f"{path.name} 无法读取，不能见证 / cannot be read: no witnessing") from error
        return found

    def _write(self, note: str, head: Checkpoint) -> None:
        state = {"origin": head.origin, "tree_size": str(head.tree_size), "root_hash": head.root_hash.hex()}
        draft = self._folder / f".{_STATE_FILE}.new"
        with draft.open("w", encoding="utf-8") as file:
            json.dump({**state, "note": note}, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._folder / _STATE_FILE)
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def open_key(folder: Path) -> Ed25519PrivateKey:
    """The witness's own key, made on first use in an owner-only file; raises WitnessStateError.

    Never made anew beside a memory: that would be another witness with this one's past.
    """
    path = folder / _KEY_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            if (folder / _STATE_FILE).exists():
                raise WitnessStateError("见证密钥丢失 / the witness's key is gone while its memory is there")
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()) + b"\n")
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(path.read_bytes().strip(), validate=True))
    except (OSError, ValueError, binascii.Error) as error:
        raise WitnessStateError(f"{folder} 无法使用 / cannot be used: {type(error).__name__}") from error


def _parse(body: bytes) -> tuple[int, list[bytes], str]:
    head, separator, note = body.decode().partition("\n\n")
    first, *lines = head.split("\n")
    word, _, size = first.partition(" ")
    if not separator or word != "old" or not size.isascii() or not size.isdigit() or str(int(size)) != size:
        raise ValueError("not an add-checkpoint request")
    proof = [base64.b64decode(line, validate=True) for line in lines]
    if len(proof) > _MAX_PROOF or any(len(step) != HASH_BYTES for step in proof):
        raise ValueError("not a consistency proof")
    return int(size), proof, note
