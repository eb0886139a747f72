"""`ecert issue` and `ecert certificate …`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from issuer.acting import Acting, acting
from issuer.commands import print_json, progress, say

if TYPE_CHECKING:
    from issuer.issuance.plan import IssuePlan
    from issuer.issuance.service import BatchReport

certificate_app = typer.Typer(help="电子证书 / certificates", no_args_is_help=True, rich_markup_mode=None)

ManagementNo = Annotated[str, typer.Argument(help="管理号 / management number")]
CorrectionId = Annotated[int, typer.Argument(help="更正编号 / correction number")]


@acting
def issue(
    at: Acting,
    sitting: Annotated[str, typer.Option("--sitting", help="考试批次 / sitting")],
    workers: Annotated[
        int, typer.Option("--workers", min=0, help="进程数，0 为每核一个 / processes, 0: one per core")
    ] = 0,
    plan: Annotated[bool, typer.Option("--plan", help="只显示将做什么 / show what would happen")] = False,
    apply: Annotated[str | None, typer.Option("--apply", help="按 --plan 的摘要执行 / the plan's digest")] = None,
) -> None:
    """向可以制发的人员制发电子证书；中断后重新运行即可继续 / issue; run it again after an interruption."""
    from issuer.issuance.service import issue_sitting, preview_issue

    preview = preview_issue(at.ctx, at.actor, sitting)
    if plan:
        print_json(preview.to_json()) if at.as_json else _tell_plan(preview)
        return
    total = len(preview.new) + len(preview.resumed)
    with progress("制发 / issuing", total, quiet=at.as_json) as show:
        report = issue_sitting(
            at.ctx, at.actor, sitting, workers, lambda done, _total: show(done), expected_digest=apply
        )
    print_json(report.to_json()) if at.as_json else _tell_report(report)


@certificate_app.command("list")
@acting
def list_(
    at: Acting,
    sitting: Annotated[str | None, typer.Option("--sitting", help="考试批次 / sitting")] = None,
    status: Annotated[str | None, typer.Option("--status", help="valid | invalid | suspended | superseded")] = None,
    before: Annotated[int | None, typer.Option("--before", help="接上页：上页的 next / the last page's next")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="条数 / how many")] = 50,
) -> None:
    """列出证书，新的在前 / certificates, newest first."""
    from issuer.issuance.search import list_certificates

    rows = list_certificates(at.ctx, at.actor, sitting_code=sitting, status=status, before=before, limit=limit)
    following = rows[-1].id if len(rows) == limit else None
    if at.as_json:
        print_json({"certificates": [row.to_json() for row in rows], "next": following})
        return
    if not rows:
        say("没有证书 / no certificates")
    for row in rows:
        say(f"{row.management_no}  {row.sitting}  {row.status or row.state}  {row.approved_on}")
    if following is not None:
        say(f"下一页 / next page: --before {following}")


@certificate_app.command("show")
@acting
def show(at: Acting, management_no: ManagementNo) -> None:
    """显示一份证书 / one certificate."""
    from issuer.issuance.queries import show_certificate

    body = show_certificate(at.ctx, at.actor, management_no).to_json()
    if at.as_json:
        print_json(body)
        return
    say(f"{body['management_no']}  {body['name']}  {body['programme']} {body['level']} {body['specialty']}")
    say(f"状态 / status: {body['status'] or body['state']}  批准 / approved: {body['approved_on']}")
    say(f"核验 / verify: {body['verify_url']}")
    for event in body["history"]:
        say(f"  {event['at']}  {event['status']}  {event['reason'] or ''}")


@certificate_app.command("pdf")
@acting
def pdf(
    at: Acting,
    management_no: ManagementNo,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="写到哪里 / where to write it")] = None,
) -> None:
    """取出证书文件（核对摘要后）/ write the sealed file, its digest checked."""
    from issuer.issuance.files import read_file
    from issuer.issuance.queries import show_certificate

    view = show_certificate(at.ctx, at.actor, management_no)
    content = read_file(at.ctx, view.certificate)
    path = out or Path(f"{view.certificate.management_no}.pdf")
    if path.is_dir():
        path /= f"{view.certificate.management_no}.pdf"
    _write(path, content)
    at.tell({"path": str(path), "sha256": view.certificate.file_sha256, "bytes": len(content)}, str(path))


@certificate_app.command("extend")
@acting
def extend(
    at: Acting,
    management_no: Annotated[str | None, typer.Argument(help="管理号 / management number")] = None,
    sitting: Annotated[str | None, typer.Option("--sitting", help="整个考试批次 / a whole sitting")] = None,
    older_than: Annotated[
        int | None, typer.Option("--older-than", min=1, help="多少天以前签的 / sealed more than so many days ago")
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="只显示将做什么 / show what would happen")] = False,
    apply: Annotated[str | None, typer.Option("--apply", help="按 --plan 的摘要执行 / the plan's digest")] = None,
) -> None:
    """为证书文件再加一枚存档时间戳；中断后重新运行即可继续 / one more archive timestamp, years later."""
    from issuer.errors import InputError, Words
    from issuer.issuance import extensions
    from issuer.issuance.extension import extend_certificate, remove_lost_extensions

    if management_no is not None and (sitting or older_than or plan or apply):
        raise InputError(
            "one-or-many",
            Words("指明管理号时不能再加其他条件。", "Name one certificate, or choose many, not both."),
        )
    if management_no is not None:
        remove_lost_extensions(at.ctx)
        done = extend_certificate(at.ctx, at.actor, management_no)
        print_json(done.to_json()) if at.as_json else say(f"{done.management_no}: {done.outcome}  {done.sha256}")
        return
    if plan:
        found = extensions.plan_extensions(at.ctx, at.actor, sitting_code=sitting, older_than_days=older_than)
        if at.as_json:
            print_json(found.to_json())
            return
        say(f"待续签 / due: {len(found.certificate_ids)}；执行 / to do it: --apply {found.digest}")
        return
    act = extensions.request_extensions(
        at.ctx,
        at.actor,
        sitting_code=sitting,
        older_than_days=older_than,
        expected_digest=apply,
        background=False,
    )
    if act is None:
        nothing = {"act": None, "state": "nothing-to-do"}
        print_json(nothing) if at.as_json else say("没有需要续签的证书 / none is due; nothing was changed")
        return
    with progress("续签 / extending", 100, quiet=at.as_json) as show_done:
        extensions.work(at.ctx, act, lambda finished, total: show_done(100 * finished // max(total, 1)))
    report = extensions.progress_of(at.ctx, at.actor, act)
    counts = report["counts"]
    print_json(report) if at.as_json else say(
        f"已续签 / extended {counts['done']}，未续签 / refused {counts['refused']}"
    )


@certificate_app.command("correct")
@acting
def correct(
    at: Acting,
    management_no: ManagementNo,
    name: Annotated[str, typer.Option("--name", help="更正后的姓名 / the right name")],
    basis: Annotated[str, typer.Option("--basis", help="依据 / basis")],
) -> None:
    """提议更正姓名，由另一人批准 / propose a corrected name; somebody else approves it."""
    from issuer.issuance.supersede import supersede

    number = supersede(at.ctx, at.actor, management_no, name, basis)
    if at.as_json:
        print_json({"correction": number, "state": "proposed"})
        return
    say(f"已提议更正 {number}，须由另一人批准 / proposed; somebody else must approve:")
    say(f"  ecert certificate approve-correction {number} --as USER")


@certificate_app.command("corrections")
@acting
def corrections(
    at: Acting,
    state: Annotated[str | None, typer.Option("--state", help="proposed | approved | applied | …")] = None,
) -> None:
    """列出更正 / corrections, newest first."""
    from issuer.issuance.queries import list_corrections

    rows = list_corrections(at.ctx, at.actor, state)
    if at.as_json:
        print_json({"corrections": rows})
        return
    if not rows:
        say("没有更正 / no corrections")
    for row in rows:
        say(f"{row['id']}  {row['management_no']}  {row['state']}  {row['proposed_by']} → {row['decided_by'] or '…'}")


@certificate_app.command("approve-correction")
@acting
def approve_correction(at: Acting, correction: CorrectionId) -> None:
    """批准更正：制发新证书，旧证书即被取代 / approve: the new certificate takes the old one's place."""
    from issuer.issuance.supersede import approve_supersession

    number = approve_supersession(at.ctx, at.actor, correction)
    print_json({"correction": correction, "management_no": number}) if at.as_json else say(f"新证书 / new: {number}")


