"""Large acts as the engines run them: which are unfinished, and whose work each is."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy import select

from issuer.records.large_acts import LargeAct

if TYPE_CHECKING:
    from issuer.context import Context

AT_WORK = ("proposing", "running", "rejecting", "withdrawing")
"""States in which there is something to do that nobody is asked for."""


def work_act(ctx: "Context", act_id: int, on_progress: Callable[[int, int], None] | None = None) -> None:
    """Do what is left of a large act; raises what its kind raises, and is then to be run again.

    `on_progress` is called with (finished, of how many) between units of work.
    """
    with ctx.database.read() as session:
        kind = session.scalar(select(LargeAct.kind).where(LargeAct.id == act_id))
    if kind == "invalidate":
        from issuer.invalidation.mass import work

        work(ctx, act_id, on_progress)
    elif kind == "extend":
        from issuer.issuance.extensions import work as extend

        extend(ctx, act_id, on_progress)


def unfinished_acts(ctx: "Context") -> list[int]:
    """Large acts with something left to do that do not rest, oldest first."""
    query = select(LargeAct.id).where(LargeAct.state.in_(AT_WORK), LargeAct.paused_at.is_(None))
    with ctx.database.read() as session:
        return list(session.scalars(query.order_by(LargeAct.id)))
