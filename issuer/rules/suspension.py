"""What a case holds back until it is decided, when its proposal asks for it (R9, R10).

An electronic certificate reads suspended. Paper stays where it is and is neither released, booked, sent nor handed
out; a registration that led to nothing yet gets no certificate. What the courier or the holder has already is not
called back before the decision.
"""

from issuer.rules.paper_states import PaperAction
from issuer.rules.violation import RuleViolation

HELD_BACK = frozenset(
    {PaperAction.RELEASE, PaperAction.BOOK, PaperAction.POST, PaperAction.RESEND, PaperAction.COLLECT}
)
"""Steps by which a sheet would go towards its holder."""


def require_not_suspended(clause: str | None) -> None:
    """Raise RuleViolation `case-suspends` when a case with this clause holds it back; return for None."""
    if clause is not None:
        raise RuleViolation(
            clause,
            "case-suspends",
            found=("该报名有事项正在审批，已暂停办理", "a case about this registration is open and holds it back"),
            expected=("事项办结后再办理", "the case decided"),
        )
