"""`ecert revoke`, `ecert reinstate` and `ecert invalidation`: two people, named or asked for (R9, R10)."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from issuer.acting import Acting, acting
from issuer.commands import DEFAULT_DATA_DIR, ActingAs, AsJson, DataDir, cli_actor, cli_context, print_json, say

if TYPE_CHECKING:
    from issuer.context import Context
    from issuer.invalidation.cases import InvalidationView
    from issuer.invalidation.people import Pair

invalidation_app = typer.Typer(
    help="证书无效与恢复事项 / cases of invalidation and reinstatement", no_args_is_help=True, rich_markup_mode=None
)

ManagementNo = Annotated[
    str | None,
    typer.Argument(help="管理号（电子或纸质） / management number, either kind", show_default=False),
]
SittingCode = Annotated[str | None, typer.Option("--sitting", help="考次代码（尚无证书） / sitting")]
AdmissionNo = Annotated[str | None, typer.Option("--admission-no", help="准考证号 / admission number")]
CaseId = Annotated[int, typer.Argument(help="事项编号 / case number")]
ProposedBy = Annotated[str | None, typer.Option("--proposed-by", help="提议人账号 / who proposes")]
ApprovedBy = Annotated[str | None, typer.Option("--approved-by", help="批准人账号 / who approves, somebody else")]
ProposeOnly = Annotated[bool, typer.Option("--propose-only", help="只提议 / propose and stop")]
By = Annotated[str | None, typer.Option("--by", "--as", envvar="ECERT_ACTOR", help="办理人账号 / who decides")]
Note = Annotated[str, typer.Option("--note", help="理由 / why")]


def revoke(
    ground: Annotated[
        str,
        typer.Option(
            "--ground",
            help="ineligible-in-review, ineligible-in-supervision (R9), false-materials (R10), improper-means",
        ),
    ],
    management_no: ManagementNo = None,
    sitting: SittingCode = None,
    admission_no: AdmissionNo = None,
    basis: Annotated[str, typer.Option("--basis", help="法律依据和认定事实 / legal basis and finding")] = "",
    effective_on: Annotated[
        datetime | None, typer.Option("--effective-on", formats=["%Y-%m-%d"], help="生效日期 / day it takes effect")
    ] = None,
    proposed_by: ProposedBy = None,
    approved_by: ApprovedBy = None,
    propose_only: ProposeOnly = False,
    misconduct_term: Annotated[
        str | None, typer.Option("--misconduct-term", help="five-years | long-term (R10)")
    ] = None,
    suspend: Annotated[bool, typer.Option("--suspend", help="办理期间暂停 / suspended until decided")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="只显示影响 / show what would happen")] = False,
    apply: Annotated[str | None, typer.Option("--apply", help="按 --plan 的摘要执行 / the plan's digest")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """认定无效：证书（电子、纸质）、报名和该次成绩一并无效 / certificate or paper, registration, scores (R9, R10)."""
    from issuer.invalidation import service
    from issuer.invalidation.grounds import parse_ground
    from issuer.invalidation.overview import plan_invalidation, require_plan
    from issuer.invalidation.people import name_people
    from issuer.invalidation.subject import named

    parsed, reference = parse_ground(ground), named(management_no, sitting, admission_no)
    with cli_context(data_dir) as ctx:
        caller = cli_actor(ctx, acting_as)
        if plan:
            _tell_plan(plan_invalidation(ctx, caller, reference, parsed).to_json(), as_json)
            return
        pair = name_people(ctx, caller, parsed.clause, proposed_by=proposed_by or acting_as, approved_by=approved_by)
        if apply is not None:
            require_plan(ctx, caller, reference, parsed, apply)
        day = effective_on.date() if effective_on else None
        with ctx.database.together():
            case = service.propose(
                ctx,
                pair.proposer,
                reference,
                parsed,
                basis,
                effective_on=day,
                suspend=suspend,
                misconduct_term=misconduct_term,
            )
            if pair.approver is not None and not propose_only:
                service.approve(ctx, pair.approver, case)
        _tell_outcome(ctx, pair, case, as_json=as_json)


def reinstate(
    basis: Annotated[str, typer.Option("--basis", help="申诉结论和依据 / the appeal's finding")],
    management_no: ManagementNo = None,
    sitting: SittingCode = None,
    admission_no: AdmissionNo = None,
    proposed_by: ProposedBy = None,
    approved_by: ApprovedBy = None,
    propose_only: ProposeOnly = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """申诉成立后恢复证书、报名和成绩 / stand it up again after an appeal; decided by a third person."""
    from issuer.invalidation import service
    from issuer.invalidation.overview import list_cases, number_of
    from issuer.invalidation.people import name_people
    from issuer.invalidation.subject import named

    reference = named(management_no, sitting, admission_no)
    with cli_context(data_dir) as ctx:
        caller = cli_actor(ctx, acting_as)
        fallen = list_cases(ctx, caller, state="applied", registration_id=number_of(ctx, caller, reference), limit=10)
        original = next((case for case in fallen if case.kind == "invalidate"), None)
        not_by = original.decided_by if original else None
        pair = name_people(
            ctx,
            caller,
            original.clause if original else "R9",
            proposed_by=proposed_by or acting_as,
            approved_by=approved_by,
            not_by=not_by,
        )
        with ctx.database.together():
            case = service.overturn(ctx, pair.proposer, reference, basis)
            if pair.approver is not None and not propose_only:
                service.approve(ctx, pair.approver, case)
        _tell_outcome(ctx, pair, case, as_json=as_json, not_by=not_by)


@invalidation_app.command("list")
@acting
def list_(
    at: Acting,
    state: Annotated[
        str | None, typer.Option("--state", help="proposed | rejected | withdrawn | applied | overturned")
    ] = None,
    management_no: Annotated[str | None, typer.Option("--management-no", help="管理号 / management number")] = None,
) -> None:
    """列出事项，新的在前 / cases, newest first."""
    from issuer.invalidation.overview import list_cases

    cases = list_cases(at.ctx, at.actor, state=state, management_no=management_no)
    if at.as_json:
        print_json({"cases": [case.to_json() for case in cases]})
        return
    if not cases:
        say("没有事项 / no cases")
    for case in cases:
        who = f"{case.proposed_by} → {case.decided_by or '…'}"
        say(f"{case.id}  {_about(case)}  {case.kind}  {case.ground} [{case.clause}]  {case.state}  {who}")


@invalidation_app.command("show")
@acting
def show(at: Acting, case: CaseId) -> None:
    """显示一个事项 / one case."""
    from issuer.invalidation.overview import show_case

    view = show_case(at.ctx, at.actor, case)
    _tell_case(view, at.as_json)


@invalidation_app.command("approve")
def approve(case: CaseId, by: By = None, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """批准：立即生效并公布 / approve: it takes effect and is published at once."""
    from issuer.invalidation import service

    with cli_context(data_dir) as ctx:
        view = service.approve(ctx, cli_actor(ctx, by), case)
    _tell_case(view, as_json)


@invalidation_app.command("reject")
def reject(
    case: CaseId, note_text: Note, by: By = None, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False
) -> None:
    """不予批准；暂停随之解除 / refuse the proposal; a suspension is lifted."""
    from issuer.invalidation import service

    with cli_context(data_dir) as ctx:
        view = service.reject(ctx, cli_actor(ctx, by), case, note_text)
    _tell_case(view, as_json)


@invalidation_app.command("withdraw")
def withdraw(
    case: CaseId, note_text: Note, by: By = None, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False
) -> None:
    """提议人撤回；暂停随之解除 / the proposer takes it back; a suspension is lifted."""
    from issuer.invalidation import service

    with cli_context(data_dir) as ctx:
        view = service.withdraw(ctx, cli_actor(ctx, by), case, note_text)
    _tell_case(view, as_json)


def _tell_outcome(ctx: "Context", pair: "Pair", case_id: int, *, as_json: bool, not_by: str | None = None) -> None:
    from issuer.invalidation.overview import show_case
    from issuer.invalidation.people import possible_approvers

    view = show_case(ctx, pair.proposer, case_id)
    if as_json:
        body = view.to_json() | {"sample_accounts": pair.sample}
        if view.state == "proposed":
            body["approvers"] = possible_approvers(ctx, pair.proposer.username, not_by)
        print_json(body)
        return
    if pair.sample:
        people = " + ".join(actor.username for actor in (pair.proposer, pair.approver) if actor)
        say(f"示例数据：以示例账号办理（{people}） / demo data: done with the sample accounts")
    _tell_case(view, as_json=False)
    if view.state == "proposed":
        names = possible_approvers(ctx, pair.proposer.username, not_by)
        who = "、".join(names) or "（尚无批准人账号 / no such account yet: ecert staff add）"
        say(f"须由另一人批准 / somebody else must approve: {who}")
        say(f"  ecert invalidation approve {view.id} --by {names[0] if names else 'USER'}")


def _tell_case(view: "InvalidationView", as_json: bool) -> None:
    if as_json:
        print_json(view.to_json())
        return
    act = "恢复 / reinstate" if view.kind == "reinstate" else "无效 / invalidate"
    say(f"事项 {view.id}  {_about(view)}  {act}  {view.ground} [{view.clause}]")
    say(f"状态 / state: {_STATE_WORDS[view.state]} ({view.state})  生效 / effective: {view.effective_on}")
    say(f"提议 / proposed: {view.proposed_by}  决定 / decided: {view.decided_by or '—'}")
    say(f"依据 / basis: {view.basis}")
    if view.decision_note:
        say(f"理由 / why: {view.decision_note}")
    if view.state == "applied":
        zh, en = _ABOUT[view.about]
        say(
            f"{zh}、报名和该次全部成绩已恢复 / {en}, registration and scores stand again"
            if view.kind == "reinstate"
            else f"{zh}、报名和该次全部成绩已无效 / {en}, registration and all scores of the sitting are void"
        )


def _about(view: "InvalidationView") -> str:
    if view.management_no is None:
        return f"{view.sitting_code} {view.admission_no}"
    return f"{view.management_no} ({view.paper_serial})" if view.about == "paper" else view.management_no


_ABOUT = {
    "certificate": ("证书", "certificate"),
    "paper": ("纸质证书", "paper certificate"),
    "score-report": ("成绩证明", "score report"),
}
_STATE_WORDS = {
    "proposed": "待批准",
    "rejected": "未予批准",
    "withdrawn": "已撤回",
    "applied": "已生效",
    "overturned": "已撤销",
}


def _tell_plan(plan: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(plan)
        return
    zh, en = _ABOUT[plan["about"]]
    number = plan["management_no"] or plan["sitting_code"]
    say(f"{zh} / {en} {number}: {plan['status_now']} → {plan['status_then']} [{plan['clause']}]")
    say(f"公开原因 / shown: {plan['reason_shown']}；报名无效 / registration void: 是 / yes")
    say(f"无效成绩科目 / subjects void: {plan['subjects_void']}")
    say(f"随之失效的加注件 / copies that fall: {plan['copies_live']}；将被通知 / told: {plan['watchers']}")
    if plan["paper_serial"]:
        say(f"作废纸质证书，停止邮寄 / paper void, mail stopped: {plan['paper_serial']} ({plan['paper_state']})")
    if plan["open_case"]:
        say(f"已有待批准事项 / already proposed: {plan['open_case']}")
    say(f"执行 / to do it: --apply {plan['digest']}")
