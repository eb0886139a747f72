"""`ecert review`: decisions in, rounds by the calendar, objections and defences.

Exit codes: 0 when the act was done, also when some rows of a decision file were kept out (they are
reported); 2 when nothing could be done, and then nothing was changed.
"""

import json
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from issuer.acting import Acting, acting
from issuer.commands import note, print_json, say
from issuer.errors import InputError, Words
from issuer.review.sampling_commands import sample_app
from issuer.review.taking_back_command import take_back
from issuer.rules.terms import ReviewOutcome, ReviewRound

if TYPE_CHECKING:
    from issuer.access.actor import Actor
    from issuer.review.report import DecisionReport
    from issuer.review.rounds import RoundReport

review_app = typer.Typer(help="资格核查 / eligibility review", no_args_is_help=True, rich_markup_mode=None)
review_app.add_typer(sample_app, name="sample")
review_app.command("take-back")(take_back)

SittingCode = Annotated[str, typer.Option("--sitting", help="考试批次代码 / sitting code")]
Round = Annotated[ReviewRound, typer.Option("--round", help="轮次 / round")]
On = Annotated[
    datetime | None,
    typer.Option("--on", formats=["%Y-%m-%d"], help="补录：当时的办理日期 / day it was done, when entered late"),
]
AdmissionNo = Annotated[str, typer.Option("--admission-no", help="准考证号 / admission number")]

_SHOWN = 40
_OUTCOME_WORDS = {
    ReviewOutcome.AWAITING: "待核查",
    ReviewOutcome.CONDITIONS_PENDING: "报考条件待核查",
    ReviewOutcome.ELIGIBLE: "合格",
    ReviewOutcome.INELIGIBLE: "不合格",
    ReviewOutcome.DEFENCE_OPEN: "申辩中",
    ReviewOutcome.DEEMED_WAIVED: "视为放弃",
}


