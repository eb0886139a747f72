"""`ecert audit`: walk the hash chain, and remember its head so that a cut-off end is found too."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from issuer.acting import Acting, acting
from issuer.commands import DEFAULT_DATA_DIR, EXIT_REFUSED, AsJson, DataDir, cli_context, note, print_json, say
from issuer.errors import InputError, Words
from issuer.rules.terms import Role

if TYPE_CHECKING:
    from issuer.audit import ChainHead
    from issuer.audit_standing import Standing

audit_app = typer.Typer(
    help="公开的日志与登记是否一致（不带子命令）；内部审计记录（verify、list）/ without a subcommand: the public log "
    "and register, as anyone audits them; verify and list: the private audit trail",
    rich_markup_mode=None,
)

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
    """检查哈希链是否完整；完整时记下链头 / is the chain whole; if so its head is remembered. Exit 2 if not.

    With ECERT_AUDIT_SECOND_PLACE also compared with the newest signed head there.
    """
    from issuer.audit import ChainFault, verify_chain
    from issuer.audit_standing import refusal_of

    remembered = _parse(head) if head is not None else _last_head(data_dir / HEADS)
    place = None
    with cli_context(data_dir) as ctx:
        with ctx.database.read() as session:
            report = verify_chain(session, remembered)
        checked_at = ctx.clock.now()
        if ctx.second_place is not None:
            place = ctx.second_place.standing()
    if place is not None and not place.writable:
        refusal = refusal_of(place)
        known = place.newest.head.sequence if place.newest else 0
        fault = ChainFault(known, f"second-place-{place.state}", str(refusal.words))
        report = replace(report, faults=(*report.faults, fault))
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
                "second_place": _place_json(place),
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


@audit_app.command("head")
@acting
def head_(
    at: Acting,
    accept_loss: Annotated[
        bool,
        typer.Option(
            "--accept-loss",
            help="较旧的备份就此继续，其后的记录作废 / go on from an older backup",
        ),
    ] = False,
) -> None:
    """把签名的链头存到第二处（serve 每小时一次）/ put the signed head into the second place, as serve does hourly."""
    at.actor.require(Role.OPERATOR)
    if at.ctx.second_place is None:
        raise InputError(
            "audit-place-unset",
            Words("没有设置第二存放处。", "No second place is set."),
            remedy=Words("设置 ECERT_AUDIT_SECOND_PLACE。", "Set ECERT_AUDIT_SECOND_PLACE."),
        )
    place = at.ctx.second_place
    put = place.accept_loss(at.ctx.room(), at.actor) if accept_loss else place.put_head(at.ctx.room())
    newest = put or place.standing().newest
    if at.as_json:
        body = {"written": put is not None, "number": newest.number, "head": str(newest.head)} if newest else {}
        print_json(body)
    elif newest is not None:
        word = "已存 / put" if put is not None else "未变 / unchanged"
        say(f"{word}: {newest.number} {newest.head}")


@audit_app.command("list")
@acting
def list_(
    at: Acting,
    subject: Annotated[str | None, typer.Option("--subject", help="如 certificate:12 / e.g. certificate:12")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="条数 / how many")] = 50,
) -> None:
    """最近的审计记录 / the latest events."""
    from sqlalchemy import select

    from issuer.records.ledger import AuditEvent

    query = select(AuditEvent).order_by(AuditEvent.sequence.desc()).limit(limit)
    if subject is not None:
        query = query.where(AuditEvent.subject == subject)
    at.actor.require(*READERS)
    with at.ctx.database.read() as session:
        rows = [_plain(event) for event in session.scalars(query)]
    if at.as_json:
        print_json({"events": rows})
        return
    for row in rows:
        clause = f" [{row['clause']}]" if row["clause"] else ""
        what = f"{row['act']}  {row['subject']}  {row['outcome']}{clause}"
        say(f"{row['sequence']:>6}  {row['at']}  {row['actor']}  {what}")


def _place_json(place: "Standing | None") -> dict[str, Any] | None:
    if place is None:
        return None
    newest = None if place.newest is None else str(place.newest.head)
    return {"state": place.state, "head": newest, "number": place.newest.number if place.newest else None}


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
