"""How an answer reaches the terminal: for people, or as JSON for programs; and the one line when there is none."""

import json
import sys
from typing import Any, Final, NoReturn

from typer.exceptions import Exit

from verifier.record.verdict import CheckResult

COULD_NOT: Final = 2
"""Exit code when nothing could be determined."""


def print_answer(result: CheckResult, as_json: bool) -> None:
    """The result of a check, for people or as JSON."""
    if as_json:
        write_json(result.to_json())
        return
    from rich.console import Console

    from verifier.report import print_result

    print_result(result, Console(highlight=False, soft_wrap=True))


def print_receipt_answer(found: dict[str, Any], as_json: bool) -> None:
    """What was found about a receipt, for people or as JSON."""
    if as_json:
        write_json(found)
        return
    from rich.console import Console

    from verifier.report import print_receipt

    print_receipt(found, Console(highlight=False, soft_wrap=True))


def write_json(value: dict[str, Any]) -> None:
    """One JSON value on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def stop(line: str, as_json: bool) -> NoReturn:
    """End with COULD_NOT and `line` on standard error."""
    if as_json:
        write_json({"error": {"code": "could-not-check", "message": line}})
    sys.stderr.write(line[:600] + "\n")
    raise Exit(COULD_NOT)