@review_app.command("decide")
@acting
def decide(
    at: Acting,
    sitting: SittingCode,
    round: Round,
    file: Annotated[Path | None, typer.Argument(help=".xlsx 或 .csv 核查结果 / decision file")] = None,
    all_eligible: Annotated[
        bool, typer.Option("--all-eligible", help="全部待核查人员认定合格 / find everybody waiting eligible")
    ] = False,
    on: On = None,
    yes: Annotated[bool, typer.Option("--yes", help="确认 --all-eligible / confirm it")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只检查，不写入 / check everything, write nothing")
    ] = False,
    report: Annotated[Path | None, typer.Option("--report", help="另存 JSON 报告 / also write the report")] = None,
) -> None:
    """导入核查结果，有问题的行逐行说明 / take in decisions; bad rows are told one by one."""
    from issuer.review.service import apply_decisions, decide_all_eligible

    if all_eligible == (file is not None):
        raise _usage("请给出文件或 --all-eligible，二者取一。", "Give a file or --all-eligible, one of them.")
    if all_eligible and not (yes or dry_run):
        raise _usage(
            "--all-eligible 将认定全部待核查人员合格，请加 --yes 确认。",
            "--all-eligible finds everybody waiting eligible: add --yes to confirm.",
        )
    day = on.date() if on else None
    done = (
        decide_all_eligible(at.ctx, at.actor, sitting, round, on=day, dry_run=dry_run)
        if file is None
        else apply_decisions(at.ctx, at.actor, sitting, round, content=file, on=day, dry_run=dry_run)
    )
    body = done.to_json()
    if report is not None:
        report.write_text(json.dumps(body, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if at.as_json:
        print_json(body)
    else:
        _tell(done)


@review_app.command("open-notice")
@acting
def open_notice(
    at: Acting,
    sitting: SittingCode,
    on: On = None,
) -> None:
    """开始公示（不少于 10 天）/ open the public notice, at least ten days (R5)."""
    from issuer.review import service

    notice = service.open_notice(at.ctx, at.actor, sitting, on=on.date() if on else None)
    opens, closes = notice.opens_on.isoformat(), notice.closes_on.isoformat()
    at.tell(
        {"sitting": sitting, "opens_on": opens, "closes_on": closes},
        f"公示 {opens} 至 {closes} 24:00 / the notice stands from {opens} to 24:00 on {closes}",
    )


@review_app.command("close-first-round")
@acting
def close_first_round(at: Acting, sitting: SittingCode) -> None:
    """报送日到期：未核实的转为报考条件待核查 / hold the unverified as conditions pending (R5)."""
    from issuer.review import service

    _whole(at, service.close_first_round, sitting)


@review_app.command("open-supplementary")
@acting
def open_supplementary(
    at: Acting,
    sitting: SittingCode,
    on: On = None,
) -> None:
    """开始补充资格核查 / open the supplementary round (R7)."""
    from issuer.review import service

    _whole(at, partial(service.open_supplementary, on=on.date() if on else None), sitting)


@review_app.command("lapse")
@acting
def lapse(at: Acting, sitting: SittingCode) -> None:
    """截止后：未参加补充核查的视为放弃 / who did not come is deemed to have given up (R7)."""
    from issuer.review import service

    _whole(at, service.lapse_supplementary, sitting)


@review_app.command("object")
@acting
def object_(
    at: Acting,
    sitting: SittingCode,
    admission_no: AdmissionNo,
    text: Annotated[str, typer.Option("--text", help="异议内容 / the objection")],
) -> None:
    """登记公示异议 / write down an objection to the public notice (R5)."""
    from issuer.review.service import Candidate, raise_objection

    number = raise_objection(at.ctx, at.actor, sitting, Candidate(admission_no=admission_no), text)
    at.tell(
        {"objection": number},
        f"已登记异议 {number}；处理前不予制发 / objection {number}; nothing is issued until it is resolved",
    )


@review_app.command("resolve-objection")
@acting
def resolve_objection(
    at: Acting,
    objection: Annotated[int, typer.Argument(help="异议编号 / its number")],
    upheld: Annotated[bool, typer.Option("--upheld/--not-upheld", help="异议是否成立 / whether it holds")],
    resolution: Annotated[str, typer.Option("--resolution", help="处理意见 / what was found")],
) -> None:
    """处理公示异议 / decide on an objection (R5)."""
    from issuer.review import service

    state = service.resolve_objection(at.ctx, at.actor, objection, upheld=upheld, resolution=resolution)
    if at.as_json:
        print_json({"objection": objection, "upheld": upheld, "outcome": state.outcome if state else None})
    else:
        word = _OUTCOME_WORDS[state.outcome] if state else "核查结果不变"
        say(f"异议 {objection} 已处理：{word} / objection {objection} resolved")


@review_app.command("defend")
@acting
def defend(
    at: Acting,
    sitting: SittingCode,
    admission_no: AdmissionNo,
    text: Annotated[str, typer.Option("--text", help="申辩内容 / the defence")],
) -> None:
    """登记申辩 / take in a statement of defence (R7)."""
    from issuer.review.service import Candidate, file_defence

    number = file_defence(at.ctx, at.actor, sitting, Candidate(admission_no=admission_no), text)
    at.tell(
        {"defence": number}, f"已登记申辩 {number} / defence {number} taken in; next: ecert review decide-defence"
    )


@review_app.command("decide-defence")
@acting
def decide_defence(
    at: Acting,
    sitting: SittingCode,
    admission_no: AdmissionNo,
    accepted: Annotated[bool, typer.Option("--accepted/--rejected", help="申辩是否成立 / whether it holds")],
    note_text: Annotated[str, typer.Option("--note", help="处理意见 / what was found")],
) -> None:
    """处理申辩 / decide on a defence (R7)."""
    from issuer.review import service

    who = service.Candidate(admission_no=admission_no)
    state = service.decide_defence(at.ctx, at.actor, sitting, who, accepted=accepted, note=note_text)
    at.tell(
        {"round": state.round, "outcome": state.outcome},
        f"申辩已处理：{_OUTCOME_WORDS[state.outcome]} / decided: {state.outcome}",
    )


@review_app.command("status")
@acting
def status(at: Acting, sitting: SittingCode) -> None:
    """核查进度与期限 / how the review stands, and its days."""
    from issuer.review.service import sitting_progress

    progress = sitting_progress(at.ctx, at.actor, sitting)
    if at.as_json:
        print_json(progress.to_json())
        return
    say(f"{progress.sitting_code} {progress.programme_name}  共 {progress.total} 人 / {progress.total} candidates")
    for (round, outcome), count in progress.counts.items():
        say(f"  {_OUTCOME_WORDS[outcome]} ({round}/{outcome}): {count}")
    say(f"未处理异议 / open objections: {', '.join(map(str, progress.open_objections)) or 0}")
    say(f"未处理申辩 / open defences: {progress.open_defences}")
    for deadline in progress.deadlines:
        left = f"还有 {deadline.days} 天 / {deadline.days} days left" if deadline.days >= 0 else "已过 / over"
        arrow = "→" if deadline is progress.next_deadline else " "
        say(f"{arrow} {deadline.words}: {deadline.last_day} 24:00 [{deadline.clause}] {left}")


@review_app.command("export")
@acting
def export(
    at: Acting,
    target: Annotated[Path, typer.Argument(help="要写入的 .xlsx / file to write")],
    sitting: SittingCode,
    round: Round,
) -> None:
    """导出待填的核查结果表（含姓名，仅本人可读）/ write the decision file to fill in (holds names)."""
    from issuer.review.service import export_template

    rows = export_template(at.ctx, at.actor, sitting, round, target)
    at.tell({"file": str(target), "rows": rows}, f"已写入 {rows} 人 / {rows} rows: {target}")


def _whole(at: Acting, act: "Callable[[Any, Actor, str], RoundReport]", sitting: str) -> None:
    done = act(at.ctx, at.actor, sitting)
    at.tell(done.to_json(), f"{done.act}: 变更 {done.moved} 人 / {done.moved} reviews moved [{done.clause}]")


def _tell(report: "DecisionReport") -> None:
    mode = "试运行（未写入） / dry run (nothing written)" if report.dry_run else "已生效 / done"
    counts = "，".join(f"{word} {count}" for word, count in report.moved.items()) or "无变更"
    say(f"{mode}: 共 {report.rows} 行，{counts}，未变 {report.unchanged}，退回 {report.refused}")
    moved = sum(report.moved.values())
    say(f"{report.rows} rows: {moved} moved, {report.unchanged} unchanged, {report.refused} rejected")
    for finding in report.findings[:_SHOWN]:
        say(f"✗ {finding.row} 行 {finding.column}: {finding.message} [{finding.code}] → {finding.remedy}")
    if (more := len(report.findings) - _SHOWN) > 0:
        note(f"另有 {more} 条，见 --report / {more} more in --report")


def _usage(zh: str, en: str) -> InputError:
    return InputError("usage", Words(zh, en))
