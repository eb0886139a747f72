"""The offline bundle: a folder with all that a check needs when there is no network.

    ecert-keys.json          the published key set
    status-lists/ID.cwt      signed status lists, as served under /status-lists/ID
    proofs/TOKEN.json        the log's proofs for certificates one holds, as served under /log/proof/TOKEN
    bundle.json              {"origins": [our addresses], "fetched_at": RFC 3339}

The key set is the root of trust of an offline check: take it over a channel you trust.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from keys.public.keyset import KEY_SET_FILE, KeySet, KeySetMalformedError, read_key_set
from verifier.record.qr import is_token

BUNDLE_FILE: Final = "bundle.json"
_LISTS: Final = "status-lists"
_PROOFS: Final = "proofs"
_MAX_LISTS: Final = 1000


class BundleError(Exception):
    """The folder is not a bundle that can be used; the text says why in one line."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was read from a folder. `status_lists` maps list ids to signed tokens, `proofs` maps a certificate's token
    to the log's proof; neither is verified yet."""

    key_set: KeySet
    origins: tuple[str, ...]
    fetched_at: datetime
    status_lists: dict[str, bytes]
    proofs: dict[str, bytes] = field(default_factory=dict)


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle; raises BundleError."""
    try:
        about = json.loads((folder / BUNDLE_FILE).read_bytes())
        origins = tuple(str(origin) for origin in about["origins"])
        fetched_at = datetime.fromisoformat(about["fetched_at"])
        key_set = read_key_set(folder / KEY_SET_FILE)
        lists = {path.stem: path.read_bytes() for path in sorted((folder / _LISTS).glob("*.cwt"))}
        proofs = {path.stem: path.read_bytes() for path in sorted((folder / _PROOFS).glob("*.json"))}
    except FileNotFoundError as error:
        raise BundleError(
            f"离线核验包不完整：缺少 {Path(error.filename or '').name} / the offline bundle is incomplete"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, KeySetMalformedError) as error:
        raise BundleError("离线核验包无法读取 / the offline bundle cannot be read") from error
    return Bundle(key_set, origins, fetched_at, lists, proofs)


def write_bundle(
    folder: Path,
    key_set: bytes,
    status_lists: dict[str, bytes],
    origins: tuple[str, ...],
    now: datetime,
    proofs: Mapping[str, bytes] | None = None,
) -> None:
    """Write or refresh a bundle. Lists that are gone stay: old certificates still refer to them.

    Proofs that could not be had again go: an old one beside a new list could only mislead. `bundle.json` comes last,
    so a half-written new folder is not taken for a bundle.
    """
    for name, suffix, contents in ((_LISTS, "cwt", status_lists), (_PROOFS, "json", proofs or {})):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for key, content in contents.items():
            _replace(folder / name / f"{key}.{suffix}", content)
    for token in proven_tokens(folder) - set(proofs or {}):
        (folder / _PROOFS / f"{token}.json").unlink()
    _replace(folder / KEY_SET_FILE, key_set)
    about = {"origins": list(origins), "fetched_at": now.isoformat(timespec="seconds")}
    _replace(folder / BUNDLE_FILE, json.dumps(about, indent=2).encode())


def proven_tokens(folder: Path) -> set[str]:
    """Tokens of the certificates whose proofs a bundle holds."""
    return {path.stem for path in (folder / _PROOFS).glob("*.json") if is_token(path.stem)}


def all_lists(get: Callable[[str], bytes | None]) -> dict[str, bytes]:
    """Every status list: ids count up from 1, and `get` gives the signed token of one or None past the last."""
    found: dict[str, bytes] = {}
    for number in range(1, _MAX_LISTS):
        token = get(str(number))
        if token is None:
            break
        found[str(number)] = token
    return found


def _replace(path: Path, content: bytes) -> None:
    """Put a whole new file in place of the old one."""
    draft = path.with_name(f".{path.name}.new")
    draft.write_bytes(content)
    draft.replace(path)
