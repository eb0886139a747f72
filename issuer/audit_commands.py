"""`ecert audit`: walk the hash chain, and remember its head so that a cut-off end is found too."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from issuer.commands import (
    DEFAULT_DATA_DIR,
    EXIT_REFUSED,
    ActingAs,
    AsJson,
    DataDir,
    cli_actor,
    cli_context,
    note,
    print_json,
    say,
)
from issuer.errors import InputError, Words
from issuer.rules.terms import Role

if TYPE_CHECKING:
    from issuer.audit import ChainHead

audit_app = typer.Typer(help="审计记录 / audit trail", no_args_is_help=True, rich_markup_mode=None)

HEADS = "audit-heads.txt"
"""Under DATA_DIR: one line for each good check, `INSTANT SEQUENCE:HASH`. Copy it elsewhere as well."""

READERS = (Role.AUDITOR, Role.SUPERVISOR, Role.OPERATOR, Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER)
_SHOWN = 20


@audit_app.command("verify")
def verify(
    head: Annotated[
        str | None, typer.Option("--head", help="另行保存的链头 SEQUENCE:HASH / a head kept elsewhere")
    ] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """检查哈希链是否完整；完整时记下链头 / is the chain whole; if so its head is remembered. Exit 2 if not."""
    from issuer.audit import verify_chain

    remembered = _parse(head) if head is not None else _last_head(data_dir / HEADS)
    with cli_context(data_dir) as ctx:
        with ctx.database.read() as session:
            report = verify_chain(session, remembered)
        checked_at = ctx.clock.now()
    if report.intact:
        with (data_dir / HEADS).open("a", encoding="utf-8") as file:
            file.write(f"{checked_at.isoformat()} {report.head}\n")
    if as_json:
        print_json(
            {
                "intact": report.intact,
                "events": report.events,
                "head": str(report.head),
                "compared_with": str(remembered) if remembered else None,
                "faults": [{"sequence": f.sequence, "kind": f.kind, "found": f.found} for f in report.faults],
            }
        )
    elif report.intact:
        say(f"完整：{report.events} 条，链头 {report.head} / intact: {report.events} events")
    else:
        note(f"审计链不完整：{len(report.faults)} 处 / the chain is broken in {len(report.faults)} places")
        for fault in report.faults[:_SHOWN]:
            note(f"  {fault.sequence} {fault.kind}: {fault.found}")
    if not report.intact:
        raise typer.Exit(EXIT_REFUSED)


@audit_app.command("list")
def list_(
    subject: Annotated[str | None, typer.Option("--subject", help="如 certificate:12 / e.g. certificate:12")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="条数 / how many")] = 50,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """最近的审计记录 / the latest events."""
    from sqlalchemy import select

    from issuer.records.ledger import AuditEvent

    query = select(AuditEvent).order_by(AuditEvent.sequence.desc()).limit(limit)
    if subject is not None:
        query = query.where(AuditEvent.subject == subject)
    with cli_context(data_dir) as ctx:
        cli_actor(ctx, acting_as).require(*READERS)
        with ctx.database.read() as session:
            rows = [_plain(event) for event in session.scalars(query)]
    if as_json:
        print_json({"events": rows})
        return
    for row in rows:
        clause = f" [{row['clause']}]" if row["clause"] else ""
        what = f"{row['act']}  {row['subject']}  {row['outcome']}{clause}"
        say(f"{row['sequence']:>6}  {row['at']}  {row['actor']}  {what}")


def _plain(event: Any) -> dict[str, Any]:
    return {
        "sequence": event.sequence,
        "at": event.at.isoformat(timespec="seconds"),
        "actor": event.actor,
        "act": event.act,
        "subject": event.subject,
        "outcome": event.outcome,
        "clause": event.clause,
        "details": event.details,
        "event_hash": event.event_hash.hex(),
    }


def _last_head(path: Path) -> "ChainHead | None":
    if not path.is_file():
        return None
    lines = path.read_text(encoding="utf-8").split("\n")
    last = next((line for line in reversed(lines) if line.strip()), None)
    return _parse(last.split()[-1]) if last else None


def _parse(text: str) -> "ChainHead":
    from issuer.audit import ChainHead

    try:
        return ChainHead.parse(text)
    except ValueError as exc:
        raise InputError(
            "head-unreadable",
            Words("链头应写作 序号:哈希。", "A chain head is written SEQUENCE:HASH."),
            remedy=Words(f"请核对 --head 或 {HEADS}。", f"Check --head, or the file {HEADS}."),
        ) from exc
