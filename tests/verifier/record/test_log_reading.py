"""Checkpoints, leaves and tiles."""

import base64
import hashlib
from datetime import date
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from issuer.sealing.checkpoint import sign_checkpoint
from keys.public.purposes import KeyPurpose
from tests.factories.claims import TOKEN
from tests.factories.signing import NOW, Bench
from verifier.record import cbor
from verifier.record.log_reading import (
    Checkpoint,
    CheckpointMalformedError,
    CheckpointUntrustedError,
    LeafMalformedError,
    change_digest,
    decode_leaf,
    encode_leaf,
    file_digest,
    origin_of,
    read_checkpoint,
    token_digest,
    verify_checkpoint,
)
from verifier.record.log_tiles import (
    TileNotFoundError,
    bundle_entries,
    bundle_hashes,
    node_reader,
    prove_consistency,
    prove_inclusion,
    read_tile,
    tile_path,
)
from verifier.record.merkle import Frontier, leaf_hash, verify_consistency, verify_inclusion

ORIGIN = origin_of("https://verify.example/")
HEAD = Checkpoint(ORIGIN, 20_852_163, hashlib.sha256(b"root").digest())
BENCH = Bench()
NOTE = sign_checkpoint(BENCH, HEAD)


def test_a_checkpoint_verifies_and_says_what_was_signed() -> None:
    assert ORIGIN == "verify.example/log"
    assert verify_checkpoint(NOTE, BENCH.key_set, origin=ORIGIN) == HEAD
    assert NOTE.splitlines()[:3] == [ORIGIN, "20852163", base64.b64encode(HEAD.root_hash).decode()]


def test_the_key_id_is_that_of_signed_note_for_ecdsa() -> None:
    spki = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    public = BENCH.signer(KeyPurpose.LOG).public_key.public_bytes(*spki)
    raw = base64.b64decode(NOTE.splitlines()[-1].rpartition(" ")[2])
    assert raw[:4] == hashlib.sha256(public).digest()[:4]


def test_a_changed_foreign_or_unsigned_checkpoint_is_not_trusted() -> None:
    cases = [
        (NOTE.replace("20852163", "20852164"), BENCH, ORIGIN),
        (NOTE.replace("\n\n", "\nextension\n\n"), BENCH, ORIGIN),
        (NOTE, Bench(), ORIGIN),
        (NOTE, BENCH, "other.example/log"),
        (NOTE.replace("verify.example/log ", "witness.example "), BENCH, ORIGIN),
    ]
    for note, bench, origin in cases:
        with pytest.raises(CheckpointUntrustedError):
            verify_checkpoint(note, bench.key_set, origin=origin)


def test_signatures_of_unknown_keys_are_ignored() -> None:
    witness = sign_checkpoint(Bench(), HEAD).splitlines()[-1] + "\n"
    assert verify_checkpoint(NOTE + witness, BENCH.key_set) == HEAD


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "\n\n",
        NOTE[:-1],
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("20852163", "020852163"),
        NOTE.replace("20852163", "-1"),
        NOTE.replace("20852163", "٣"),
        NOTE.replace("— ", "- "),
        NOTE.replace("\n\n", "\n\t\n\n"),
        NOTE.replace("=\n", "\n", 1),
        "a\n1\nAAAA\n\n— a AAAAAAAA\n",
        "a\n1\n" + NOTE.splitlines()[2] + "\n\n— a AAAA\n",
        NOTE + "— verify.example/log AAAAAAAA\n" * 17,
        NOTE + "x" * 70_000 + "\n",
    ],
)
def test_a_text_that_is_no_checkpoint(note: str) -> None:
    with pytest.raises(CheckpointMalformedError):
        read_checkpoint(note)


def test_a_leaf_tells_its_certificate_only_to_who_has_the_token() -> None:
    sha256 = hashlib.sha256(b"file").hexdigest()
    leaf = encode_leaf("issue", 7, TOKEN, content=file_digest(7, TOKEN, sha256), status="valid", at=NOW)
    assert cbor.decode(leaf) == [
        2,
        "issue",
        7,
        token_digest(7, TOKEN),
        file_digest(7, TOKEN, sha256),
        "valid",
        int(NOW.timestamp()),
        [],
    ]
    change = change_digest(8, TOKEN, "misconduct", date(2025, 11, 1), False)
    later = encode_leaf("status", 8, TOKEN, content=change, status="invalid", at=NOW, place=("1", 5))
    assert cbor.decode(later)[3] != token_digest(7, TOKEN), "two leaves of one certificate must look unrelated"
    others = [
        change_digest(8, TOKEN, None, date(2025, 11, 1), False),
        change_digest(8, TOKEN, "misconduct", date(2025, 11, 2), False),
        change_digest(8, TOKEN, "misconduct", date(2025, 11, 1), True),
        change_digest(9, TOKEN, "misconduct", date(2025, 11, 1), False),
    ]
    assert len({change, *others}) == 5
    read = decode_leaf(later)
    assert (read.kind, read.event, read.status, read.place) == ("status", 8, "invalid", ("1", 5))
    assert read.is_of(TOKEN)
    assert not decode_leaf(leaf).is_of("A" * 26)
    assert decode_leaf(leaf).place is None


