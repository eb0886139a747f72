"""`ecert audit pack` and `pack-check`: make an auditor's pack; check one with the published keys."""

from pathlib import Path
from typing import Annotated

import typer

from issuer.acting import Acting, acting
from issuer.commands import DEFAULT_DATA_DIR, EXIT_REFUSED, AsJson, DataDir, note, print_json, say
from issuer.errors import InputError, Words
from issuer.own_files import write_own_file


@acting
def make(
    at: Acting,
    out: Annotated[Path, typer.Option("--out", help="写入的 .zip / the .zip to write")],
    person: Annotated[int | None, typer.Option("--person", help="人员编号 / a person's number")] = None,
    case: Annotated[int | None, typer.Option("--case", help="无效事项编号 / a case of invalidation")] = None,
    sitting: Annotated[str | None, typer.Option("--sitting", help="考次，随机抽样 / a sitting to sample")] = None,
    count: Annotated[int, typer.Option("--count", min=1, help="抽样人数 / how many people")] = 20,
    seed: Annotated[str | None, typer.Option("--seed", help="种子，不给则生成 / made when not given")] = None,
) -> None:
    """审计材料包：一人、一个事项或一个考次的随机样本 / a signed pack of a person, a case or a random sample."""
    from issuer.queues.pack import pack_of_case, pack_of_person, pack_of_sample

    match (person, case, sitting):
        case (int(), None, None):
            pack = pack_of_person(at.ctx, at.actor, person)
        case (None, int(), None):
            pack = pack_of_case(at.ctx, at.actor, case)
        case (None, None, str()):
            pack = pack_of_sample(at.ctx, at.actor, sitting, count, seed)
        case _:
            raise InputError(
                "pack-of-what",
                Words("请给出 --person、--case、--sitting 之一。", "Give one of --person, --case, --sitting."),
            )
    write_own_file(out, pack.content)
    at.tell({"file": str(out), "bytes": len(pack.content)}, f"已写入 {out}（{len(pack.content)} 字节） / written")


def check(
    file: Annotated[Path, typer.Argument(help="审计材料包 .zip / the pack")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """核验审计材料包：签名、文件、所附链段 / signature, files, enclosed links. Exit 2 if not good."""
    from issuer.commands import cli_settings
    from issuer.queues.pack_check import check_pack
    from keys.public.keyset import load_key_set

    report = check_pack(file, load_key_set(cli_settings(data_dir).keys_dir))
    if as_json:
        print_json(report.to_json())
    elif report.good:
        say(f"完好：{report.files} 个文件，{report.events} 条记录 / as the office made it")
    else:
        note(f"不可信：{len(report.faults)} 处 / not as the office made it")
        for code, at in report.faults[:20]:
            note(f"  {code}: {at}")
    if not report.good:
        raise typer.Exit(EXIT_REFUSED)
