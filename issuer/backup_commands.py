"""`ecert backup` and `ecert restore`."""

import os
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import Exit

from issuer.commands import (
    DEFAULT_DATA_DIR,
    EXIT_REFUSED,
    AsJson,
    DataDir,
    cli_context,
    cli_settings,
    print_json,
    say,
)

PassphraseFile = Annotated[
    Path | None, typer.Option("--passphrase-file", help="备份口令所在文件 / file with the backup's passphrase")
]


def backup(
    target: Annotated[Path, typer.Argument(help="备份文件 .tar / where to write it")],
    passphrase_file: PassphraseFile = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """备份数据库、文件和密钥（可在运行中进行）/ back up databases, files and keys, while in use."""
    from issuer.backup import back_up, new_passphrase
    from issuer.clock import SystemClock

    given = _passphrase(passphrase_file)
    passphrase = given or new_passphrase()
    report = back_up(cli_settings(data_dir), SystemClock(), target, passphrase)
    if as_json:
        body = {"path": str(report.path), "entries": report.entries, "bytes": report.size}
        print_json(body if given else body | {"passphrase": passphrase})
        return
    say(f"已备份 / backed up: {report.path} ({report.entries} 项 / entries, {report.size >> 10} KiB)")
    if not given:
        say(f"口令（只显示一次，请与备份分开保管）/ passphrase, shown once, keep it apart: {passphrase}")


def restore(
    source: Annotated[Path, typer.Argument(help="备份文件 / the backup")],
    passphrase_file: PassphraseFile = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """从备份恢复到空目录，并核对 / restore into an empty folder and check what was restored."""
    from issuer.backup import restore as restore_backup
    from issuer.errors import InputError, Words
    from issuer.restored import check_restored

    passphrase = _passphrase(passphrase_file)
    if not passphrase:
        raise InputError(
            "passphrase-missing",
            Words("恢复需要备份口令。", "Restoring needs the backup's passphrase."),
            remedy=Words(
                "用 --passphrase-file 或环境变量 ECERT_BACKUP_PASSPHRASE 提供。",
                "Give --passphrase-file or set ECERT_BACKUP_PASSPHRASE.",
            ),
        )
    report = restore_backup(cli_settings(data_dir), source, passphrase)
    with cli_context(data_dir) as ctx:
        checked = check_restored(ctx)
    if as_json:
        print_json({"data_dir": str(report.path), "entries": report.entries, **checked.to_json()})
    else:
        say(f"已恢复 / restored: {report.path} ({report.entries} 项 / entries)")
        say(f"证书文件 / certificate files {checked.files}，缺失或不符 / missing or changed {len(checked.damaged)}")
        say(f"审计链 / audit chain: {'完整 / whole' if checked.audit_intact else '不完整 / broken'}")
        if checked.erased_again:
            say(f"备份之后已删除的个人信息已再次删除 / erased again: {checked.erased_again} 人 / persons")
        if checked.read_only is not None:
            say(f"只读 / read-only: {checked.read_only.words} → {checked.read_only.remedy}")
    if not checked.good:
        raise Exit(EXIT_REFUSED)


def _passphrase(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get("ECERT_BACKUP_PASSPHRASE")
    from issuer.errors import InputError, Words

    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError(
            "passphrase-unreadable", Words("口令文件无法读取。", "The passphrase file cannot be read.")
        ) from exc
