"""`ecert staff`: accounts of members of staff, and API tokens for programs that act in their name."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from issuer.access.actor import ResetReason
from issuer.commands import DEFAULT_DATA_DIR, ActingAs, AsJson, DataDir, cli_actor, cli_context, print_json, say
from issuer.errors import InputError, Words
from issuer.rules.terms import Role

if TYPE_CHECKING:
    from issuer.context import Context

staff_app = typer.Typer(
    help="工作人员账号与接口令牌 / staff accounts and API tokens", no_args_is_help=True, rich_markup_mode=None
)

PASSWORD_VARIABLE = "ECERT_STAFF_PASSWORD"  # noqa: S105 - its name, not a password
Username = Annotated[str, typer.Argument(help="用户名 / user name")]


@staff_app.command("add")
def add(
    username: Username,
    role: Annotated[list[Role], typer.Option("--role", help="角色，可多次 / role, may be repeated")],
    display_name: Annotated[str | None, typer.Option("--display-name", help="显示名称 / name shown")] = None,
    programme: Annotated[
        list[str] | None, typer.Option("--programme", help="考试项目代码，可多次 / programmes of a review body")
    ] = None,
    city: Annotated[list[str] | None, typer.Option("--city", help="地市，可多次 / cities of a city office")] = None,
    password_file: Annotated[
        Path | None, typer.Option("--password-file", help="密码文件 / file whose first line is the password")
    ] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """新建账号；密码由终端、--password-file 或 ECERT_STAFF_PASSWORD 提供 / add an account."""
    from issuer.access import service

    password = _password(password_file)
    with cli_context(data_dir) as ctx, ctx.database.write() as session:
        actor = administrator(ctx, acting_as)
        account = service.create_account(
            session,
            ctx.clock,
            username=_usable(username),
            display_name=display_name or username,
            password=password,
            roles=role,
            programmes=programme or (),
            cities=city or (),
        )
        record(ctx, session, actor, "staff.add", account.username, {"roles": sorted(role)})
    if as_json:
        print_json({"username": account.username, "roles": account.roles})
    else:
        say(f"已建立账号 / added: {account.username} ({', '.join(account.roles)})")


@staff_app.command("list")
def list_(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """列出账号 / list accounts."""
    from sqlalchemy import select

    from issuer.records.access import StaffAccount

    with cli_context(data_dir) as ctx, ctx.database.read() as session:
        rows: list[dict[str, Any]] = [
            {
                "username": account.username,
                "display_name": account.display_name,
                "roles": account.roles,
                "programmes": account.programmes,
                "cities": account.cities,
                "active": account.active,
            }
            for account in session.scalars(select(StaffAccount).order_by(StaffAccount.username))
        ]
    if as_json:
        print_json({"accounts": rows})
        return
    if not rows:
        say("还没有账号 / no accounts yet; next: ecert staff add")
    for row in rows:
        state = "在用 / open" if row["active"] else "停用 / closed"
        scope = " ".join([*row["programmes"], *row["cities"]])
        say(f"{row['username']}  {row['display_name']}  {', '.join(row['roles'])}  {scope}  {state}")


@staff_app.command("close")
def close(
    username: Username, data_dir: DataDir = DEFAULT_DATA_DIR, acting_as: ActingAs = None, as_json: AsJson = False
) -> None:
    """停用账号，其会话和令牌随即失效 / close an account; its sessions and tokens end at once."""
    _set_active(username, False, data_dir, acting_as, as_json)


@staff_app.command("open")
def open_(
    username: Username, data_dir: DataDir = DEFAULT_DATA_DIR, acting_as: ActingAs = None, as_json: AsJson = False
) -> None:
    """重新启用账号 / open a closed account again."""
    _set_active(username, True, data_dir, acting_as, as_json)


@staff_app.command("password")
def password(
    username: Username,
    password_file: Annotated[Path | None, typer.Option("--password-file", help="密码文件 / password file")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """设置新密码并解除锁定，已有会话结束 / set a new password; open sessions end."""
    from issuer.access import service

    fresh = _password(password_file)
    with cli_context(data_dir) as ctx, ctx.database.write() as session:
        actor = administrator(ctx, acting_as)
        service.set_password(session, username, fresh)
        record(ctx, session, actor, "staff.password", username)
    tell(as_json, {"username": username}, f"已更新 / changed: {username}")


@staff_app.command("reset-second-factor")
def reset_second_factor(
    username: Username,
    reason: Annotated[ResetReason, typer.Option("--reason", help="原因 / why")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """手机、密钥和恢复码都丢失时，由他人重置其第二验证 / take a lost second factor off somebody else's account."""
    from issuer.access import service

    with cli_context(data_dir) as ctx, ctx.database.write() as session:
        actor = administrator(ctx, acting_as)
        removed = service.reset_second_factor(session, actor, username)
        record(ctx, session, actor, "staff.reset-second-factor", username, {"removed": removed, "reason": reason})
    told = "已重置 / reset" if removed else "原本没有 / there was none"
    tell(as_json, {"username": username, "removed": removed}, f"{told}: {username}")


