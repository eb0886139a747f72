"""`ecert`: the root of all commands. Each slice brings its own; they call the same services as the web."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import Abort, Exit, TyperException

from issuer.audit_commands import audit_app
from issuer.commands import (
    DEFAULT_DATA_DIR,
    EXIT_INTERRUPTED,
    AsJson,
    DataDir,
    cli_settings,
    print_json,
    report_refusal,
    report_unexpected,
    report_usage,
    say,
)
from issuer.errors import DomainError
from issuer.invalidation.commands import invalidation_app, reinstate, revoke
from issuer.paper.commands import paper_app
from issuer.review.commands import review_app
from issuer.roster.commands import roster_app, sitting_app
from issuer.rules.violation import RuleViolation

app = typer.Typer(
    name="ecert",
    help="电子职业资格证书的签发、核验与管理 / Issue, verify and manage electronic qualification certificates.",
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
app.add_typer(roster_app, name="roster")
app.add_typer(sitting_app, name="sitting")
app.add_typer(review_app, name="review")
app.add_typer(invalidation_app, name="invalidation")
app.add_typer(paper_app, name="paper")
app.add_typer(audit_app, name="audit")
app.command("revoke")(revoke)
app.command("reinstate")(reinstate)


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


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; every error becomes one clear line."""
    as_json = "--json" in arguments
    try:
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
