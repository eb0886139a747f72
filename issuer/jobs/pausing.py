"""Large acts rest when somebody says so, and go on where they stopped.

Whoever is at work on one notices before the next group of rows; what is done stands.
"""

from typing import Final

from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.context import Context
from issuer.errors import ConflictError, NotFoundError, Words
from issuer.jobs.large_acts import AT_WORK
from issuer.records.large_acts import LargeAct
from issuer.rules.terms import Role

ROLES: Final = {
    "invalidate": (Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER),
    "extend": (Role.AUTHORITY_ISSUER,),
}
"""Who may let an act of a kind rest and go on. Neither decides anything: nothing falls that was not approved."""
_CLAUSE: Final = {"invalidate": "R9", "extend": "R11"}


def pause_act(ctx: Context, actor: Actor, act_id: int, kind: str | None = None) -> None:
    """Hold before the next group of rows. Raises NotFoundError, NotAllowedError, ConflictError (not at work)."""
    _move(ctx, actor, act_id, kind, rest=True)


def resume_act(ctx: Context, actor: Actor, act_id: int, kind: str | None = None, *, background: bool = True) -> None:
    """Let it go on, in the `background` or by the caller. Raises NotFoundError, NotAllowedError, ConflictError (it
    does not rest)."""
    _move(ctx, actor, act_id, kind, rest=False, background=background)


def _move(ctx: Context, actor: Actor, act_id: int, kind: str | None, *, rest: bool, background: bool = False) -> None:
    with ctx.database.together() as session:
        act = session.scalars(
            select(LargeAct).where(LargeAct.id == act_id).with_for_update().execution_options(populate_existing=True)
        ).one_or_none()
        if act is None or (kind is not None and act.kind != kind):
            raise NotFoundError("act-not-found", Words("没有这个编号的办理事项。", "There is no such act."))
        actor.require(*ROLES[act.kind])
        if act.state not in AT_WORK or (act.paused_at is not None) == rest:
            raise _nothing_to_move(act, rest=rest)
        act.paused_at, act.paused_by = (ctx.clock.now(), actor.username) if rest else (None, None)
        verb = "pause" if rest else "resume"
        record_event(session, ctx.clock, actor, f"large-act.{verb}", f"large-act:{act.id}", clause=_CLAUSE[act.kind])
        if background:
            ctx.jobs.enqueue_act(session, act.id)


def _nothing_to_move(act: LargeAct, *, rest: bool) -> ConflictError:
    if rest:
        words = Words("该事项已暂停或不在办理中，未作任何改动。", "It rests already or is not at work.")
    else:
        words = Words("该事项没有暂停，未作任何改动。", "It is not paused; nothing was changed.")
    return ConflictError("act-not-movable", words, remedy=Words("刷新页面查看进度。", "Load the page again."))
