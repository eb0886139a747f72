"""`ecert review`: decisions in, rounds by the calendar, objections and defences.

Exit codes: 0 when the act was done, also when some rows of a decision file were kept out (they are
reported); 2 when nothing could be done, and then nothing was changed.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from issuer.commands import DEFAULT_DATA_DIR, ActingAs, AsJson, DataDir, cli_actor, cli_context, note, print_json, say
from issuer.errors import InputError, Words
from issuer.rules.terms import ReviewOutcome, ReviewRound

if TYPE_CHECKING:
    from issuer.access.actor import Actor
    from issuer.context import Context
    from issuer.review.report import DecisionReport
    from issuer.review.rounds import RoundReport

review_app = typer.Typer(help="资格核查 / eligibility review", no_args_is_help=True, rich_markup_mode=None)

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
def decide(
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
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
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
    with _acting(data_dir, acting_as) as (ctx, actor):
        done = (
            decide_all_eligible(ctx, actor, sitting, round, on=day, dry_run=dry_run)
            if file is None
            else apply_decisions(ctx, actor, sitting, round, content=file, on=day, dry_run=dry_run)
        )
    body = done.to_json()
    if report is not None:
        report.write_text(json.dumps(body, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if as_json:
        print_json(body)
    else:
        _tell(done)


@review_app.command("open-notice")
def open_notice(
    sitting: SittingCode,
    on: On = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """开始公示（不少于 10 天）/ open the public notice, at least ten days (R5)."""
    from issuer.review import service

    with _acting(data_dir, acting_as) as (ctx, actor):
        notice = service.open_notice(ctx, actor, sitting, on=on.date() if on else None)
    opens, closes = notice.opens_on.isoformat(), notice.closes_on.isoformat()
    if as_json:
        print_json({"sitting": sitting, "opens_on": opens, "closes_on": closes})
    else:
        say(f"公示 {opens} 至 {closes} 24:00 / the notice stands from {opens} to 24:00 on {closes}")


@review_app.command("close-first-round")
def close_first_round(
    sitting: SittingCode, data_dir: DataDir = DEFAULT_DATA_DIR, acting_as: ActingAs = None, as_json: AsJson = False
) -> None:
    """报送日到期：未核实的转为报考条件待核查 / hold the unverified as conditions pending (R5)."""
    from issuer.review import service

    _whole(service.close_first_round, sitting, data_dir, acting_as, as_json)


@review_app.command("open-supplementary")
def open_supplementary(
    sitting: SittingCode,
    on: On = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """开始补充资格核查 / open the supplementary round (R7)."""
    from issuer.review import service

    _whole(partial(service.open_supplementary, on=on.date() if on else None), sitting, data_dir, acting_as, as_json)


@review_app.command("lapse")
def lapse(
    sitting: SittingCode, data_dir: DataDir = DEFAULT_DATA_DIR, acting_as: ActingAs = None, as_json: AsJson = False
) -> None:
    """截止后：未参加补充核查的视为放弃 / who did not come is deemed to have given up (R7)."""
    from issuer.review import service

    _whole(service.lapse_supplementary, sitting, data_dir, acting_as, as_json)


@review_app.command("object")
def object_(
    sitting: SittingCode,
    admission_no: AdmissionNo,
    text: Annotated[str, typer.Option("--text", help="异议内容 / the objection")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """登记公示异议 / write down an objection to the public notice (R5)."""
    from issuer.review.service import Candidate, raise_objection

    with _acting(data_dir, acting_as) as (ctx, actor):
        number = raise_objection(ctx, actor, sitting, Candidate(admission_no=admission_no), text)
    if as_json:
        print_json({"objection": number})
    else:
        say(f"已登记异议 {number}；处理前不予制发 / objection {number}; nothing is issued until it is resolved")


@review_app.command("resolve-objection")
def resolve_objection(
    objection: Annotated[int, typer.Argument(help="异议编号 / its number")],
    upheld: Annotated[bool, typer.Option("--upheld/--not-upheld", help="异议是否成立 / whether it holds")],
    resolution: Annotated[str, typer.Option("--resolution", help="处理意见 / what was found")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """处理公示异议 / decide on an objection (R5)."""
    from issuer.review import service

    with _acting(data_dir, acting_as) as (ctx, actor):
        state = service.resolve_objection(ctx, actor, objection, upheld=upheld, resolution=resolution)
    if as_json:
        print_json({"objection": objection, "upheld": upheld, "outcome": state.outcome if state else None})
    else:
        word = _OUTCOME_WORDS[state.outcome] if state else "核查结果不变"
        say(f"异议 {objection} 已处理：{word} / objection {objection} resolved")


@review_app.command("defend")
def defend(
    sitting: SittingCode,
    admission_no: AdmissionNo,
    text: Annotated[str, typer.Option("--text", help="申辩内容 / the defence")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """登记申辩 / take in a statement of defence (R7)."""
    from issuer.review.service import Candidate, file_defence

    with _acting(data_dir, acting_as) as (ctx, actor):
        number = file_defence(ctx, actor, sitting, Candidate(admission_no=admission_no), text)
    if as_json:
        print_json({"defence": number})
    else:
        say(f"已登记申辩 {number} / defence {number} taken in; next: ecert review decide-defence")


@review_app.command("decide-defence")
def decide_defence(
    sitting: SittingCode,
    admission_no: AdmissionNo,
    accepted: Annotated[bool, typer.Option("--accepted/--rejected", help="申辩是否成立 / whether it holds")],
    note_text: Annotated[str, typer.Option("--note", help="处理意见 / what was found")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """处理申辩 / decide on a defence (R7)."""
    from issuer.review import service

    with _acting(data_dir, acting_as) as (ctx, actor):
        who = service.Candidate(admission_no=admission_no)
        state = service.decide_defence(ctx, actor, sitting, who, accepted=accepted, note=note_text)
    if as_json:
        print_json({"round": state.round, "outcome": state.outcome})
    else:
        say(f"申辩已处理：{_OUTCOME_WORDS[state.outcome]} / decided: {state.outcome}")


@review_app.command("status")
def status(
    sitting: SittingCode, data_dir: DataDir = DEFAULT_DATA_DIR, acting_as: ActingAs = None, as_json: AsJson = False
) -> None:
    """核查进度与期限 / how the review stands, and its days."""
    from issuer.review.service import sitting_progress

    with _acting(data_dir, acting_as) as (ctx, actor):
        progress = sitting_progress(ctx, actor, sitting)
    if as_json:
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
def export(
    target: Annotated[Path, typer.Argument(help="要写入的 .xlsx / file to write")],
    sitting: SittingCode,
    round: Round,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """导出待填的核查结果表（含姓名，仅本人可读）/ write the decision file to fill in (holds names)."""
    from issuer.review.service import export_template

    with _acting(data_dir, acting_as) as (ctx, actor):
        rows = export_template(ctx, actor, sitting, round, target)
    if as_json:
        print_json({"file": str(target), "rows": rows})
    else:
        say(f"已写入 {rows} 人 / {rows} rows: {target}")


@contextmanager
def _acting(data_dir: Path, username: str | None) -> Iterator[tuple["Context", "Actor"]]:
    with cli_context(data_dir) as ctx:
        yield ctx, cli_actor(ctx, username)


def _whole(
    act: "Callable[[Any, Actor, str], RoundReport]", sitting: str, data_dir: Path, username: str | None, as_json: bool
) -> None:
    with _acting(data_dir, username) as (ctx, actor):
        done = act(ctx, actor, sitting)
    if as_json:
        print_json(done.to_json())
    else:
        say(f"{done.act}: 变更 {done.moved} 人 / {done.moved} reviews moved [{done.clause}]")


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
