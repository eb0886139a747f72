"""A proof of inclusion: true ones verify, and nothing else does."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from issuer.publication.outbox import announce_file
from tests.factories.feed import BASE_URL, Feed, digest_of, open_feed, token_of
from tests.factories.signing import NOW, Bench
from verifier.record.log_proof import (
    ProofMalformedError,
    ProofRefusedError,
    StatusProof,
    prove_status,
    verify_status_proof,
)
from verifier.record.log_reading import decode_leaf, encode_leaf, origin_of
from verifier.record.status import CertificateStatus

ORIGIN = origin_of(BASE_URL)


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Feed]:
    """Three hundred certificates, one of them suspended, then invalid, with a further file after that."""
    folder = tmp_path_factory.mktemp("proofs")
    opened = open_feed(f"sqlite:///{folder / 'issuer.sqlite3'}", f"sqlite:///{folder / 'register.sqlite3'}")
    opened.publish(*range(300))
    opened.relay.flush()
    opened.change(5, 1, CertificateStatus.SUSPENDED)
    opened.change(5, 2, CertificateStatus.INVALID)
    with opened.database.write() as session:
        announce_file(session, digest_of(5, "later"), token_of(5), "extended", at=NOW)
    opened.relay.flush()
    yield opened
    opened.close()


def test_the_proof_is_of_the_newest_status_and_verifies(feed: Feed) -> None:
    for n, status, index in ((0, "valid", 0), (299, "valid", 299), (5, "invalid", 301)):
        proof = prove_status(feed.register, token_of(n))
        assert proof is not None
        assert StatusProof.from_json(proof.to_json()) == proof
        leaf, head = verify_status_proof(proof, feed.bench.key_set, token_of(n), origin=ORIGIN)
        assert (leaf.status, proof.leaf_index, head.tree_size) == (status, index, 303)
    assert prove_status(feed.register, token_of(1000)) is None


def test_nothing_else_is_taken_for_a_proof(feed: Feed) -> None:
    proof = prove_status(feed.register, token_of(5))
    other = prove_status(feed.register, token_of(6))
    assert proof is not None and other is not None
    made_up = encode_leaf("status", 302, token_of(5), content=bytes(32), status="valid", at=NOW, place=("1", 1))
    wrong = [
        replace(proof, leaf=made_up),
        replace(proof, leaf_index=302),
        replace(proof, leaf_index=400),
        replace(proof, tree_size=302),
        replace(proof, path=proof.path[:-1]),
        replace(proof, path=(*proof.path, proof.path[0])),
        replace(proof, path=proof.path[::-1]),
        replace(proof, checkpoint=proof.checkpoint.replace("303", "304")),
        other,
    ]
    for one in wrong:
        with pytest.raises(ProofRefusedError):
            verify_status_proof(one, feed.bench.key_set, token_of(5), origin=ORIGIN)
    with pytest.raises(ProofRefusedError):
        verify_status_proof(proof, Bench().key_set, token_of(5), origin=ORIGIN)
    with pytest.raises(ProofRefusedError):
        verify_status_proof(proof, feed.bench.key_set, token_of(5), origin="other.example/log")
    with pytest.raises(ProofMalformedError):
        verify_status_proof(replace(proof, leaf=b"\x00"), feed.bench.key_set, token_of(5))
    whole = proof.to_json()
    for change in (
        {"leaf": "zz"},
        {"proof": "ab"},
        {"proof": ["ab"]},
        {"leaf_index": True},
        {"leaf_hash": "00" * 32},
    ):
        with pytest.raises(ProofMalformedError):
            StatusProof.from_json(whole | change)
    for text in (None, [], {}, "x"):
        with pytest.raises(ProofMalformedError):
            StatusProof.from_json(text)


def test_the_log_alone_ties_no_leaf_to_an_issue(feed: Feed) -> None:
    """An issue shows no place in a list: leaves stand in the order of issue, and so often of a published roster."""
    leaves = [decode_leaf(leaf) for leaf in feed.register.leaves(0, 400)]
    assert all(leaf.place is None for leaf in leaves if leaf.kind != "status")
    assert [leaf.place for leaf in leaves if leaf.kind == "status"] == [leaves[300].place] * 2
    assert leaves[300].place is not None
