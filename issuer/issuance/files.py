"""Reading a certificate's file back: never without comparing it with the digest that was published."""

import hashlib

from issuer.context import Context
from issuer.errors import NotFoundError, UnavailableError, Words
from issuer.records.certificates import ECertificate
from issuer.records.storage import FileMissingError, Storage


def read_file(ctx: Context, certificate: ECertificate) -> bytes:
    """The sealed PDF. Raises NotFoundError before publication, UnavailableError when the file is gone or changed."""
    if certificate.file_key is None or certificate.published_at is None:
        raise NotFoundError(
            "certificate-not-published",
            Words("该证书尚未发布。", "The certificate has not been published yet."),
            remedy=Words("发布后再下载。", "Fetch it once it is published."),
        )
    try:
        content = ctx.storage.get(certificate.file_key)
    except FileMissingError as exc:
        raise _damaged() from exc
    if hashlib.sha256(content).hexdigest() != certificate.file_sha256:
        raise _damaged()
    return content


def file_is_whole(storage: Storage, certificate: ECertificate) -> bool:
    """Whether the stored file is the one that was recorded after sealing."""
    if certificate.file_key is None:
        return False
    try:
        content = storage.get(certificate.file_key)
    except FileMissingError:
        return False
    return hashlib.sha256(content).hexdigest() == certificate.file_sha256


def _damaged() -> UnavailableError:
    return UnavailableError(
        "file-damaged",
        Words("存储中的证书文件缺失或与登记不符。", "The stored file is missing or not the one on record."),
        remedy=Words("从备份恢复文件后重试：ecert restore", "Put the file back from a backup: ecert restore"),
    )