@pytest.mark.parametrize(
    "changed",
    [
        {0: 1},
        {1: "issued"},
        {2: -1},
        {3: b"short"},
        {4: b"short"},
        {5: 1},
        {5: ""},
        {6: "now"},
        {7: ["1"]},
        {7: [1, 1]},
        {7: ["1", -1]},
    ],
)
def test_what_is_no_leaf_is_refused(changed: dict[int, Any]) -> None:
    parts = cbor.decode(encode_leaf("issue", 7, TOKEN, content=bytes(32), status="valid", at=NOW))
    for place, value in changed.items():
        parts[place] = value
    with pytest.raises(LeafMalformedError):
        decode_leaf(cbor.encode(parts))
    for other in (b"", cbor.encode([2]), cbor.encode(parts[:7])):
        with pytest.raises(LeafMalformedError):
            decode_leaf(other)


class MemoryLog:
    """A log in memory, hashed level by level as the definition says."""

    def __init__(self, size: int) -> None:
        self.entries = [b"entry %d" % n for n in range(size)]
        self.levels = [[leaf_hash(entry) for entry in self.entries]]
        while len(self.levels[-1]) >= 256:
            row = self.levels[-1]
            self.levels.append([_root(row[at : at + 256]) for at in range(0, len(row) // 256 * 256, 256)])

    def leaves(self, start: int, count: int) -> list[bytes]:
        return self.entries[start : start + count]

    def hashes(self, level: int, start: int, count: int) -> list[bytes]:
        return self.levels[level][start : start + count] if level < len(self.levels) else []


def _root(hashes: list[bytes]) -> bytes:
    frontier = Frontier()
    for item in hashes:
        frontier.append(item)
    return frontier.root()


SIZE = 70_000
LOG = MemoryLog(SIZE)


def test_tiles_of_a_tree_of_70000() -> None:
    """The worked example of tlog-tiles: 273 full tiles and one of 112; one full and one of 17; one of 1."""
    assert read_tile(LOG, "tile/0/272", SIZE).full
    assert read_tile(LOG, "tile/0/273.p/112", SIZE).content == b"".join(LOG.levels[0][273 * 256 :])
    assert read_tile(LOG, "tile/1/000", SIZE).content == b"".join(LOG.levels[1][:256])
    assert read_tile(LOG, "tile/1/001.p/17", SIZE).width == 17
    assert read_tile(LOG, "tile/2/000.p/1", SIZE).content == _root(LOG.levels[0][:65536])
    bundle = read_tile(LOG, "tile/entries/273.p/112", SIZE).content
    assert bundle_entries(bundle) == LOG.entries[273 * 256 :]
    assert b"".join(bundle_hashes(bundle)) == read_tile(LOG, "tile/0/273.p/112", SIZE).content
    with pytest.raises(ValueError):
        bundle_entries(bundle[:-1])


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/273",
        "tile/0/273.p/113",
        "tile/0/274.p/1",
        "tile/0/x001/000.p/1",
        "tile/0/x000/001",
        "tile/0/001.p/256",
        "tile/0/001.p/0",
        "tile/0/001.p/01",
        "tile/00/001",
        "tile/0/1",
        "tile/0/0001",
        "tile/2/000.p/2",
        "tile/2/000",
        "tile/3/000.p/1",
        "tile/6/000.p/1",
        "tile/63/000",
        "tile/entries/274",
        "tile/x/001",
        "tile/0/001/",
        "tile/0/../000",
        "tile/0/٠٠١",
    ],
)
def test_what_is_no_tile_is_not_found(path: str) -> None:
    with pytest.raises(TileNotFoundError):
        read_tile(LOG, path, SIZE)


def test_paths_are_spelt_as_the_specification_says() -> None:
    assert tile_path(0, 1_234_067) == "tile/0/x001/x234/067"
    assert tile_path("entries", 5, 12) == "tile/entries/005.p/12"
    assert tile_path(1, 1000) == "tile/1/x001/000"


def test_proofs_from_tiles_verify() -> None:
    root = _root(LOG.levels[0])
    for index in (0, 1, 255, 256, 65_535, 65_536, 69_887, 69_888, SIZE - 1):
        proof = prove_inclusion(LOG, index, SIZE)
        assert proof.leaf == LOG.entries[index]
        assert verify_inclusion(leaf_hash(proof.leaf), index, SIZE, proof.path, root)
    for old in (1, 255, 256, 300, 65_536, 65_537, SIZE):
        assert verify_consistency(old, _root(LOG.levels[0][:old]), SIZE, root, prove_consistency(LOG, old, SIZE))
    with pytest.raises(IndexError):
        node_reader(LOG)(17, 1)
