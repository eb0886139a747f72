"""`ecert paper`: replacement of paper certificates (R14); the desk and the boxes beside it."""

from typing import Annotated

import typer

from issuer.acting import Acting, acting
from issuer.commands import print_json, say
from issuer.paper import commands_desk as desk
from issuer.paper import commands_keeping as keeping

paper_app = typer.Typer(help="纸质证书 / paper certificates", no_args_is_help=True, rich_markup_mode=None)
paper_app.add_typer(desk.stock_app, name="stock")
paper_app.add_typer(keeping.register_app, name="register")
for name, command in (
    ("queues", keeping.queues),
    ("show", keeping.show),
    ("print", desk.print_),
    ("release", desk.release),
    ("spoil", desk.spoil),
    ("recall", desk.recall),
    ("open-booking", desk.open_booking),
    ("courier-list", desk.courier_list),
    ("waybills", desk.waybills),
    ("pack", desk.pack),
    ("post", desk.post),
    ("delivered", desk.delivered),
    ("returned", desk.returned),
    ("resend", desk.resend),
    ("store", keeping.store),
    ("due", keeping.due),
):
    paper_app.command(name)(command)


@paper_app.command("replace")
@acting
def replace(
    at: Acting,
    reason: Annotated[str, typer.Option("--reason", help="补发原因 / how it was lost or damaged")],
    sitting: Annotated[str | None, typer.Option("--sitting", help="考试批次代码 / sitting code")] = None,
    admission_no: Annotated[str | None, typer.Option("--admission-no", help="准考证号 / admission number")] = None,
    management_no: Annotated[str | None, typer.Option("--management-no", help="管理号 / management number")] = None,
) -> None:
    """申请补发纸质证书；已制发电子证书的不予受理 / refused once an e-certificate was made (R14)."""
    from issuer.paper.service import request_replacement

    number = request_replacement(
        at.ctx,
        at.actor,
        reason=reason,
        management_no=management_no,
        sitting_code=sitting,
        admission_no=admission_no,
    )
    at.tell({"request": number, "state": "accepted"}, f"已受理，编号 {number} / accepted, number {number}")


@paper_app.command("list")
@acting
def list_(
    at: Acting,
    state: Annotated[str | None, typer.Option("--state", help="accepted | refused | fulfilled | withdrawn")] = None,
    sitting: Annotated[str | None, typer.Option("--sitting", help="考试批次代码 / sitting code")] = None,
) -> None:
    """列出补发申请，不予受理的也在内 / requests, refused ones too."""
    from issuer.paper.requests import list_replacements

    rows = list_replacements(at.ctx, at.actor, state=state, sitting_code=sitting)
    if at.as_json:
        print_json({"requests": [row.to_json() for row in rows]})
        return
    if not rows:
        say("没有申请 / no requests")
    for row in rows:
        why = f" [{row.clause} {row.code}]" if row.clause else ""
        say(f"{row.id}  {row.requested_at:%Y-%m-%d %H:%M}Z  {row.sitting_code}  {row.state}{why}")


@paper_app.command("decide")
@acting
def decide(
    at: Acting,
    request: Annotated[int, typer.Argument(help="申请编号 / its number")],
    approve: Annotated[bool, typer.Option("--approve/--refuse", help="审核通过或不予补发 / allow or reject")],
    note: Annotated[str, typer.Option("--note", help="说明 / why")] = "",
) -> None:
    """审核补发申请（须由另一人）/ decide on a replacement, as another person than who took it in."""
    from issuer.paper.replacing import decide as decide_on

    row = decide_on(at.ctx, at.actor, request, approve=approve, note=note)
    at.tell(row.to_json(), f"申请 {row.id}: {'审核通过 / approved' if approve else row.state}")


@paper_app.command("print-replacement")
@acting
def print_replacement(at: Acting, request: Annotated[int, typer.Argument(help="申请编号 / its number")]) -> None:
    """打印补发证书，原证书作废 / print it on a new form; the old sheet is void."""
    from issuer.paper.replacing import print_replacement as print_new

    serial, void = print_new(at.ctx, at.actor, request)
    at.tell({"request": request, "serial": serial, "void": void}, f"新证书 / new {serial}；作废 / void {void or '—'}")


@paper_app.command("close")
@acting
def close(
    at: Acting,
    request: Annotated[int, typer.Argument(help="申请编号 / its number")],
    state: Annotated[str, typer.Option("--state", help="fulfilled | withdrawn")],
) -> None:
    """办结已受理的申请 / end an accepted request: handed over, or taken back."""
    from issuer.paper.service import close_replacement

    row = close_replacement(at.ctx, at.actor, request, state)
    at.tell(row.to_json(), f"申请 {row.id}: {row.state}")
