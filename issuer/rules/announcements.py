"""What is announced when, and what of a person an announcement shows (R5, R7, R8, R11)."""

from datetime import date
from enum import StrEnum

from issuer.rules.deadlines import booking_closes_on
from issuer.rules.notice import PublicNotice
from issuer.rules.policy import Policy

_KEPT_HEAD, _KEPT_TAIL = 4, 4


class AnnouncementKind(StrEnum):
    """公告的种类."""

    NOTICE = "notice"
    """联合公告，开始公示 (R5)."""
    RESULTS = "results"
    """资格核查结果 (R7)."""
    SUPPLEMENTARY = "supplementary"
    """补充资格核查结果 (R8)."""
    ISSUE = "issue"
    """证书制发 (R11)."""
    INVALIDATION = "invalidation"
    """认定无效 (R9, R10): several of a sitting as they come; the notice does not order them to be announced."""
    REINSTATEMENT = "reinstatement"
    """恢复效力: what an announced invalidation is followed by after an appeal (R9)."""

    @property
    def clause(self) -> str:
        """The clause that orders it, or that it tells of."""
        return _CLAUSES[self.value]

    @property
    def of_cases(self) -> bool:
        """Whether its list is of decided cases, and a sitting may have any number of it."""
        return self in (AnnouncementKind.INVALIDATION, AnnouncementKind.REINSTATEMENT)


_CLAUSES = {
    "notice": "R5",
    "results": "R7",
    "supplementary": "R8",
    "issue": "R11",
    "invalidation": "R9",
    "reinstatement": "R9",
}


def masked_name(name: str) -> str:
    """A name on a list of invalidations: its first character, and its last where three or more leave one to hide."""
    name = name.strip()
    if len(name) < 2:
        return "*"
    tail = name[-1] if len(name) > 2 else ""
    return name[0] + "*" * (len(name) - 1 - len(tail)) + tail


def masked_admission_no(admission_no: str) -> str:
    """An admission number as the public sees it: enough for its owner to know it again, too little to sign in with.

    At most the first and the last four characters stay, and never more than half of the number.
    """
    kept = min(_KEPT_HEAD + _KEPT_TAIL, len(admission_no) // 2)
    tail = (kept + 1) // 2
    head = kept - tail
    return admission_no[:head] + "*" * (len(admission_no) - kept) + (admission_no[-tail:] if tail else "")


def names_shown_until(kind: AnnouncementKind, published_on: date, notice: PublicNotice, policy: Policy) -> date:
    """Last day on which the list of names stands in public: the notice's last day (R5), or the days in which a
    paper certificate can be booked (R12). The text stays; names stand in public no longer than they are of use.
    """
    if kind is AnnouncementKind.NOTICE:
        return max(notice.closes_on, published_on)
    return booking_closes_on(published_on, policy)
