"""`ecert worker` and `ecert batch …`."""

from typing import Annotated

import typer

from issuer.commands import (
    DEFAULT_DATA_DIR,
    ActingAs,
    AsJson,
    DataDir,
    cli_actor,
    cli_context,
    cli_settings,
    note,
    print_json,
    say,
)

batch_app = typer.Typer(help="签发批次 / batches of issue", no_args_is_help=True, rich_markup_mode=None)

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
def start(
    sitting: Annotated[str, typer.Option("--sitting", help="考试批次 / sitting")],
    registration: Annotated[
        int | None, typer.Option("--registration", help="只办这一人，优先 / only this one, before all others")
    ] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """交给后台签发 / hand a sitting over to the background."""
    from issuer.issuance.requests import request_batch, request_urgent

    with cli_context(data_dir) as ctx:
        actor = cli_actor(ctx, acting_as)
        if registration is None:
            number = request_batch(ctx, actor, sitting)
        else:
            number = request_urgent(ctx, actor, sitting, registration)
    print_json({"batch": number}) if as_json else say(f"批次 / batch {number}")


@batch_app.command("list")
def list_(
    sitting: Annotated[str | None, typer.Option("--sitting", help="考试批次 / sitting")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """列出批次，新的在前 / batches, newest first."""
    from issuer.issuance.requests import list_batches

    with cli_context(data_dir) as ctx:
        rows = list_batches(ctx, cli_actor(ctx, acting_as), sitting_code=sitting)
    if as_json:
        print_json({"batches": rows})
        return
    if not rows:
        say("没有批次 / no batches")
    for row in rows:
        say(f"{row['batch']}  {row['sitting']}  {row['state']}  {row['actor']}  {row['finished_at'] or '…'}")


@batch_app.command("pause")
def pause(
    batch: BatchNo, data_dir: DataDir = DEFAULT_DATA_DIR, acting_as: ActingAs = None, as_json: AsJson = False
) -> None:
    """暂停，下一组之前生效 / hold before the next group."""
    from issuer.issuance.batches import pause_batch

    with cli_context(data_dir) as ctx:
        pause_batch(ctx, cli_actor(ctx, acting_as), batch)
    _tell(batch, "paused", as_json=as_json)


@batch_app.command("resume")
def resume(
    batch: BatchNo, data_dir: DataDir = DEFAULT_DATA_DIR, acting_as: ActingAs = None, as_json: AsJson = False
) -> None:
    """继续 / go on."""
    from issuer.issuance.batches import resume_batch

    with cli_context(data_dir) as ctx:
        resume_batch(ctx, cli_actor(ctx, acting_as), batch)
    _tell(batch, "running", as_json=as_json)


@batch_app.command("cancel")
def cancel(
    batch: BatchNo, data_dir: DataDir = DEFAULT_DATA_DIR, acting_as: ActingAs = None, as_json: AsJson = False
) -> None:
    """取消；已发布的保留 / stop for good; what is published stands."""
    from issuer.issuance.batches import cancel_batch
    from issuer.rules.terms import Role

    with cli_context(data_dir) as ctx:
        actor = cli_actor(ctx, acting_as)
        actor.require(Role.AUTHORITY_ISSUER)
        cancel_batch(ctx, actor, batch)
    _tell(batch, "cancelled", as_json=as_json)


def _tell(batch: int, state: str, *, as_json: bool) -> None:
    print_json({"batch": batch, "state": state}) if as_json else say(f"批次 / batch {batch}: {state}")
