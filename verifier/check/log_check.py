"""A result held against the transparency log: its status must be the newest that the log proves.

A log that cannot be asked changes no verdict, since the register answers for the status; the result then says that
nothing was proven. A proof that contradicts the register takes the verdict `valid` away.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from keys.public.keyset import KeySet
from verifier.check.words import say
from verifier.record.log_proof import (
    ProofMalformedError,
    ProofRefusedError,
    StatusProof,
    prove_status,
    verify_status_proof,
)
from verifier.record.log_reading import Leaf, LeafMalformedError
from verifier.record.register import RegisterUnavailableError, SqlRegister
from verifier.record.verdict import Check, CheckResult, Verdict
from verifier.record.witnessing import Witness, count_cosignatures

ProofReader = Callable[[str], bytes | StatusProof | None]
"""Token (upper case) → the proof, as served or as made; None when there is none to be had."""
_STATED = frozenset({"valid", "invalid", "suspended", "superseded"})


def proof_at_hand(register: SqlRegister, token: str) -> StatusProof | None:
    """The proof made from the register; None when the log cannot be read as far as it takes."""
    try:
        return prove_status(register, token)
    except (RegisterUnavailableError, IndexError, LeafMalformedError):
        return None


def with_log(
    result: CheckResult,
    read_proof: ProofReader,
    key_set: KeySet,
    *,
    origin: str | None = None,
    again: Callable[[], CheckResult] | None = None,
    witnesses: tuple[Witness, ...] = (),
) -> CheckResult:
    """`result` with what the log says of it; `extra["log"]` tells what was proven.

    `again` asks for the result once more, for a status that changed between the answer and the proof. Results
    without a status of now, and purpose-bound copies (proven by their certificates), are handed back as they are.
    """
    if not _speaks_of_now(result):
        return result
    held = _held(result, read_proof, key_set, origin, witnesses)
    if again is not None and held.checks[-1].code == "log-contradicts":
        fresh = again()
        return _held(fresh, read_proof, key_set, origin, witnesses) if _speaks_of_now(fresh) else fresh
    return held


def _speaks_of_now(result: CheckResult) -> bool:
    shown = result.certificate
    if shown is None or shown.status not in _STATED or "on" in result.extra:
        return False
    return all(check.name != "copy" for check in result.checks)


def _held(
    result: CheckResult,
    read_proof: ProofReader,
    key_set: KeySet,
    origin: str | None,
    witnesses: tuple[Witness, ...],
) -> CheckResult:
    shown = result.certificate
    assert shown is not None, "only results with a status are held against the log"
    try:
        token = shown.copy_of or shown.token  # a copy has no status of its own: its certificate's is in the log
        found = read_proof(token)
        if found is None:
            return _without(result)
        proof = found if isinstance(found, StatusProof) else StatusProof.from_json(json.loads(found))
        leaf, head = verify_status_proof(proof, key_set, token, origin=origin)
    except (ProofMalformedError, ProofRefusedError, ValueError):
        return _refused(result, say("log-proof-false"))
    if leaf.status != shown.status:
        return _refused(result, say("log-contradicts", logged=leaf.status, registered=shown.status))
    seen = count_cosignatures(proof.checkpoint, witnesses)
    extra = {"log": _told(proof, leaf, seen)}
    check = say(
        "log-proven",
        index=str(proof.leaf_index + 1),
        size=str(head.tree_size),
        witnesses=f"，{seen} 个见证方联署" if seen else "",
        witnesses_en=f"; cosigned by {seen} witness{'es' if seen > 1 else ''}" if seen else "",
    )
    return replace(result, checks=(*result.checks, check), extra={**result.extra, **extra})


def _told(proof: StatusProof, leaf: Leaf, seen: int) -> dict[str, Any]:
    return {
        "proven": True,
        "leaf_index": proof.leaf_index,
        "tree_size": proof.tree_size,
        "logged_at": leaf.seconds,
        "cosignatures": seen,
    }


def _without(result: CheckResult) -> CheckResult:
    return replace(result, extra={**result.extra, "log": {"proven": None}})


def _refused(result: CheckResult, check: Check) -> CheckResult:
    verdict = Verdict.STATUS_UNKNOWN if result.verdict is Verdict.VALID else result.verdict
    extra = {**result.extra, "log": {"proven": False}}
    return replace(result, verdict=verdict, checks=(*result.checks, check), extra=extra)
