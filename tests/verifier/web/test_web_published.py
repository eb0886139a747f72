"""What was signed is handed out unchanged, can be checked by anyone, and does not outlive a change in a cache."""

from starlette.testclient import TestClient

from keys.public.keyset import KeySet
from tests.factories.public_register import PublicRegister
from tests.factories.signing import NOW
from verifier.record.log_proof import StatusProof, verify_status_proof
from verifier.record.log_reading import origin_of, verify_checkpoint
from verifier.record.log_tiles import bundle_entries, bundle_hashes
from verifier.record.merkle import Frontier
from verifier.record.qr import new_token
from verifier.record.status import CertificateStatus
from verifier.record.status_list import verify_status_list


def test_the_key_set_is_the_file_itself(client: TestClient, register: PublicRegister) -> None:
    answer = client.get("/.well-known/ecert-keys.json")
    assert answer.headers["content-type"] == "application/json"
    assert KeySet.from_json(answer.json()).to_json() == register.bench.key_set.to_json()
    again = client.get("/.well-known/ecert-keys.json", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""


def test_a_status_list_comes_as_jwt_or_cwt_and_verifies(client: TestClient, register: PublicRegister) -> None:
    register.set_list_entry(7, CertificateStatus.INVALID)
    for media_type in ("application/statuslist+jwt", "application/statuslist+cwt"):
        answer = client.get("/status-lists/1", headers={"Accept": media_type})
        assert answer.headers["content-type"] == media_type
        assert "Accept" in answer.headers["vary"]
        verified = verify_status_list(
            answer.content, register.bench.key_set, list_id="1", now=NOW, base_url=register.base_url
        )
        assert verified.statuses.get(7) == CertificateStatus.INVALID.list_value
        assert verified.statuses.get(8) == CertificateStatus.VALID.list_value
    assert client.get("/status-lists/1").headers["content-type"] == "application/statuslist+jwt"


def test_a_status_list_must_be_asked_for_again_and_changes_its_etag(
    client: TestClient, register: PublicRegister
) -> None:
    first = client.get("/status-lists/1")
    assert "no-cache" in first.headers["cache-control"]
    same = client.get("/status-lists/1", headers={"If-None-Match": first.headers["etag"]})
    assert same.status_code == 304
    register.set_list_entry(3, CertificateStatus.SUSPENDED)
    changed = client.get("/status-lists/1", headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


def test_the_log_can_be_read_back_and_gives_its_signed_root(client: TestClient, register: PublicRegister) -> None:
    register.log([new_token() for _ in range(300)])
    note = client.get("/log/checkpoint")
    assert note.headers["content-type"] == "text/plain; charset=utf-8"
    head = verify_checkpoint(note.text, register.bench.key_set, origin=origin_of(register.base_url))
    full = client.get("/log/tile/entries/000")
    partial = client.get("/log/tile/entries/001.p/44")
    assert "immutable" in full.headers["cache-control"]
    frontier = Frontier()
    for hashed in bundle_hashes(full.content) + bundle_hashes(partial.content):
        frontier.append(hashed)
    assert (frontier.size, frontier.root()) == (300, head.root_hash)
    assert len(bundle_entries(partial.content)) == 44
    assert client.get("/log/tile/0/000").content == b"".join(bundle_hashes(full.content))
    for path in ("0/001", "0/001.p/45", "0/001.p/0", "0/x000/001.p/44", "9/000", "entries/002", "0/1"):
        assert client.get(f"/log/tile/{path}").status_code == 404, path


def test_the_script_that_checks_the_log_holds_the_log_keys_only(client: TestClient, register: PublicRegister) -> None:
    answer = client.get("/log/check.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    for key in register.bench.key_set.to_json()["keys"]:
        assert (key["x"] in answer.text) is (key["use"] == "log")


def test_the_qr_page_holds_the_qr_keys_only(browser_client: TestClient, register: PublicRegister) -> None:
    page = browser_client.get(f"/v/{register.publish().token}").text
    for key in register.bench.key_set.to_json()["keys"]:
        assert (key["x"] in page) is (key["use"] == "qr-credential")


def test_the_log_proves_a_certificates_status(client: TestClient, register: PublicRegister) -> None:
    tokens = [new_token() for _ in range(40)]
    register.log(tokens)
    answer = client.get(f"/log/proof/{tokens[7].lower()}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.json()) == {"leaf_index", "tree_size", "leaf_hash", "proof", "checkpoint", "leaf"}
    proof = StatusProof.from_json(answer.json())
    leaf, head = verify_status_proof(proof, register.bench.key_set, tokens[7], origin=origin_of(register.base_url))
    assert (leaf.status, proof.leaf_index, head.tree_size) == ("valid", 7, 40)
    for unknown in (new_token(), "A" * 25, "nothing"):
        refused = client.get(f"/log/proof/{unknown}")
        assert (refused.status_code, refused.headers["content-type"]) == (404, "application/problem+json")
