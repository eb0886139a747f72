"""What a file is that does not bear our intact seal: altered, untrusted or malformed. Never anything better.

This is a courtesy to the reader, not a defence: the verdict is a refusal whichever way it goes.
"""

from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keys.public.keyset import KeySet
from keys.public.purposes import KeyPurpose
from verifier.check.findings import Refused
from verifier.record.verdict import Verdict

_SERIAL_BYTES: Final = 12


def classify(pdf: bytes, key_set: KeySet) -> Refused:
    """The refusal that fits a file in which our intact seal was not found. Never raises."""
    if bears_our_marks(pdf, key_set):
        return Refused(Verdict.ALTERED, "seal-broken")
    if not pdf.startswith(b"%PDF-"):
        return Refused(Verdict.MALFORMED, "input-not-pdf")
    try:
        # pyHanko takes a third of a second to import, and most files never need it.
        from verifier.check.stranger import read_stranger

        return read_stranger(pdf)
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
