"""`ecert registration`: commitment texts, comparison with registers, where a sitting or a candidate stands (R2, R3).

Exit codes: 0 when the act was done, also when some rows of a file were kept out (they are reported); 2 when nothing
could be done, and then nothing was changed.
"""

import json
import tomllib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from issuer.acting import Acting, acting
from issuer.commands import note, print_json, say
from issuer.errors import InputError, Words
from issuer.words import say_in_both

if TYPE_CHECKING:
    from issuer.registration.report import ComparisonReport

registration_app = typer.Typer(
    help="告知承诺、信息比对、证明材料 / commitment, comparison, materials",
    no_args_is_help=True,
    rich_markup_mode=None,
)

SittingCode = Annotated[str, typer.Option("--sitting", help="考试批次代码 / sitting code")]
_SHOWN = 40
_MAX_TOML = 64 * 1024


@registration_app.command("compare")
@acting
def compare(
    at: Acting,
    sitting: SittingCode,
    source: Annotated[
        list[str], typer.Option("--source", help="来源=文件，可多次：education=F.xlsx / NAME=FILE, repeatable")
    ],
    version: Annotated[str, typer.Option("--version", help="数据日期或版本 / what its data is of")] = "",
    complete: Annotated[
        bool, typer.Option("--complete", help="未列出的按未查到 / who is not in the file is not found")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只检查，不写入 / check everything, write nothing")
    ] = False,
    annotated: Annotated[
        Path | None, typer.Option("--annotated", help="逐行结果存入目录 / folder for the rows with their results")
    ] = None,
    report: Annotated[Path | None, typer.Option("--report", help="另存 JSON 报告 / also write the report")] = None,
) -> None:
    """与教育、人社等部门的数据文件比对，重复提交不变 / compare a sitting with registers' files."""
    from issuer.registration.report import annotated_file, compare_file

    files = [_source(each) for each in source]
    done: list[dict[str, Any]] = []
    for name, path in files:
        result = compare_file(
            at.ctx, at.actor, sitting, name, path, version=version, complete=complete, dry_run=dry_run
        )
        body = result.to_json()
        if annotated is not None:
            annotated.mkdir(parents=True, exist_ok=True, mode=0o700)
            target = annotated / f"{sitting}-{name}.xlsx"
            target.touch(mode=0o600)
            body["annotated"] = {"file": str(target), "rows": annotated_file(result, target)}
        done.append(body)
        if not at.as_json:
            _tell(result)
            if annotated is not None:
                say(f"逐行结果 / row by row: {body['annotated']['file']}")
    if report is not None:
        text = json.dumps({"comparisons": done}, ensure_ascii=False, indent=2)
        report.write_text(text + "\n", encoding="utf-8")
    if at.as_json:
        print_json({"comparisons": done})


@registration_app.command("status")
@acting
def status(
    at: Acting,
    sitting: SittingCode,
    owing: Annotated[int, typer.Option("--owing", min=0, max=100_000, help="列出未齐人员数 / how many to list")] = 20,
) -> None:
    """承诺、比对、材料的情况，谁还没有齐 / how the facts stand, and who still owes what."""
    from issuer.registration.progress import facts_progress, who_owes

    stands = facts_progress(at.ctx, at.actor, sitting)
    people = who_owes(at.ctx, at.actor, sitting, limit=owing) if owing else []
    if at.as_json:
        listed = [
            {
                "registration_id": row.registration_id,
                "admission_no": row.admission_no,
                "missing": list(row.missing),
                "due_on": row.due_on.isoformat() if row.due_on else None,
                "waiting": list(row.waiting),
            }
            for row in people
        ]
        print_json(stands.to_json() | {"owing": listed})
        return
    say(f"{stands.programme_name} {sitting}: {stands.people} 人 / people, 有承诺 / committed {stands.promised}")
    for item, outcomes in stands.outcomes.items():
        parts = [f"{say_in_both('comparison', outcome)} {count}" for outcome, count in outcomes.items()]
        say(f"  {say_in_both('fact', item)}: {'; '.join(parts)}")
    for state, count in stands.materials.items():
        say(f"  材料 {say_in_both('material-state', state)}: {count}")
    for row in people:
        missing = "、".join(say_in_both("material", kind).zh for kind in row.missing) or "—"
        waiting = "、".join(say_in_both("fact", item).zh for item in row.waiting) or "—"
        say(f"→ {row.admission_no}: 应交 {missing} ({row.due_on or '—'}), 待比对 {waiting}")
    if people and len(people) == owing:
        note(f"只列出 {owing} 人，用 --owing 列出更多 / the first {owing} only")


