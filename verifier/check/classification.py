"""What a file is that does not bear our intact seal: altered, untrusted or malformed. Never anything better.

This is a courtesy to the reader, not a defence: the verdict is a refusal whichever way it goes. It is also the only
place where a stranger's PDF is parsed, by pyHanko under low limits.
"""

import hashlib
import io
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pyhanko.pdf_utils.decode_limits import DecodeLimits, DecodePurpose, DocumentDecodeBudget, StreamDecodeLimits
from pyhanko.pdf_utils.reader import PdfFileReader

from keys.public.keyset import KeySet
from keys.public.purposes import KeyPurpose
from verifier.check.findings import Refused
from verifier.record.verdict import Verdict

_MIB: Final = 1 << 20
_SMALL: Final = StreamDecodeLimits(max_ratio=200, ratio_floor=_MIB, max_output_size=8 * _MIB)
_LIMITS: Final = DecodeLimits(
    per_stream=_SMALL,
    per_purpose=dict.fromkeys(DecodePurpose, _SMALL),
    document_budget=DocumentDecodeBudget(base_allowance=32 * _MIB, max_ratio=4),
)
_MAX_OBJECTS: Final = 20_000
_MAX_SIGNATURES: Final = 8
_SERIAL_BYTES: Final = 12


def classify(pdf: bytes, key_set: KeySet) -> Refused:
    """The refusal that fits a file in which our intact seal was not found. Never raises."""
    if bears_our_marks(pdf, key_set):
        return Refused(Verdict.ALTERED, "seal-broken")
    if not pdf.startswith(b"%PDF-"):
        return Refused(Verdict.MALFORMED, "input-not-pdf")
    try:
        return _read_stranger(pdf)
    except Exception:  # noqa: BLE001 - a hostile file may make the parser raise anything
        return Refused(Verdict.MALFORMED, "structure-broken")


def bears_our_marks(pdf: bytes, key_set: KeySet) -> bool:
    """Whether the file still carries a trace of our seal: a sealing key, or the serial number of its certificate.

    Several marks, so that one changed byte cannot wipe them all out.
    """
    lower = pdf.lower()
    for key in key_set.for_purpose(KeyPurpose.DOCUMENT_SEAL):
        point = key.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        serial = key.certificate.serial_number
        marks = [point, key.certificate.signature]
        if serial.bit_length() > 8 * _SERIAL_BYTES:
            marks.append(serial.to_bytes((serial.bit_length() + 7) // 8, "big"))
        if any(mark in pdf or mark.hex().encode() in lower for mark in marks):
            return True
    return False


def _read_stranger(pdf: bytes) -> Refused:
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
    ends = []
    for signature in signatures:
        refused = _signature_fault(pdf, signature)
        if refused is not None:
            return refused
        ends.append(int(signature.byte_range[2] + signature.byte_range[3]))
    if max(ends) != len(pdf.rstrip(b"\r\n")) and max(ends) != len(pdf):
        return Refused(Verdict.ALTERED, "revisions-added", why="bytes-added")
    return Refused(Verdict.UNTRUSTED, "seal-foreign")


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
