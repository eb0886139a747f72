"""What goes on beside the office by itself: re-encryption after a rotation, the lists of erasures, the stock-take."""

from datetime import timedelta

from issuer.access.actor import SYSTEM
from issuer.context import Context
from issuer.personal_data.erasure_list import note_erasures
from issuer.personal_data.moving import move_some
from issuer.personal_data.stock_take import last_take, take_portion

BATCHES = 4
EVERY = timedelta(days=1)
"""How often everything is counted and re-read."""


def keep_house(ctx: Context) -> bool:
    """One bounded turn; returns whether there is more to do at once."""
    note_erasures(ctx)
    moved, counted = _moved(ctx), _counted(ctx)
    return moved or counted


def _counted(ctx: Context) -> bool:
    """A portion of the stock-take, which begins anew a day after the last one began."""
    with ctx.database.read() as session:
        last = last_take(session)
    if last is not None and last.finished_at is not None and ctx.clock.now() - last.started_at < EVERY:
        return False
    return not take_portion(ctx, SYSTEM).finished


def _moved(ctx: Context) -> bool:
    changed = 0
    for _ in range(BATCHES):
        moved = move_some(ctx)
        if moved is None:
            return False
        changed += moved.seen
    return changed > 0  # else only rows are left that somebody holds: later
