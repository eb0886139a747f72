"""`ecert hearing`: notify, record and close hearings, write their record as PDF (R7, R9, R10)."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from issuer.acting import Acting, acting
from issuer.commands import print_json, say
from issuer.errors import InputError, Words

hearing_app = typer.Typer(
    help="听证：通知、笔录、核对 / hearings before a decision (R7, R9, R10)",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Number = Annotated[int, typer.Argument(help="听证序号 / id of the hearing")]
Why = Annotated[str, typer.Option("--why", help="情况说明 / what happened")]


@hearing_app.command("list")
@acting
def list_(
    at: Acting,
    open_only: Annotated[bool, typer.Option("--open", help="只列未办结的 / open ones only")] = False,
) -> None:
    """列出听证，新的在前 / hearings, newest first."""
    from issuer.hearings.reading import list_hearings

    rows = list_hearings(at.ctx, at.actor, open_only=open_only)
    if at.as_json:
        print_json({"hearings": [row.to_json() for row in rows]})
        return
    if not rows:
        say("没有听证 / no hearings")
    for row in rows:
        about = f"case {row.case_id}" if row.case_id else f"defence {row.sitting_code} {row.admission_no}"
        when = f"{row.starts_at:%Y-%m-%d %H:%M} UTC {row.place}" if row.starts_at else "—"
        say(f"{row.id}  {row.number or '待通知'}  [{row.clause}] {about}  {row.state}  {when}")


@hearing_app.command("notify")
@acting
def notify(
    at: Acting,
    when: Annotated[
        datetime, typer.Option("--at", formats=["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"], help="北京时间 / in Shanghai")
    ],
    place: Annotated[str, typer.Option("--place", help="地点 / place")],
    chair: Annotated[str, typer.Option("--chair", help="主持人用户名 / user name of the chair")],
    case: Annotated[int | None, typer.Option("--case", help="无效事项编号 / a proposed case")] = None,
    sitting: Annotated[str | None, typer.Option("--sitting", help="申辩人的考次 / sitting of a defence")] = None,
    admission_no: Annotated[str | None, typer.Option("--admission-no", help="申辩人的准考证号")] = None,
) -> None:
    """通知听证的时间、地点、主持人，或改期 / notify time, place and chair, or move it."""
    from issuer.api.hearings import named
    from issuer.clock import SHANGHAI
    from issuer.hearings import service
    from issuer.hearings.reading import show_hearing

    about = named(case, sitting, admission_no)
    made = service.set_hearing(
        at.ctx, at.actor, about, starts_at=when.replace(tzinfo=SHANGHAI), place=place, chair=chair
    )
    view = show_hearing(at.ctx, at.actor, made)
    at.tell(
        {"hearing": made, "number": view.number},
        f"已通知听证 {view.number}（序号 {made}）/ notified; next: ecert hearing record {made}",
    )


@hearing_app.command("record")
@acting
def record(
    at: Acting,
    number: Number,
    present: Annotated[list[str], typer.Option("--present", help="身份：姓名，可多次 / capacity: name")],
    minutes: Annotated[
        Path, typer.Option("--minutes", help="听证经过文本文件 / text file", exists=True, dir_okay=False)
    ],
    scan: Annotated[
        Path | None, typer.Option("--scan", help="签字笔录扫描件 / scan, PDF, PNG, JPEG", exists=True, dir_okay=False)
    ] = None,
    signed: Annotated[bool, typer.Option("--signed", help="当事人已当场签字 / signed on paper")] = False,
) -> None:
    """主持人记录到场人员和听证经过 / its chair writes down who came and what was said."""
    from issuer.api.hearings import present_in
    from issuer.hearings import service

    service.record_hearing(
        at.ctx,
        at.actor,
        number,
        present=present_in("\n".join(present)),
        minutes=_text_of(minutes),
        scan=scan.read_bytes() if scan else None,
        signed=signed,
    )
    _told(number, "confirmed" if signed else "held", at.as_json)


@hearing_app.command("absent")
@acting
def absent(
    at: Acting,
    number: Number,
    why: Why,
) -> None:
    """当事人无正当理由未到，按放弃处理 / the person did not come: given up."""
    from issuer.hearings import service

    service.note_absence(at.ctx, at.actor, number, why)
    _told(number, "waived", at.as_json)


@hearing_app.command("unsigned")
@acting
def unsigned(
    at: Acting,
    number: Number,
    why: Why,
) -> None:
    """核对期满未签字，注明原因 / the days to answer are over: why there is no signature."""
    from issuer.hearings import service

    service.close_unsigned(at.ctx, at.actor, number, why)
    _told(number, "unsigned", at.as_json)


@hearing_app.command("pdf")
@acting
def pdf(
    at: Acting,
    number: Number,
    out: Annotated[Path, typer.Option("--out", help="笔录 PDF / where the record goes")],
) -> None:
    """写出听证笔录 PDF（办结后盖章；查阅入审计）/ the record, sealed when it is over; reading is put on record."""
    from issuer.hearings.reading import show_hearing
    from issuer.hearings.sealed_record import record_of
    from issuer.own_files import write_own_file

    view = show_hearing(at.ctx, at.actor, number)
    write_own_file(out, record_of(at.ctx, at.actor, view))
    at.tell({"hearing": number, "number": view.number, "file": str(out)}, f"听证笔录 / record {view.number}: {out}")


def _text_of(file: Path) -> str:
    from issuer.hearings.service import MAX_MINUTES

    try:
        with file.open("rb") as opened:
            return opened.read(4 * MAX_MINUTES + 4).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError(
            "minutes-unreadable",
            Words(
                "听证经过须为 UTF-8 文本文件，未作改动。",
                "The minutes are a text file in UTF-8; nothing was changed.",
            ),
            remedy=Words("请另存为 UTF-8 后重试。", "Save it as UTF-8 and try again."),
        ) from exc


def _told(number: int, state: str, as_json: bool) -> None:
    if as_json:
        print_json({"hearing": number, "state": state})
    else:
        say(f"听证 {number}：{state} / hearing {number} is {state} now")
