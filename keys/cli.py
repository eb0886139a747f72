"""`ecert keys …`: ceremony, list, rotate, crl. Mounted by the main command; knows only the key folder."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from cryptography import x509
from rich.console import Console
from rich.table import Table

from keys.private import ceremony as rites
from keys.private.errors import KeyStoreError
from keys.private.keyring import passphrase_for
from keys.private.signer import KeyMaker
from keys.public.keyset import KeySet, KeySetMalformedError, PublishedKey, UnknownKeyError, load_key_set
from keys.public.profile import trust_faults
from keys.public.purposes import KeyPurpose
from keys.public.time_authority import TimeAuthority

app = typer.Typer(
    name="keys", help="密钥：仪式、查看、更换、吊销列表 / Keys: ceremony, list, rotate, CRL", no_args_is_help=True
)

DataDir = Annotated[
    Path, typer.Option("--data-dir", envvar="ECERT_DATA_DIR", help="数据目录 / data folder", show_default=True)
]
Passphrase = Annotated[str | None, typer.Option("--passphrase", envvar="ECERT_KEY_PASSPHRASE", hidden=True)]
AsJson = Annotated[bool, typer.Option("--json", help="供程序读取 / for programs")]
Module = Annotated[
    Path | None, typer.Option("--pkcs11-module", envvar="ECERT_PKCS11_MODULE", help="密码令牌的库 / token library")
]
Label = Annotated[str, typer.Option("--pkcs11-label", envvar="ECERT_PKCS11_LABEL", help="令牌标签 / token label")]
Pin = Annotated[str | None, typer.Option("--pkcs11-pin", envvar="ECERT_PKCS11_PIN", hidden=True)]
DEFAULT_DATA_DIR = Path("ecert-data")
DEFAULT_LABEL = "ecert"


@app.command()
def ceremony(
    data_dir: DataDir = DEFAULT_DATA_DIR,
    organisation: Annotated[str, typer.Option(help="证书中的机构名 / O of the names")] = rites.DEFAULT_ORGANISATION,
    common_name: Annotated[str, typer.Option(help="印章证书名 / CN of the seal")] = rites.DEFAULT_COMMON_NAME,
    years: Annotated[int, typer.Option(min=1, max=30, help="有效年数 / years of validity")] = rites.DEFAULT_YEARS,
    module: Module = None,
    label: Label = DEFAULT_LABEL,
    pin: Pin = None,
    passphrase: Passphrase = None,
    as_json: AsJson = False,
) -> None:
    """举行密钥仪式（开发用 CA）/ Make a development CA and one key for each purpose; never overwrites."""
    keys_dir = data_dir / "keys"
    try:
        secret = passphrase_for(keys_dir, passphrase, create=True)
        key_set = rites.hold_ceremony(
            keys_dir,
            secret,
            now=_now(),
            organisation=organisation,
            common_name=common_name,
            years=years,
            maker=_maker(module, label, pin),
        )
    except (KeyStoreError, ValueError, OSError) as error:
        _fail(error, as_json)
    _show(key_set, as_json)


@app.command("list")
def list_keys(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """列出已公布的密钥 / The published keys, with what is wrong with each, if anything."""
    _show(_load(data_dir, as_json), as_json)


@app.command()
def rotate(
    purpose: Annotated[KeyPurpose, typer.Argument(help="用途 / purpose")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    years: Annotated[int, typer.Option(min=1, max=30)] = rites.DEFAULT_YEARS,
    module: Module = None,
    label: Label = DEFAULT_LABEL,
    pin: Pin = None,
    passphrase: Passphrase = None,
    as_json: AsJson = False,
) -> None:
    """更换一个密钥 / Replace the key of one purpose; the old one stays published, so old signatures still check."""
    keys_dir = data_dir / "keys"
    _load(data_dir, as_json)
    try:
        secret = passphrase_for(keys_dir, passphrase)
        maker = _maker(module, label, pin)
        rites.rotate(keys_dir, secret, purpose, now=_now(), years=years, maker=maker)
    except (KeyStoreError, UnknownKeyError, OSError) as error:
        _fail(error, as_json)
    _show(load_key_set(keys_dir), as_json)


@app.command()
def crl(
    data_dir: DataDir = DEFAULT_DATA_DIR,
    revoke: Annotated[
        str | None, typer.Option("--revoke", metavar="KID", help="吊销此密钥 / revoke this key")
    ] = None,
    compromised: Annotated[bool, typer.Option("--compromised", help="私钥泄露 / the private key leaked")] = False,
    passphrase: Passphrase = None,
    as_json: AsJson = False,
) -> None:
    """重新签发吊销列表 / Issue the CRLs again, if asked with one key revoked."""
    keys_dir = data_dir / "keys"
    _load(data_dir, as_json)
    reason = x509.ReasonFlags.key_compromise if compromised else x509.ReasonFlags.cessation_of_operation
    try:
        secret = passphrase_for(keys_dir, passphrase)
        key_set = rites.renew_crls(keys_dir, secret, now=_now(), revoke=revoke, reason=reason)
    except (KeyStoreError, OSError) as error:
        _fail(error, as_json)
    _show(key_set, as_json)


@app.command("trust-tsa")
def trust_tsa(
    certificate: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="时间戳证书 PEM / certificate")],
    path: Annotated[list[Path], typer.Option("--path", exists=True, help="上级证书，根在最后 / path, root last")],
    revocation: Annotated[list[Path] | None, typer.Option("--crl", exists=True, help="吊销列表 / CRLs")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """公布一个外部时间戳机构 / Publish an outside time-stamp authority, so that its timestamps are accepted."""
    _load(data_dir, as_json)
    try:
        leaf, *chain = (x509.load_pem_x509_certificate(file.read_bytes()) for file in (certificate, *path))
        crls = tuple(_read_crl(file.read_bytes()) for file in revocation or ())
        key_set = rites.accept_timestamp_authority(data_dir / "keys", leaf, tuple(chain), crls, now=_now())
    except (KeyStoreError, ValueError, OSError) as error:
        _fail(error, as_json)
    _show(key_set, as_json)


def _read_crl(data: bytes) -> x509.CertificateRevocationList:
    return x509.load_pem_x509_crl(data) if data.startswith(b"-----") else x509.load_der_x509_crl(data)


def _maker(module: Path | None, label: str, pin: str | None) -> KeyMaker | None:
    if module is None:
        return None
    # An optional package, needed only where there is a token.
    from keys.private.pkcs11 import open_token

    return open_token(str(module), label, pin or "")


def _now() -> datetime:
    # The command line is a composition root: here, and only here, the key side reads the machine's clock.
    return datetime.now(UTC)


def _load(data_dir: Path, as_json: bool) -> KeySet:
    try:
        return load_key_set(data_dir / "keys")
    except (FileNotFoundError, NotADirectoryError):
        _fail("还没有密钥，请先运行 ecert init。 / There are no keys yet; run `ecert init` first.", as_json)
    except OSError:
        _fail("密钥目录无法读取。 / The key folder cannot be read.", as_json)
    except KeySetMalformedError as error:
        _fail(error, as_json)


def _row(key: PublishedKey, key_set: KeySet, now: datetime) -> dict[str, Any]:
    return {
        "kid": key.kid,
        "purpose": key.purpose.value,
        "subject": key.certificate.subject.rfc4514_string(),
        "not_before": key.not_before.isoformat(),
        "not_after": key.not_after.isoformat(),
        "retired_at": None if key.retired_at is None else key.retired_at.isoformat(),
        "faults": list(trust_faults(key, key_set, now)),
    }


def _authority_row(authority: TimeAuthority, key_set: KeySet, now: datetime) -> dict[str, Any]:
    return {
        "kid": authority.kid,
        "purpose": "outside-timestamp",
        "subject": authority.certificate.subject.rfc4514_string(),
        "not_before": authority.certificate.not_valid_before_utc.isoformat(),
        "not_after": authority.certificate.not_valid_after_utc.isoformat(),
        "retired_at": None,
        "faults": list(trust_faults(authority, key_set, now)),
    }


def _show(key_set: KeySet, as_json: bool) -> None:
    now = _now()
    rows = [_row(key, key_set, now) for key in key_set.keys]
    rows += [_authority_row(authority, key_set, now) for authority in key_set.authorities]
    crls = [
        {"issuer": item.issuer.rfc4514_string(), "next_update": _iso(item.next_update_utc), "revoked": len(item)}
        for item in key_set.crls
    ]
    if as_json:
        typer.echo(json.dumps({"keys": rows, "crls": crls}, ensure_ascii=False, indent=1))
        return
    table = Table("用途 purpose", "编号 kid", "到期 until", "状态 state")
    for row in rows:
        state = "、".join(row["faults"]) or ("已停用 retired" if row["retired_at"] else "在用 in use")
        table.add_row(row["purpose"], row["kid"], row["not_after"][:10], state)
    console = Console()
    console.print(table)
    for item in crls:
        console.print(f"吊销列表 CRL：{item['issuer']}，{item['revoked']} 条，有效至 {item['next_update']}")


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _fail(error: object, as_json: bool) -> NoReturn:
    if as_json:
        code = getattr(error, "code", "keys-refused")
        typer.echo(json.dumps({"error": {"code": str(code), "message": str(error)}}, ensure_ascii=False, indent=1))
    else:
        typer.echo(f"错误 error: {error}", err=True)
    raise typer.Exit(2)