@registration_app.command("show")
@acting
def show(
    at: Acting,
    sitting: SittingCode,
    admission_no: Annotated[str, typer.Option("--admission-no", help="准考证号 / admission number")],
) -> None:
    """一名考生的承诺、比对和材料 / one candidate's commitment, comparison and materials (the look is recorded)."""
    from issuer.registration.progress import registration_of, show_facts

    facts = show_facts(at.ctx, at.actor, registration_of(at.ctx, at.actor, sitting, admission_no))
    if at.as_json:
        print_json(facts.to_json())
        return
    say(f"告知承诺 / commitment: {say_in_both('commitment', facts.commitment)}")
    for each in facts.items:
        state, why = (
            say_in_both("fact-state", each.judgement.state),
            say_in_both("fact-why", each.judgement.why),
        )
        say(f"{say_in_both('fact', each.item)}: {state} ({why})")
    for asked in facts.asked:
        owed = "未交 / missing" if asked in facts.missing else "已交 / handed in"
        say(f"{say_in_both('material', asked.kind)}: {asked.due_on} 24:00, {owed}")


@registration_app.command("publish-text")
@acting
def publish_text(
    at: Acting,
    file: Annotated[Path, typer.Argument(help="承诺书 .toml：version, in_force_from, text_zh, text_en")],
    programme: Annotated[str, typer.Option("--programme", help="考试项目代码 / programme code")],
) -> None:
    """公布一版告知承诺书 / publish a version of the commitment text; it never changes afterwards (R2)."""
    from issuer.registration.commitments import publish_text as publish

    values = _text_file(file)
    text = publish(at.ctx, at.actor, programme, **values)
    at.tell(
        {"programme": programme, "version": text.version, "digest": text.digest},
        f"已公布 {text.version}，{text.in_force_from} 起施行 / published, in force from then: {text.digest}",
    )


@registration_app.command("texts")
@acting
def texts(
    at: Acting,
    programme: Annotated[str, typer.Option("--programme", help="考试项目代码 / programme code")],
) -> None:
    """列出承诺书各版本 / every version of the commitment text."""
    from issuer.registration.commitments import list_texts

    views = list_texts(at.ctx, at.actor, programme)
    if at.as_json:
        names = ("version", "in_force_from", "digest", "text_zh", "text_en", "published_by", "published_at")
        print_json({"texts": [{name: getattr(view, name) for name in names} for view in views]})
        return
    for view in views:
        say(f"{view.version}  {view.in_force_from}  {view.digest[:16]}  {view.published_by}")
    if not views:
        say("还没有公布文本 / none is published; next: ecert registration publish-text FILE.toml --programme CODE")


def _source(text: str) -> tuple[str, Path]:
    name, sign, path = text.partition("=")
    if not sign or not name or not path:
        raise InputError(
            "usage",
            Words("--source 写成 来源=文件，如 education=F.xlsx。", "--source is NAME=FILE: education=F.xlsx"),
        )
    if not Path(path).is_file():
        raise InputError(
            "file-not-found",
            Words(f"没有这个文件：{Path(path).name}", f"There is no such file: {Path(path).name}"),
            remedy=Words("核对路径。", "Check the path."),
        )
    return name, Path(path)


def _text_file(path: Path) -> dict[str, Any]:
    wanted = {"version": str, "in_force_from": date, "text_zh": str, "text_en": str}
    try:
        data = tomllib.loads(path.read_bytes()[:_MAX_TOML].decode("utf-8-sig"))
    except (OSError, ValueError):
        data = {}
    if set(data) != set(wanted) or not all(isinstance(data[name], kind) for name, kind in wanted.items()):
        raise InputError(
            "commitment-file",
            Words(
                "承诺书文件应为 TOML，含 version、in_force_from（日期）、text_zh、text_en。",
                "A TOML file with version, in_force_from (a date), text_zh and text_en is needed.",
            ),
            remedy=Words("示例见 docs/registration.md。", "See docs/registration.md for one."),
        )
    return data


def _tell(report: "ComparisonReport") -> None:
    mode = "试运行（未写入） / dry run (nothing written)" if report.dry_run else "比对完成 / compared"
    new, same = sum(report.comparison.new.values()), report.comparison.unchanged
    say(f"{mode} {report.comparison.source} {report.source_version}: {report.comparison.asked} 人 / people")
    say(
        f"{report.rows} 行 / rows: 新 / new {new}, 未变 / unchanged {same}, "
        f"不在本考次 / elsewhere {report.elsewhere}, 退回 / rejected {report.refused}"
    )
    for item, outcomes in report.outcomes().items():
        parts = [f"{say_in_both('comparison', outcome)} {count}" for outcome, count in outcomes.items()]
        say(f"  {say_in_both('fact', item)}: {'; '.join(parts)}")
    if report.comparison.undeclared:
        say(f"  名单中没有填报值，未比对 / nothing declared to compare with: {report.comparison.undeclared}")
    for finding in report.findings[:_SHOWN]:
        say(f"✗ {finding.row} 行 {finding.column}: {finding.message} [{finding.code}] → {finding.remedy}")
    if (more := len(report.findings) - _SHOWN) > 0:
        note(f"另有 {more} 条，见 --report / {more} more in --report")
