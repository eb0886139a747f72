"""What all commands of `ecert` share: options, the context and actor behind them, one-line errors, --json."""

import getpass
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from issuer.error_log import keep_traceback
from issuer.errors import DomainError, Words
from issuer.rules.violation import RuleViolation

if TYPE_CHECKING:
    from issuer.access.actor import Actor
    from issuer.clock import Clock
    from issuer.context import Context
    from issuer.settings import Settings

DEFAULT_DATA_DIR = Path("ecert-data")
EXIT_REFUSED = 2
EXIT_UNEXPECTED = 70  # EX_SOFTWARE of sysexits.h
EXIT_INTERRUPTED = 130

DataDir = Annotated[
    Path,
    typer.Option("--data-dir", envvar="ECERT_DATA_DIR", help="数据目录 / data folder", show_default="./ecert-data"),
]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON，供程序读取 / machine-readable output")]
ActingAs = Annotated[
    str | None,
    typer.Option("--as", envvar="ECERT_ACTOR", help="以哪个工作人员账号办理 / staff account that acts"),
]


def cli_settings(data_dir: Path) -> "Settings":
    """Settings from the environment with the folder named on the command line."""
    from issuer.settings import Settings

    return Settings(data_dir=data_dir)


@contextmanager
def cli_context(data_dir: Path, clock: "Clock | None" = None) -> Iterator["Context"]:
    """The opened context of a data folder, closed afterwards. Raises what `open_context` raises."""
    from issuer.context import open_context

    ctx = open_context(cli_settings(data_dir), clock)
    try:
        yield ctx
    finally:
        ctx.close()


def cli_actor(ctx: "Context", username: str | None = None) -> "Actor":
    """Who acts from the command line.

    With --as (or ECERT_ACTOR): that staff account with its roles. Without: whoever is signed in to this
    machine, as `local:USER`, with every role, since they hold the folder and its keys anyway. Two-person
    acts still need two different names. Raises NotFoundError, NotAllowedError (closed account).
    """
    from issuer.access.actor import Actor
    from issuer.access.service import actor_for
    from issuer.rules.terms import Role

    if username:
        with ctx.database.read() as session:
            return actor_for(session, username, "cli")
    return Actor(username=f"local:{_local_user()}", roles=frozenset(Role), via="cli")


def _local_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container user without an entry in passwd
        return f"uid{os.getuid()}" if hasattr(os, "getuid") else "unknown"


def print_json(value: Any) -> None:
    """Write one JSON document to standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def say(text: str = "") -> None:
    """Write one line for a person to standard output."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """Write one line for a person to standard error (progress, hints), so that output stays clean."""
    sys.stderr.write(text + "\n")


@contextmanager
def progress(label: str, total: int, *, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error for people; nothing when quiet or when nobody watches.

    Yields a function that is given how many of `total` are done.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task(label, total=total)
        yield lambda done: bars.update(task, completed=done)


def error_body(exc: DomainError | RuleViolation) -> dict[str, Any]:
    """A refusal as --json writes it: code, message in both languages, remedy, clause."""
    if isinstance(exc, RuleViolation):
        words = Words(f"{exc.found[0]}；要求：{exc.expected[0]}", f"{exc.found[1]}; required: {exc.expected[1]}")
        return {"code": exc.code, "message": words.zh, "message_en": words.en, "clause": exc.clause}
    body = {"code": exc.code, "message": exc.words.zh, "message_en": exc.words.en}
    if exc.remedy:
        body |= {"remedy": exc.remedy.zh, "remedy_en": exc.remedy.en}
    if exc.clause:
        body["clause"] = exc.clause
    return body


def report_refusal(exc: DomainError | RuleViolation, *, as_json: bool) -> int:
    """Say on one line what was refused and what to do; returns the exit code (2)."""
    body = error_body(exc)
    if as_json:
        print_json({"error": body})
        return EXIT_REFUSED
    line = f"{body['message']} / {body['message_en']}"
    if "clause" in body:
        line += f" [{body['clause']}]"
    if "remedy" in body:
        line += f" → {body['remedy']} / {body['remedy_en']}"
    note(_one_line(line))
    return EXIT_REFUSED


def report_usage(message: str, *, as_json: bool) -> int:
    """Say on one line what is wrong with the command; returns the exit code (2)."""
    if message.startswith("Usage:"):  # a group without a sub-command: its help is the answer
        note(message)
    elif as_json:
        print_json({"error": {"code": "usage", "message": message, "message_en": message}})
    else:
        note(_one_line(f"命令有误 / {message} → ecert --help"))
    return EXIT_REFUSED


def report_unexpected(exc: BaseException, data_dir: Path, *, as_json: bool) -> int:
    """Keep the traceback in DATA_DIR/logs, say one line with its reference; returns the exit code (70)."""
    reference, kept = keep_traceback(exc, data_dir)
    zh = f"程序内部错误，编号 {reference}；数据保持上一次完成时的状态。"
    en = f"Unexpected error, reference {reference}; the data is as the last finished step left it."
    where = f" → {kept}" if kept else ""
    if as_json:
        print_json({"error": {"code": "unexpected", "message": zh, "message_en": en, "log": str(kept or "")}})
    else:
        note(_one_line(f"{zh} / {en}{where}"))
    return EXIT_UNEXPECTED


def _one_line(text: str) -> str:
    return " ".join(text.split())
