"""`ecert person …`: export, erasure, what is due for erasure."""

import os
from pathlib import Path
from typing import Annotated

import typer

from issuer.acting import Acting, acting
from issuer.commands import print_json, say
from issuer.errors import InputError, Words
from issuer.personal_data.wording import KEPT, KINDS, STATES

person_app = typer.Typer(
    help="个人信息：导出、删除、到期清单 / Personal data: export, erasure, what is due", no_args_is_help=True
)
PersonId = Annotated[int, typer.Argument(min=1, help="人员编号 / number of the person")]
Note = Annotated[str, typer.Option("--note", help="理由 / why")]


@person_app.command()
@acting
def export(
    at: Acting,
    person_id: PersonId,
    target: Annotated[Path, typer.Argument(help="写入的 .zip / where to write it")],
    reason: Annotated[str, typer.Option("--reason", help="导出事由 / why")],
) -> None:
    """导出某人的全部个人信息 / Export all that is held about a person."""
    from issuer.personal_data.export import export_person

    made = export_person(at.ctx, at.actor, person_id, reason)
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(made.content)
    except OSError as exc:
        raise InputError(
            "cannot-write-export", Words("文件已存在或无法写入。", "The file exists already or cannot be written.")
        ) from exc
    at.tell(
        {"path": str(target), "rows": made.rows, "files": made.files},
        f"已导出 / exported: {target} ({made.rows} 行 / rows, {made.files} 个文件 / files)",
    )


@person_app.command()
@acting
def erase(
    at: Acting,
    person_id: PersonId,
    reason: Annotated[
        str, typer.Option("--reason", help="purpose-reached | time-over | consent-withdrawn | unlawful")
    ] = "purpose-reached",
    note: Note = "",
    plan: Annotated[bool, typer.Option("--plan", help="只看可删除什么 / only say what would be erased")] = False,
) -> None:
    """提出删除某人的个人信息（由另一人批准）/ Propose to erase a person's data; somebody else approves."""
    from issuer.personal_data.erasing import plan_erasure, propose_erasure

    number = None if plan else propose_erasure(at.ctx, at.actor, person_id, reason, note)
    found = plan_erasure(at.ctx, person_id)
    if at.as_json:
        print_json(
            {
                "erasure": number,
                "kinds": list(found.kinds),
                "kept": [
                    {"kind": each.kind, "until": each.until, "reason": each.reason, "clause": each.clause}
                    for each in found.kept
                ],
            }
        )
        return
    for kind in found.kinds:
        say(f"删除 / erase: {' / '.join(KINDS[kind])}")
    for each in found.kept:
        until = f"至 / until {each.until}" if each.until else "长期 / for good or until closed"
        say(f"保留 / keep: {' / '.join(KINDS[each.kind])}: {' / '.join(KEPT[each.reason])} ({until})")
    if number is not None:
        say(f"删除申请 / erasure {number}: 待他人批准 / waits for somebody else (ecert person decide {number})")


@person_app.command()
@acting
def decide(
    at: Acting,
    erasure_id: Annotated[int, typer.Argument(min=1, help="删除申请编号 / number of the erasure")],
    approve: Annotated[bool, typer.Option("--approve/--refuse", help="批准或不批准 / approve or refuse")],
    note: Note = "",
) -> None:
    """批准（立即删除）或不批准 / Approve, which erases at once, or refuse."""
    from issuer.personal_data.erasing import decide_erasure

    row = decide_erasure(at.ctx, at.actor, erasure_id, approve=approve, note=note)
    if at.as_json:
        print_json({"erasure": row.id, "state": row.state, "cells": row.cells, "kinds": row.kinds, "kept": row.kept})
    else:
        zh, en, _ = STATES[row.state]
        say(f"{row.id}: {zh} / {en}" + (f" ({row.cells} 项 / values)" if row.cells else ""))


@person_app.command()
@acting
def erasures(
    at: Acting,
    state: Annotated[str, typer.Option("--state", help="proposed | done | refused")] = "",
) -> None:
    """列出删除申请 / List erasures."""
    from issuer.personal_data.erasing import list_erasures

    rows = list_erasures(at.ctx, at.actor, state=state)
    if at.as_json:
        print_json(
            [{"erasure": row.id, "person": row.person_id, "state": row.state, "kinds": row.kinds} for row in rows]
        )
        return
    for row in rows:
        say(f"{row.id}  人员 / person {row.person_id}  {STATES[row.state][0]} / {STATES[row.state][1]}")


@person_app.command()
@acting
def due(
    at: Acting,
    propose: Annotated[bool, typer.Option("--propose", help="逐人提出删除 / propose each one")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="最多人数 / at most so many")] = 500,
    after: Annotated[int, typer.Option("--after", min=0, help="从此编号之后 / start after this person")] = 0,
) -> None:
    """保存期限已过、应予删除的人员 / Persons of whom something is kept longer than the policy says."""
    from issuer.personal_data.due import due_for_erasure, propose_due

    plans, last = due_for_erasure(at.ctx, at.actor, limit=limit, after=after)
    proposed = propose_due(at.ctx, at.actor, plans) if propose else []
    if at.as_json:
        rows = [{"person": each.person_id, "kinds": list(each.kinds)} for each in plans]
        print_json({"due": rows, "proposed": proposed, "seen_up_to": last})
        return
    for each in plans:
        say(f"人员 / person {each.person_id}: {'、'.join(KINDS[kind][0] for kind in each.kinds)}")
    say(f"到期 / due: {len(plans)}；已提出 / proposed: {len(proposed)}；看到 / seen up to: {last}")
