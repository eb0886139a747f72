"""`ecert verify` and the program `ecert-verify`: check a file, a QR text, an address or a number from a terminal.

Exit 0 valid, 1 not valid, 2 could not be determined (or could not be asked at all).
"""

import json
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer
from typer.exceptions import Abort, Exit, TyperException

from verifier.record.verdict import CheckResult

COULD_NOT: Final = 2
_COMMANDS: Final = ("check", "fetch")
_READ_LIMIT: Final = 10_000_001
_MAX_TARGET: Final = 4096
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")
_WEB = re.compile(r"https?://", re.IGNORECASE)

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
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON / machine-readable output")]


@app.command("check")
def verify(
    target: Target,
    offline: Annotated[bool, typer.Option("--offline", help="不联网 / no network, only the bundle")] = False,
    bundle: Bundle = None,
    name: Annotated[str | None, typer.Option("--name", help="持证人姓名 / holder's name, with a number")] = None,
    server: ServerUrl = None,
    data_dir: DataDir = Path("ecert-data"),
    as_json: AsJson = False,
) -> None:
    """核验证书：文件、二维码、网址或管理号 / check a certificate by file, QR text, address or number."""
    if offline and server:
        _stop("--offline 与 --server 不能同时使用 / use either --offline or --server", as_json)
    try:
        if offline or bundle is not None:
            result = _offline(target, bundle or _own_bundle(data_dir), name)
        elif server:
            result = _at_server(target, server, name)
        else:
            result = _here(target, data_dir, name)
    except _CannotCheckError as error:
        _stop(str(error), as_json)
    _print(result, as_json)
    raise Exit(result.verdict.exit_code)


@app.command("fetch")
def fetch(
    bundle: Bundle = None,
    server: ServerUrl = None,
    data_dir: DataDir = Path("ecert-data"),
    as_json: AsJson = False,
) -> None:
    """取得或更新离线核验包 / fetch or refresh the offline bundle, from --server or the local register."""
    from verifier.check.bundle import all_lists, write_bundle

    folder, now = bundle or data_dir / "bundle", system_clock()
    try:
        if server:
            key_set, lists, origins = _from_server(server, all_lists)
        else:
            key_set, lists, origins = _from_register(data_dir, all_lists)
        write_bundle(folder, key_set, lists, origins, now)
    except _CannotCheckError as error:
        _stop(str(error), as_json)
    except OSError as error:
        _stop(f"无法写入 {folder} / cannot write there: {error.strerror}", as_json)
    if as_json:
        _write_json({"bundle": str(folder), "status_lists": sorted(lists), "fetched_at": now.isoformat()})
    else:
        sys.stdout.write(f"离线核验包已更新 / bundle refreshed: {folder}（状态清单 / status lists: {len(lists)}）\n")


def _own_bundle(data_dir: Path) -> Path:
    """The data folder's bundle; where the folder holds the public record, made anew from it, without a network."""
    from verifier.check.bundle import all_lists, write_bundle

    folder = data_dir / "bundle"
    try:
        write_bundle(folder, *_from_register(data_dir, all_lists), system_clock())
    except (_CannotCheckError, OSError):
        return folder  # no record here, or none that can be read: what was fetched earlier tells its age
    return folder


class _CannotCheckError(Exception):
    """The check could not be made at all; one line."""


def _here(target: str, data_dir: Path, name: str | None) -> CheckResult:
    """Check against the register of this machine."""
    from keys.public.keyset import load_key_set
    from verifier.check.checker import Checker
    from verifier.check.sandbox import Sandbox
    from verifier.record.register import SqlRegister
    from verifier.settings import VerifierSettings

    settings = VerifierSettings(data_dir=data_dir)
    try:
        lookup_key = (settings.keys_dir / "lookup.key").read_bytes()
    except OSError as error:
        raise _CannotCheckError(
            f"{data_dir} 不是数据目录；可用 --data-dir 指明，或用 --server、--offline / "
            "not a data folder: name one with --data-dir, or use --server or --offline"
        ) from error
    register, sandbox = SqlRegister(settings.register_database), Sandbox(workers=1)
    origins = (settings.verify_base_url,)
    checker = Checker(
        register, lambda: load_key_set(settings.keys_dir), lookup_key, system_clock, origins, inspect=sandbox
    )
    try:
        return _route(target, name, checker, checker.check_qr)
    finally:
        sandbox.close()
        register.close()


