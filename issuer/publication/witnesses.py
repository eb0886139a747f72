"""Asks witnesses to cosign the newest checkpoint (C2SP tlog-witness), and believes them when they saw more.

A witness that cannot be reached holds nothing up. One that remembers another history stops publication.
"""

import base64
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import httpx
from sqlalchemy import Connection, Engine, select, update

from issuer.errors import InputError, Words
from issuer.publication.fork_guard import ConnectionLog, LogWouldForkError
from issuer.sealing.checkpoint import sign_checkpoint
from issuer.sealing.credential import HasSigners
from verifier.record.log_reading import Checkpoint, CheckpointMalformedError, origin_of, read_checkpoint
from verifier.record.log_tiles import prove_consistency
from verifier.record.merkle import EMPTY_ROOT
from verifier.record.tables import log_checkpoints
from verifier.record.witnessing import Witness, WitnessKeyError, cosignatures

TIMEOUT_SECONDS: Final = 3.0
_MAX_SIZE_DIGITS: Final = 18
_log = logging.getLogger(__name__)


def read_witnesses(texts: tuple[str, ...]) -> tuple[Witness, ...]:
    """The setting ECERT_WITNESSES read; raises InputError for an entry that is not `URL VKEY`."""
    try:
        witnesses = tuple(Witness.parse(text) for text in texts)
    except WitnessKeyError as exc:
        raise _wrong_setting() from exc
    if any(witness.url is None for witness in witnesses):
        raise _wrong_setting()
    return witnesses


@dataclass
class Cosigning:
    """The log's side. `sizes` remembers what each witness cosigned last, to spare a question."""

    register: Engine
    room: Callable[[], HasSigners]
    base_url: str
    witnesses: tuple[Witness, ...] = ()
    sizes: dict[str, int] = field(default_factory=dict)
    asked_at_start: bool = False

    def ask_at_start(self) -> None:
        """Once in a process, before anything is published: has a witness seen more than this? LogWouldForkError."""
        if not self.asked_at_start:
            self.cosign()

    def cosign(self) -> int:
        """Have the newest checkpoint cosigned by who has not yet; how many do now. The first time everybody is asked:
        a restored database bears cosignatures of its own past.

        Raises LogWouldForkError when a witness remembers another history.
        """
        if not self.witnesses:
            return 0
        # For reading only: on SQLite anything else would hold the register's write lock while witnesses answer.
        with self.register.execution_options(ecert_read_only=True).connect() as connection:
            note, head = self._newest(connection)
            present = cosignatures(note, self.witnesses)
            asked = [one for one in self.witnesses if one.name not in present or not self.asked_at_start]
            answers = {one.name: self._ask(connection, one, note, head) for one in asked}
        self.asked_at_start = True
        lines = [line for name, line in answers.items() if line and name not in present]
        if lines and head.tree_size:
            with self.register.begin() as connection:
                at = log_checkpoints.c.tree_size == head.tree_size
                stored = connection.execute(select(log_checkpoints.c.signed_note).where(at)).scalar_one()
                already = set(stored.splitlines())
                whole = stored + "".join(line for line in lines if line.rstrip("\n") not in already)
                connection.execute(update(log_checkpoints).where(at).values(signed_note=whole))
        return len(present) + len(lines)

    def _newest(self, connection: Connection) -> tuple[str, Checkpoint]:
        newest = select(log_checkpoints.c.signed_note).order_by(log_checkpoints.c.tree_size.desc()).limit(1)
        note = connection.execute(newest).scalar()
        if note is not None:
            return note, read_checkpoint(note)
        empty = Checkpoint(origin_of(self.base_url), 0, EMPTY_ROOT)
        return sign_checkpoint(self.room(), empty), empty

    def _ask(self, connection: Connection, witness: Witness, note: str, head: Checkpoint) -> str | None:
        """The witness's signature line, None when it gives none."""
        for _ in range(2):
            old = min(self.sizes.get(witness.name, 0), head.tree_size)
            answer = self._post(connection, witness, old, note, head)
            if answer is None:
                return None
            if answer.status_code == httpx.codes.OK:
                self.sizes[witness.name] = head.tree_size
                return self._line_of(witness, note, answer.text)
            if answer.status_code == httpx.codes.CONFLICT:
                seen = answer.text.strip()
                if not seen.isascii() or not seen.isdigit() or len(seen) > _MAX_SIZE_DIGITS:
                    break
                if int(seen) > head.tree_size or int(seen) == old:
                    raise _other_history(witness, int(seen), head.tree_size)
                self.sizes[witness.name] = int(seen)
                continue
            if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
                raise _other_history(witness, old, head.tree_size)
            break
        _log.warning("witness %s gave no cosignature", witness.name)
        return None

    def _post(
        self, connection: Connection, witness: Witness, old: int, note: str, head: Checkpoint
    ) -> httpx.Response | None:
        proof = prove_consistency(ConnectionLog(connection), old, head.tree_size)
        steps = "".join(f"{base64.b64encode(step).decode()}\n" for step in proof)
        body = f"old {old}\n{steps}\n{note}".encode()
        try:
            return httpx.post(f"{str(witness.url).rstrip('/')}/add-checkpoint", content=body, timeout=TIMEOUT_SECONDS)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            _log.warning("witness %s cannot be reached (%s)", witness.name, type(exc).__name__)
            return None

    @staticmethod
    def _line_of(witness: Witness, note: str, answer: str) -> str | None:
        """The line of the answer that is this witness's good signature."""
        for line in answer.splitlines(keepends=True):
            try:
                if witness.name in cosignatures(note + line, (witness,)):
                    return line if line.endswith("\n") else f"{line}\n"
            except CheckpointMalformedError:
                continue
        return None


def _other_history(witness: Witness, seen: int, ours: int) -> LogWouldForkError:
    return LogWouldForkError(
        Words(
            f"见证方 {witness.name} 记得的日志（{seen} 条）与公共记录（{ours} 条）不是同一段历史。",
            f"Witness {witness.name} remembers a log of {seen} entries; the public record's ({ours}) did not grow "
            "from it.",
        )
    )


def _wrong_setting() -> InputError:
    return InputError(
        "witnesses-unreadable",
        Words("ECERT_WITNESSES 中有一项不是“网址 公钥”。", "An entry of ECERT_WITNESSES is not `URL VKEY`."),
        remedy=Words(
            "公钥由 ecert-verify witness --show-key 给出。", "`ecert-verify witness --show-key` prints the key."
        ),
    )
