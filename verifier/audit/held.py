"""Step 7: certificates the auditor holds. Only who has a token can tell which leaves are its certificate's."""

import json
from collections.abc import Sequence

from keys.public.keyset import KeySet
from verifier.audit.findings import Finding
from verifier.audit.sources import CERTIFICATE, PROOF, Source, SourceError
from verifier.record.log_proof import ProofMalformedError, ProofRefusedError, StatusProof, verify_status_proof
from verifier.record.log_reading import FILE_LEAF, ISSUE_LEAF, Leaf


def audit_held(
    source: Source, key_set: KeySet, origin: str, leaves: Sequence[Leaf | None], tokens: Sequence[str]
) -> list[Finding]:
    """What disagrees about the certificates with these tokens; they are named by their place in `tokens`, from 1."""
    findings: list[Finding] = []
    for number, token in enumerate(tokens, start=1):
        own = [(index, leaf) for index, leaf in enumerate(leaves) if leaf is not None and leaf.is_of(token)]
        findings += _one(source, key_set, origin, token, own, f"certificate {number} of those given")
    return findings


def _one(
    source: Source, key_set: KeySet, origin: str, token: str, own: list[tuple[int, Leaf]], where: str
) -> list[Finding]:
    stated = [(index, leaf) for index, leaf in own if leaf.kind != FILE_LEAF]
    issued = any(leaf.kind == ISSUE_LEAF for _, leaf in own)
    if not source.answers_about_one:
        return [] if issued else [Finding("unknown-certificate", where)]
    status, is_copy = _registered(source, token)
    if is_copy:
        return [Finding("is-a-copy", where)]
    if status is None:
        return [Finding("certificate-missing" if issued else "unknown-certificate", where)]
    if not issued:
        return [Finding("silent-issue", where)]
    index, last = stated[-1]
    findings = []
    if status != last.status:
        findings.append(Finding("silent-change", f"{where}: {status}, log {last.status} (leaf {index})"))
    if not _proven(source, key_set, origin, token, index):
        findings.append(Finding("proof-wrong", where))
    return findings


def _registered(source: Source, token: str) -> tuple[str | None, bool]:
    """The status by the register, None when it knows no such certificate; and whether it is a purpose-bound copy."""
    content = source.get(CERTIFICATE + token)
    if content is None:
        return None, False
    try:
        answer = json.loads(content)
        return str(answer["certificate"]["status"]), any(check["name"] == "copy" for check in answer["checks"])
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError("核验答复无法读取 / the answer about a certificate cannot be read") from error


def _proven(source: Source, key_set: KeySet, origin: str, token: str, index: int) -> bool:
    content = source.get(PROOF + token)
    try:
        proof = StatusProof.from_json(json.loads(content or b""))
        verify_status_proof(proof, key_set, token, origin=origin)
    except (ValueError, ProofMalformedError, ProofRefusedError):
        return False
    return proof.leaf_index == index
