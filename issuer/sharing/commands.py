"""`ecert watching`: how messages to watchers stand, which were given up, and trying those again."""

from typing import Annotated

import typer

from issuer.acting import Acting, acting
from issuer.commands import print_json, say

watching_app = typer.Typer(
    help="证书状态通知的发送情况 / messages to those who watch a certificate", rich_markup_mode=None
)


@watching_app.command("show")
@acting
def show(at: Acting) -> None:
    """已送达、待发送、未送达各多少 / how many were sent, wait, were given up."""
    from issuer.sharing.undelivered import standing, why

    found = standing(at.ctx, at.actor)
    oldest = found.oldest_waiting.isoformat(timespec="seconds") if found.oldest_waiting else None
    if at.as_json:
        print_json({"counts": found.counts, "oldest_waiting": oldest, "given_up": found.dead})
        return
    counts = found.counts
    say(
        f"已送达 / sent: {counts.get('sent', 0)}；待发送 / waiting: {counts.get('waiting', 0)}；"
        f"未送达 / given up: {counts.get('dead', 0)}"
    )
    if oldest:
        say(f"最早一条待发送自 / the oldest has waited since: {oldest}")
    for code, number in sorted(found.dead.items()):
        say(f"  {number} × {why(code)}")


@watching_app.command("undelivered")
@acting
def undelivered(
    at: Acting,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="条数 / how many")] = 50,
) -> None:
    """多次重试后停止发送的通知 / messages that were given up, newest first."""
    from issuer.sharing.undelivered import undelivered as service

    page = service(at.ctx, at.actor, limit=limit)
    if at.as_json:
        rows = [
            {
                "id": row.id,
                "kind": row.kind,
                "by": row.by,
                "place": row.place,
                "organisation": row.organisation,
                "management_no": row.management_no,
                "code": row.code,
                "attempts": row.attempts,
                "created_at": row.created_at.isoformat(timespec="seconds"),
            }
            for row in page.items
        ]
        print_json({"messages": rows, "next": page.next})
        return
    for row in page.items:
        about = f"  {row.management_no}" if row.management_no else ""
        say(f"{row.id:>6}  {row.organisation} ({row.place})  {row.kind}{about}  {row.attempts} ×  {row.why}")


@watching_app.command("retry")
@acting
def retry(
    at: Acting,
    messages: Annotated[list[int] | None, typer.Argument(help="通知编号 / numbers of the messages")] = None,
    everything: Annotated[bool, typer.Option("--all", help="全部 / all of them")] = False,
) -> None:
    """重新发送未送达的通知；由 serve 发出 / let them be sent again, by whatever serves."""
    from issuer.errors import InputError, Words
    from issuer.sharing.undelivered import retry as service

    if everything == bool(messages):
        raise InputError(
            "watching-retry",
            Words("请写明通知编号，或用 --all 重发全部。", "Give the numbers of messages, or --all."),
            remedy=Words("编号见 ecert watching undelivered。", "Their numbers: ecert watching undelivered."),
        )
    count = service(at.ctx, at.actor, None if everything else messages)
    at.tell({"waiting": count}, f"{count} 条将重新发送 / will be sent again")
