"""`ecert review sample`: publish a seed, draw with it, draw again from a list, show and record (R15)."""

from pathlib import Path
from typing import Annotated

import typer

from issuer.acting import Acting, acting
from issuer.commands import AsJson, print_json, say
from issuer.errors import InputError, Words
from issuer.rules.sampling import drawn, list_digest

sample_app = typer.Typer(help="随机抽查 / random checks (R15)", no_args_is_help=True, rich_markup_mode=None)

SittingCode = Annotated[str, typer.Option("--sitting", help="考试批次代码 / sitting code")]
PerMille = Annotated[int, typer.Option("--per-mille", min=1, max=1000, help="抽查比例（‰） / rate per mille")]


@sample_app.command("fix")
@acting
def fix(
    at: Acting,
    sitting: SittingCode,
    per_mille: PerMille,
) -> None:
    """生成并公布种子 / make the seed and publish it, before anybody is drawn."""
    from issuer.review.sampling import fix_seed

    done = fix_seed(at.ctx, at.actor, sitting, per_mille)
    at.tell(
        {"sampling": done.sampling, "seed": done.seed, "per_mille": done.per_mille},
        f"抽查 {done.sampling} 的种子已公布 / seed published at /announcements: {done.seed}",
    )


@sample_app.command("draw")
@acting
def draw(at: Acting, sitting: SittingCode) -> None:
    """用已公布的种子抽取 / draw with the published seed."""
    from issuer.review.sampling import draw_sample

    done = draw_sample(at.ctx, at.actor, sitting)
    if at.as_json:
        print_json(
            {
                "sampling": done.sampling,
                "seed": done.seed,
                "per_mille": done.per_mille,
                "population": done.population,
                "list_sha256": done.list_sha256,
                "picked": list(done.picked),
            }
        )
    else:
        say(f"名单 {done.population} 人，抽中 {len(done.picked)} 人 / {len(done.picked)} of {done.population} picked")
        for number in done.picked:
            say(f"  {number}")


@sample_app.command("recompute")
def recompute(
    file: Annotated[Path, typer.Argument(help="准考证号，每行一个 / admission numbers, one a line")],
    seed: Annotated[str, typer.Option("--seed", help="公布的种子 / the published seed")],
    per_mille: PerMille,
    as_json: AsJson = False,
) -> None:
    """不需要数据目录：凭名单和种子重算 / draw again from a list and a seed, without any data folder."""
    try:
        ids = [line.strip() for line in file.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError(
            "list-unreadable",
            Words("名单文件无法读取。", "The list cannot be read."),
            remedy=Words("每行一个准考证号，UTF-8 编码。", "One admission number a line, in UTF-8."),
        ) from exc
    picked, digest = drawn(seed, ids, per_mille), list_digest(ids)
    if as_json:
        print_json({"population": len(set(ids)), "list_sha256": digest, "picked": list(picked)})
    else:
        say(f"名单 {len(set(ids))} 人 / people; SHA-256 {digest}")
        for number in picked:
            say(f"  {number}")
