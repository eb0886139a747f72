"""`ecert keys rotate-data | move-data | data | retire-data`: the keys personal data rests under."""

from typing import TYPE_CHECKING, Annotated

import typer

from issuer.acting import Acting, acting
from issuer.commands import DEFAULT_DATA_DIR, AsJson, DataDir, cli_context, note, print_json, progress, say

if TYPE_CHECKING:
    from issuer.context import Context


def register(keys_app: typer.Typer) -> None:
    """Add the commands beside those of the signing keys."""
    keys_app.command("rotate-data")(rotate_data)
    keys_app.command("move-data")(move_data)
    keys_app.command("data")(list_data)
    keys_app.command("retire-data")(retire_data)


@acting
def rotate_data(
    at: Acting,
    values_only: Annotated[
        bool, typer.Option("--values-only", help="查询索引沿用现有密钥 / blind indexes keep their key")
    ] = False,
    move: Annotated[bool, typer.Option("--move/--no-move", help="随即重新加密旧数据 / re-encrypt at once")] = True,
) -> None:
    """更换个人信息密钥 / Make a new key for personal data; new values use it at once, old ones are moved to it."""
    from issuer.personal_data.rotation import rotate

    number = rotate(at.ctx, at.actor, values_only=values_only)
    changed = _move(at.ctx, quiet=at.as_json) if move else 0
    done = _finished(at.ctx)
    if at.as_json:
        print_json({"key": number, "rows_moved": changed, "finished": done})
        return
    say(f"新密钥 / new key: {number}")
    _say_moved(changed, done)


def move_data(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """把旧数据改用现行密钥（可中断、可重复）/ Re-encrypt what rests under older keys; may be killed and run again."""
    with cli_context(data_dir) as ctx:
        changed = _move(ctx, quiet=as_json)
        done = _finished(ctx)
    if as_json:
        print_json({"rows_moved": changed, "finished": done})
        return
    _say_moved(changed, done)


def list_data(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """列出个人信息密钥及其使用情况 / Data keys, and how many values and files rest under each."""
    from issuer.personal_data.moving import count_under
    from issuer.personal_data.rotation import list_data_keys

    with cli_context(data_dir) as ctx:
        keys = list_data_keys(ctx)
        counts = {key.number: sum(count_under(ctx, key.number).values()) for key in keys}
        done = _finished(ctx)
    if as_json:
        rows = [
            {
                "key": key.number,
                "made_at": key.made_at,
                "retired_at": key.retired_at,
                "seals": key.seals,
                "indexes": key.indexes,
                "present": key.present,
                "values": counts[key.number],
            }
            for key in keys
        ]
        print_json({"keys": rows, "finished": done})
        return
    for key in keys:
        marks = [
            text
            for text, on in (
                ("加密 / seals", key.seals),
                ("索引 / indexes", key.indexes),
                ("已销毁 / retired", key.retired_at is not None),
                ("文件不在本机 / file not here", not key.present and key.retired_at is None),
            )
            if on
        ]
        say(f"{key.number}  {counts[key.number]} 项 / values  {'，'.join(marks)}")


@acting
def retire_data(
    at: Acting,
    number: Annotated[int, typer.Argument(min=1, help="密钥编号 / number of the key")],
) -> None:
    """销毁不再使用的密钥（逐项清点后）/ Delete a key, once counting shows that nothing rests under it."""
    from issuer.personal_data.rotation import retire

    retire(at.ctx, at.actor, number)
    at.tell(
        {"key": number, "retired": True},
        f"已销毁 / retired: {number}。旧备份中仍有该密钥 / older backups still hold it",
    )


def _move(ctx: "Context", *, quiet: bool) -> int:
    from issuer.personal_data.moving import move_all, rows_to_look_at

    with progress("重新加密 / re-encrypting", rows_to_look_at(ctx), quiet=quiet) as done:
        return move_all(ctx, done)


def _finished(ctx: "Context") -> bool:
    from issuer.personal_data.moving import unfinished

    return not unfinished(ctx)


def _say_moved(changed: int, done: bool) -> None:
    say(f"改用现行密钥 / moved: {changed} 行 / rows")
    if not done:
        note("仍有数据未处理，请稍后再运行 ecert keys move-data / some are left: run ecert keys move-data again")