@staff_app.command("token")
def token(
    username: Username,
    label: Annotated[str, typer.Option("--label", help="用途 / what it is for")],
    days: Annotated[int, typer.Option("--days", help="有效天数 / days it lives")] = 90,
    role: Annotated[list[Role] | None, typer.Option("--role", help="只保留这些角色 / narrow to these roles")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """生成接口令牌，只显示一次 / make an API token; it is shown once."""
    from issuer.access import service

    with cli_context(data_dir) as ctx, ctx.database.write() as session:
        actor = administrator(ctx, acting_as)
        secret = service.issue_api_token(
            session, ctx.clock, username=username, label=label, days=days, scopes=role or ()
        )
        number = service.digest(secret)[:12]
        record(ctx, session, actor, "staff.token", username, {"token": number, "days": days})
    if as_json:
        print_json({"username": username, "token": secret, "id": number, "days": days})
        return
    say(secret)
    say(f"编号 / id {number}；此后不再显示 / not shown again. Authorization: Bearer …")


@staff_app.command("tokens")
def tokens(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """列出接口令牌（只有编号，没有内容）/ list API tokens by id."""
    from sqlalchemy import select

    from issuer.records.access import ApiToken

    with cli_context(data_dir) as ctx, ctx.database.read() as session:
        now = ctx.clock.now()
        rows: list[dict[str, Any]] = [
            {
                "id": row.secret_sha256[:12],
                "username": row.username,
                "label": row.label,
                "roles": row.scopes,
                "expires_at": row.expires_at.isoformat(),
                "live": row.revoked_at is None and row.expires_at > now,
            }
            for row in session.scalars(select(ApiToken).order_by(ApiToken.created_at))
        ]
    if as_json:
        print_json({"tokens": rows})
        return
    for row in rows:
        state = "有效 / live" if row["live"] else "失效 / ended"
        say(f"{row['id']}  {row['username']}  {row['label']}  {row['expires_at'][:10]}  {state}")


@staff_app.command("token-revoke")
def token_revoke(
    token_id: Annotated[str, typer.Argument(help="令牌编号 / token id, as `ecert staff tokens` shows it")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """停用接口令牌 / end an API token."""
    from issuer.access import service

    with cli_context(data_dir) as ctx, ctx.database.write() as session:
        actor = administrator(ctx, acting_as)
        username = service.revoke_token_by_id(session, ctx.clock, token_id)
        record(ctx, session, actor, "staff.token-revoke", username, {"token": token_id})
    tell(as_json, {"id": token_id, "live": False}, f"已停用 / ended: {token_id}")


def _set_active(username: str, active: bool, data_dir: Path, acting_as: str | None, as_json: bool) -> None:
    from issuer.access import service

    with cli_context(data_dir) as ctx, ctx.database.write() as session:
        actor = administrator(ctx, acting_as)
        service.set_active(session, username, active)
        record(ctx, session, actor, "staff.open" if active else "staff.close", username)
    word = "已启用 / opened" if active else "已停用 / closed"
    tell(as_json, {"username": username, "active": active}, f"{word}: {username}")


def administrator(ctx: "Context", acting_as: str | None) -> Any:
    """Who acts, if they may run accounts. Raises NotAllowedError."""
    actor = cli_actor(ctx, acting_as)
    actor.require(Role.OPERATOR)
    return actor


def record(
    ctx: "Context", session: Any, actor: Any, act: str, username: str, details: dict[str, Any] | None = None
) -> None:
    """Write an act on an account into the audit trail."""
    from issuer.audit import record_event

    record_event(session, ctx.clock, actor, act, f"staff:{username}", details=details)


def _usable(username: str) -> str:
    if not 2 <= len(username) <= 80 or not all(char.isalnum() or char in "._-@" for char in username):
        raise InputError(
            "username-unusable",
            Words(
                "用户名须为 2 至 80 个字母、数字或 . _ - @。", "A user name has 2 to 80 letters, digits or . _ - @."
            ),
        )
    return username


def _password(file: Path | None) -> str:
    """From the file's first line, the environment, or typed twice at a terminal."""
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as exc:
            raise InputError(
                "password-file", Words("密码文件无法读取。", "The password file cannot be read.")
            ) from exc
    if (given := os.environ.get(PASSWORD_VARIABLE)) is not None:
        return given
    if not sys.stdin.isatty():
        raise InputError(
            "password-missing",
            Words("没有提供密码。", "No password was given."),
            remedy=Words(
                f"用 --password-file 或 {PASSWORD_VARIABLE}。", f"Use --password-file or {PASSWORD_VARIABLE}."
            ),
        )
    return str(typer.prompt("密码 / password", hide_input=True, confirmation_prompt=True))


def tell(as_json: bool, body: dict[str, Any], line: str) -> None:
    """Answer a program or a person."""
    print_json(body) if as_json else say(line)
