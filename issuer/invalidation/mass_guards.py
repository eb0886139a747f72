"""Who may decide on a proposed list, and when (R9): told so that a person knows what to do next."""

from issuer.access.actor import Actor
from issuer.errors import ConflictError, NotFoundError, Words
from issuer.invalidation.guards import same_person
from issuer.records.large_acts import LargeAct
from issuer.rules.invalidation import require_two_people
from issuer.rules.violation import RuleViolation

CLAUSE = "R9"


def require_open(act: LargeAct) -> None:
    """Raise ConflictError unless the list waits for a decision."""
    if act.state != "proposed":
        raise ConflictError(
            "list-not-open",
            Words(
                f"该清单目前状态为 {act.state}，未作任何改动。",
                f"This list is {act.state} now; nothing was changed.",
            ),
            remedy=Words(f"查看：ecert invalidation show-many {act.id}", f"ecert invalidation show-many {act.id}"),
            clause=CLAUSE,
        )


def require_right_person(act: LargeAct, actor: Actor, verb: str) -> None:
    """Raise NotAllowedError or ConflictError unless this person may decide on, or withdraw, the list (R9)."""
    own = act.proposed_by.casefold() == actor.username.casefold()
    if verb == "withdraw":
        if not own:
            raise ConflictError(
                "not-the-proposer",
                Words("只有提议人可以撤回。", "Only who proposed it can withdraw it."),
                remedy=Words("由批准人员决定。", "An approver decides."),
                clause=CLAUSE,
            )
        return
    try:
        require_two_people(CLAUSE, act.proposed_by, actor.username)
    except RuleViolation as violation:
        raise same_person(CLAUSE) from violation


def unknown_act() -> NotFoundError:
    """The refusal for a number no list has."""
    return NotFoundError(
        "list-not-found",
        Words("没有这个编号的清单。", "There is no list with that number."),
        remedy=Words("查看全部：ecert invalidation list-many", "See all: ecert invalidation list-many"),
    )
