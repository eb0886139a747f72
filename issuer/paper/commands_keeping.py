"""`ecert paper …`: what is to be done, boxes, due lists, handover registers (R13)."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from issuer.acting import Acting, acting
from issuer.commands import print_json, say

if TYPE_CHECKING:
    from issuer.paper.registers import RegisterView

register_app = typer.Typer(help="移交清册 / handover registers", no_args_is_help=True, rich_markup_mode=None)
SittingOrAll = Annotated[str | None, typer.Option("--sitting", help="考试批次代码 / sitting code")]
Certificate = Annotated[str, typer.Argument(help="印刷编号或管理号 / serial or management number")]
Box = Annotated[str, typer.Argument(help="箱号 / box label")]
RegisterNumber = Annotated[str, typer.Argument(help="清册编号 / register number")]


@acting
def queues(at: Acting, sitting: SittingOrAll = None) -> None:
    """待办事项：数量、最早、期限 / queues: count, oldest, next deadline."""
    from issuer.paper import worklists
    from issuer.words import say_in_both

    rows = worklists.queues(at.ctx, at.actor, sitting=sitting)
    if at.as_json:
        print_json({"queues": [row.to_json() for row in rows]})
        return
    if not rows:
        say("没有待办 / nothing to do")
    for row in rows:
        oldest = f"{row.oldest:%Y-%m-%d}" if row.oldest else "—"
        words = say_in_both("paper-queue", row.queue)
        say(f"{words}: {row.count}  自 / since {oldest}  期限 / due {row.deadline or '—'}")


@acting
def show(at: Acting, number: Certificate) -> None:
    """一份证书的状态和经过 / one certificate and its history."""
    from issuer.paper import worklists

    view = worklists.show_sheet(at.ctx, at.actor, number)
    if at.as_json:
        print_json(view.to_json())
        return
    say(f"{view.line.serial}  {view.line.management_no}  {view.line.state} ({view.line.place})")
    for line in view.history:
        say(f"  {line.at:%Y-%m-%d %H:%M}Z  {line.action} [{line.clause}] {line.reference or ''}  {line.actor}")


@acting
def store(
    at: Acting,
    box: Box,
    number: Certificate,
) -> None:
    """未领取的入箱代管 / put an unclaimed certificate into a box (R13)."""
    from issuer.paper import keeping

    done = keeping.store(at.ctx, at.actor, box, number)
    at.tell(done.to_json(), f"✓ {done.serial} → {done.reference}")


@acting
def due(
    at: Acting,
    state: Annotated[str | None, typer.Option("--state", help="this-month | overdue | kept")] = None,
    sitting: SittingOrAll = None,
) -> None:
    """代管期满清单 / what comes due, by sitting."""
    from issuer.errors import InputError, Words
    from issuer.paper import keeping
    from issuer.rules.paper_keeping import DueState

    if state is not None and state not in set(DueState):
        raise InputError(
            "state-unknown",
            Words("--state 只能是 this-month、overdue 或 kept。", "--state is this-month, overdue or kept."),
        )
    wanted = DueState(state) if state else None
    rows = keeping.due_list(at.ctx, at.actor, state=wanted, sitting=sitting)
    if at.as_json:
        print_json({"due": [row.to_json() for row in rows]})
        return
    for row in rows:
        boxes = ", ".join(f"{label} {count}" for label, count in row.boxes)
        say(f"{row.due.kept_until}  {row.due.state}  {row.sitting}  {row.certificates}  ({boxes})")
    if not rows:
        say("没有代管中的证书 / nothing is in safekeeping")


@register_app.command("open")
@acting
def register_open(
    at: Acting,
    sitting: Annotated[str, typer.Option("--sitting", help="考试批次代码 / sitting code")],
) -> None:
    """期满造册 / begin a register."""
    from issuer.paper import registers

    _show(at, registers.open_register(at.ctx, at.actor, sitting))


@register_app.command("count")
@acting
def register_count(
    at: Acting,
    register: RegisterNumber,
    box: Box,
    certificates: Annotated[list[str], typer.Argument(help="箱内证书 / certificates in the box")],
) -> None:
    """逐箱清点，全部相符才记录 / count certificates in a box, all or none."""
    from issuer.paper import registers
    from issuer.paper.counting import count_box

    count_box(at.ctx, at.actor, register, box, certificates)
    _show(at, registers.show_register(at.ctx, at.actor, register))


@register_app.command("close")
@acting
def register_close(at: Acting, register: RegisterNumber) -> None:
    """清点相符后办结 / close the count; a difference is refused."""
    from issuer.paper import registers

    _show(at, registers.close_count(at.ctx, at.actor, register))


@register_app.command("send-back")
@acting
def register_send_back(at: Acting, register: RegisterNumber) -> None:
    """省厅退回重新清点 / the department sends it back."""
    from issuer.paper import registers

    _show(at, registers.send_back(at.ctx, at.actor, register))


@register_app.command("countersign")
@acting
def register_countersign(at: Acting, register: RegisterNumber) -> None:
    """省厅会签、盖章、移交 / countersign, seal, hand over: for good."""
    from issuer.paper import registers

    _show(at, registers.countersign(at.ctx, at.actor, register))


@register_app.command("show")
@acting
def register_show(at: Acting, register: RegisterNumber) -> None:
    """清点进度 / how the count stands."""
    from issuer.paper import registers

    _show(at, registers.show_register(at.ctx, at.actor, register))


@register_app.command("file")
@acting
def register_file(
    at: Acting,
    register: RegisterNumber,
    target: Annotated[Path, typer.Argument(help="写入的 .pdf 或 .xlsx / file to write")],
) -> None:
    """取得盖章清册或明细 / the sealed PDF, or the workbook, by the file's ending."""
    from issuer.own_files import write_own_file
    from issuer.paper import registers

    kind = "xlsx" if target.suffix.lower() == ".xlsx" else "pdf"
    content = registers.register_file(at.ctx, at.actor, register, kind)
    write_own_file(target, content)
    at.tell({"path": str(target), "bytes": len(content)}, str(target))


def _show(at: Acting, view: "RegisterView") -> None:
    lines = [f"{view.number}  {view.sitting}  {view.state}  {view.total}"]
    for box in sorted({*view.expected, *view.counted}):
        lines.append(f"  {box}: {view.counted.get(box, 0)} / {view.expected.get(box, 0)}")
    if view.pdf_sha256:
        lines.append(f"  SHA-256 {view.pdf_sha256}")
    at.tell(view.to_json(), lines)
