"""What goes into an offline bundle, from a verifier's web or from the register of this machine."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from keys.public.keyset import key_set_path
from verifier.check.bundle import all_lists
from verifier.check.log_check import proof_at_hand
from verifier.client import Server, ServerError
from verifier.record.register import RegisterUnavailableError, SqlRegister
from verifier.settings import VerifierSettings


class FetchError(Exception):
    """Nothing could be fetched; one line."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Key set and signed lists as served, our addresses, and the log's proofs by token where there were any."""

    key_set: bytes
    status_lists: dict[str, bytes]
    origins: tuple[str, ...]
    proofs: dict[str, bytes]


def from_server(url: str, tokens: Iterable[str]) -> Fetched:
    """Ask a verifier; raises FetchError."""
    try:
        server = Server(url)
        lists = all_lists(server.status_list)
        # After the lists, so that a proof is never older than the list it stands beside.
        return Fetched(server.key_set(), lists, (server.origin,), _proofs(server.status_proof, tokens))
    except ServerError as error:
        raise FetchError(str(error)) from error


def from_register(data_dir: Path, tokens: Iterable[str]) -> Fetched:
    """Read the register; raises FetchError."""
    settings = VerifierSettings(data_dir=data_dir)
    register = SqlRegister(settings.register_database)

    def listed(list_id: str) -> bytes | None:
        stored = register.status_list(list_id)
        return stored.token_cwt if stored else None

    def proof(token: str) -> bytes | None:
        found = proof_at_hand(register, token)
        return json.dumps(found.to_json()).encode() if found else None

    try:
        keys, lists = key_set_path(settings.keys_dir).read_bytes(), all_lists(listed)
        return Fetched(keys, lists, (settings.verify_base_url,), _proofs(proof, tokens))
    except OSError as error:
        raise FetchError(f"{data_dir} 中没有公钥清单 / no key set there") from error
    except RegisterUnavailableError as error:
        raise FetchError("登记系统无法读取 / the public record cannot be read") from error
    finally:
        register.close()


def _proofs(read: Callable[[str], bytes | None], tokens: Iterable[str]) -> dict[str, bytes]:
    found = {token: read(token) for token in sorted(set(tokens))}
    return {token: proof for token, proof in found.items() if proof is not None}
