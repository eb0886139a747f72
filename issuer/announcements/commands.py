"""`ecert announcement`: draft, edit, preview, publish as another person, take back with a note (R5–R11)."""

from pathlib import Path
from typing import Annotated

import typer

from issuer.acting import Acting, acting
from issuer.commands import print_json, say

announcement_app = typer.Typer(
    help="公告：起草、预览、发布、撤回 / announcements", no_args_is_help=True, rich_markup_mode=None
)
Number = Annotated[int, typer.Argument(help="公告序号 / id of the announcement")]
Version = Annotated[int | None, typer.Option("--version", help="阅读时的版本，默认当前 / version that was read")]


@announcement_app.command("list")
@acting
def list_(at: Acting) -> None:
    """列出草稿和已发布的公告 / drafts and published ones, newest first."""
    from issuer.announcements.reading import for_staff

    rows = for_staff(at.ctx, at.actor)
    if at.as_json:
        print_json({"announcements": [{name: getattr(row, name) for name in row.__slots__} for row in rows]})
        return
    if not rows:
        say("没有公告 / no announcements")
    for row in rows:
        say(f"{row.id}  {row.number or '草稿 draft'}  {row.kind}  {row.sitting_code}  {row.state}  {row.title}")


@announcement_app.command("draft")
@acting
def draft(
    at: Acting,
    sitting: Annotated[str, typer.Option("--sitting", help="考次 / sitting")],
    kind: Annotated[
        str, typer.Option("--kind", help="notice | results | supplementary | issue | invalidation | reinstatement")
    ],
    corrects: Annotated[int | None, typer.Option("--corrects", help="更正哪一份 / the one it corrects")] = None,
) -> None:
    """从模板起草 / begin a draft from the template of its kind."""
    from issuer.announcements.service import draft_announcement

    number = draft_announcement(at.ctx, at.actor, sitting, kind, corrects=corrects)
    _told(number, None, "draft", at.as_json)


@announcement_app.command("show")
@acting
def show(at: Acting, number: Number) -> None:
    """预览：正文和名单 / the text and its list; a draft's as it would be published now."""
    from issuer.announcements.reading import show_to_staff

    view = show_to_staff(at.ctx, at.actor, number)
    if at.as_json:
        print_json(view.to_json())
        return
    say(f"{view.heading.number or '草稿 draft'}  [{view.clause}]  {view.heading.state}  v{view.version}")
    say(f"{view.text.title}\n{view.text.title_en}\n\n{view.text.body}\n\n{view.text.body_en}\n")
    say(f"名单 / list: {view.listed}")
    for line in view.lines:
        say(f"  {line.name}  {line.admission_no}  {line.specialty}")
    if view.withdrawn_note:
        say(f"已撤回 / withdrawn: {view.withdrawn_note}")


@announcement_app.command("edit")
@acting
def edit(
    at: Acting,
    number: Number,
    title: Annotated[str | None, typer.Option("--title")] = None,
    title_en: Annotated[str | None, typer.Option("--title-en")] = None,
    body: Annotated[Path | None, typer.Option("--body", help="正文文本文件 / text file", exists=True)] = None,
    body_en: Annotated[Path | None, typer.Option("--body-en", help="英文正文文件", exists=True)] = None,
    version: Version = None,
) -> None:
    """修改自己的草稿 / change one's own draft; what is not named stays."""
    from issuer.announcements.reading import show_to_staff
    from issuer.announcements.service import edit_announcement
    from issuer.announcements.wording import Text

    view = show_to_staff(at.ctx, at.actor, number)
    old = view.text
    text = Text(
        title or old.title,
        title_en or old.title_en,
        body.read_text("utf-8") if body else old.body,
        body_en.read_text("utf-8") if body_en else old.body_en,
    )
    read = view.version if version is None else version
    edit_announcement(at.ctx, at.actor, number, text, version=read)
    _told(number, None, "draft", at.as_json)


@announcement_app.command("publish")
@acting
def publish(
    at: Acting,
    number: Number,
    version: Version = None,
) -> None:
    """由起草人以外的人发布，PDF 盖章 / published by somebody other than its drafter; its PDF is sealed."""
    from issuer.announcements.reading import show_to_staff
    from issuer.announcements.service import publish_announcement

    read = show_to_staff(at.ctx, at.actor, number).version if version is None else version
    published = publish_announcement(at.ctx, at.actor, number, version=read)
    _told(number, published, "published", at.as_json)


@announcement_app.command("discard")
@acting
def discard(at: Acting, number: Number) -> None:
    """撤回自己的草稿 / let go of one's own draft."""
    from issuer.announcements.service import withdraw_announcement

    withdraw_announcement(at.ctx, at.actor, number)
    _told(number, None, "withdrawn", at.as_json)


@announcement_app.command("withdraw")
@acting
def withdraw(
    at: Acting,
    number: Number,
    note: Annotated[str, typer.Option("--note", help="原因，将公开 / why; it stands in public")],
) -> None:
    """撤回已发布的公告，写明原因 / take a published one back, saying why."""
    from issuer.announcements.service import take_back

    take_back(at.ctx, at.actor, number, note)
    _told(number, None, "withdrawn", at.as_json)


def _told(number: int, published: str | None, state: str, as_json: bool) -> None:
    if as_json:
        print_json({"announcement": number, "number": published, "state": state})
    else:
        words = {"draft": "草稿已保存", "published": f"已发布 {published}", "withdrawn": "已撤回"}[state]
        say(f"公告 {number}：{words} / {state}")
