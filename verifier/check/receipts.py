"""Giving and checking receipts. A receipt speaks of its instant; beside it always stands what is true now.

A genuine receipt passes in this order: form, signature by the key of purpose `receipt`, for a PDF the page's bytes,
then (because a stolen key can sign anything) agreement with the public history, and the log position.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol

from keys.public.keyset import KeySet, KeySetMalformedError
from verifier.check.history import STATUS_WORDS, Moment, past_of
from verifier.check.words import say
from verifier.record.log_tiles import LogStore, node_reader
from verifier.record.merkle import range_hash
from verifier.record.public_record import StatusChange
from verifier.record.qr import QrGrammarError, b32, unb32
from verifier.record.receipt import (
    FORMAT,
    Found,
    Receipt,
    ReceiptMalformedError,
    ReceiptUntrustedError,
    verify_receipt,
)
from verifier.record.receipt_page import page_is_ours, split_page
from verifier.record.register import FileRecord, RegisterUnavailableError, StoredCheckpoint
from verifier.record.status import CertificateStatus
from verifier.record.verdict import Check, CheckResult, Verdict

DELAY: Final = timedelta(minutes=5)
"""A change becomes public a moment after the act it records; a receipt of that moment is no contradiction."""
_OF_STATUS: Final = {
    Verdict.VALID: CertificateStatus.VALID,
    Verdict.EXPIRED_COPY: CertificateStatus.VALID,
    Verdict.INVALID: CertificateStatus.INVALID,
    Verdict.SUSPENDED: CertificateStatus.SUSPENDED,
    Verdict.SUPERSEDED: CertificateStatus.SUPERSEDED,
}
NOTICE: Final = (
    "本回执只说明出具时刻的查验结果。证书的状态随时可能变化；现在的状态请重新查验。",
    "This receipt speaks of the instant at which it was given and of no other. Check again for the present status.",
)


class Outcome(StrEnum):
    """What became of a receipt. Only GENUINE means that it may be relied on, for its instant."""

    GENUINE = "genuine"
    ALTERED = "altered"
    UNTRUSTED = "untrusted"
    CONTRADICTED = "contradicted"
    MALFORMED = "malformed"
    UNDETERMINED = "undetermined"


class Archive(LogStore, Protocol):
    """What checking a receipt asks of the register; `SqlRegister` is one."""

    def history(self, token: str) -> tuple[StatusChange, ...]:
        """Every status, oldest first."""
        ...

    def by_file(self, sha256: str) -> FileRecord | None:
        """The file with this digest."""
        ...

    def latest_checkpoint(self) -> StoredCheckpoint | None:
        """The newest checkpoint."""
        ...


@dataclass(frozen=True, slots=True)
class ReceiptCheck:
    """The answer about a receipt; `now` is the check of the same certificate or file at `as_of`."""

    outcome: Outcome
    checks: tuple[Check, ...]
    as_of: datetime
    receipt: Receipt | None = None
    now: CheckResult | None = None

    @property
    def exit_code(self) -> int:
        """0 only when the receipt is genuine, said valid, and the certificate still is; 2 when that is not known."""
        unknown = self.now is not None and self.now.verdict is Verdict.STATUS_UNKNOWN
        if self.outcome is Outcome.UNDETERMINED or (self.outcome is Outcome.GENUINE and unknown):
            return 2
        said_valid = self.receipt is not None and self.receipt.verdict is Verdict.VALID
        still = self.now is not None and self.now.verdict is Verdict.VALID
        return 0 if self.outcome is Outcome.GENUINE and said_valid and still else 1

    def to_json(self) -> dict[str, Any]:
        """The body of the answer."""
        return {
            "outcome": self.outcome.value,
            "checks": [check.to_json() for check in self.checks],
            "receipt": self.receipt.to_json() if self.receipt else None,
            "now": self.now.to_json() if self.now else None,
            "notice": NOTICE[0],
            "notice_en": NOTICE[1],
            "as_of": self.as_of.isoformat().replace("+00:00", "Z"),
        }


def stated(
    result: CheckResult, subject: str, *, receipt_id: str, origin: str, label: str, log: StoredCheckpoint | None
) -> Receipt:
    """The receipt for `result`, which answered for `subject`; raises ValueError for a status that is not known."""
    if result.verdict in (Verdict.STATUS_UNKNOWN, Verdict.MALFORMED):
        raise ValueError("a receipt states an answer, and there is none")
    failed = next((check.code for check in result.checks if check.ok is not True), "")
    shown = result.certificate
    found = None
    if shown is not None:
        found = Found(
            shown.token,
            shown.reason_class or "",
            shown.effective_on,
            shown.programme_name,
            shown.level,
            shown.specialty,
            shown.approved_on,
            shown.issued_on,
        )
    return Receipt(
        receipt_id=receipt_id,
        origin=origin,
        asked_at=result.as_of,
        subject=subject.lower() if len(subject) == 64 else subject.upper(),
        verdict=result.verdict,
        reason=failed,
        label=label,
        log_size=log.tree_size if log else 0,
        log_root=log.root_hash if log else b"",
        found=found,
    )


def receipt_document(receipt: Receipt, signed: str) -> dict[str, Any]:
    """The JSON file an asker keeps: the statement to read, and the signed form (base32) that counts."""
    return {
        "format": FORMAT,
        "statement": receipt.to_json(),
        "notice": NOTICE[0],
        "notice_en": NOTICE[1],
        "current": current_address(receipt),
        "signed": signed,
    }


def current_address(receipt: Receipt) -> str:
    """Where the present answer is."""
    if receipt.found is not None:
        return f"{receipt.origin}/v/{receipt.found.token}"
    return f"{receipt.origin}/" + (f"api/v1/files/{receipt.subject}" if receipt.of_file else f"v/{receipt.subject}")


def check_receipt(
    data: bytes,
    *,
    key_set: Callable[[], KeySet],
    archive: Archive,
    check_now: Callable[[Receipt], CheckResult],
    own_origins: tuple[str, ...],
    now: datetime,
) -> ReceiptCheck:
    """Check a receipt in any form: PDF, JSON document, or the signed form in base32."""
    checks: list[Check] = []
    try:
        signed, page, document = _taken_apart(data)
        keys = key_set()
        receipt = verify_receipt(signed, keys)
    except ReceiptMalformedError:
        return ReceiptCheck(Outcome.MALFORMED, (say("receipt-malformed"),), now)
    except ReceiptUntrustedError as error:
        altered = error.code == "bad-signature"
        outcome = Outcome.ALTERED if altered else Outcome.UNTRUSTED
        return ReceiptCheck(outcome, (say("receipt-altered" if altered else "receipt-untrusted"),), now)
    except (OSError, KeySetMalformedError):
        return ReceiptCheck(Outcome.UNDETERMINED, (say("keys-unavailable"),), now)
    if receipt.origin not in own_origins:
        return ReceiptCheck(Outcome.UNTRUSTED, (say("receipt-untrusted"),), now)
    checks.append(say("receipt-signed"))
    outcome = Outcome.GENUINE
    if page is not None:
        exact = page_is_ours(page[0], signed, page[1], keys)
        checks.append(say("receipt-page-exact" if exact else "receipt-page-altered"))
        outcome = outcome if exact else Outcome.ALTERED
    # All of it, the notice and the address too: a reader believes what stands beside a genuine statement.
    if document is not None and document != receipt_document(receipt, b32(signed)):
        checks.append(say("receipt-words-altered"))
        outcome = Outcome.ALTERED
    for check in _against_the_record(receipt, archive):
        checks.append(check)
        if outcome is Outcome.GENUINE and check.ok is not True:
            outcome = Outcome.CONTRADICTED if check.ok is False else Outcome.UNDETERMINED
    return ReceiptCheck(outcome, tuple(checks), now, receipt, check_now(receipt))


def _taken_apart(data: bytes) -> tuple[bytes, tuple[bytes, bytes] | None, Any]:
    """Signed form; page and its signature of a PDF; the whole of a JSON document."""
    if data.lstrip()[:5] == b"%PDF-":
        page, signed, signature = split_page(data)
        return signed, (page, signature), None
    document = None
    text: Any = data
    try:
        if data.lstrip()[:1] == b"{":
            document = json.loads(data)
            if document.get("format") != FORMAT:
                raise ReceiptMalformedError("not a receipt")
            text = str(document["signed"]).encode()
        return unb32(text.decode("ascii").strip()), None, document
    except (ValueError, KeyError, AttributeError, RecursionError, QrGrammarError) as error:
        raise ReceiptMalformedError("not a receipt") from error


def _against_the_record(receipt: Receipt, archive: Archive) -> list[Check]:
    try:
        return [_history_check(receipt, archive), *_log_checks(receipt, archive)]
    except (RegisterUnavailableError, IndexError):
        return [say("receipt-not-compared")]


def _history_check(receipt: Receipt, archive: Archive) -> Check:
    token = receipt.found.token if receipt.found else ("" if receipt.of_file else receipt.subject)
    if not token:
        # A digest that was unknown then may belong to a file that was made since; nothing contradicts it.
        return say("receipt-agrees")
    if receipt.of_file:
        file = archive.by_file(receipt.subject)
        if file is None:
            return _disagrees(None)
    changes = archive.history(token)
    moments = (receipt.asked_at, receipt.asked_at - DELAY)
    shown = [past_of(changes, Moment("", at)).shown if changes else None for at in moments]
    lately = [change.status for change in changes if moments[1] <= change.changed_at <= moments[0]]
    said = _OF_STATUS.get(receipt.verdict)
    return say("receipt-agrees") if said in (*shown, *lately) else _disagrees(shown[0])


def _disagrees(shown: CertificateStatus | None) -> Check:
    zh, en = STATUS_WORDS[shown] if shown else ("尚未公布", "not public")
    return say("receipt-disagrees", shown=zh, shown_en=en)


def _log_checks(receipt: Receipt, archive: Archive) -> list[Check]:
    if not receipt.log_size:
        return []
    newest = archive.latest_checkpoint()
    if newest is None or newest.tree_size < receipt.log_size:
        return [say("receipt-log-differs", size=str(receipt.log_size))]
    root = range_hash(0, receipt.log_size, node_reader(archive))
    code = "receipt-in-log" if root == receipt.log_root else "receipt-log-differs"
    return [say(code, size=str(receipt.log_size))]
