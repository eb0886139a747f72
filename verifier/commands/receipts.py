"""What `ecert-verify check` says of a receipt."""

from pathlib import Path
from typing import Any

from verifier.commands.targets import CannotCheckError, system_clock


def receipt_answer(data: bytes, data_dir: Path, server: str | None, *, offline: bool) -> dict[str, Any]:
    """The answer about a receipt, as JSON, with the exit code that it means."""
    if offline:
        raise CannotCheckError(
            "回执须与公开登记比对，不能离线核对 / a receipt is compared with the public record: not offline"
        )
    if server:
        from verifier.client import Server, ServerError

        try:
            return Server(server).check_receipt(data)
        except ServerError as error:
            raise CannotCheckError(str(error)) from error
    return _receipt_here(data, data_dir)


def _receipt_here(data: bytes, data_dir: Path) -> dict[str, Any]:
    from keys.public.keyset import load_key_set
    from verifier.check.checker import Checker
    from verifier.check.receipts import check_receipt
    from verifier.record.register import SqlRegister
    from verifier.settings import VerifierSettings

    settings = VerifierSettings(data_dir=data_dir)
    register, origin = SqlRegister(settings.register_database), settings.verify_base_url.rstrip("/")
    checker = Checker(register, lambda: load_key_set(settings.keys_dir), b"", system_clock, (origin,))
    try:
        found = check_receipt(
            data,
            key_set=lambda: load_key_set(settings.keys_dir),
            archive=register,
            check_now=lambda receipt: checker.check_subject(
                receipt.found.token if receipt.found else receipt.subject
            ),
            own_origins=(origin,),
            now=system_clock(),
        )
    finally:
        register.close()
    return found.to_json() | {"exit_code": found.exit_code}
