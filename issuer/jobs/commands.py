"""`ecert worker` and `ecert batch …`."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from issuer.acting import Acting, acting
from issuer.commands import DEFAULT_DATA_DIR, DataDir, cli_settings, note, print_json, progress, say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

batch_app = typer.Typer(help="签发批次 / batches of issue", no_args_is_help=True, rich_markup_mode=None)

LOOK_SECONDS = 0.5
BatchNo = Annotated[int, typer.Argument(help="批次编号 / batch number")]


def worker(
    processes: Annotated[
        int, typer.Option("--processes", min=0, max=256, help="进程数，0 为每核一个 / 0: one per core")
    ] = 0,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """处理签发批次（PostgreSQL），可在多台机器上运行 / work on batches; run it on as many machines as wanted."""
    from issuer.jobs.supervisor import supervise

    note("等待签发任务，Ctrl-C 结束 / waiting for work, Ctrl-C to stop")
    supervise(cli_settings(data_dir), processes)


@batch_app.command("start")
@acting
def start(
    at: Acting,
    sitting: Annotated[str, typer.Option("--sitting", help="考试批次 / sitting")],
    registration: Annotated[
        int | None, typer.Option("--registration", help="只办这一人，优先 / only this one, before all others")
    ] = None,
    apply: Annotated[
        str | None, typer.Option("--apply", help="按 ecert issue --plan 的摘要执行 / the plan's digest")
    ] = None,
) -> None:
    """交给后台签发 / hand a sitting over to the background."""
    from issuer.issuance.requests import request_batch, request_urgent

    if registration is None:
        number = request_batch(at.ctx, at.actor, sitting, apply)
    else:
        number = request_urgent(at.ctx, at.actor, sitting, registration)
    print_json({"batch": number}) if at.as_json else say(f"批次 / batch {number}")


@batch_app.command("list")
@acting
def list_(
    at: Acting,
    sitting: Annotated[str | None, typer.Option("--sitting", help="考试批次 / sitting")] = None,
) -> None:
    """列出批次，新的在前 / batches, newest first."""
    from issuer.issuance.requests import list_batches

    rows = list_batches(at.ctx, at.actor, sitting_code=sitting)
    if at.as_json:
        print_json({"batches": rows})
        return
    if not rows:
        say("没有批次 / no batches")
    for row in rows:
        say(f"{row['batch']}  {row['sitting']}  {row['state']}  {row['actor']}  {row['finished_at'] or '…'}")


@batch_app.command("show")
@acting
def show(
    at: Acting,
    batch: BatchNo,
    watch: Annotated[bool, typer.Option("--watch", help="直到结束 / until it has ended")] = False,
) -> None:
    """进度；--watch 一直看到结束 / how far a batch has come."""
    from issuer.issuance.requests import batch_progress

    now = batch_progress(at.ctx, at.actor, batch)
    with progress(f"批次 / batch {batch}", now["total"], quiet=at.as_json or not watch) as bar:
        while watch and now["state"] in ("running", "paused"):
            bar(now["finished"])
            time.sleep(LOOK_SECONDS)
            now = batch_progress(at.ctx, at.actor, batch)
        bar(now["finished"])
    if at.as_json:
        print_json(now)
        return
    counts = now["counts"]
    say(f"批次 / batch {batch}: {now['state']}  {now['finished']} / {now['total']}")
    say(f"已发布 / published {counts['published']}，不予制发 / refused {counts['refused']}")
    if counts["refused"] or counts["cancelled"]:
        say(
            f"逐人结果 / per person: ecert batch outcome {batch} --xlsx FILE；重试 / retry: ecert batch retry {batch}"
        )


@batch_app.command("outcome")
@acting
def outcome(
    at: Acting,
    batch: BatchNo,
    xlsx: Annotated[Path | None, typer.Option("--xlsx", help="写成工作簿 / write a workbook here")] = None,
) -> None:
    """逐人结果和原因代码 / what became of each person, with reason codes."""
    import sys

    from issuer.issuance import outcome as outcomes

    rows = outcomes.outcome(at.ctx, at.actor, batch)
    if xlsx is not None:
        count = _workbook(rows, xlsx)
        print_json({"path": str(xlsx), "people": count}) if at.as_json else say(f"{xlsx} ({count} 人 / people)")
    elif at.as_json:
        sys.stdout.writelines(outcomes.outcome_json(rows, batch))
    else:
        for row in rows:
            why = f"{row['code']} [{row['clause'] or '-'}] {row['message']}" if row["code"] else ""
            say(f"{row['admission_no']}  {row['result']}  {row['management_no'] or ''}{why}")


@batch_app.command("retry")
@acting
def retry(at: Acting, batch: BatchNo) -> None:
    """只重试未成者，另建批次 / a new batch for those who got no certificate, and nobody else."""
    from issuer.issuance.requests import request_retry

    number = request_retry(at.ctx, at.actor, batch)
    _tell(number, "running", as_json=at.as_json)


@batch_app.command("pause")
@acting
def pause(at: Acting, batch: BatchNo) -> None:
    """暂停，下一组之前生效 / hold before the next group."""
    from issuer.issuance.batches import pause_batch

    pause_batch(at.ctx, at.actor, batch)
    _tell(batch, "paused", as_json=at.as_json)


@batch_app.command("resume")
@acting
def resume(at: Acting, batch: BatchNo) -> None:
    """继续 / go on."""
    from issuer.issuance.batches import resume_batch

    resume_batch(at.ctx, at.actor, batch)
    _tell(batch, "running", as_json=at.as_json)


@batch_app.command("cancel")
@acting
def cancel(at: Acting, batch: BatchNo) -> None:
    """取消；已发布的保留 / stop for good; what is published stands."""
    from issuer.issuance.batches import cancel_batch

    cancel_batch(at.ctx, at.actor, batch)
    _tell(batch, "cancelled", as_json=at.as_json)


def _tell(batch: int, state: str, *, as_json: bool) -> None:
    print_json({"batch": batch, "state": state}) if as_json else say(f"批次 / batch {batch}: {state}")


def _workbook(rows: "Iterator[dict[str, Any]]", path: Path) -> int:
    """Write it beside, then in place: whoever opens the file finds the whole of it."""
    from xlsxwriter.exceptions import FileCreateError

    from issuer.errors import InputError, Words
    from issuer.issuance.outcome import outcome_workbook

    part = path.with_name(f".{path.name}.part")
    try:
        count = outcome_workbook(rows, part)
        part.replace(path)
    except (OSError, FileCreateError) as exc:
        raise InputError(
            "cannot-write",
            Words("无法写入目标文件。", "The file cannot be written there."),
            remedy=Words("用 --xlsx 指定可写的位置。", "Name a place with --xlsx."),
        ) from exc
    finally:
        part.unlink(missing_ok=True)
    return count
