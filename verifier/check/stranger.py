"""Reads a PDF that is not ours, only to say in which way it is not. Only here does pyHanko parse such a file."""

import hashlib
import io
import logging
from typing import Any, Final

from pyhanko.pdf_utils.decode_limits import DecodeLimits, DecodePurpose, DocumentDecodeBudget, StreamDecodeLimits
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, DiffResult, ModificationLevel

from verifier.check.findings import Refused
from verifier.record.verdict import Verdict

# What pyHanko warns of quotes the file; a stranger's file does not write into our log.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
_MIB: Final = 1 << 20
_SMALL: Final = StreamDecodeLimits(max_ratio=200, ratio_floor=_MIB, max_output_size=8 * _MIB)
_LIMITS: Final = DecodeLimits(
    per_stream=_SMALL,
    per_purpose=dict.fromkeys(DecodePurpose, _SMALL),
    document_budget=DocumentDecodeBudget(base_allowance=32 * _MIB, max_ratio=4),
)
_MAX_OBJECTS: Final = 20_000
_MAX_SIGNATURES: Final = 8
_PRESERVING: Final = (ModificationLevel.NONE, ModificationLevel.LTA_UPDATES)


def read_stranger(pdf: bytes) -> Refused:
    """The refusal for a PDF without any mark of ours; may raise whatever pyHanko raises, which means malformed."""
    reader = PdfFileReader(io.BytesIO(pdf), strict=True, decode_limits=_LIMITS)
    size = reader.trailer_view["/Size"]
    if not isinstance(size, int) or size > _MAX_OBJECTS or reader.encrypted:
        return Refused(Verdict.MALFORMED, "structure-broken")
    _ = reader.root["/Pages"]["/Kids"][0]
    signatures = reader.embedded_signatures
    if not signatures:
        return Refused(Verdict.UNTRUSTED, "seal-absent")
    if len(signatures) > _MAX_SIGNATURES:
        return Refused(Verdict.MALFORMED, "structure-broken")
    for signature in signatures:
        refused = _signature_fault(pdf, signature)
        if refused is not None:
            return refused
    end = int(signatures[0].byte_range[2] + signatures[0].byte_range[3])
    if pdf[end:].strip(b"\r\n") and not _only_preserved(signatures[0]):
        return Refused(Verdict.ALTERED, "revisions-added", why="bytes-added")
    return Refused(Verdict.UNTRUSTED, "seal-foreign")


def _only_preserved(signature: Any) -> bool:
    """Whether after a stranger's signature came nothing but validation data and timestamps."""
    signature.compute_integrity_info(diff_policy=DEFAULT_DIFF_POLICY)
    found = signature.diff_result
    return isinstance(found, DiffResult) and found.modification_level in _PRESERVING


def _signature_fault(pdf: bytes, signature: Any) -> Refused | None:
    """What is wrong with a stranger's signature as such, or None when its digest holds."""
    ranges = [int(number) for number in signature.byte_range]
    if len(ranges) != 4 or ranges[0] != 0 or not 0 < ranges[1] < ranges[2] < ranges[2] + ranges[3] <= len(pdf):
        return Refused(Verdict.MALFORMED, "structure-byterange")
    gap = pdf[ranges[1] : ranges[2]]
    if gap[:1] != b"<" or gap[-1:] != b">":
        return Refused(Verdict.MALFORMED, "structure-byterange")
    data = signature.signed_data
    if data["encap_content_info"]["content"].native is not None and signature.sig_object_type == "/Sig":
        return Refused(Verdict.MALFORMED, "structure-cms")
    digest = next(
        attribute["values"][0].native
        for attribute in signature.signer_info["signed_attrs"]
        if attribute["type"].native == "message_digest"
    )
    covered = pdf[: ranges[1]] + pdf[ranges[2] : ranges[2] + ranges[3]]
    name = signature.signer_info["digest_algorithm"]["algorithm"].native
    if signature.sig_object_type == "/Sig" and hashlib.new(name, covered).digest() != digest:
        return Refused(Verdict.ALTERED, "seal-broken")
    return None


def warm_up() -> None:
    """Load what pyHanko loads on first use, by reading the smallest of files."""
    import contextlib

    with contextlib.suppress(Exception):
        read_stranger(b"%PDF-1.7\n")
