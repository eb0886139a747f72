"""`ecert staff`, on signing in: identities at the provider, open sessions."""

from pathlib import Path
from typing import Annotated, Any

import typer

from issuer.access.commands import Username, administrator, record, staff_app, tell
from issuer.commands import DEFAULT_DATA_DIR, ActingAs, AsJson, DataDir, cli_context, print_json, say
from issuer.errors import InputError, Words

__all__ = ["staff_app"]


@staff_app.command("link-oidc")
def link_oidc(
    username: Username,
    subject: Annotated[str | None, typer.Option("--subject", help="平台给出的标识 sub / its `sub`")] = None,
    subject_file: Annotated[
        Path | None, typer.Option("--subject-file", help="首行是该标识的文件 / file whose first line it is")
    ] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """把身份认证平台的标识关联到账号 / let an identity of the provider sign in as an account."""
    from issuer.access import oidc_sign_in

    plain = _subject(subject, subject_file)
    with cli_context(data_dir) as ctx, ctx.database.write() as session:
        actor = administrator(ctx, acting_as)
        issuer = ctx.settings.oidc_issuer
        if not issuer:
            raise InputError(
                "oidc-issuer-unset",
                Words("没有设置身份认证平台。", "No identity provider is set."),
                remedy=Words("先设置 ECERT_OIDC_ISSUER。", "Set ECERT_OIDC_ISSUER first."),
            )
        oidc_sign_in.link(session, ctx.clock, actor, username=username, issuer=issuer, subject=plain)
        record(ctx, session, actor, "staff.link-oidc", username, {"issuer": issuer})
    tell(as_json, {"username": username, "issuer": issuer}, f"已关联 / linked: {username} ← {issuer}")


@staff_app.command("unlink-oidc")
def unlink_oidc(
    username: Username, data_dir: DataDir = DEFAULT_DATA_DIR, acting_as: ActingAs = None, as_json: AsJson = False
) -> None:
    """解除关联，其会话随即结束 / unlink an account from the provider; its sessions end."""
    from issuer.access import oidc_sign_in, service

    with cli_context(data_dir) as ctx, ctx.database.write() as session:
        actor = administrator(ctx, acting_as)
        removed = oidc_sign_in.unlink(session, username)
        ended = service.end_sessions(session, username) if removed else 0
        record(ctx, session, actor, "staff.unlink-oidc", username, {"links": removed, "sessions": ended})
    told = "已解除 / unlinked" if removed else "原本没有 / there was none"
    tell(as_json, {"username": username, "links": removed}, f"{told}: {username}")


@staff_app.command("sessions")
def sessions_of(username: Username, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """列出账号现有会话 / list an account's open sessions."""
    from issuer.access import sessions

    with cli_context(data_dir) as ctx, ctx.database.read() as session:
        rows: list[dict[str, Any]] = [
            {
                "session": row.secret_sha256[: sessions.NAME_LENGTH],
                "opened_at": row.created_at.isoformat(),
                "seen_at": row.seen_at.isoformat() if row.seen_at else None,
                "expires_at": row.expires_at.isoformat(),
                "means": row.means,
                "network": row.network,
                "program": row.program,
            }
            for row in sessions.listing(session, ctx.clock, username)
        ]
    if as_json:
        print_json({"username": username, "sessions": rows})
        return
    if not rows:
        say("没有会话 / none open")
    for row in rows:
        say(f"{row['session']}  {row['opened_at'][:16]}Z  {row['means']}  {row['network']}  {row['program']}")


@staff_app.command("end-sessions")
def end_sessions(
    username: Username, data_dir: DataDir = DEFAULT_DATA_DIR, acting_as: ActingAs = None, as_json: AsJson = False
) -> None:
    """结束账号的全部会话 / end all sessions of an account."""
    from issuer.access import service

    with cli_context(data_dir) as ctx, ctx.database.write() as session:
        actor = administrator(ctx, acting_as)
        service.require_account(session, username)
        ended = service.end_sessions(session, username)
        record(ctx, session, actor, "staff.end-sessions", username, {"sessions": ended})
    tell(as_json, {"username": username, "ended": ended}, f"已结束 {ended} 个会话 / {ended} ended: {username}")


def _subject(given: str | None, file: Path | None) -> str:
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").split("\n", 1)[0].strip()
        except (OSError, UnicodeDecodeError) as exc:
            raise InputError("subject-file", Words("标识文件无法读取。", "The file cannot be read.")) from exc
    return given if given is not None else str(typer.prompt("标识 / subject"))