def _offline(target: str, folder: Path, name: str | None) -> CheckResult:
    from verifier.check.bundle import BundleError, read_bundle
    from verifier.check.offline import OfflineChecker
    from verifier.check.sandbox import Sandbox

    try:
        bundle = read_bundle(folder)
    except BundleError as error:
        raise _CannotCheckError(f"{error}；请联网运行 / go online and run: ecert-verify fetch") from error
    sandbox = Sandbox(workers=1)
    checker = OfflineChecker(bundle, system_clock, inspect=sandbox)
    try:
        if _WEB.match(target):
            return checker.check_qr(target)
        if _is_path(target):
            return checker.check_pdf(_read_file(target))
    finally:
        sandbox.close()
    raise _CannotCheckError(
        "离线只能核验 PDF 文件或二维码内容；管理号须联网查询 / offline only a PDF or a QR text can be checked"
    )


def _at_server(target: str, url: str, name: str | None) -> CheckResult:
    from verifier.client import Server, ServerError

    try:
        server = Server(url)
        return _route(target, name, server, lambda text: server.check_qr(text, system_clock()))
    except ServerError as error:
        raise _CannotCheckError(str(error)) from error


def _route(target: str, name: str | None, checker: Any, check_qr: Any) -> CheckResult:
    """Tell what the target is by its shape, and check it so."""
    from verifier.record.qr import is_token

    result: CheckResult
    if _WEB.match(target):
        result = check_qr(target)
    elif _is_path(target):
        result = checker.check_pdf(_read_file(target))
    elif is_token(target):
        result = checker.check_token(target)
    elif _SHA256.fullmatch(target):
        result = checker.check_file_digest(target)
    else:
        result = checker.check_number(target, name)
    return result


def _is_path(target: str) -> bool:
    if not target.strip() or len(target) > _MAX_TARGET or "\0" in target:
        return False
    try:
        return target.lower().endswith(".pdf") or "/" in target or Path(target).exists()
    except OSError:
        return False


def _read_file(target: str) -> bytes:
    """At most one byte over the limit of a check, so a huge file is refused without being read."""
    path = Path(target)
    try:
        if not path.is_file():
            what = "不是文件 / not a file" if path.exists() else "没有这个文件 / no such file"
            raise _CannotCheckError(f"{what}: {target}")
        with path.open("rb") as file:
            return file.read(_READ_LIMIT)
    except OSError as error:
        raise _CannotCheckError(f"无法读取文件 / cannot read the file: {error.strerror}") from error


def _from_server(url: str, all_lists: Any) -> tuple[bytes, dict[str, bytes], tuple[str, ...]]:
    from verifier.client import Server, ServerError

    try:
        server = Server(url)
        return server.key_set(), all_lists(server.status_list), (server.origin,)
    except ServerError as error:
        raise _CannotCheckError(str(error)) from error


def _from_register(data_dir: Path, all_lists: Any) -> tuple[bytes, dict[str, bytes], tuple[str, ...]]:
    from keys.public.keyset import key_set_path
    from verifier.record.register import RegisterUnavailableError, SqlRegister
    from verifier.settings import VerifierSettings

    settings = VerifierSettings(data_dir=data_dir)
    register = SqlRegister(settings.register_database)

    def token(list_id: str) -> bytes | None:
        stored = register.status_list(list_id)
        return stored.token_cwt if stored else None

    try:
        return key_set_path(settings.keys_dir).read_bytes(), all_lists(token), (settings.verify_base_url,)
    except OSError as error:
        raise _CannotCheckError(f"{data_dir} 中没有公钥清单 / no key set there") from error
    except RegisterUnavailableError as error:
        raise _CannotCheckError("登记系统无法读取 / the public record cannot be read") from error
    finally:
        register.close()


def _print(result: CheckResult, as_json: bool) -> None:
    if as_json:
        _write_json(result.to_json())
        return
    from rich.console import Console

    from verifier.report import print_result

    print_result(result, Console(highlight=False, soft_wrap=True))


def _write_json(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def _stop(line: str, as_json: bool) -> NoReturn:
    if as_json:
        _write_json({"error": {"code": "could-not-check", "message": line}})
    sys.stderr.write(line[:600] + "\n")
    raise Exit(COULD_NOT)


def system_clock() -> datetime:
    """The present instant, UTC: the only reading of the machine's clock in this program."""
    return datetime.now(UTC)


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
