"""`ecert paper`: replacement of paper certificates (R14)."""

from typing import Annotated

import typer

from issuer.commands import DEFAULT_DATA_DIR, ActingAs, AsJson, DataDir, cli_actor, cli_context, print_json, say

paper_app = typer.Typer(help="纸质证书 / paper certificates", no_args_is_help=True, rich_markup_mode=None)


@paper_app.command("replace")
def replace(
    reason: Annotated[str, typer.Option("--reason", help="补发原因 / how it was lost or damaged")],
    sitting: Annotated[str | None, typer.Option("--sitting", help="考试批次代码 / sitting code")] = None,
    admission_no: Annotated[str | None, typer.Option("--admission-no", help="准考证号 / admission number")] = None,
    management_no: Annotated[str | None, typer.Option("--management-no", help="管理号 / management number")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """申请补发纸质证书；已制发电子证书的不予受理 / refused once an e-certificate was made (R14)."""
    from issuer.paper.service import request_replacement

    with cli_context(data_dir) as ctx:
        number = request_replacement(
            ctx,
            cli_actor(ctx, acting_as),
            reason=reason,
            management_no=management_no,
            sitting_code=sitting,
            admission_no=admission_no,
        )
    if as_json:
        print_json({"request": number, "state": "accepted"})
    else:
        say(f"已受理，编号 {number} / accepted, number {number}")


@paper_app.command("list")
def list_(
    state: Annotated[str | None, typer.Option("--state", help="accepted | refused | fulfilled | withdrawn")] = None,
    sitting: Annotated[str | None, typer.Option("--sitting", help="考试批次代码 / sitting code")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """列出补发申请，不予受理的也在内 / requests, refused ones too."""
    from issuer.paper.requests import list_replacements

    with cli_context(data_dir) as ctx:
        rows = list_replacements(ctx, cli_actor(ctx, acting_as), state=state, sitting_code=sitting)
    if as_json:
        print_json({"requests": [row.to_json() for row in rows]})
        return
    if not rows:
        say("没有申请 / no requests")
    for row in rows:
        why = f" [{row.clause} {row.code}]" if row.clause else ""
        say(f"{row.id}  {row.requested_at:%Y-%m-%d %H:%M}Z  {row.sitting_code}  {row.state}{why}")


@paper_app.command("close")
def close(
    request: Annotated[int, typer.Argument(help="申请编号 / its number")],
    state: Annotated[str, typer.Option("--state", help="fulfilled | withdrawn")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """办结已受理的申请 / end an accepted request: handed over, or taken back."""
    from issuer.paper.service import close_replacement

    with cli_context(data_dir) as ctx:
        row = close_replacement(ctx, cli_actor(ctx, acting_as), request, state)
    if as_json:
        print_json(row.to_json())
    else:
        say(f"申请 {row.id}: {row.state}")
