"""Rows to mend, kept for their sender for a few days as an encrypted workbook."""

import re
import secrets
import tempfile
from datetime import timedelta
from pathlib import Path

from issuer.access.actor import Actor
from issuer.context import Context
from issuer.errors import NotFoundError, Words
from issuer.records.encryption import SealedValueError
from issuer.records.storage import FileMissingError
from issuer.roster.annotate import annotated_workbook
from issuer.roster.report import RosterReport
from issuer.roster.service import IMPORTERS

KEPT_DAYS = 7
FOLDER = "returned"
_NAME = re.compile(r"[0-9]{8}-[0-9a-f]{32}", re.ASCII)


def keep_returned(ctx: Context, actor: Actor, content: Path, report: RosterReport) -> str | None:
    """Keep the rejected rows of the roster at `content` for the actor; the name to fetch them by, None without any.

    They are personal data: encrypted for this one account, and gone after KEPT_DAYS.
    """
    with tempfile.TemporaryDirectory(prefix="ecert-") as scratch:
        out = Path(scratch) / "returned.xlsx"
        if not annotated_workbook(content, report, out):
            return None
        workbook = out.read_bytes()
    return keep_file(ctx, actor, workbook)


def keep_file(ctx: Context, actor: Actor, workbook: bytes) -> str:
    """Keep any file for the actor alone, in the same way; the name to fetch it by."""
    _drop_old(ctx)
    name = f"{ctx.clock.today():%Y%m%d}-{secrets.token_hex(16)}"
    ctx.storage.put(_key(name), ctx.data_key.seal(_purpose(actor), workbook))
    return name


def fetch_returned(ctx: Context, actor: Actor, name: str) -> bytes:
    """The workbook (.xlsx) kept under `name`; raises NotAllowedError, NotFoundError (also for somebody else's)."""
    actor.require(*IMPORTERS)
    return fetch_file(ctx, actor, name)


def fetch_file(ctx: Context, actor: Actor, name: str) -> bytes:
    """The file kept under `name` for this account; raises NotFoundError."""
    if _NAME.fullmatch(name) is None:
        raise _not_found()
    try:
        return ctx.data_key.open(_purpose(actor), ctx.storage.get(_key(name)))
    except (FileMissingError, SealedValueError) as exc:  # gone, or another account's: told alike
        raise _not_found() from exc


def _not_found() -> NotFoundError:
    return NotFoundError(
        "returned-not-found",
        Words(
            f"没有这个文件；文件只保留 {KEPT_DAYS} 天，且只给提交人。",
            f"No such file; files are kept {KEPT_DAYS} days, for their sender only.",
        ),
        remedy=Words("重新提交文件即可再次得到。", "Send the file again to get it."),
    )


def _drop_old(ctx: Context) -> None:
    oldest = f"{ctx.clock.today() - timedelta(days=KEPT_DAYS):%Y%m%d}"
    for key in ctx.storage.list(FOLDER):
        if key.rpartition("/")[2][:8] < oldest:
            ctx.storage.delete(key)


def _key(name: str) -> str:
    return f"{FOLDER}/{name}.enc"


def _purpose(actor: Actor) -> str:
    return f"returned/{actor.username}"
