"""A witness cosigns growth and nothing else, remembers across restarts, and answers as C2SP tlog-witness says."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from issuer.sealing.checkpoint import sign_checkpoint
from tests.factories.signing import Bench
from verifier.record.log_reading import Checkpoint, read_checkpoint
from verifier.record.merkle import EMPTY_ROOT, Frontier, NodeReader, consistency_proof, leaf_hash, node_hash
from verifier.record.witnessing import Witness, WitnessKeyError, cosign, cosignatures, count_cosignatures
from verifier.witness.core import WitnessCore, WitnessStateError

ORIGIN = "verify.example/log"
BENCH = Bench()
NAME = "witness.example/w1"


def _leaf(log: str, index: int) -> bytes:
    return leaf_hash(f"{log} {index}".encode())


def _nodes(log: str) -> NodeReader:
    def read(height: int, position: int) -> bytes:
        if height == 0:
            return _leaf(log, position)
        return node_hash(read(height - 1, 2 * position), read(height - 1, 2 * position + 1))

    return read


def _note(size: int, log: str = "a", bench: Bench = BENCH, origin: str = ORIGIN) -> str:
    frontier = Frontier()
    for index in range(size):
        frontier.append(_leaf(log, index))
    return sign_checkpoint(bench, Checkpoint(origin, size, frontier.root()))


def _body(old: int, note: str, log: str = "a") -> bytes:
    size = read_checkpoint(note).tree_size
    proof = consistency_proof(old, size, _nodes(log)) if old <= size else ()
    lines = "".join(f"{base64.b64encode(step).decode()}\n" for step in proof)
    return f"old {old}\n{lines}\n{note}".encode()


@pytest.fixture
def core(tmp_path: Path) -> WitnessCore:
    """A fresh witness of the log."""
    return _core(tmp_path)


def _core(folder: Path) -> WitnessCore:
    return WitnessCore(folder / "witness", NAME, ORIGIN, lambda: BENCH.key_set, lambda: 1_760_000_000)


def test_growth_is_cosigned_and_the_cosignature_verifies(core: WitnessCore) -> None:
    witness = Witness.parse(core.vkey)
    for old, size in ((0, 5), (5, 5), (5, 8), (8, 300)):
        note = _note(size)
        reply = core.add_checkpoint(_body(old, note))
        assert reply.status == 200, reply
        assert cosignatures(note + reply.body, (witness,)) == {NAME: 1_760_000_000}
        assert core.newest() == note + reply.body


def test_everything_else_gets_the_answer_of_the_protocol(core: WitnessCore) -> None:
    assert core.add_checkpoint(_body(0, _note(8))).status == 200
    cases = [
        (409, _body(0, _note(9))),
        (409, _body(5, _note(9))),
        (409, _body(8, _note(8, "b"))),
        (409, _body(3, _note(5))),
        (422, _body(8, _note(20, "b"), "b")),
        (422, _body(8, _note(20)).replace(b"\n\n", b"\n" + base64.b64encode(bytes(32)) + b"\n\n", 1)),
        (400, _body(9, _note(8))),
        (403, _body(8, _note(9, bench=Bench()))),
        (404, _body(8, _note(9, origin="other.example/log"))),
        (400, b"old 8\n" + _note(9).encode()),
        (400, _body(8, _note(9)).replace(b"old 8", b"old 08")),
        (400, _body(8, _note(9)).replace(b"old 8", b"new 8")),
        (400, b"old 8\nAAAA\n\n" + _note(9).encode()),
        (400, b"\xff"),
        (400, b""),
    ]
    for status, body in cases:
        reply = core.add_checkpoint(body)
        assert reply.status == status, (status, reply, body[:80])
        if status == 409:
            assert (reply.body, reply.media_type) == ("8\n", "text/x.tlog.size")
    assert core.add_checkpoint(_body(8, _note(9))).status == 200, "none of that moved it"


def test_it_remembers_across_restarts_and_never_goes_back(tmp_path: Path) -> None:
    first = _core(tmp_path)
    assert first.add_checkpoint(_body(0, _note(8))).status == 200
    again = _core(tmp_path)
    assert again.vkey == first.vkey
    assert again.add_checkpoint(_body(0, _note(5))).status == 409
    assert again.add_checkpoint(_body(8, _note(12, "b"), "b")).status == 422
    assert first.add_checkpoint(_body(8, _note(9))).status == 200
    assert again.add_checkpoint(_body(8, _note(10))).status == 409, "two processes over one folder are one witness"


def test_an_empty_log_may_be_witnessed(core: WitnessCore) -> None:
    note = sign_checkpoint(BENCH, Checkpoint(ORIGIN, 0, EMPTY_ROOT))
    assert core.add_checkpoint(f"old 0\n\n{note}".encode()).status == 200
    assert core.add_checkpoint(_body(0, _note(3))).status == 200
    assert core.add_checkpoint(f"old 0\n\n{note}".encode()).status == 409


def test_a_lost_key_or_memory_stops_it(tmp_path: Path) -> None:
    core = _core(tmp_path)
    assert core.add_checkpoint(_body(0, _note(8))).status == 200
    key, memory = tmp_path / "witness" / "witness.key", tmp_path / "witness" / "cosigned.json"
    assert key.stat().st_mode & 0o777 == 0o600
    kept = key.read_bytes()
    key.unlink()
    with pytest.raises(WitnessStateError):
        _core(tmp_path)
    key.write_bytes(kept)
    memory.write_text("{}")
    with pytest.raises(WitnessStateError):
        _core(tmp_path)


def test_only_known_keys_count_and_each_once() -> None:
    keys = [Ed25519PrivateKey.generate() for _ in range(3)]
    witnesses = tuple(Witness(f"w{n}.example", key.public_key()) for n, key in enumerate(keys))
    note = _note(4)
    lines = [cosign(note, f"w{n}.example", key, 1_760_000_000 + n) for n, key in enumerate(keys)]
    assert count_cosignatures(note, witnesses) == 0
    assert cosignatures(note + "".join(lines), witnesses) == {f"w{n}.example": 1_760_000_000 + n for n in range(3)}
    assert count_cosignatures(note + "".join(lines), witnesses[:2]) == 2
    assert count_cosignatures(note + lines[0] + lines[0], witnesses) == 1
    alias = Witness("alias.example", keys[0].public_key())
    both = note + lines[0] + cosign(note, "alias.example", keys[0], 1)
    assert count_cosignatures(both, (witnesses[0], alias)) == 1, "one key under two names is one witness"
    assert count_cosignatures(_note(5) + lines[0], witnesses) == 0, "it was made for another checkpoint"
    assert count_cosignatures("no note", witnesses) == 0


def test_verifier_keys_are_read_strictly() -> None:
    key = Ed25519PrivateKey.generate().public_key()
    vkey = Witness(NAME, key).vkey
    assert Witness.parse(vkey) == Witness(NAME, key)
    assert Witness.parse(f"https://w.example {vkey}").url == "https://w.example"
    name, identity, encoded = vkey.split("+", 2)
    ed25519 = base64.b64encode(b"\x01" + key.public_bytes_raw()).decode()
    wrong = [f"{name}+00000000+{encoded}", f"{name}+{identity}", f"{name}+{identity}+{ed25519}"]
    for text in ("", "x", f"a b {vkey}", *wrong):
        with pytest.raises(WitnessKeyError):
            Witness.parse(text)


def test_the_example_of_c2sp_has_our_form() -> None:
    """The witness line of tlog-cosignature's own example: 4 bytes of key id, 8 of time, 64 of signature."""
    line = "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
    raw = base64.b64decode(line)
    assert len(raw) == 4 + 8 + 64
    assert int.from_bytes(raw[4:12], "big") == 1679315147, "the time its signed message names"
    ours = base64.b64decode(cosign(_note(1), NAME, Ed25519PrivateKey.generate(), 1679315147).split(" ")[2])
    assert ours[4:12] == raw[4:12] and len(ours) == len(raw)
