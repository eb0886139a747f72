"""`ecert work`: take a case in hand, put it back, take one over with a reason (R1)."""

from typing import Annotated

import typer

from issuer.acting import Acting, acting
from issuer.rules.queues import CaseKind

work_app = typer.Typer(
    help="领取、退回、接管事项 / cases in hand: take, put back, take over",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Kind = Annotated[CaseKind, typer.Argument(help="事项种类 / kind of case")]
Number = Annotated[int, typer.Argument(help="事项编号 / its number")]


@work_app.command("show")
@acting
def show(
    at: Acting,
    kind: Kind,
    case: Number,
) -> None:
    """谁在办理、至何时 / who has it, and until when."""
    from issuer.queues import claims

    view = claims.show_claim(at.ctx, at.actor, kind, case)
    until = view.until.isoformat() if view.until else None
    at.tell(
        {"kind": kind.value, "case": case, "holder": view.holder, "until": until},
        f"{kind.value} {case}: {view.holder or '无人办理 / free'}" + (f" → {until}" if until else ""),
    )


@work_app.command("take")
@acting
def take(
    at: Acting,
    kind: Kind,
    case: Number,
) -> None:
    """领取事项，或延长占用 / take a case, or hold it longer."""
    from issuer.queues import claims

    claims.claim(at.ctx, at.actor, kind, case)
    _told(at, kind, case, "taken")


@work_app.command("release")
@acting
def release(
    at: Acting,
    kind: Kind,
    case: Number,
) -> None:
    """退回队列，草稿保留 / put it back; the draft stays."""
    from issuer.queues import claims

    claims.let_go(at.ctx, at.actor, kind, case)
    _told(at, kind, case, "released")


@work_app.command("take-over")
@acting
def take_over(
    at: Acting,
    kind: Kind,
    case: Number,
    reason: Annotated[str, typer.Option("--reason", help="接管理由 / why")],
    to: Annotated[str, typer.Option("--to", help="交给谁，留空退回队列 / to whom; empty: back to the queue")] = "",
) -> None:
    """监督人员接管，写明理由 / a supervisor takes it over, saying why."""
    from issuer.queues import claims

    claims.take_over(at.ctx, at.actor, kind, case, to=to, reason=reason)
    _told(at, kind, case, "taken-over")


def _told(at: Acting, kind: CaseKind, case: int, state: str) -> None:
    words = {"taken": "已领取", "released": "已退回", "taken-over": "已接管"}[state]
    at.tell({"kind": kind.value, "case": case, "state": state}, f"{kind.value} {case} {words} / {state}")