@certificate_app.command("refuse-correction")
@acting
def refuse_correction(at: Acting, correction: CorrectionId) -> None:
    """不予批准，或由提议人撤回 / reject, or withdraw as the proposer."""
    from issuer.issuance.supersede import refuse_supersession

    refuse_supersession(at.ctx, at.actor, correction)
    print_json({"correction": correction, "state": "closed"}) if at.as_json else say("已办结 / closed")


def _write(path: Path, content: bytes) -> None:
    from issuer.errors import InputError, Words

    try:
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(content)
        part.replace(path)
    except OSError as exc:
        raise InputError(
            "cannot-write",
            Words("无法写入目标文件。", "The file cannot be written there."),
            remedy=Words("用 --out 指定可写的位置。", "Name a place with --out."),
        ) from exc


def _tell_plan(plan: "IssuePlan") -> None:
    say(f"{plan.sitting}: 将制发 / to issue {len(plan.new)}，继续 / to continue {len(plan.resumed)}")
    say(f"已发布 / published already {len(plan.done)}，不予制发 / refused {len(plan.refused)}")
    for refused in plan.refused[:20]:
        say(f"  登记 / registration {refused.registration}: {refused.code} [{refused.clause or '-'}]")
    say(f"执行 / to do it: ecert issue --sitting {plan.sitting} --apply {plan.digest}")


def _tell_report(report: "BatchReport") -> None:
    say(f"批次 / batch {report.batch}: 发布 / published {report.published}，用时 / seconds {report.seconds:.1f}")
    if report.already:
        say(f"此前已发布 / published before: {report.already}")
    for refused in report.refused[:20]:
        say(f"  登记 / registration {refused.registration}: {refused.code} [{refused.clause or '-'}]")
    if len(report.refused) > 20:
        say(f"  …… 共 / in all {len(report.refused)}（--json）")
    if report.cancelled:
        say("批次已被取消，草稿保留 / the batch was cancelled; drafts are kept")
