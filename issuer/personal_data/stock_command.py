"""`ecert stock-take`: compare everything that was issued, now."""

from typing import Annotated

import typer

from issuer.acting import Acting, acting
from issuer.commands import EXIT_REFUSED, print_json, progress, say
from issuer.personal_data.wording import FINDINGS


@acting
def stock_take(
    at: Acting,
    portions: Annotated[
        int, typer.Option("--portions", min=0, help="至多几份，0 为全部 / at most so many portions, 0 for all")
    ] = 0,
) -> None:
    """盘点：证书、文件、公开登记、日志、用印 / Compare certificates, files, record, log, seals. Exit 2: faults."""
    from sqlalchemy import func, select

    from issuer.personal_data.stock_take import standing_findings, take_portion
    from issuer.records.certificates import ECertificate

    with at.ctx.database.read() as session:
        total = session.scalar(
            select(func.count()).select_from(ECertificate).where(ECertificate.published_at.is_not(None))
        )
    done, taken = take_portion(at.ctx, at.actor), 1
    with progress("盘点 / stock-take", total or 0, quiet=at.as_json) as tell:
        tell(done.examined)
        while not done.finished and taken != portions:
            done, taken = take_portion(at.ctx, at.actor), taken + 1
            tell(done.examined)
    with at.ctx.database.read() as session:
        findings = [(row.kind, row.subject) for row in standing_findings(session)]
    if at.as_json:
        print_json(
            {
                "stock_take": done.take,
                "finished": done.finished,
                "examined": done.examined,
                "findings": [{"kind": kind, "subject": subject} for kind, subject in findings],
            }
        )
    else:
        say(f"盘点 / stock-take {done.take}: 证书 / certificates {done.examined}，不符 / findings {len(findings)}")
        for kind, subject in findings:
            say(f"✗ {subject}: {' / '.join(FINDINGS[kind])}")
    if findings:
        raise typer.Exit(EXIT_REFUSED)
