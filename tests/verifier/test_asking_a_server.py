"""`ecert-verify --server`: the same verdicts from a real server, the payload of the QR code verified here."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.web_server import free_port, served
from tests.factories.world import World
from verifier import cli, puzzle
from verifier.check.bundle import read_bundle
from verifier.client import Server, ServerError
from verifier.record.qr import qr_text
from verifier.record.verdict import Verdict


@pytest.fixture(scope="module")
def address(issued_world: World) -> Iterator[str]:
    """A verifier over the issued world on a free port."""
    base_url = f"http://127.0.0.1:{free_port()}"
    with served(issued_world.folder, base_url):
        yield base_url


def test_every_kind_of_target(
    address: str, issued_world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    certificate, other, *_ = issued_world.certificates()
    file, changed = tmp_path / "certificate.pdf", tmp_path / "changed.pdf"
    pdf = issued_world.pdf(certificate)
    file.write_bytes(pdf)
    changed.write_bytes(pdf[:5000] + bytes([pdf[5000] ^ 1]) + pdf[5001:])
    credential = issued_world.credential(certificate)
    name = issued_world.people[0].name
    asked = {
        "valid": [
            [str(file)],
            [qr_text(address, certificate.token, credential)],
            [f"{address}/v/{certificate.token}"],
            [certificate.token],
            [certificate.file_sha256 or ""],
            [certificate.management_no, "--name", name],
        ],
        "altered": [[str(changed)], [qr_text(address, other.token, credential)]],
        "untrusted": [[issued_world.qr_text(certificate)]],
        "not_found": [["A" * 26], [certificate.management_no, "--name", "某某某"]],
    }
    for verdict, targets in asked.items():
        for target in targets:
            code = cli.run([*target, "--server", address, "--json"])
            answer = json.loads(capfd.readouterr().out)
            assert (answer["verdict"], code) == (verdict, int(verdict != "valid")), target


def test_a_bundle_fetched_from_a_server(address: str, issued_world: World, tmp_path: Path) -> None:
    assert cli.run(["fetch", "--server", address, "--bundle", str(tmp_path)]) == 0
    bundle = read_bundle(tmp_path)
    assert bundle.origins == (address,)
    assert bundle.status_lists
    certificate = issued_world.certificates()[0]
    text = qr_text(address, certificate.token, issued_world.credential(certificate))
    # The world's lists were signed at the start of its day and hold beyond its end.
    assert cli.run([text, "--bundle", str(tmp_path)]) == 0


def test_a_bundle_with_the_logs_proof(
    address: str, issued_world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    certificate, other, *_ = issued_world.certificates()
    texts = [qr_text(address, one.token, issued_world.credential(one)) for one in (certificate, other)]
    assert cli.run(["fetch", "--server", address, "--bundle", str(tmp_path), "--for", texts[0], "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["proofs"] == [certificate.token]
    for text, proven in ((texts[0], True), (texts[1], None)):
        assert cli.run([text, "--bundle", str(tmp_path), "--json"]) == 0
        answer = json.loads(capfd.readouterr().out)
        assert answer["log"]["proven"] is proven
        assert ("log-proven" in {check["code"] for check in answer["checks"]}) is (proven is True)
    assert cli.run(["fetch", "--server", address, "--bundle", str(tmp_path)]) == 0
    assert set(read_bundle(tmp_path).proofs) == {certificate.token}, "refreshed without being named again"
    proof = tmp_path / "proofs" / f"{certificate.token}.json"
    proof.write_text(proof.read_text().replace('"leaf_index":', '"leaf_index":1'))
    capfd.readouterr()
    assert cli.run([texts[0], "--bundle", str(tmp_path), "--json"]) == 2
    answer = json.loads(capfd.readouterr().out)
    assert (answer["verdict"], answer["checks"][-1]["code"]) == ("status_unknown", "log-proof-false")
    assert cli.run(["fetch", "--server", address, "--bundle", str(tmp_path), "--for", "nothing"]) == 2


def test_the_status_is_proven_from_the_log_here_and_over_there(
    address: str, issued_world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    token = issued_world.certificates()[0].token
    for source in (["--server", address], ["--data-dir", str(issued_world.folder)]):
        assert cli.run([token, *source, "--json"]) == 0
        answer = json.loads(capfd.readouterr().out)
        assert (answer["log"]["proven"], answer["checks"][-1]["code"]) == (True, "log-proven")
        assert cli.run([token, *source]) == 0
        assert "公开日志第" in capfd.readouterr().out


def test_a_server_that_is_none(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(ServerError):
        Server(nobody).check_token("A" * 26)
    assert cli.run(["fetch", "--server", nobody, "--bundle", str(tmp_path)]) == 2
    assert len(capfd.readouterr().err.strip().splitlines()) == 1
    assert not (tmp_path / "bundle.json").exists()


def test_a_number_alone_is_not_sent(address: str, issued_world: World) -> None:
    with pytest.raises(ServerError, match="--name"):
        Server(address).check_number("202601010000018")
    assert Server(address).check_token(issued_world.certificates()[0].token).verdict is Verdict.VALID


def test_a_price_is_paid_as_the_page_pays_it(
    issued_world: World, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server over its first limits answers after some work, and is not believed when it asks for too much."""
    monkeypatch.setenv("ECERT_PROOF_BITS", "9")
    base_url = f"http://127.0.0.1:{free_port()}"
    number, name = issued_world.certificates()[0].management_no, issued_world.people[0].name
    with served(issued_world.folder, base_url):
        free = 0
        # Ten a minute are free and sixty an hour: sooner or later a price is asked, however slow the machine.
        for asked in range(62):
            assert cli.run([number, "--name", f"某{asked}", "--server", base_url, "--json"]) == 1
            out, err = capfd.readouterr()
            assert json.loads(out)["verdict"] == "not_found"
            if "computing" in err:
                break
            free += 1
        assert 10 <= free < 61
        assert cli.run([number, "--name", name, "--server", base_url, "--json"]) == 0
        out, err = capfd.readouterr()
        assert json.loads(out)["verdict"] == "valid"
        assert name not in err
    monkeypatch.setattr(puzzle, "MOST_BITS", 8)
    for challenge in ({"algorithm": "other"}, {"algorithm": puzzle.ALGORITHM, "challenge": "1.9", "bits": 9}, "x"):
        with pytest.raises(puzzle.TooMuchWorkError):
            puzzle.answer_to(challenge)


def test_a_server_that_never_has_enough_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def answer(_self: Server, path: str, _accept: str, body: bytes, *_: object, **__: object) -> bytes:
        asked.append(body)
        challenge = {"algorithm": puzzle.ALGORITHM, "challenge": f"1.{len(asked)}", "bits": 4}
        return json.dumps({"title": "Too many", "challenge": challenge}).encode()

    monkeypatch.setattr(Server, "_send", answer)
    with pytest.raises(ServerError, match="Too many"):
        Server("https://v.example").check_number("202601010000018", "某某")
    assert len(asked) == 3
    assert b"proof=1.1" in asked[1]
