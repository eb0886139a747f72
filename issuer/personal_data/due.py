"""Who is due: persons of whom something is kept longer than the policy says (PIPL art. 47 ¶1 (1))."""

from collections.abc import Iterable

from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.context import Context
from issuer.errors import ConflictError
from issuer.personal_data.erasing import PROPOSERS, READERS, ErasurePlan, plan_erasure, propose_erasure
from issuer.records.people import Person
from issuer.records.personal_data import Erasure
from issuer.rules.keeping import ErasureReason

PORTION = 200


def due_for_erasure(ctx: Context, actor: Actor, *, limit: int = 500, after: int = 0) -> tuple[list[ErasurePlan], int]:
    """Plans of persons who are due and not proposed yet, and the last person looked at, to go on from."""
    actor.require(*READERS)
    plans: list[ErasurePlan] = []
    while len(plans) < limit:
        with ctx.database.read() as session:
            proposed = select(Erasure.person_id).where(Erasure.state == "proposed")
            ids = session.scalars(
                select(Person.id)
                .where(Person.id > after, Person.id.not_in(proposed))
                .order_by(Person.id)
                .limit(PORTION)
            ).all()
        if not ids:
            break
        for person_id in ids:
            after = person_id
            plan = plan_erasure(ctx, person_id)
            if plan.kinds:
                plans.append(plan)
            if len(plans) == limit:
                break
    return plans, after


def propose_due(ctx: Context, actor: Actor, plans: Iterable[ErasurePlan]) -> list[int]:
    """Propose to erase what is due of each; the numbers of the proposals. Somebody else decides each."""
    actor.require(*PROPOSERS)
    numbers = []
    for plan in plans:
        try:
            numbers.append(
                propose_erasure(
                    ctx, actor, plan.person_id, ErasureReason.TIME_OVER, "保存期限届满 / time of keeping is over"
                )
            )
        except ConflictError:
            continue  # proposed or no longer due meanwhile
    return numbers
