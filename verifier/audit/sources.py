"""Where an audit reads: the public addresses over HTTP, a folder that mirrors them, or the register itself.

The addresses: `/.well-known/ecert-keys.json`, `/log/checkpoint`, `/log/tile/…`, `/log/proof/TOKEN`, `/status-lists`,
`/status-lists/ID` (CWT), `/api/v1/certificates/TOKEN`.
"""

import json
from pathlib import Path
from typing import Final, Protocol

import httpx

from verifier.record.copies import CopyRecord
from verifier.record.log_proof import prove_status
from verifier.record.log_tiles import TileNotFoundError, read_tile
from verifier.record.register import RegisterUnavailableError, SqlRegister

KEYS: Final = "/.well-known/ecert-keys.json"
CHECKPOINT: Final = "/log/checkpoint"
PROOF: Final = "/log/proof/"
LISTS: Final = "/status-lists"
CERTIFICATE: Final = "/api/v1/certificates/"
_CWT: Final = "application/statuslist+cwt"
_MAX_BODY: Final = 16 << 20
_TIMEOUT_SECONDS: Final = 20
_ABSENT: Final = (404, 422)


class SourceError(Exception):
    """It could not be asked, so nothing can be said; one line in both languages."""


class Source(Protocol):
    """Gives what stands at a public address."""

    @property
    def answers_about_one(self) -> bool:
        """Whether it can be asked about a single certificate (a mirror of files cannot)."""
        ...

    def get(self, path: str) -> bytes | None:
        """The content, or None when there is no such thing; raises SourceError. Safe for threads."""
        ...


class HttpSource:
    """A verifier at `base_url` (scheme and host)."""

    answers_about_one = True

    def __init__(self, base_url: str) -> None:
        if not base_url.lower().startswith(("http://", "https://")):
            raise SourceError("地址须以 https:// 或 http:// 开头 / the address must begin with https:// or http://")
        self._client = httpx.Client(base_url=base_url.rstrip("/"), timeout=_TIMEOUT_SECONDS, follow_redirects=False)

    def get(self, path: str) -> bytes | None:
        """See `Source`."""
        accept = _CWT if path.startswith(f"{LISTS}/") else "application/json, text/plain, */*;q=0.1"
        try:
            answer = self._client.get(path, headers={"Accept": accept})
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise SourceError(f"无法连接 {self._client.base_url.host} / cannot reach it") from error
        if answer.status_code in _ABSENT:
            return None
        if answer.status_code != httpx.codes.OK or len(answer.content) > _MAX_BODY:
            code = answer.status_code
            raise SourceError(f"服务器对 {path} 答复 {code} / the server answered {code} for it")
        return answer.content


class FolderSource:
    """A folder with the same files under the same names, as a mirror or a web server's static folder has them."""

    answers_about_one = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def get(self, path: str) -> bytes | None:
        """See `Source`. The index of lists may be missing: then the folder's files are the lists."""
        place = (self._folder / path.lstrip("/")).resolve()
        if not place.is_relative_to(self._folder):
            return None
        try:
            if place.is_dir() and path == LISTS:
                names = sorted(file.name.removesuffix(".cwt") for file in place.iterdir() if file.is_file())
                return json.dumps({"status_lists": names}).encode()
            for name in (place, place.with_name(f"{place.name}.cwt")):
                if name.is_file():
                    return name.read_bytes()
        except OSError as error:
            raise SourceError(f"无法读取 {path} / cannot read it: {error.strerror}") from error
        return None


class RegisterSource:
    """The register of this machine, given as the public addresses would give it."""

    answers_about_one = True

    def __init__(self, register: SqlRegister, key_set_file: Path) -> None:
        self._register = register
        self._keys = key_set_file

    def get(self, path: str) -> bytes | None:
        """See `Source`."""
        try:
            return self._get(path)
        except RegisterUnavailableError as error:
            raise SourceError("登记系统无法读取 / the public record cannot be read") from error
        except OSError as error:
            raise SourceError("公钥清单无法读取 / the key set cannot be read") from error

    def _get(self, path: str) -> bytes | None:
        register = self._register
        if path == KEYS:
            return self._keys.read_bytes()
        if path == LISTS:
            return json.dumps({"status_lists": register.status_list_ids()}).encode()
        if path.startswith(f"{LISTS}/"):
            stored = register.status_list(path.rsplit("/", 1)[1])
            return stored.token_cwt if stored else None
        if path.startswith(PROOF):
            proof = prove_status(register, path.rsplit("/", 1)[1])
            return json.dumps(proof.to_json()).encode() if proof else None
        if path.startswith(CERTIFICATE):
            record = register.by_token(path.rsplit("/", 1)[1])
            checks = [{"name": "copy"}] if isinstance(record, CopyRecord) else []
            answer = {"certificate": {"status": record.status.value}, "checks": checks} if record else None
            return json.dumps(answer).encode() if answer else None
        newest = register.latest_checkpoint()
        if path == CHECKPOINT or newest is None:
            return newest.signed_note.encode() if newest and path == CHECKPOINT else None
        try:
            return read_tile(register, path.removeprefix("/log/"), newest.tree_size).content
        except TileNotFoundError:
            return None
