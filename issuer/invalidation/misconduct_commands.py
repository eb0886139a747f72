"""`ecert misconduct`: the record under MOHRSS Order 31, letting a certificate go on, and transfer notes (R10)."""

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from issuer.acting import Acting, acting
from issuer.commands import print_json, say
from issuer.invalidation.commands import AdmissionNo, SittingCode

misconduct_app = typer.Typer(
    help="违纪违规记录与移送 / misconduct record and transfer (R10)", no_args_is_help=True, rich_markup_mode=None
)
Number = Annotated[str | None, typer.Option("--management-no", help="管理号 / management number")]


@misconduct_app.command("list")
@acting
def list_(
    at: Acting,
    state: Annotated[str | None, typer.Option("--state", help="running | expired | lifted")] = None,
    management_no: Number = None,
    sitting: SittingCode = None,
    admission_no: AdmissionNo = None,
) -> None:
    """列出记录，新的在前；查阅入审计 / records, newest first; looking is put on record."""
    from issuer.invalidation.misconduct import list_records
    from issuer.invalidation.subject import named

    of = named(management_no, sitting, admission_no) if management_no or sitting or admission_no else None
    rows = list_records(at.ctx, at.actor, state=state, of=of)
    if at.as_json:
        print_json({"records": [row.to_json() for row in rows]})
        return
    if not rows:
        say("没有记录 / no records")
    for row in rows:
        until = row.ends_on or "长期 / long-term"
        say(f"{row.id}  {row.name}  {row.sitting_code}  [{row.article}]  {row.state}  {row.recorded_on} → {until}")


@misconduct_app.command("consider")
@acting
def consider(
    at: Acting,
    record: Annotated[int, typer.Argument(help="记录编号 / record")],
    note: Annotated[str, typer.Option("--note", help="查阅意见 / what was found")],
    management_no: Number = None,
    sitting: SittingCode = None,
    admission_no: AdmissionNo = None,
) -> None:
    """批准人员查阅后同意本次报名制发（第十二条）/ let one registration go on in spite of the record (article 12)."""
    from issuer.invalidation import misconduct
    from issuer.invalidation.subject import named

    misconduct.consider(at.ctx, at.actor, record, named(management_no, sitting, admission_no), note)
    at.tell({"record": record, "considered": True}, "已记录，可以制发 / on record; the certificate may be made")


@misconduct_app.command("transfer")
@acting
def transfer(
    at: Acting,
    case: Annotated[int, typer.Argument(help="事项编号 / case number")],
    to: Annotated[str, typer.Option("--to", help="接收机关 / receiving authority")],
    facts: Annotated[str, typer.Option("--facts", help="涉嫌犯罪的事实 / facts")],
    evidence: Annotated[
        list[Path], typer.Option("--evidence", help="证据文件，可多次 / evidence file", exists=True, dir_okay=False)
    ],
    out: Annotated[Path, typer.Option("--out", help="移送函 PDF / where the note goes")],
) -> None:
    """涉嫌犯罪的移送：编号、事实、证据摘要 / transfer of a suspected crime: number, facts, digests (R10)."""
    from issuer.invalidation import transfer as notes

    pieces = []
    for path in evidence:
        with path.open("rb") as file:
            pieces.append(notes.Evidence(path.name, hashlib.file_digest(file, "sha256").hexdigest()))
    number, digest = notes.transfer(at.ctx, at.actor, case, to=to, facts=facts, evidence=pieces)
    out.write_bytes(notes.transfer_pdf(at.ctx, at.actor, number))
    at.tell({"number": number, "sha256": digest, "file": str(out)}, f"移送函 / transfer note {number}: {out}")


@misconduct_app.command("lift")
@acting
def lift(
    at: Acting,
    record: Annotated[int, typer.Argument(help="记录编号 / record")],
    reason: Annotated[str, typer.Option("--reason", help="理由和依据 / why")],
) -> None:
    """提议撤销在期记录，由另一名批准人员决定 / ask to lift a running record; another approver decides."""
    from issuer.invalidation.lifting import propose_lift

    propose_lift(at.ctx, at.actor, record, reason)
    _told(record, "lift-proposed", at.as_json)


@misconduct_app.command("decide-lift")
@acting
def decide_lift(
    at: Acting,
    record: Annotated[int, typer.Argument(help="记录编号 / record")],
    approve: Annotated[bool, typer.Option("--approve/--reject", help="是否撤销 / whether it is lifted")],
) -> None:
    """决定是否撤销（提议人以外的批准人员）/ decide on it, as somebody other than who asked."""
    from issuer.invalidation import lifting

    lifting.decide_lift(at.ctx, at.actor, record, approved=approve)
    _told(record, "lifted" if approve else "kept", at.as_json)


def _told(record: int, act: str, as_json: bool) -> None:
    if as_json:
        print_json({"record": record, "act": act})
    else:
        say(f"记录 / record {record}: {act}")
