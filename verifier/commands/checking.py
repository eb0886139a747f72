"""The ways `ecert-verify check` gets its answer: from the register of this machine, a bundle, or a server."""

import re
from pathlib import Path
from typing import Any, Final

import typer

from verifier.commands.targets import WEB, CannotCheckError, is_path, read_file, system_clock
from verifier.record.verdict import CheckResult

_SHA256: Final = re.compile(r"[0-9A-Fa-f]{64}")


def check_here(target: str, data_dir: Path, name: str | None, on: str | None = None) -> CheckResult:
    """Check against the register of this machine."""
    from keys.public.keyset import load_key_set
    from verifier.check.checker import Checker
    from verifier.check.log_check import proof_at_hand
    from verifier.check.sandbox import Sandbox
    from verifier.record.register import SqlRegister
    from verifier.settings import VerifierSettings

    settings = VerifierSettings(data_dir=data_dir)
    try:
        lookup_key = (settings.keys_dir / "lookup.key").read_bytes()
    except OSError as error:
        raise CannotCheckError(
            f"{data_dir} 不是数据目录；可用 --data-dir 指明，或用 --server、--offline / "
            "not a data folder: name one with --data-dir, or use --server or --offline"
        ) from error
    register, sandbox = SqlRegister(settings.register_database), Sandbox(workers=1)
    origins = (settings.verify_base_url,)
    checker = Checker(
        register, lambda: load_key_set(settings.keys_dir), lookup_key, system_clock, origins, inspect=sandbox
    )

    def ask() -> CheckResult:
        return _as_of(on, _route(target, name, checker, checker.check_qr), register.history)

    try:
        return _with_log(
            ask,
            lambda token: proof_at_hand(register, token),
            lambda: load_key_set(settings.keys_dir),
            settings.verify_base_url,
        )
    finally:
        sandbox.close()
        register.close()


def _with_log(ask: Any, read_proof: Any, key_set: Any, base_url: str | None = None) -> CheckResult:
    """What `ask` gives, held against the transparency log."""
    from keys.public.keyset import KeySetMalformedError
    from verifier.check.log_check import with_log
    from verifier.record.log_reading import origin_of
    from verifier.record.witnessing import Witness, WitnessKeyError
    from verifier.settings import VerifierSettings

    result: CheckResult = ask()
    try:
        witnesses = tuple(Witness.parse(text) for text in VerifierSettings().witnesses)
    except WitnessKeyError as error:
        raise CannotCheckError(
            f"ECERT_WITNESSES 中有一项不是见证方公钥 / an entry of it is wrong: {error}"
        ) from error
    try:
        keys = key_set()
    except (OSError, KeySetMalformedError):
        return result  # said already, by every check that needs a key
    origin = origin_of(base_url) if base_url else None
    return with_log(result, read_proof, keys, origin=origin, again=ask, witnesses=witnesses)


def own_bundle(data_dir: Path) -> Path:
    """The data folder's bundle; where the folder holds the public record, made anew from it, without a network."""
    from verifier.check.bundle import proven_tokens, write_bundle
    from verifier.fetching import FetchError, from_register

    folder = data_dir / "bundle"
    try:
        found = from_register(data_dir, proven_tokens(folder))
        write_bundle(folder, found.key_set, found.status_lists, found.origins, system_clock(), found.proofs)
    except (FetchError, OSError):
        return folder  # no record here, or none that can be read: what was fetched earlier tells its age
    return folder


def check_offline(target: str, folder: Path, name: str | None) -> CheckResult:
    """Check a file or QR text against the bundle in `folder`, without a network; raises CannotCheckError."""
    from verifier.check.bundle import BundleError, read_bundle
    from verifier.check.offline import OfflineChecker
    from verifier.check.sandbox import Sandbox

    try:
        bundle = read_bundle(folder)
    except BundleError as error:
        raise CannotCheckError(f"{error}；请联网运行 / go online and run: ecert-verify fetch") from error
    sandbox = Sandbox(workers=1)
    checker = OfflineChecker(bundle, system_clock, inspect=sandbox)

    def ask() -> CheckResult:
        if WEB.match(target):
            return checker.check_qr(target)
        if is_path(target):
            return checker.check_pdf(read_file(target))
        raise CannotCheckError(
            "离线只能核验 PDF 文件或二维码内容；管理号须联网查询 / offline only a PDF or a QR text can be checked"
        )

    try:
        return _with_log(ask, bundle.proofs.get, lambda: bundle.key_set)
    finally:
        sandbox.close()


def _as_of(on: str | None, result: CheckResult, history: Any) -> CheckResult:
    """`result`, or what it was at the moment `on`."""
    if on is None:
        return result
    from verifier.check.history import MomentError, read_moment
    from verifier.check.history import on as at_moment
    from verifier.record.register import RegisterUnavailableError

    try:
        return at_moment(result, read_moment(on, result.as_of), history)
    except MomentError as error:
        future = error.code == "future"
        raise CannotCheckError(
            "所问的时间还没有到 / --on lies in the future"
            if future
            else "--on 须为日期（2025-03-01）或带时区的时刻 / --on is a day (2025-03-01) or an instant with its zone"
        ) from error
    except RegisterUnavailableError as error:
        raise CannotCheckError("登记系统无法读取 / the public record cannot be read") from error


def check_at_server(target: str, url: str, name: str | None, on: str | None = None) -> CheckResult:
    """Have the verifier at `url` check; raises CannotCheckError when it cannot be asked."""
    from verifier.client import Server, ServerError

    try:
        server = Server(url, _tell_of_work)

        def ask() -> CheckResult:
            result = _route(target, name, server, lambda text: server.check_qr(text, system_clock()))
            return _as_of(on, result, server.history)

        return _with_log(ask, server.status_proof, server.keys)
    except ServerError as error:
        raise CannotCheckError(str(error)) from error


def _tell_of_work() -> None:
    typer.echo(
        "该管理号或本机地址查询较多，正在按服务器要求计算…… / asked often; computing what the server wants first…",
        err=True,
    )


def _route(target: str, name: str | None, checker: Any, check_qr: Any) -> CheckResult:
    """Tell what the target is by its shape, and check it so."""
    from verifier.record.qr import is_token

    result: CheckResult
    if WEB.match(target):
        result = check_qr(target)
    elif is_path(target):
        result = checker.check_pdf(read_file(target))
    elif is_token(target):
        result = checker.check_token(target)
    elif _SHA256.fullmatch(target):
        result = checker.check_file_digest(target)
    else:
        result = checker.check_number(target, name)
    return result
