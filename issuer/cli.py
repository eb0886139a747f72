"""`ecert`: the root of all commands. Each slice brings its own; they call the same services as the web."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import Abort, Exit, TyperException

from issuer.access.commands_sign_in import staff_app
from issuer.announcements.commands import announcement_app
from issuer.audit_commands import audit_app
from issuer.backup_commands import backup, restore
from issuer.commands import (
    DEFAULT_DATA_DIR,
    EXIT_INTERRUPTED,
    EXIT_REFUSED,
    AsJson,
    DataDir,
    cli_context,
    cli_settings,
    print_json,
    report_refusal,
    report_unexpected,
    report_usage,
    say,
)
from issuer.demo.commands import demo
from issuer.errors import DomainError
from issuer.hearings.commands import hearing_app
from issuer.invalidation.commands import invalidation_app, reinstate, revoke
from issuer.invalidation.mass_commands import revoke_many
from issuer.invalidation.misconduct_commands import misconduct_app
from issuer.issuance.commands import certificate_app, issue
from issuer.issuance.template_commands import template_app
from issuer.jobs.act_commands import act_app
from issuer.jobs.commands import batch_app, worker
from issuer.paper.commands import paper_app
from issuer.personal_data.commands import person_app
from issuer.personal_data.key_commands import register as register_data_keys
from issuer.personal_data.stock_command import stock_take
from issuer.queues import pack_commands
from issuer.queues.commands import work_app
from issuer.registration.commands import registration_app
from issuer.review.commands import review_app
from issuer.roster.commands import roster_app, sitting_app
from issuer.rules.violation import RuleViolation
from issuer.sharing.commands import watching_app
from keys.cli import app as keys_app
from verifier.audit.commands import audit_command, beside_subcommands
from verifier.cli import verify

ADDRESS = "ECERT_VERIFY_BASE_URL"


class Side(StrEnum):
    """What `serve` serves."""

    ISSUER = "issuer"
    VERIFIER = "verifier"
    ALL = "all"


app = typer.Typer(
    name="ecert",
    help="电子职业资格证书的签发、核验与管理 / Issue, verify and manage electronic qualification certificates.",
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="显示版本 / print the version")] = False,
) -> None:
    """Nothing but --version."""
    if version:
        from importlib.metadata import version as version_of

        say(f"ecert {version_of('ecert')}")
        raise Exit(0)
    if ctx.invoked_subcommand is None:
        say(ctx.get_help())
        raise Exit(2)


@app.command()
def init(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """建立数据目录：数据库、密钥仪式 / make the data folder: databases and key ceremony."""
    from issuer.clock import SystemClock
    from issuer.initialise import initialise

    made = initialise(cli_settings(data_dir), SystemClock())
    if as_json:
        print_json({"data_dir": str(data_dir), "created": made})
    elif made:
        say(f"已建立数据目录 / data folder made: {data_dir}")
        say("下一步 / next: ecert staff add, ecert sitting define, ecert roster import")
    else:
        say(f"数据目录已是最新 / the data folder is already up to date: {data_dir}")


@app.command()
def serve(
    side: Annotated[Side, typer.Argument(help="issuer | verifier | all")] = Side.ALL,
    host: Annotated[str, typer.Option("--host", help="监听地址 / address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="端口 / port")] = 8000,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """启动网站：签发端、核验端或两者 / serve the issuer, the verifier or both until interrupted."""
    from issuer.serving import end_process
    from issuer.serving import serve as run_server

    where = f"http://{host}:{port}/"
    if as_json:
        print_json({"serving": side.value, "url": where})
    else:
        say(f"服务地址 / serving {side.value}: {where}  (Ctrl-C 结束 / to stop)")
    sys.stdout.flush()
    run_server(cli_settings(data_dir), side.value, host, port)
    end_process()


@app.command()
def doctor(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """检查密钥、字体、数据库、存储、时钟 / look at keys, fonts, databases, storage, clock. Exit 2 if one fails."""
    from issuer.doctor import examine

    with cli_context(data_dir) as ctx:
        found = examine(ctx)
    bad = any(item.ok is False for item in found)
    if as_json:
        print_json({"ok": not bad, "checks": [item.to_json() for item in found]})
    for item in () if as_json else found:
        mark = {True: "✓", False: "✗", None: "!"}[item.ok]
        say(f"{mark} {item.name}: {item.zh} / {item.en}" + (f" → {item.remedy}" if item.remedy else ""))
    if bad:
        raise Exit(EXIT_REFUSED)


app.command()(issue)
app.command()(worker)
app.command()(revoke)
app.command("revoke-many")(revoke_many)
app.command()(reinstate)
app.command()(demo)
app.command("verify")(verify)
app.command("stock-take")(stock_take)
app.add_typer(batch_app, name="batch")
app.add_typer(act_app, name="act")
app.add_typer(certificate_app, name="certificate")
app.add_typer(template_app, name="template")
app.add_typer(roster_app, name="roster")
app.add_typer(sitting_app, name="sitting")
app.add_typer(registration_app, name="registration")
app.add_typer(review_app, name="review")
app.add_typer(invalidation_app, name="invalidation")
app.add_typer(misconduct_app, name="misconduct")
app.add_typer(hearing_app, name="hearing")
app.add_typer(announcement_app, name="announcement")
app.add_typer(work_app, name="work")
app.add_typer(paper_app, name="paper")
app.add_typer(watching_app, name="watching")
app.add_typer(staff_app, name="staff")
app.add_typer(person_app, name="person")
audit_app.callback(invoke_without_command=True)(beside_subcommands(audit_command))
audit_app.command("pack")(pack_commands.make)
audit_app.command("pack-check")(pack_commands.check)
app.add_typer(audit_app, name="audit")
register_data_keys(keys_app)
app.add_typer(keys_app, name="keys")


app.command()(backup)
app.command()(restore)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; every error becomes one clear line."""
    as_json = "--json" in arguments
    try:
        with _address_of(_data_dir(arguments)):
            outcome: Any = app(args=list(arguments), prog_name="ecert", standalone_mode=False)
    except (DomainError, RuleViolation) as exc:
        return report_refusal(exc, as_json=as_json)
    except TyperException as exc:
        return report_usage(exc.format_message(), as_json=as_json)
    except (Abort, KeyboardInterrupt):
        sys.stderr.write("已中断；已完成的步骤保留 / interrupted; finished steps are kept\n")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader went away: nobody to tell
        return 0
    except Exception as exc:  # noqa: BLE001 (the last line of defence: a reference instead of a traceback)
        return report_unexpected(exc, _data_dir(arguments), as_json=as_json)
    return outcome if isinstance(outcome, int) else 0


@contextmanager
def _address_of(data_dir: Path) -> Iterator[None]:
    """Take the verification address the folder was made for, unless the environment names another."""
    from issuer.marker import remembered_base_url

    address = None if ADDRESS in os.environ else remembered_base_url(data_dir)
    if address is not None:
        os.environ[ADDRESS] = address
    try:
        yield
    finally:
        if address is not None:
            del os.environ[ADDRESS]


def _data_dir(arguments: Sequence[str]) -> Path:
    for position, word in enumerate(arguments):
        if word == "--data-dir" and position + 1 < len(arguments):
            return Path(arguments[position + 1])
        if word.startswith("--data-dir="):
            return Path(word.partition("=")[2])
    return Path(os.environ.get("ECERT_DATA_DIR", DEFAULT_DATA_DIR))


def main() -> None:
    """Entry point of the `ecert` program."""
    sys.exit(run(sys.argv[1:]))
