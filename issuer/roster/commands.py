"""`ecert roster` and `ecert sitting`.

Exit codes: 0 when the import ran, also when it kept some rows out (they are reported); 2 when the file, the
sitting or the account cannot be used, and then nothing was changed.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from issuer.acting import Acting, acting
from issuer.commands import DEFAULT_DATA_DIR, AsJson, DataDir, cli_context, note, print_json, say
from issuer.errors import InputError, NotFoundError, Words
from issuer.roster.report import RosterReport

if TYPE_CHECKING:
    from issuer.context import Context

roster_app = typer.Typer(
    help="合格人员名单 / rosters of those who passed", no_args_is_help=True, rich_markup_mode=None
)
sitting_app = typer.Typer(help="考试批次 / sittings", no_args_is_help=True, rich_markup_mode=None)

_SHOWN, _SHOWN_NOTES = 40, 10
"""Errors and notes printed for a person; the rest is in the report."""


@roster_app.command("import")
@acting
def import_(
    at: Acting,
    file: Annotated[Path, typer.Argument(help=".xlsx 或 .csv 名单 / the roster")],
    sitting: Annotated[str, typer.Option("--sitting", help="考试批次代码 / sitting code")],
    photos: Annotated[
        Path | None, typer.Option("--photos", help="照片 .zip（默认取名单旁的 photos.zip） / portraits")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只检查，不写入 / check everything, write nothing")
    ] = False,
    report: Annotated[Path | None, typer.Option("--report", help="另存 JSON 报告 / also write the report")] = None,
    annotated: Annotated[
        Path | None, typer.Option("--annotated", help="需更正的行另存为 .xlsx / rows to mend, as .xlsx")
    ] = None,
) -> None:
    """导入名单：合格的行写入，有问题的行逐行说明 / take in a roster; bad rows are told one by one."""
    from issuer.roster.annotate import annotated_workbook
    from issuer.roster.service import import_roster

    for path in (file, photos):
        if path is not None and not path.is_file():
            raise _no_file(path)
    definition = _definition_beside(at.ctx, file, sitting)
    defined = definition is not None and not dry_run
    beside = file.parent / "photos.zip"
    chosen = photos or (beside if beside.is_file() else None)
    with _progress(at.as_json) as on_progress:
        done = import_roster(
            at.ctx,
            at.actor,
            sitting,
            file_name=file.name,
            content=file,
            photos=chosen,
            dry_run=dry_run,
            definition=definition,
            on_progress=on_progress,
        )
    written = 0
    if annotated is not None:
        written = annotated_workbook(file, done, annotated)
    body = done.to_json() | {"sitting_defined": defined, "photos": str(chosen) if chosen else None}
    if annotated is not None:
        body["annotated"] = {"file": str(annotated) if written else None, "rows": written}
    if report is not None:
        report.write_text(json.dumps(body, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if at.as_json:
        print_json(body)
        return
    if defined:
        say(f"已按 sitting.toml 定义考试批次 / sitting defined from sitting.toml: {sitting}")
    _tell(done)
    if written:
        say(f"需更正的 {written} 行已另存 / rows to mend: {annotated}")
    elif done.rejected and annotated is None:
        say("加 --annotated 文件.xlsx 可得到只含需更正行的工作簿 / add --annotated FILE.xlsx to get the rows to mend")


@sitting_app.command("define")
@acting
def define(at: Acting, file: Annotated[Path, typer.Argument(help="sitting.toml")]) -> None:
    """定义或更改考试批次 / define or change a sitting."""
    from issuer.roster.service import define_sitting

    if not file.is_file():
        raise _no_file(file)
    sitting = define_sitting(at.ctx, at.actor, file.read_bytes())
    body = _describe(at.ctx, sitting.code)
    at.tell(body, f"已定义 / defined: {sitting.code}")


@sitting_app.command("list")
def list_(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """列出考试批次 / list sittings."""
    from sqlalchemy import select

    from issuer.records.sittings import Sitting

    with cli_context(data_dir) as ctx:
        with ctx.database.read() as session:
            codes = list(session.scalars(select(Sitting.code).order_by(Sitting.results_released_on, Sitting.code)))
        rows = [_describe(ctx, code) for code in codes]
    if as_json:
        print_json({"sittings": rows})
        return
    if not rows:
        say("还没有考试批次 / no sittings yet; next: ecert sitting define sitting.toml")
    for row in rows:
        say(f"{row['code']}  {row['programme']}  {row['results_released_on']}  {row['registrations']}")


@sitting_app.command("show")
def show(
    code: Annotated[str, typer.Argument(help="考试批次代码 / sitting code")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """显示一个考试批次 / show one sitting."""
    with cli_context(data_dir) as ctx:
        body = _describe(ctx, code)
    if as_json:
        print_json(body)
        return
    for key, value in body.items():
        say(f"{key}: {json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value}")


def _definition_beside(ctx: "Context", file: Path, sitting: str) -> bytes | None:
    """The `sitting.toml` beside the roster, if the sitting is not known yet and that file is its definition."""
    from issuer.records.sittings import Sitting
    from issuer.roster.sittings import code_in

    with ctx.database.read() as session:
        if session.get(Sitting, sitting) is not None:
            return None
    toml = file.parent / "sitting.toml"
    return toml.read_bytes() if code_in(toml) == sitting else None


def _describe(ctx: "Context", code: str) -> dict[str, Any]:
    from sqlalchemy import func, select

    from issuer.records.people import Registration
    from issuer.records.sittings import Programme, Sitting

    with ctx.database.read() as session:
        sitting = session.get(Sitting, code)
        if sitting is None:
            raise NotFoundError(
                "sitting-unknown",
                Words("没有这个考试批次。", "There is no such sitting."),
                remedy=Words("用 `ecert sitting list` 查看。", "See `ecert sitting list`."),
            )
        programme = session.get_one(Programme, sitting.programme_code)
        count = session.scalar(select(func.count()).where(Registration.sitting_code == code))
        days = (
            "exam_ended_on",
            "results_released_on",
            "notice_opens_on",
            "notice_closes_on",
            "review_report_due_on",
            "supplementary_closes_on",
            "approved_on",
        )
        return {
            "code": sitting.code,
            "programme_code": programme.code,
            "programme": programme.name,
            "level": programme.level,
            "medium": programme.medium,
            "review_body": programme.review_body,
            "authority": programme.authority,
            **{day: getattr(sitting, day).isoformat() for day in days},
            "specialties": sitting.specialties,
            "pass_marks": sitting.pass_marks,
            "management_no_pattern": programme.management_no_pattern,
            "registrations": count,
        }


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[str, int], None]]:
    """A rising count on standard error for people; nothing for programs or when nobody watches."""
    if quiet or not sys.stderr.isatty():
        yield lambda _step, _done: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

    labels = {"read": "读取与检查 / reading", "write": "写入 / writing"}
    tasks: dict[str, TaskID] = {}
    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:

        def on_progress(step: str, done: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(labels.get(step, step), total=None)
            bars.update(tasks[step], completed=done)

        yield on_progress


def _tell(report: RosterReport) -> None:
    mode = "试运行（未写入） / dry run (nothing written)" if report.dry_run else "导入完成 / imported"
    say(
        f"{mode}: 共 {report.rows} 行，新增 {report.imported}，更新 {report.updated}，"
        f"未变 {report.unchanged}，退回 {report.rejected} / {report.rows} rows: {report.imported} new, "
        f"{report.updated} updated, {report.unchanged} unchanged, {report.rejected} rejected"
    )
    for words in report.remarks:
        say(f"注意 / note: {words}")
    errors = [finding for finding in report.findings if finding.level == "error"]
    notes = [finding for finding in report.findings if finding.level == "note"]
    for finding in [*errors[:_SHOWN], *notes[:_SHOWN_NOTES]]:
        sign = "✗" if finding.level == "error" else "·"
        line = f"{sign} {finding.row} 行 {finding.column}: {finding.message} [{finding.code}]"
        say(line + (f" → {finding.remedy}" if finding.remedy.zh else ""))
    hidden = max(0, len(errors) - _SHOWN) + max(0, len(notes) - _SHOWN_NOTES)
    if hidden:
        note(f"另有 {hidden} 条，用 --report 查看全部 / {hidden} more: use --report")


def _no_file(path: Path) -> InputError:
    return InputError(
        "file-not-found",
        Words(f"没有这个文件：{path.name}", f"There is no such file: {path.name}"),
        remedy=Words("核对路径。", "Check the path."),
    )
