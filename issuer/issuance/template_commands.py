"""`ecert template …`: the certificate page of a programme, with an invented person on it."""

from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import Exit

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

template_app = typer.Typer(help="证书版式 / certificate templates", no_args_is_help=True, rich_markup_mode=None)


@template_app.command("list")
def list_(as_json: AsJson = False) -> None:
    """列出版式及其摘要 / templates with their digests."""
    from templates.certificate.wording import template_names, template_version

    found = {name: template_version(name) for name in template_names()}
    if as_json:
        print_json({"templates": [{"name": name, "version": version} for name, version in found.items()]})
        return
    for name, version in found.items():
        say(f"{name}  {version[:16]}")


@template_app.command("preview")
def preview(
    template: Annotated[str | None, typer.Argument(help="版式名 / template, see: ecert template list")] = None,
    programme: Annotated[str | None, typer.Option("--programme", help="按考试项目 / of this programme")] = None,
    name: Annotated[str, typer.Option("--name", help="虚构姓名 / an invented name")] = "李㛃䶮",
    out: Annotated[Path, typer.Option("--out", "-o", help="PDF 写到哪里 / where to write the PDF")] = Path(
        "preview.pdf"
    ),
    png: Annotated[Path | None, typer.Option("--png", help="另存图片 / a picture as well")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """画一页样章（虚构人员，未盖章）；版式有问题时退出码 2 / draw a sample page, never sealed."""
    from issuer.issuance import template_preview as previews

    look = None
    if programme is not None:
        with cli_context(data_dir) as ctx:
            look = previews.look_of(ctx, cli_actor(ctx, acting_as), programme)
    page = previews.sample_page(name, template=template, look=look)
    pdf, problems = previews.draw(page)
    _write(out, pdf)
    if png is not None:
        _write(png, previews.picture(pdf, dpi=144))
    if as_json:
        files = {"pdf": str(out), "png": str(png) if png else None}
        print_json({"template": page.template, **files, "problems": list(problems)})
    else:
        say(f"{out}" + (f"  {png}" if png else ""))
        for problem in problems:
            note(problem)
    if problems:
        raise Exit(EXIT_REFUSED)


def _write(path: Path, content: bytes) -> None:
    from issuer.errors import InputError, Words

    try:
        path.write_bytes(content)
    except OSError as exc:
        raise InputError(
            "cannot-write",
            Words("无法写入目标文件。", "The file cannot be written there."),
            remedy=Words("用 --out 或 --png 指定可写的位置。", "Name a place with --out or --png."),
        ) from exc
