"""Purpose-bound copies (加注件): R16 extends the uses of electronic certificates; a copy keeps each use to itself.

Reading: a copy names one purpose and ends soon, so that a file handed to one employer is no certificate for another.
Terms are policy values: 90 days at most, three live at a time, unless a programme's policy says otherwise.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from issuer.rules.violation import RuleViolation

CLAUSE = "R16"
MAX_PURPOSE = 60
"""Characters of a purpose: one or two lines of the page."""
MAX_WORD = 40
"""Characters of a purpose that no line can be broken between: what one line of the page holds."""
_WORD = re.compile("[!-\u2e7f]+")
"""Letters, digits and signs in a row; between Chinese characters, and at blanks, a line can end."""


@dataclass(frozen=True, slots=True)
class CopyFacts:
    """What is known when a holder asks for a copy. `status` of the certificate, as the register says it;
    `live_copies` of that certificate, not ended and not withdrawn; `copy_days` and `copies_live` from the policy."""

    status: str
    live_copies: int
    copy_days: int = 90
    copies_live: int = 3


def clean_purpose(text: str) -> str:
    """The purpose on one line, blanks squeezed; raises RuleViolation (R16): copy-purpose, copy-purpose-word."""
    purpose = " ".join(text.split())
    if not purpose or len(purpose) > MAX_PURPOSE or not all(char == " " or char.isprintable() for char in purpose):
        raise RuleViolation(
            CLAUSE,
            "copy-purpose",
            found=(f"用途共 {len(purpose)} 个字", f"a purpose of {len(purpose)} characters"),
            expected=(f"1 至 {MAX_PURPOSE} 个可显示的字", f"1 to {MAX_PURPOSE} characters that can be shown"),
        )
    longest = max((len(word) for word in _WORD.findall(purpose)), default=0)
    if longest > MAX_WORD:
        raise RuleViolation(
            CLAUSE,
            "copy-purpose-word",
            found=(f"用途中有 {longest} 个连续的字母、数字", f"a word of {longest} letters without a blank"),
            expected=(f"最多 {MAX_WORD} 个，请用空格分开", f"{MAX_WORD} at most; put a blank between them"),
        )
    return purpose


def may_copy(facts: CopyFacts, valid_until: date, today: date) -> None:
    """Return if the copy may be made; raise RuleViolation otherwise.

    Codes: certificate-not-valid (R9), copy-term, copies-limit (R16).
    """
    if facts.status != "valid":
        raise RuleViolation(
            "R9",
            "certificate-not-valid",
            found=("该证书当前不是有效状态", "the certificate is not valid now"),
            expected=("证书有效", "a valid certificate"),
        )
    last = last_day(facts.copy_days, today)
    if not today <= valid_until <= last:
        raise RuleViolation(
            CLAUSE,
            "copy-term",
            found=(f"有效期至 {valid_until}", f"a copy that ends on {valid_until}"),
            expected=(f"今天至 {last} 之间", f"a day from today to {last}"),
        )
    if facts.live_copies >= facts.copies_live:
        raise RuleViolation(
            CLAUSE,
            "copies-limit",
            found=(f"已有 {facts.live_copies} 份在有效期内的加注件", f"{facts.live_copies} copies are live"),
            expected=(
                f"同时不超过 {facts.copies_live} 份；请先收回一份",
                f"at most {facts.copies_live} at a time; withdraw one first",
            ),
        )


def last_day(copy_days: int, today: date) -> date:
    """The latest last day of a copy made today: today is day 1."""
    return today + timedelta(days=copy_days - 1)


def is_live(valid_until: date, withdrawn: bool, today: date) -> bool:
    """Whether a copy still counts: it ends at 24:00 of its last day (Asia/Shanghai)."""
    return not withdrawn and today <= valid_until
