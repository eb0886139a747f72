"""`ecert verify` and the program `ecert-verify`: check a file, a QR text, an address or a number from a terminal.

Exit 0 valid, 1 not valid, 2 could not be determined (or could not be asked at all).
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.exceptions import Abort, Exit, TyperException

from verifier.audit.commands import audit_command
from verifier.commands.answers import COULD_NOT, print_answer, print_receipt_answer, stop, write_json
from verifier.commands.checking import check_at_server, check_here, check_offline, own_bundle
from verifier.commands.receipts import receipt_answer
from verifier.commands.targets import CannotCheckError, receipt_in, system_clock, token_in
from verifier.witness.commands import witness_command

_COMMANDS: Final = ("check", "fetch", "audit", "witness")

app = typer.Typer(
    name="ecert-verify",
    help="核验电子职业资格证书 / Check electronic qualification certificates.",
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
)

Target = Annotated[
    str, typer.Argument(help="证书 PDF、二维码内容、查验网址或管理号 / PDF file, QR text, address or number")
]
DataDir = Annotated[
    Path,
    typer.Option("--data-dir", envvar="ECERT_DATA_DIR", help="数据目录 / data folder", show_default="./ecert-data"),
]
Bundle = Annotated[
    Path | None, typer.Option("--bundle", help="离线核验包的文件夹 / offline bundle (default DATA_DIR/bundle)")
]
ServerUrl = Annotated[str | None, typer.Option("--server", help="向这个查验网站核验 / ask this verifier, https://…")]
OnDay = Annotated[
    str | None,
    typer.Option("--on", help="过去某日是否有效，如 2025-03-01 / whether it was valid on a day in the past"),
]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON / machine-readable output")]


@app.command("check")
def verify(
    target: Target,
    offline: Annotated[bool, typer.Option("--offline", help="不联网 / no network, only the bundle")] = False,
    bundle: Bundle = None,
    name: Annotated[str | None, typer.Option("--name", help="持证人姓名 / holder's name, with a number")] = None,
    server: ServerUrl = None,
    on: OnDay = None,
    data_dir: DataDir = Path("ecert-data"),
    as_json: AsJson = False,
) -> None:
    """核验证书：文件、二维码、网址或管理号 / check a certificate by file, QR text, address or number."""
    if offline and server:
        stop("--offline 与 --server 不能同时使用 / use either --offline or --server", as_json)
    if on and (offline or bundle is not None):
        stop(
            "离线没有状态历史，不能使用 --on / offline there is no history: leave out --on",
            as_json,
        )
    try:
        receipt = receipt_in(target)
        if receipt is not None:
            found = receipt_answer(receipt, data_dir, server, offline=offline or bundle is not None)
            print_receipt_answer(found, as_json)
            raise Exit(found["exit_code"])
        if offline or bundle is not None:
            result = check_offline(target, bundle or own_bundle(data_dir), name)
        elif server:
            result = check_at_server(target, server, name, on)
        else:
            result = check_here(target, data_dir, name, on)
    except CannotCheckError as error:
        stop(str(error), as_json)
    print_answer(result, as_json)
    raise Exit(result.verdict.exit_code)


@app.command("fetch")
def fetch(
    bundle: Bundle = None,
    server: ServerUrl = None,
    held: Annotated[
        list[str] | None,
        typer.Option("--for", help="附上日志证明：二维码内容或查验码 / with the log's proof for this code"),
    ] = None,
    data_dir: DataDir = Path("ecert-data"),
    as_json: AsJson = False,
) -> None:
    """取得或更新离线核验包 / fetch or refresh the offline bundle, from --server or the local register."""
    from verifier.check.bundle import proven_tokens, write_bundle
    from verifier.fetching import FetchError, from_register, from_server

    folder, now = bundle or data_dir / "bundle", system_clock()
    try:
        tokens = {token_in(text) for text in held or ()} | proven_tokens(folder)
        found = from_server(server, tokens) if server else from_register(data_dir, tokens)
        write_bundle(folder, found.key_set, found.status_lists, found.origins, now, found.proofs)
    except (CannotCheckError, FetchError) as error:
        stop(str(error), as_json)
    except OSError as error:
        stop(f"无法写入 {folder} / cannot write there: {error.strerror}", as_json)
    lists, proofs = sorted(found.status_lists), sorted(found.proofs)
    if as_json:
        fetched = {"bundle": str(folder), "status_lists": lists, "proofs": proofs, "fetched_at": now.isoformat()}
        write_json(fetched)
    else:
        counted = f"状态清单 / status lists: {len(lists)}，日志证明 / proofs: {len(proofs)}"
        sys.stdout.write(f"离线核验包已更新 / bundle refreshed: {folder}（{counted}）\n")


app.command("audit")(audit_command)
app.command("witness")(witness_command)


def run(arguments: Sequence[str]) -> int:
    """Run one command line of `ecert-verify` and return its exit code. `check` may be left out."""
    words = list(arguments)
    command = next((word for word in words if word in _COMMANDS), None)
    if command:
        words.remove(command)
    if command or (words and words[0] != "--help"):
        words.insert(0, command or "check")
    try:
        outcome: Any = app(args=words, prog_name="ecert-verify", standalone_mode=False)
    except TyperException as error:
        sys.stderr.write(error.format_message().splitlines()[0][:600] + "\n")
        return COULD_NOT
    except (Abort, KeyboardInterrupt):
        sys.stderr.write("已中断 / interrupted\n")
        return 130
    return outcome if isinstance(outcome, int) else 0


def main() -> None:
    """Entry point of the program `ecert-verify`."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
