"""告知承诺 (R2): which text a candidate promises by, and whether the promise counts.

A promise counts when it was the candidate's own act, on a day on which the text they saw was the one in force, and
was not taken back. Whoever has no such promise proves by materials instead (R3).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from issuer.rules.violation import RuleViolation


class AcceptanceChannel(StrEnum):
    """How somebody accepted the text."""

    ONLINE = "online"
    """On their own page here."""
    REGISTRATION = "registration"
    """In the registration system; the roster tells the version and the day."""
    COUNTER = "counter"
    """Signed on paper before staff."""


@dataclass(frozen=True, slots=True)
class CommitmentText:
    """One version of a programme's text; `digest` is SHA-256 over both languages, hex."""

    version: str
    in_force_from: date
    digest: str


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Somebody accepted a version; days in Asia/Shanghai. `own`: by the candidate, not by another for them."""

    version: str
    accepted_on: date
    channel: AcceptanceChannel
    own: bool = True
    withdrawn_on: date | None = None


class CommitmentStanding(StrEnum):
    """What an acceptance is worth."""

    STANDS = "stands"
    NONE = "none"
    """No acceptance is on record."""
    WITHDRAWN = "withdrawn"
    OTHER_TEXT = "other-text"
    """The version accepted was not the one in force on that day, or is unknown."""
    NOT_OWN = "not-own"
    """Somebody else clicked for them."""


def text_in_force(texts: Iterable[CommitmentText], on: date) -> CommitmentText | None:
    """The text that holds on a day: the one that came into force last, that day included."""
    begun = [text for text in texts if text.in_force_from <= on]
    return max(begun, key=lambda text: text.in_force_from, default=None)


def commitment_standing(texts: Sequence[CommitmentText], acceptance: Acceptance | None) -> CommitmentStanding:
    """Whether the acceptance counts (R2), and if not, why. A withdrawal counts from the moment it is made."""
    if acceptance is None:
        return CommitmentStanding.NONE
    if acceptance.withdrawn_on is not None:
        return CommitmentStanding.WITHDRAWN
    if not acceptance.own:
        return CommitmentStanding.NOT_OWN
    text = text_in_force(texts, acceptance.accepted_on)
    if text is None or text.version != acceptance.version:
        return CommitmentStanding.OTHER_TEXT
    return CommitmentStanding.STANDS


def require_text_in_force(texts: Sequence[CommitmentText], version: str, digest: str, on: date) -> CommitmentText:
    """The text accepted on `on`; raises RuleViolation (R2) unless it is, word for word, the one in force that day."""
    text = text_in_force(texts, on)
    if text is None:
        raise RuleViolation(
            "R2",
            "commitment-text-missing",
            found=("该项目尚未公布告知承诺书", "this programme has published no commitment text"),
            expected=("先公布承诺书文本，再接受承诺", "a text is published before anybody accepts it"),
        )
    if (text.version, text.digest) != (version, digest):
        raise RuleViolation(
            "R2",
            "commitment-text-changed",
            found=("所看到的承诺书不是当日有效的文本", "the text that was shown is not the one in force"),
            expected=("阅读当日有效的文本后再作承诺", "read the text in force, then accept it"),
        )
    return text


def require_new_text(texts: Sequence[CommitmentText], new: CommitmentText, last_accepted_on: date | None) -> None:
    """Raise RuleViolation (R2) when a new version would change what somebody promised already.

    A version or day that exists, or a day on or before the last acceptance: what was in force then stays so.
    """
    if any(new.version == text.version or new.in_force_from == text.in_force_from for text in texts):
        raise RuleViolation(
            "R2",
            "commitment-version-exists",
            found=("该版本号或生效日期已有承诺书文本", "a text of that version or day exists"),
            expected=("已公布的文本不再更改，请用新的版本号和生效日期", "texts never change: a new version and day"),
        )
    if last_accepted_on is not None and new.in_force_from <= last_accepted_on:
        raise RuleViolation(
            "R2",
            "commitment-back-dated",
            found=("该生效日期当日或之后已有人作出承诺", "somebody accepted a text on or after that day"),
            expected=(f"生效日期晚于 {last_accepted_on}", f"a day after {last_accepted_on}"),
        )
