"""`ecert revoke-many` and what follows: a list planned, proposed, approved by another, carried out (R9, R10)."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from issuer.acting import Acting, acting
from issuer.commands import (
    DEFAULT_DATA_DIR,
    ActingAs,
    AsJson,
    DataDir,
    cli_actor,
    cli_context,
    print_json,
    progress,
    say,
)
from issuer.invalidation.commands import ApprovedBy, By, Note, ProposedBy, ProposeOnly, invalidation_app

if TYPE_CHECKING:
    from issuer.access.actor import Actor
    from issuer.context import Context
    from issuer.invalidation.mass_plan import MassPlan
    from issuer.invalidation.mass_report import MassView

ListNo = Annotated[int, typer.Argument(help="清单编号 / number of the list")]
Annotated_ = Annotated[
    Path | None,
    typer.Option("--annotated", help="逐行结果写成工作簿 / the rows, with what became of each"),
]
SHOWN = 20


def revoke_many(
    file: Annotated[
        Path,
        typer.Argument(help="清单 .xlsx / .csv：管理号、印刷编号或准考证号 / the list"),
    ],
    ground: Annotated[str | None, typer.Option("--ground", help="未写事由的行 / for rows without one")] = None,
    basis: Annotated[str, typer.Option("--basis", help="未写依据的行 / for rows without one")] = "",
    effective_on: Annotated[
        datetime | None,
        typer.Option("--effective-on", formats=["%Y-%m-%d"], help="未写日期的行 / for rows without one"),
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="只显示将做什么 / show what would happen")] = False,
    apply: Annotated[str | None, typer.Option("--apply", help="按 --plan 的摘要执行 / the plan's digest")] = None,
    annotated: Annotated_ = None,
    proposed_by: ProposedBy = None,
    approved_by: ApprovedBy = None,
    propose_only: ProposeOnly = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """按清单认定无效：先看计划，再提议，由另一人批准 / by list: plan, propose, approved by somebody else."""
    from issuer.errors import InputError, Words
    from issuer.invalidation import mass
    from issuer.invalidation.grounds import parse_ground
    from issuer.invalidation.mass_file import Defaults
    from issuer.invalidation.people import name_people

    if plan == (apply is not None):
        raise InputError(
            "plan-or-apply",
            Words("请先用 --plan 查看，再用 --apply 摘要 执行。", "Look with --plan first, then use --apply DIGEST."),
        )
    day = effective_on.date() if effective_on else None
    defaults = Defaults(parse_ground(ground) if ground else None, basis, day)
    with cli_context(data_dir) as ctx:
        caller = cli_actor(ctx, acting_as)
        if apply is None:
            found = mass.plan_many(ctx, caller, file, defaults)
            if annotated is not None:
                _write(ctx, caller, found, None, annotated)
            print_json(found.to_json()) if as_json else _tell_plan(found, file)
            return
        pair = name_people(ctx, caller, "R9", proposed_by=proposed_by or acting_as, approved_by=approved_by)
        found = mass.plan_many(ctx, pair.proposer, file, defaults)
        number = mass.propose_many(ctx, pair.proposer, file, defaults, apply, background=False)
        if number is not None:
            _work(ctx, number, "提议 / proposing", quiet=as_json)
            if pair.approver is not None and not propose_only:
                mass.decide_many(ctx, pair.approver, number, "approve", background=False)
                _work(ctx, number, "执行 / carrying out", quiet=as_json)
        if annotated is not None:
            _write(ctx, pair.proposer, found, number, annotated)
        if number is None:
            nothing = {"list": None, "state": "nothing-to-do", **found.counts}
            print_json(nothing) if as_json else say(
                "没有需要办理的行，未作任何改动 / nothing to do; nothing was changed"
            )
            return
        _tell(ctx, pair.proposer, number, as_json=as_json)


@invalidation_app.command("list-many")
@acting
def list_many(at: Acting) -> None:
    """列出清单，新的在前 / lists, newest first."""
    from issuer.invalidation import mass_report

    rows = mass_report.list_many(at.ctx, at.actor)
    if at.as_json:
        print_json({"lists": [row.to_json() for row in rows]})
        return
    if not rows:
        say("没有清单 / no lists")
    for row in rows:
        say(f"{row.id}  {row.state}  {row.total} 行 / rows  {row.proposed_by} → {row.decided_by or '…'}")


@invalidation_app.command("show-many")
@acting
def show_many(
    at: Acting,
    number: ListNo,
    annotated: Annotated_ = None,
) -> None:
    """显示一份清单 / one list."""
    if annotated is not None:
        _write(at.ctx, at.actor, None, number, annotated)
    _tell(at.ctx, at.actor, number, as_json=at.as_json)


@invalidation_app.command("approve-many")
def approve_many(
    number: ListNo, by: By = None, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False
) -> None:
    """批准整份清单并执行；中断后重新运行即可继续 / approve; run it again after an interruption."""
    _decide(number, by, "approve", "", data_dir, as_json=as_json)


@invalidation_app.command("reject-many")
def reject_many(
    number: ListNo, note_text: Note, by: By = None, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False
) -> None:
    """整份清单不予批准 / reject the whole list."""
    _decide(number, by, "reject", note_text, data_dir, as_json=as_json)


@invalidation_app.command("withdraw-many")
def withdraw_many(
    number: ListNo, note_text: Note, by: By = None, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False
) -> None:
    """提议人撤回整份清单 / the proposer takes the whole list back."""
    _decide(number, by, "withdraw", note_text, data_dir, as_json=as_json)


def _decide(
    number: int,
    by: str | None,
    verb: Literal["approve", "reject", "withdraw"],
    note: str,
    data_dir: Path,
    *,
    as_json: bool,
) -> None:
    from issuer.invalidation import mass, mass_report

    states = {"approve": "running", "reject": "rejecting", "withdraw": "withdrawing"}
    with cli_context(data_dir) as ctx:
        actor = cli_actor(ctx, by)
        begun = mass_report.show_many(ctx, actor, number)
        own = begun.state == states[verb] and begun.decided_by == actor.username
        if not own:  # else: decided by the same person already, and stopped on the way
            mass.decide_many(ctx, actor, number, verb, note, background=False)
        _work(ctx, number, "执行 / carrying out", quiet=as_json)
        _tell(ctx, actor, number, as_json=as_json)


def _work(ctx: "Context", number: int, label: str, *, quiet: bool) -> None:
    from issuer.invalidation import mass

    with progress(label, 100, quiet=quiet) as show:
        mass.work(ctx, number, lambda done, total: show(100 * done // max(total, 1)))


def _write(ctx: "Context", actor: "Actor", plan: "MassPlan | None", number: int | None, path: Path) -> None:
    from xlsxwriter.exceptions import FileCreateError

    from issuer.errors import InputError, Words
    from issuer.invalidation import mass_report

    items = mass_report.items_of(ctx, actor, number) if number is not None else []
    part = path.with_name(f".{path.name}.part")
    try:
        mass_report.write_workbook(plan.lines if plan else (), items, part)
        part.replace(path)
    except (OSError, FileCreateError) as exc:
        raise InputError(
            "cannot-write",
            Words("无法写入目标文件；已办理的保持不变。", "The file cannot be written there; what was done stands."),
            remedy=Words("用 --annotated 指定可写的位置。", "Name a place with --annotated."),
        ) from exc
    finally:
        part.unlink(missing_ok=True)


def _tell_plan(plan: "MassPlan", file: Path) -> None:
    counts, touched = plan.counts, plan.touched
    say(f"{file.name}: 将认定无效 / to invalidate {counts['invalidate']}")
    say(f"无需办理 / nothing to do {counts['unchanged']}，退回 / refused {counts['refused']}")
    say(
        f"将受影响 / touched: 科目成绩 / subjects {touched.subjects}，加注件 / copies {touched.copies}，"
        f"纸质补发申请 / paper requests {touched.paper}"
    )
    told = [line for line in plan.lines if line.finding and line.effect == "refused"]
    for line in told[:SHOWN]:
        finding = line.finding
        if finding is not None:
            words = f"{finding.code} {finding.message.zh} / {finding.message.en}"
            say(f"  行 / row {line.row} {line.management_no}: {words}")
    if len(told) > SHOWN:
        say(f"  …… 共 / in all {len(told)}（--annotated FILE）")
    say(f"执行 / to do it: ecert revoke-many {file.name} --apply {plan.digest}")


def _tell(ctx: "Context", actor: "Actor", number: int, *, as_json: bool) -> None:
    from issuer.invalidation import mass_report
    from issuer.invalidation.people import possible_approvers

    view: MassView = mass_report.show_many(ctx, actor, number)
    waits = view.state == "proposed"
    approvers = possible_approvers(ctx, view.proposed_by) if waits else []
    if as_json:
        body: dict[str, Any] = {"list": number, **view.to_json()}
        print_json(body | ({"approvers": approvers} if waits else {}))
        return
    say(f"清单 / list {number}: {view.state}  {view.total} 行 / rows  {view.proposed_by} → {view.decided_by or '…'}")
    say("  ".join(f"{name} {count}" for name, count in view.counts.items() if count))
    if waits:
        who = "、".join(approvers) or "（尚无批准人账号 / no such account yet: ecert staff add）"
        say(f"须由另一人批准 / somebody else must approve: {who}")
        say(f"  ecert invalidation approve-many {number} --by {approvers[0] if approvers else 'USER'}")
