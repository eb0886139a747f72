"""A receipt as a PDF: the page that a person reads, the receipt, and one signature over both.

The file ends with one comment line, `%ECERT-RECEIPT-1 RECEIPT.SIGNATURE` (base64url): the receipt, and the same key's
signature (64 bytes, r then s) over "ecert-receipt-pdf-1", NUL, SHA-256 of the receipt and SHA-256 of all bytes before
that line. So the page that a person reads is covered as well as the data a program reads.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Final

from keys.public.keyset import KeySet
from keys.public.purposes import KeyPurpose
from verifier.record.cose import es256_verifies
from verifier.record.jws import JwsError, b64url, unb64url
from verifier.record.receipt import MARK, ReceiptMalformedError, read_receipt

MAX_FILE_BYTES: Final = 2_000_000
_LINE: Final = re.compile(rb"\n%ECERT-RECEIPT-1 ([A-Za-z0-9_-]{40,1900})\.([A-Za-z0-9_-]{86})\n")
_PAGE: Final = b"ecert-receipt-pdf-1\0"


def sealed_page(pdf: bytes, signed: bytes, sign_raw: Callable[[bytes], bytes]) -> bytes:
    """A PDF page with the receipt and the signature over both at its end."""
    body = pdf if pdf.endswith(b"\n") else pdf + b"\n"
    signature = sign_raw(_page_message(body, signed))
    return body + MARK + b64url(signed).encode() + b"." + b64url(signature).encode() + b"\n"


def split_page(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Page, receipt and signature of a receipt in PDF form; raises ReceiptMalformedError.

    Only the very end of the file is looked at; no PDF is parsed, so a hostile one can do nothing.
    """
    start = data.rfind(b"\n" + MARK)
    found = _LINE.fullmatch(data, start) if start >= 0 and len(data) <= MAX_FILE_BYTES else None
    if found is None:
        raise ReceiptMalformedError("no receipt stands at the end of this file")
    try:
        return data[: start + 1], unb64url(found[1].decode()), unb64url(found[2].decode())
    except JwsError as error:
        raise ReceiptMalformedError("no receipt stands at the end of this file") from error


def page_is_ours(page: bytes, signed: bytes, signature: bytes, key_set: KeySet) -> bool:
    """Whether the page is the one made for this receipt. Call after `verify_receipt`."""
    key = key_set.find(read_receipt(signed)[1], KeyPurpose.RECEIPT)
    return es256_verifies(key.public_key, signature, _page_message(page, signed))


def _page_message(page: bytes, signed: bytes) -> bytes:
    return _PAGE + hashlib.sha256(signed).digest() + hashlib.sha256(page).digest()
